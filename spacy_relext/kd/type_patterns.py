"""Type patterns: co-occurrence counts of entity-type pairs and relations, and the type prior G computed from them.

KD4NRE (AAAI 2020) counts positive instances only and sets the entry of "no relation" to a constant (form `printed`). By
default "no relation" is counted like any class, rare patterns back off to the marginals of each type, and the prior of
a training instance leaves that instance out, because it would otherwise leak the label.
"""

from collections import Counter, defaultdict
from typing import Dict, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, get_args

import numpy
from numpy.typing import NDArray

from ..annotations.triple import Record
from ..errors import Errors, check_choice, check_range
from ..pairs.gold import NO_RELATION, UNLABELLED

TypePair = Tuple[str, str]
Form = Literal["smoothed", "printed"]
Ints = NDArray[numpy.int64]
Floats = NDArray[numpy.float64]

_BACKOFF = 1.0  # pseudo-instances of the back-off distribution in the marginals and in P(r)


class TypePatterns:
    """Counts of training instances by (subject type, object type) and class; class 0 is no relation.

    counts (Mapping[TypePair, Mapping[int, int]]): Type pair → class → instances.
    n_classes (int): R, "no relation" included.
    RAISES (ValueError): If a class is not in 0 to R - 1, or a count is negative.
    """

    def __init__(self, counts: Mapping[TypePair, Mapping[int, int]], *, n_classes: int) -> None:
        check_range("n_classes", n_classes, 1, float("inf"))
        self.n_classes = n_classes
        self.pairs: Tuple[TypePair, ...] = tuple(sorted(pair for pair, row in counts.items() if any(row.values())))
        # the last row of each table, -1, is zero: that of unseen types
        self._by_pair: Ints = numpy.zeros((len(self.pairs) + 1, n_classes), dtype=numpy.int64)
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
        """Look up the instances of each class, without zeros; empty for an unseen pair."""
        row = self._by_pair[self._rows.get(pair, -1)]
        return {int(number): int(row[number]) for number in numpy.flatnonzero(row)}

    def prior(
        self,
        types: Sequence[TypePair],
        *,
        leave_out: Optional[Sequence[int]] = None,
        smoothing: float = 1.0,
        form: Form = "smoothed",
        na_constant: float = 0.2,
    ) -> NDArray[numpy.float32]:
        """Compute G, the prior of the classes given the types.

        `smoothed`: G = (w + κ b) / (n + κ), with the pattern's counts w, their sum n, and the back-off
        b ∝ P(r|s) P(r|o) / P(r) of subject type s and object type o, whose marginals are smoothed by one instance
        towards P(r); rows sum to 1. `printed`: positive counts over their sum, and a constant for no relation; rows do
        not sum to 1.

        types (Sequence[TypePair]): Types of each instance. Length P
        leave_out (Optional[Sequence[int]]): Class of each instance, which is first subtracted once from the counts, if
            it was counted with these types; -1, or None for all: nothing is subtracted. Length P
        smoothing (float): κ, in instances, above 0; form `smoothed` only.
        na_constant (float): C, the entry of no relation; form `printed` only.
        RETURNS (NDArray[numpy.float32]): Shape (P, R)
        RAISES (ValueError): If a setting is out of range.
        """
        check_choice("form", form, get_args(Form))
        counts, rows = self._counts(types, leave_out)
        table = _printed(counts.pair, na_constant) if form == "printed" else _smoothed(counts, smoothing)[0]
        return table[rows].astype(numpy.float32)

    def log_odds(
        self, types: Sequence[TypePair], *, leave_out: Optional[Sequence[int]] = None, smoothing: float = 1.0
    ) -> NDArray[numpy.float32]:
        """Compute log G - log P(r), for the smoothed G: the evidence of the types as logits. Shape (P, R)

        For the arguments see `prior`; what is left out is subtracted from P(r) as well.
        """
        counts, rows = self._counts(types, leave_out)
        prior, overall = _smoothed(counts, smoothing)
        return (numpy.log(prior) - numpy.log(overall))[rows].astype(numpy.float32)

    def to_dict(self) -> Record:
        """Make plain values: `n_classes`, and `counts` as [subject type, object type, [[class, count], ...]]."""
        counts = [[*pair, [list(item) for item in self.counts_of(pair).items()]] for pair in self.pairs]
        return {"n_classes": self.n_classes, "counts": counts}

    @classmethod
    def from_dict(cls, values: Record) -> "TypePatterns":
        """Read the values of `to_dict`, whose lists may have become tuples.

        RAISES (ValueError): If the values are malformed.
        """
        try:
            counts = {(str(s), str(o)): {int(c): int(n) for c, n in row} for s, o, row in values["counts"]}
            n_classes = int(values["n_classes"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(Errors.R408.format(detail=f"{type(error).__name__}: {error}")) from None
        return cls(counts, n_classes=n_classes)

    def _marginal(self, side: int) -> Tuple[Dict[str, int], Ints]:
        """Sum the counts over the other argument's types; also return the row of each type."""
        rows = {kind: row for row, kind in enumerate(sorted({pair[side] for pair in self.pairs}))}
        table: Ints = numpy.zeros((len(rows) + 1, self.n_classes), dtype=numpy.int64)
        for pair, counts in zip(self.pairs, self._by_pair):
            table[rows[pair[side]]] += counts
        return rows, table

    def _counts(self, types: Sequence[TypePair], leave_out: Optional[Sequence[int]]) -> Tuple["_Counts", Ints]:
        """Look up the counts of the U distinct instances; also return the row of each instance among them."""
        own = [UNLABELLED] * len(types) if leave_out is None else list(leave_out)
        if leave_out is not None and (len(own) != len(types) or not set(own) <= {UNLABELLED, *range(self.n_classes)}):
            expected = f"a class, 0 to {self.n_classes - 1}, or {UNLABELLED}, for each of {len(types)} instances"
            raise ValueError(Errors.R007.format(key="leave_out", found=own[:5], expected=expected))
        keys = [
            (self._rows.get((s, o), -1), self._subject_rows.get(s, -1), self._object_rows.get(o, -1), int(number))
            for (s, o), number in zip(types, own)
        ]
        table = numpy.asarray(keys, dtype=numpy.int64).reshape(-1, 4)
        unique, inverse = numpy.unique(table, axis=0, return_inverse=True)
        pair, subject, obj, classes = unique.T
        subtracted = numpy.zeros((len(unique), self.n_classes), dtype=numpy.int64)
        known = numpy.flatnonzero((classes != UNLABELLED) & (self._by_pair[pair, classes] > 0))
        subtracted[known, classes[known]] = 1
        tables = (self._by_pair[pair], self._by_subject[subject], self._by_object[obj], self._overall[None])
        return _Counts(*(table - subtracted for table in tables)), inverse.reshape(-1)


class _Counts(NamedTuple):
    """Counts of U distinct instances. Shapes (U, R)"""

    pair: Ints
    subject: Ints
    object: Ints
    overall: Ints


def count_patterns(types: Sequence[TypePair], classes: Sequence[int], *, n_classes: int) -> TypePatterns:
    """Count training instances.

    types (Sequence[TypePair]): Subject type and object type of each instance, "" for none. Length P
    classes (Sequence[int]): Class of each. Length P
    RAISES (ValueError): If the lengths differ or a class is not in 0 to R - 1.
    """
    if len(types) != len(classes):
        raise ValueError(Errors.R409.format(found=f"{len(types)} type pairs", given=f"{len(classes)} classes"))
    table: Dict[TypePair, Counter[int]] = defaultdict(Counter)
    for (subject, obj), number in zip(types, classes):
        table[subject, obj][int(number)] += 1
    return TypePatterns(table, n_classes=n_classes)


def _printed(counts: Ints, na_constant: float) -> Floats:
    """Compute the `printed` prior; see `TypePatterns.prior`."""
    positives = counts.astype(numpy.float64)
    positives[:, NO_RELATION] = 0.0
    table: Floats = positives / numpy.maximum(positives.sum(axis=1, keepdims=True), 1.0)
    table[:, NO_RELATION] = na_constant
    return table


def _smoothed(counts: _Counts, smoothing: float) -> Tuple[Floats, Floats]:
    """Compute the `smoothed` prior; also return P(r)."""
    if not smoothing > 0:
        raise ValueError(Errors.R007.format(key="smoothing", found=smoothing, expected="a number above 0"))
    n_classes = counts.overall.shape[1]
    # P(r) is smoothed as well, so that its logarithm stays finite if leaving one out empties a class
    overall = _smooth_towards(numpy.full((1, n_classes), 1.0 / n_classes), counts.overall, _BACKOFF)
    backoff = numpy.ones_like(overall)
    for marginal in (counts.subject, counts.object):
        backoff = backoff * _smooth_towards(overall, marginal, _BACKOFF)
    backoff /= overall  # P(r|s) P(r|o) / P(r): the product alone would count P(r) twice
    backoff /= backoff.sum(axis=1, keepdims=True)
    return _smooth_towards(backoff, counts.pair, smoothing), overall


def _smooth_towards(parent: Floats, counts: Ints, weight: float) -> Floats:
    """Normalize counts plus `weight` pseudo-instances of the parent distribution."""
    return (counts + weight * parent) / (counts.sum(axis=1, keepdims=True) + weight)
