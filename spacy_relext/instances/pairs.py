"""Which pairs of entities are classified: all of a sentence, or those that a data set marks."""

from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

from ..corpora.records import ENTITIES_KEY, PAIRS_KEY
from ..triples.store import char_span
from .sentences import sentence_bounds

IntArray = NDArray[numpy.int64]
Bounds = Tuple[int, int]


@dataclass
class Pairs:
    """Pairs of entities of some Docs, in document order. Bounds are tokens of the Doc, the end exclusive.

    docs (Sequence[Doc]): The Docs.
    doc (IntArray): Which Doc each pair is of. Shape (P,)
    text (IntArray): Bounds of the text that a pair is read in: its sentence, or several. Shape (P, 2)
    subject (IntArray): Bounds of the first argument. Shape (P, 2)
    object (IntArray): Bounds of the second one. Shape (P, 2)
    types (List[Tuple[str, str]]): Entity types of both, "" where there is none.
    both_orders (bool): Whether each pair is there in both orders, so that none need be read backwards.
    lost (int): Marked pairs that cover no token, or the same tokens twice.
    """

    docs: Sequence[Doc]
    doc: IntArray
    text: IntArray
    subject: IntArray
    object: IntArray
    types: List[Tuple[str, str]] = field(default_factory=list)
    both_orders: bool = True
    lost: int = 0

    def __len__(self) -> int:
        return len(self.doc)

    def spans(self, number: int) -> Tuple[Span, Span]:
        """Make the arguments of one pair.

        number (int): Which pair.
        RETURNS (Tuple[Span, Span]): Subject and object.
        """
        doc = self.docs[self.doc[number]]
        (first, end), (other, other_end) = self.subject[number].tolist(), self.object[number].tolist()
        return doc[first:end], doc[other:other_end]

    def place(self, number: int) -> Tuple[int, ...]:
        """Say where a pair stands, in whichever order.

        number (int): Which pair.
        RETURNS (Tuple[int, ...]): Number of its Doc, then the bounds of both arguments, the earlier one first.
        """
        first, second = sorted((self.subject[number].tolist(), self.object[number].tolist()))
        return (int(self.doc[number]), *first, *second)

    def by_position(self) -> Iterator[Tuple[int, List[int], List[int], Tuple[str, str]]]:
        """Read each pair from left to right; of pairs in both orders only the one in the order of the text.

        YIELDS (Tuple[int, List[int], List[int], Tuple[str, str]]): Number of the pair, bounds of the left and of the
            right argument, and their types in that order.
        """
        for number, (left, right) in enumerate(zip(self.subject.tolist(), self.object.tolist())):
            if left <= right:
                yield number, left, right, self.types[number]
            elif not self.both_orders:
                yield number, right, left, self.types[number][::-1]

    def take(self, numbers: Union[Sequence[int], IntArray]) -> "Pairs":
        """Keep some of the pairs.

        numbers (Union[Sequence[int], IntArray]): Which.
        RETURNS (Pairs): These, of the same Docs.
        """
        rows = numpy.asarray(numbers, dtype="int64")
        types = [self.types[number] for number in rows.tolist()]
        columns = {name: getattr(self, name)[rows] for name in ("doc", "text", "subject", "object")}
        return replace(self, types=types, **columns)

    def with_own_docs(self) -> "Pairs":
        """RETURNS (Pairs): The same without the Docs of which there is no pair, so that nothing reads them."""
        kept, doc = numpy.unique(self.doc, return_inverse=True)
        return replace(self, docs=[self.docs[number] for number in kept.tolist()], doc=doc.astype("int64"))

    def turned(self, which: Optional[NDArray[numpy.bool_]] = None) -> "Pairs":
        """Read pairs from the other side.

        which (Optional[NDArray[numpy.bool_]]): Which of them; None: all. Shape (P,)
        RETURNS (Pairs): Their subject and object change places.
        """
        chosen = numpy.ones(len(self), dtype=bool) if which is None else which
        types = [kinds[::-1] if turn else kinds for kinds, turn in zip(self.types, chosen.tolist())]
        first, second = (
            numpy.where(chosen[:, None], *order) for order in ((self.object, self.subject), (self.subject, self.object))
        )
        return replace(self, subject=first, object=second, types=types)

    def in_both_orders(self) -> "Pairs":
        """RETURNS (Pairs): These pairs, then each as it is read from the other side, unless both are there."""
        return self if self.both_orders else self.joined(self.turned())

    def in_text_order(self) -> "Pairs":
        """RETURNS (Pairs): Of pairs in both orders those whose subject comes first; others as they are."""
        if not self.both_orders:
            return self
        return replace(self.take(numpy.flatnonzero(self.subject[:, 0] <= self.object[:, 0])), both_orders=False)

    def joined(self, other: "Pairs") -> "Pairs":
        """Put pairs of the same Docs behind these.

        other (Pairs): The others.
        RETURNS (Pairs): All of them.
        """
        columns: Dict[str, Any] = {
            name: numpy.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("doc", "text", "subject", "object")
        }
        return replace(self, types=self.types + other.types, **columns)


