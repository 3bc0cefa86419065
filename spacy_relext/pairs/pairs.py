"""Pairs of entities of some Docs."""

from dataclasses import dataclass, field, replace
from typing import Iterator, List, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

IntArray = NDArray[numpy.int64]


@dataclass
class Pairs:
    """Pairs of entities of some Docs, in document order. Bounds are tokens of the Doc, the end exclusive.

    doc (IntArray): Index of the Doc of each pair. Shape (P,)
    text (IntArray): Bounds of the text in which a pair is read: one sentence, or several. Shape (P, 2)
    subject (IntArray): Bounds of the first argument. Shape (P, 2)
    object (IntArray): Bounds of the second one. Shape (P, 2)
    types (List[Tuple[str, str]]): Entity types of both arguments, "" for none.
    both_orders (bool): Whether each pair is there in both orders, so that no class is backwards.
    lost (int): Marked pairs with an argument that covers no token, or with the same tokens as both arguments.
    dropped (int): Pairs of entities beyond the limit of a suggester.
    """

    docs: Sequence[Doc]
    doc: IntArray
    text: IntArray
    subject: IntArray
    object: IntArray
    types: List[Tuple[str, str]] = field(default_factory=list)
    both_orders: bool = True
    lost: int = 0
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.doc)

    @property
    def pairs(self) -> "Pairs":
        """The pairs themselves, as `GoldPairs` has the same attribute."""
        return self

    def spans(self, number: int) -> Tuple[Span, Span]:
        """Return subject and object of one pair."""
        doc = self.docs[self.doc[number]]
        (first, end), (other, other_end) = self.subject[number].tolist(), self.object[number].tolist()
        return doc[first:end], doc[other:other_end]

    def place(self, number: int) -> Tuple[int, ...]:
        """Return the index of a pair's Doc, then the bounds of both arguments, the earlier one first."""
        first, second = sorted((self.subject[number].tolist(), self.object[number].tolist()))
        return (int(self.doc[number]), *first, *second)

    def by_position(self) -> Iterator[Tuple[int, List[int], List[int], Tuple[str, str]]]:
        """Iterate over pairs from left to right; of pairs in both orders, only over those in text order.

        YIELDS (Tuple[int, List[int], List[int], Tuple[str, str]]): Number of the pair, bounds of the left and of the
            right argument, and their types in that order.
        """
        for number, (left, right) in enumerate(zip(self.subject.tolist(), self.object.tolist())):
            if left <= right:
                yield number, left, right, self.types[number]
            elif not self.both_orders:
                yield number, right, left, self.types[number][::-1]

    def take(self, numbers: Union[Sequence[int], IntArray]) -> "Pairs":
        """Select pairs by their numbers, with all Docs."""
        rows = numpy.asarray(numbers, dtype="int64")
        types = [self.types[number] for number in rows.tolist()]
        doc, text, subject, obj = (column[rows] for column in self._columns())
        return replace(self, doc=doc, text=text, subject=subject, object=obj, types=types)

    def with_own_docs(self) -> "Pairs":
        """Drop the Docs without a pair, which an encoder would read too."""
        docs, doc = numpy.unique(self.doc, return_inverse=True)
        return replace(self, docs=[self.docs[number] for number in docs.tolist()], doc=doc.astype("int64"))

    def reversed(self, which: Optional[NDArray[numpy.bool_]] = None) -> "Pairs":
        """Exchange subject and object.

        which (Optional[NDArray[numpy.bool_]]): Which pairs to reverse; None: all. Shape (P,)
        """
        chosen = numpy.ones(len(self), dtype=bool) if which is None else which
        types = [kinds[::-1] if is_chosen else kinds for kinds, is_chosen in zip(self.types, chosen.tolist())]
        subject = numpy.where(chosen[:, None], self.object, self.subject)
        obj = numpy.where(chosen[:, None], self.subject, self.object)
        return replace(self, subject=subject, object=obj, types=types)

    def augment_with_reversed(self) -> "Pairs":
        """Append each pair in reverse, unless both orders are there."""
        return self if self.both_orders else self.joined(self.reversed())

    def in_text_order(self) -> "Pairs":
        """Select, of pairs in both orders, those in text order; pairs in one order stay as they are."""
        if not self.both_orders:
            return self
        (start, end), (other_start, other_end) = self.subject.T, self.object.T
        in_order = (start < other_start) | ((start == other_start) & (end <= other_end))
        return replace(self.take(numpy.flatnonzero(in_order)), both_orders=False)

    def joined(self, other: "Pairs") -> "Pairs":
        """Append other pairs of the same Docs."""
        doc, text, subject, obj = (numpy.concatenate(columns) for columns in zip(self._columns(), other._columns()))
        return replace(self, doc=doc, text=text, subject=subject, object=obj, types=self.types + other.types)

    def _columns(self) -> Tuple[IntArray, IntArray, IntArray, IntArray]:
        """Return all arrays."""
        return self.doc, self.text, self.subject, self.object


def stack_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Concatenate one or more sets of pairs and their Docs; a Doc of two sets is in the result twice."""
    offsets = numpy.cumsum([0, *(len(part.docs) for part in parts)])
    columns = [(part.doc + offset, part.text, part.subject, part.object) for part, offset in zip(parts, offsets)]
    doc, text, subject, obj = (numpy.concatenate(column) for column in zip(*columns))
    types = [kinds for part in parts for kinds in part.types]
    both_orders = all(part.both_orders for part in parts)
    return Pairs([each for part in parts for each in part.docs], doc, text, subject, obj, types, both_orders)
