"""Which pairs of entities are classified: all of a sentence, or those that a data set marks."""

from dataclasses import dataclass, field, replace
from typing import Iterator, List, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

IntArray = NDArray[numpy.int64]


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

    @property
    def pairs(self) -> "Pairs":
        """RETURNS (Pairs): Itself: `GoldPairs` has the same attribute."""
        return self

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
        docs, doc = numpy.unique(self.doc, return_inverse=True)
        return replace(self, docs=[self.docs[number] for number in docs.tolist()], doc=doc.astype("int64"))

    def reversed(self, which: Optional[NDArray[numpy.bool_]] = None) -> "Pairs":
        """Exchange subject and object.

        which (Optional[NDArray[numpy.bool_]]): Which pairs are reversed; None: all. Shape (P,)
        RETURNS (Pairs): The pairs, some of them reversed.
        """
        chosen = numpy.ones(len(self), dtype=bool) if which is None else which
        types = [kinds[::-1] if is_chosen else kinds for kinds, is_chosen in zip(self.types, chosen.tolist())]
        subject = numpy.where(chosen[:, None], self.object, self.subject)
        return replace(
            self, subject=subject, object=numpy.where(chosen[:, None], self.subject, self.object), types=types
        )

    def augment_with_reversed(self) -> "Pairs":
        """RETURNS (Pairs): These pairs, then each reversed, unless both orders are there."""
        return self if self.both_orders else self.joined(self.reversed())

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
        doc, text, subject, obj = (numpy.concatenate(columns) for columns in zip(self._columns(), other._columns()))
        return replace(self, doc=doc, text=text, subject=subject, object=obj, types=self.types + other.types)

    def _columns(self) -> Tuple[IntArray, IntArray, IntArray, IntArray]:
        """Return all arrays."""
        return self.doc, self.text, self.subject, self.object


def stack_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs of different Docs one below the other.

    parts (Sequence[Pairs]): At least one. A Doc that stands in two of them stands in the result twice.
    RETURNS (Pairs): All of them; in both orders where all parts are.
    """
    offsets = numpy.cumsum([0, *(len(part.docs) for part in parts)])
    return Pairs(
        [doc for part in parts for doc in part.docs],
        numpy.concatenate([part.doc + offset for part, offset in zip(parts, offsets)]),
        text=numpy.concatenate([part.text for part in parts]),
        subject=numpy.concatenate([part.subject for part in parts]),
        object=numpy.concatenate([part.object for part in parts]),
        types=[kinds for part in parts for kinds in part.types],
        both_orders=all(part.both_orders for part in parts),
    )