def stack_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs of different Docs one below the other.

    parts (Sequence[Pairs]): At least one. A Doc that stands in two of them stands in the result twice.
    RETURNS (Pairs): All of them; in both orders where all parts are.
    """
    offsets = numpy.cumsum([0, *(len(part.docs) for part in parts)])
    columns: Dict[str, Any] = {
        name: numpy.concatenate([getattr(part, name) for part in parts]) for name in ("text", "subject", "object")
    }
    return Pairs(
        [doc for part in parts for doc in part.docs],
        numpy.concatenate([part.doc + offset for part, offset in zip(parts, offsets)]),
        types=[kinds for part in parts for kinds in part.types],
        both_orders=all(part.both_orders for part in parts),
        **columns,
    )


Suggester = Callable[[Sequence[Doc]], Pairs]
Entity = Tuple[Bounds, str]
Row = Tuple[int, Bounds, Bounds, Bounds, Tuple[str, str]]


class EntityPairs:
    """Suggests all ordered pairs of entities that stand in one sentence, or in sentences near each other.

    max_distance (Optional[int]): Most tokens between the two; None: any number.
    types (Optional[List[List[str]]]): Allowed [subject type, object type]; "*" is any type. None: all.
    neighbours (int): How many sentences further on the second entity may stand.
    """

    # A class, not a closure: a spawned process gets the component by pickle.
    def __init__(
        self, *, max_distance: Optional[int] = None, types: Optional[List[List[str]]] = None, neighbours: int = 0
    ) -> None:
        self.max_distance, self.neighbours = max_distance, neighbours
        self.types = None if types is None else {tuple(pair) for pair in types}

    def __call__(self, docs: Sequence[Doc]) -> Pairs:
        """Suggest.

        docs (Sequence[Doc]): With entities and sentences.
        RETURNS (Pairs): Each pair in both orders.
        """
        rows = []
        for number, doc in enumerate(docs):
            for text, ordered in _texts(doc, doc_entities(doc), self.neighbours):
                for first, second in ordered:
                    if self._is_allowed(first, second):
                        rows.append((number, text, first[0], second[0], (first[1], second[1])))
        return _as_pairs(docs, rows, both_orders=True)

    def _is_allowed(self, first: Entity, second: Entity) -> bool:
        """Say whether two entities are a pair to be classified."""
        (place, kind), (other, other_kind) = first, second
        between = max(place[0], other[0]) - min(place[1], other[1])
        if place == other or (self.max_distance is not None and between > self.max_distance):
            return False
        return self.types is None or any((s, o) in self.types for s in (kind, "*") for o in (other_kind, "*"))


class AnnotatedPairs:
    """Suggests the pairs that a data set marks (`pairs` of a canonical record), each in the order it has there."""

    def __call__(self, docs: Sequence[Doc]) -> Pairs:
        """Suggest.

        docs (Sequence[Doc]): With marked pairs; entities give types where their spans are the same.
        RETURNS (Pairs): In one order each.
        """
        rows, lost = [], 0
        for number, doc in enumerate(docs):
            bounds = sentence_bounds(doc)
            types = dict(doc_entities(doc))
            for pair in doc.user_data.get(PAIRS_KEY, ()):
                subject, obj = char_span(doc, pair["subject"]), char_span(doc, pair["object"])
                if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
                    lost += 1
                    continue
                first, second = (subject.start, subject.end), (obj.start, obj.end)
                kinds = (types.get(first, ""), types.get(second, ""))
                rows.append((number, _covering(bounds, first, second), first, second, kinds))
        return _as_pairs(docs, rows, both_orders=False, lost=lost)


def doc_entities(doc: Doc) -> List[Entity]:
    """List the entities of a Doc: `doc.ents`, and those of its record that overlap others.

    doc (Doc): The document.
    RETURNS (List[Tuple[Bounds, str]]): Tokens and type, by position, each span once.
    """
    found: Dict[Bounds, str] = {}
    for entity in doc.user_data.get(ENTITIES_KEY, ()):
        span = char_span(doc, (entity["start"], entity["end"]))
        if span is not None:
            found[(span.start, span.end)] = entity["label"]
    found.update({(ent.start, ent.end): ent.label_ for ent in doc.ents})
    return sorted(found.items())


def is_searched(doc: Doc) -> bool:
    """Say whether anything has looked for entities in a Doc, or marked pairs.

    doc (Doc): The document.
    RETURNS (bool): Also where none was found, and of an empty Doc.
    """
    return not len(doc) or doc.has_annotation("ENT_IOB") or not {ENTITIES_KEY, PAIRS_KEY}.isdisjoint(doc.user_data)


def _texts(
    doc: Doc, entities: List[Entity], neighbours: int
) -> Iterator[Tuple[Bounds, Iterable[Tuple[Entity, Entity]]]]:
    """Yield each text that pairs are read in, with its ordered pairs; a pair is read in the shortest one."""
    bounds = sentence_bounds(doc)
    inside = [[e for e in entities if start <= e[0][0] and e[0][1] <= end] for start, end in bounds]
    for number, (start, end) in enumerate(bounds):
        yield (start, end), permutations(inside[number], 2)
        for other in range(number + 1, min(number + neighbours, len(bounds) - 1) + 1):
            across = [(a, b) for a in inside[number] for b in inside[other]]
            yield (start, bounds[other][1]), [pair for a, b in across for pair in ((a, b), (b, a))]


def _covering(bounds: List[Bounds], first: Bounds, second: Bounds) -> Bounds:
    """The sentences from the one that holds the earlier argument to the one that holds the later."""
    low, high = min(first[0], second[0]), max(first[1], second[1])
    return max(start for start, _ in bounds if start <= low), min(end for _, end in bounds if high <= end)


def _as_pairs(docs: Sequence[Doc], rows: List[Row], *, both_orders: bool, lost: int = 0) -> Pairs:
    """Lay rows out as arrays."""
    columns = [[row[column] for row in rows] for column in range(4)]
    doc = numpy.asarray(columns[0], dtype="int64")
    text, subject, obj = (numpy.asarray(column, dtype="int64").reshape(-1, 2) for column in columns[1:])
    return Pairs(docs, doc, text, subject, obj, [row[4] for row in rows], both_orders, lost)
