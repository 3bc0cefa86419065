"""What two entity types say about the relation between them: counts of training instances, and the prior they make.

KD4NRE (AAAI 2020) counts positive instances only and sets the share of "no relation" to a constant (form `printed`).
By default "no relation" is counted like any class, rare patterns are drawn towards what each of their types alone
says, and an instance of the training data can be left out of its own prior, which would otherwise give its label away.
"""

from collections import Counter
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    get_args,
)

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

from ..annotations.entities import PAIRS_KEY
from ..annotations.store import get_triples, has_triples
from ..annotations.triple import Triple
from ..errors import Errors, check_choice, check_range
from ..pairs.suggesters import AnnotatedPairs, EntityPairs

TypePair = Tuple[str, str]

Form = Literal["smoothed", "printed"]

Ints = NDArray[np.int64]

Floats = NDArray[np.float64]

NO_RELATION = 0

_BORROWED = 1.0  # instances that a marginal, and all classes together, take from the next wider distribution


class TypePatterns:
    """How many training instances of each (subject type, object type) belong to each class; class 0 is no relation.

    counts (Mapping[TypePair, Mapping[int, int]]): Type pair → class → instances.
    n_classes (int): R, "no relation" included.
    RAISES (ValueError): Where a class is none of 0 to R - 1, or a count is negative.
    """

    def __init__(self, counts: Mapping[TypePair, Mapping[int, int]], *, n_classes: int) -> None:
        check_range("n_classes", n_classes, 1, float("inf"))
        self.n_classes = n_classes
        self.pairs: Tuple[TypePair, ...] = tuple(sorted(pair for pair, row in counts.items() if any(row.values())))
        # The last row of each table is zero and stands for what was never seen: a look-up gives -1.
        self._by_pair: Ints = np.zeros((len(self.pairs) + 1, n_classes), dtype=np.int64)
        for row, pair in enumerate(self.pairs):
            for number, count in counts[pair].items():
                if not 0 <= number < n_classes or count < 0:
                    expected = f"classes 0 to {n_classes - 1}, and counts of 0 or more"
                    raise ValueError(Errors.R410.format(pair=pair, number=number, count=count, expected=expected))
                self._by_pair[row, number] = count
        self._rows = {pair: row for row, pair in enumerate(self.pairs)}
        self._subject_rows, self._by_subject = self._marginal(0)
        self._object_rows, self._by_object = self._marginal(1)
        self._overall: Ints = self._by_pair.sum(axis=0)

    def __len__(self) -> int:
        return len(self.pairs)

    def counts_of(self, pair: TypePair) -> Dict[int, int]:
        """Look up one type pair.

        pair (TypePair): Subject type, object type.
        RETURNS (Dict[int, int]): Class → instances, without zeros; empty for a pair that was never seen.
        """
        row = self._by_pair[self._rows.get(pair, -1)]
        return {int(number): int(row[number]) for number in np.flatnonzero(row)}

    def prior(
        self,
        types: Sequence[TypePair],
        *,
        leave_out: Optional[Sequence[int]] = None,
        smoothing: float = 1.0,
        form: Form = "smoothed",
        na_constant: float = 0.2,
    ) -> NDArray[np.float32]:
        """Compute G, what each instance's types say about its class.

        `smoothed`: G = (w + κ b) / (n + κ), where w are the pattern's counts, n their sum, and b ∝ P(r|s) P(r|o) / P(r)
        of the subject type s and the object type o, whose class distributions borrow one instance from that of all
        classes; rows sum to 1. `printed`: positive counts over their sum, and
        a constant for no relation; a pattern without positives has that constant alone, rows do not sum to 1.

        types (Sequence[TypePair]): Types of each instance. Length P
        leave_out (Optional[Sequence[int]]): Class of each instance, of which one is taken from the counts first;
            nothing where its types were never counted with that class. None: take nothing away. Length P
        smoothing (float): κ, instances, above 0; form `smoothed` only.
        form (Form): `smoothed` or `printed`.
        na_constant (float): C, the entry of no relation; form `printed` only.
        RETURNS (NDArray[np.float32]): Shape (P, R)
        RAISES (ValueError): On unusable settings.
        """
        check_choice("form", form, get_args(Form))
        counts, rows = self._counts(types, leave_out)
        table = _printed(counts.pair, na_constant) if form == "printed" else _smoothed(counts, smoothing)[0]
        return table[rows].astype(np.float32)

    def log_odds(
        self, types: Sequence[TypePair], *, leave_out: Optional[Sequence[int]] = None, smoothing: float = 1.0
    ) -> NDArray[np.float32]:
        """Compute log G - log q for form `smoothed`, where q is the distribution of all classes: logits of the types.

        types (Sequence[TypePair]): Types of each instance. Length P
        leave_out (Optional[Sequence[int]]): As in `prior`; the count is taken from q as well. Length P
        smoothing (float): κ, instances, above 0.
        RETURNS (NDArray[np.float32]): Above 0 where the types speak for a class. Shape (P, R)
        """
        counts, rows = self._counts(types, leave_out)
        prior, overall = _smoothed(counts, smoothing)
        return (np.log(prior) - np.log(overall))[rows].astype(np.float32)

    def allowed(self, types: Sequence[TypePair], *, at_least: int) -> NDArray[np.bool_]:
        """Say which classes were seen with each instance's types.

        types (Sequence[TypePair]): Types of each instance. Length P
        at_least (int): How often a class must have been seen.
        RETURNS (NDArray[np.bool_]): No relation always, and for types never seen together everything. Shape (P, R)
        """
        table = self._by_pair >= at_least
        table[:, NO_RELATION] = True
        table[-1] = True
        return table[[self._rows.get((subject, obj), -1) for subject, obj in types]].reshape(-1, self.n_classes)

    def to_dict(self) -> Dict[str, Any]:
        """Make plain values for a component's cfg.

        RETURNS (Dict[str, Any]): `n_classes`, and `counts` as [subject type, object type, [[class, count], ...]].
        """
        counts = [[*pair, [list(item) for item in self.counts_of(pair).items()]] for pair in self.pairs]
        return {"n_classes": self.n_classes, "counts": counts}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TypePatterns":
        """Read what `to_dict` made.

        values (Mapping[str, Any]): The plain values; lists may have become tuples.
        RETURNS (TypePatterns): The same counts.
        RAISES (ValueError): Where the values are anything else.
        """
        try:
            counts = {(str(s), str(o)): {int(c): int(n) for c, n in row} for s, o, row in values["counts"]}
            n_classes = int(values["n_classes"])
        except (KeyError, TypeError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise ValueError(Errors.R408.format(detail=detail)) from None
        return cls(counts, n_classes=n_classes)

    def _marginal(self, side: int) -> Tuple[Dict[str, int], Ints]:
        """Add the counts of all pairs that share one of their types; RETURNS also the row of each type."""
        rows = {kind: row for row, kind in enumerate(sorted({pair[side] for pair in self.pairs}))}
        table: Ints = np.zeros((len(rows) + 1, self.n_classes), dtype=np.int64)
        for pair, counts in zip(self.pairs, self._by_pair):
            table[rows[pair[side]]] += counts
        return rows, table

    def _counts(self, types: Sequence[TypePair], leave_out: Optional[Sequence[int]]) -> Tuple["_Counts", Ints]:
        """Look counts up once for instances that have them in common; RETURNS also the row U of each instance."""
        own = [-1] * len(types) if leave_out is None else list(leave_out)
        if leave_out is not None and (len(own) != len(types) or not set(own) <= set(range(self.n_classes))):
            expected = f"a class, 0 to {self.n_classes - 1}, for each of {len(types)} instances"
            raise ValueError(Errors.R007.format(key="leave_out", found=own[:5], expected=expected))
        keys = [
            (self._rows.get((s, o), -1), self._subject_rows.get(s, -1), self._object_rows.get(o, -1), int(number))
            for (s, o), number in zip(types, own)
        ]
        unique, inverse = np.unique(np.asarray(keys, dtype=np.int64).reshape(-1, 4), axis=0, return_inverse=True)
        pair, subject, obj, classes = unique.T
        gone = np.zeros((len(unique), self.n_classes), dtype=np.int64)
        counted = np.flatnonzero((classes >= 0) & (self._by_pair[pair, classes] > 0))
        gone[counted, classes[counted]] = 1
        tables = (self._by_pair[pair], self._by_subject[subject], self._by_object[obj], self._overall[None])
        return _Counts(*(table - gone for table in tables)), inverse.reshape(-1)


class _Counts(NamedTuple):
    """Counts that belong to each of U kinds of instances. Shape (U, R) each"""

    pair: Ints
    subject: Ints
    object: Ints
    overall: Ints


def count_patterns(types: Sequence[TypePair], classes: Sequence[int], *, n_classes: int) -> TypePatterns:
    """Count training instances.

    types (Sequence[TypePair]): Subject type and object type of each instance, "" where there is none. Length P
    classes (Sequence[int]): Class of each instance; 0, no relation, is counted like the others. Length P
    n_classes (int): R.
    RETURNS (TypePatterns): The counts.
    RAISES (ValueError): Where the lengths differ or a class is none of 0 to R - 1.
    """
    if len(types) != len(classes):
        raise ValueError(Errors.R409.format(found=f"{len(types)} type pairs", given=f"{len(classes)} classes"))
    counts: Dict[TypePair, Dict[int, int]] = {}
    for (subject, obj, number), count in Counter((s, o, int(c)) for (s, o), c in zip(types, classes)).items():
        counts.setdefault((subject, obj), {})[number] = count
    return TypePatterns(counts, n_classes=n_classes)


def gold_patterns(docs: Iterable[Doc]) -> Tuple[TypePatterns, List[str]]:
    """Count the gold triples of annotated Docs by the types of their arguments, and the pairs that have none.

    docs (Iterable[Doc]): The Docs.
    RETURNS (Tuple[TypePatterns, List[str]]): The counts, and the relation of each class; class 0, "", has the ordered
        pairs of entities of one sentence, or else the pairs that a data set marks, of which gold says nothing.
    """
    counts: Counter[Tuple[str, str, str]] = Counter()
    for doc in docs:
        if has_triples(doc):
            triples = [triple for triple in get_triples(doc) if triple.source == ""]
            counts.update((type_of_span(each.subject), type_of_span(each.object), each.relation) for each in triples)
            counts.update((*kinds, "") for kinds in _unrelated(doc, triples))
    labels = ["", *sorted({relation for _, _, relation in counts} - {""})]
    numbers = {label: number for number, label in enumerate(labels)}
    table: Dict[TypePair, Dict[int, int]] = {}
    for (subject, obj, relation), count in counts.items():
        table.setdefault((subject, obj), {})[numbers[relation]] = count
    return TypePatterns(table, n_classes=len(labels)), labels


def _unrelated(doc: Doc, triples: Sequence[Triple]) -> Iterator[TypePair]:
    """Yield the types of the pairs that have no triple; one marked in one order has those of either direction."""
    pairs = (AnnotatedPairs() if PAIRS_KEY in doc.user_data else EntityPairs())([doc])
    related = {(*_entity_bounds(each.subject), *_entity_bounds(each.object)) for each in triples}
    if not pairs.both_orders:
        related |= {(*places[2:], *places[:2]) for places in related}
    for kinds, subject, obj in zip(pairs.types, pairs.subject.tolist(), pairs.object.tolist()):
        if (*subject, *obj) not in related:
            yield kinds


def type_of_span(span: Span) -> str:
    """Look up the type of an argument.

    span (Span): The argument.
    RETURNS (str): Label of the entity in `doc.ents` that covers the span; "" where none does.
    """
    entity = _covering(span)
    return "" if entity is None else entity.label_


def _covering(span: Span) -> Optional[Span]:
    """Find the entity that covers a span."""
    return next((ent for ent in span.doc.ents if ent.start <= span.start and span.end <= ent.end), None)


def _entity_bounds(span: Span) -> Tuple[int, int]:
    """First token, and the one after the last, of the entity that covers a span, or of the span."""
    found = _covering(span) or span
    return found.start, found.end


def _printed(counts: Ints, na_constant: float) -> Floats:
    """Divide positive counts by their sum; see `TypePatterns.prior`."""
    positives = counts.astype(np.float64)
    positives[:, NO_RELATION] = 0.0
    table: Floats = positives / np.maximum(positives.sum(axis=1, keepdims=True), 1.0)
    table[:, NO_RELATION] = na_constant
    return table


def _smoothed(counts: _Counts, smoothing: float) -> Tuple[Floats, Floats]:
    """Draw counts towards what each type alone says; RETURNS also the distribution of all classes."""
    if not smoothing > 0:
        raise ValueError(Errors.R007.format(key="smoothing", found=smoothing, expected="a number above 0"))
    n_classes = counts.overall.shape[1]
    # Even a class that leaving out emptied keeps a probability, so that its logarithm is finite.
    overall = _drawn_towards(np.full((1, n_classes), 1.0 / n_classes), counts.overall, _BORROWED)
    backoff = np.ones_like(overall)
    for marginal in (counts.subject, counts.object):
        backoff = backoff * _drawn_towards(overall, marginal, _BORROWED)
    backoff /= overall  # P(r|s) P(r|o) / P(r): the product alone would count the distribution of all classes twice
    backoff /= backoff.sum(axis=1, keepdims=True)
    return _drawn_towards(backoff, counts.pair, smoothing), overall


def _drawn_towards(parent: Floats, counts: Ints, weight: float) -> Floats:
    """Make a distribution of counts, to which the wider distribution adds `weight` instances."""
    return (counts + weight * parent) / (counts.sum(axis=1, keepdims=True) + weight)
