"""Bags: all mentions of one ordered pair of linked entities, which are classified together."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.entities import entity_links
from ..pairs.pairs import Pairs

IntArray = NDArray[numpy.int64]


@dataclass
class Bags:
    """Pairs gathered in bags.

    pairs (Pairs): Those of a bag stand side by side.
    order (IntArray): Number that each pair had before. Shape (P,)
    bag (IntArray): Bag of each pair, in rising order. Shape (P,)
    ids (List[Tuple[str, str]]): What subject and object of each bag are linked to, "" where they are not; a pair with
        such an argument is a bag of its own.
    """

    pairs: Pairs
    order: IntArray
    bag: IntArray
    ids: List[Tuple[str, str]]

    def __len__(self) -> int:
        return len(self.ids)

    def starts(self) -> IntArray:
        """RETURNS (IntArray): First pair of each bag, and behind them the number of pairs. Shape (G + 1,)"""
        return numpy.searchsorted(self.bag, numpy.arange(len(self) + 1)).astype("int64")

    def rows(self, number: int) -> range:
        """RETURNS (range): The pairs of one bag."""
        first, end = numpy.searchsorted(self.bag, [number, number + 1]).tolist()
        return range(first, end)

    def take(self, first: int, end: int) -> "Bags":
        """Keep some bags that stand side by side.

        first (int): Number of the first.
        end (int): Number after the last.
        RETURNS (Bags): These, without the Docs of others.
        """
        begin, stop = numpy.searchsorted(self.bag, [first, end])
        pairs = self.pairs.take(numpy.arange(begin, stop)).with_own_docs()
        return Bags(pairs, self.order[begin:stop], self.bag[begin:stop] - first, self.ids[first:end])

    def parts(self, cells: int) -> Iterator["Bags"]:
        """Split into runs of whole bags whose texts, side by side, have a bounded number of tokens.

        cells (int): The bound; a single bag may exceed it.
        YIELDS (Bags): In their order.
        """
        if not len(self):
            return
        lengths, starts = self.pairs.text[:, 1] - self.pairs.text[:, 0], self.starts().tolist()
        first, longest = 0, 0
        for number in range(len(self)):
            longest_here = int(lengths[starts[number] : starts[number + 1]].max())
            size = starts[number + 1] - starts[first]
            if number > first and max(longest, longest_here) * size > cells:
                yield self.take(first, number)
                first, longest = number, 0
            longest = max(longest, longest_here)
        yield self.take(first, len(self))


def gather_bags(pairs: Pairs, *, across: bool = False) -> Bags:
    """Gather the pairs of the same two linked entities, in this order.

    pairs (Pairs): Any.
    across (bool): Whether mentions of different Docs come into one bag.
    RETURNS (Bags): By the first mention of each.
    """
    numbers: Dict[Tuple[object, ...], int] = {}
    links = [entity_links(doc) for doc in pairs.docs]
    ids: List[Tuple[str, str]] = []
    bag = numpy.zeros(len(pairs), dtype="int64")
    for row, (doc, subject, obj) in enumerate(zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())):
        found = (links[doc].get(tuple(subject), ""), links[doc].get(tuple(obj), ""))
        key: Tuple[object, ...] = (row,)
        if all(found):
            key = found if across else (doc, *found)
        if key not in numbers:
            numbers[key] = len(ids)
            ids.append(found)
        bag[row] = numbers[key]
    order = numpy.argsort(bag, kind="stable")
    return Bags(pairs.take(order), order.astype("int64"), bag[order], ids)


def union_of(said: Sequence[set], bags: Bags) -> List[set]:
    """Put what is said of the mentions of each bag together.

    said (Sequence[set]): Of each pair, as it was numbered before it was gathered.
    bags (Bags): The bags.
    RETURNS (List[set]): Of each bag.
    """
    found: List[set] = [set() for _ in range(len(bags))]
    for row, number in zip(bags.order.tolist(), bags.bag.tolist()):
        found[number] |= said[row]
    return found
