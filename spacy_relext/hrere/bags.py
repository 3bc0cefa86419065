"""Bags: all mentions of one ordered pair of linked entities, which are classified together."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Set, Tuple

import numpy

from ..annotations.entities import entity_links
from ..pairs.gold import PairClass
from ..pairs.pairs import IntArray, Pairs


@dataclass
class Bags:
    """Pairs in bags.

    pairs (Pairs): Sorted by bag.
    order (IntArray): Original number of each pair. Shape (P,)
    bag (IntArray): Bag of each pair. Shape (P,)
    ids (List[Tuple[str, str]]): Ids of subject and object of each bag; "" if not linked: such a pair is its own bag.
    """

    pairs: Pairs
    order: IntArray
    bag: IntArray
    ids: List[Tuple[str, str]]

    def __len__(self) -> int:
        return len(self.ids)

    def starts(self) -> IntArray:
        """Return the first pair of each bag, and the number of pairs. Shape (G + 1,)"""
        return numpy.searchsorted(self.bag, numpy.arange(len(self) + 1)).astype("int64")

    def rows(self, number: int) -> range:
        """Return the numbers of the pairs of one bag."""
        first, end = numpy.searchsorted(self.bag, [number, number + 1]).tolist()
        return range(first, end)

    def _take(self, first: int, end: int) -> "Bags":
        """Return the bags from `first` to before `end`, without the Docs of others."""
        begin, stop = numpy.searchsorted(self.bag, [first, end])
        pairs = self.pairs.take(numpy.arange(begin, stop)).with_own_docs()
        return Bags(pairs, self.order[begin:stop], self.bag[begin:stop] - first, self.ids[first:end])

    def parts(self, cells: int) -> Iterator["Bags"]:
        """Yield batches of whole bags with at most `cells` tokens, padding included; a single bag may exceed that."""
        if not len(self):
            return
        lengths, starts = self.pairs.text[:, 1] - self.pairs.text[:, 0], self.starts().tolist()
        first, longest = 0, 0
        for number in range(len(self)):
            longest_here = int(lengths[starts[number] : starts[number + 1]].max())
            size = starts[number + 1] - starts[first]
            if number > first and max(longest, longest_here) * size > cells:
                yield self._take(first, number)
                first, longest = number, 0
            longest = max(longest, longest_here)
        yield self._take(first, len(self))


def gather_bags(pairs: Pairs, *, across: bool = False) -> Bags:
    """Group pairs by the ids of subject and object, within each Doc or `across` Docs, in order of first mention."""
    numbers: Dict[Tuple[object, ...], int] = {}
    links = [entity_links(doc) for doc in pairs.docs]
    ids: List[Tuple[str, str]] = []
    bag = numpy.zeros(len(pairs), dtype="int64")
    for row, (doc, subject, obj) in enumerate(zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())):
        linked = (links[doc].get(tuple(subject), ""), links[doc].get(tuple(obj), ""))
        key: Tuple[object, ...] = (row,)
        if all(linked):
            key = linked if across else (doc, *linked)
        if key not in numbers:
            numbers[key] = len(ids)
            ids.append(linked)
        bag[row] = numbers[key]
    order = numpy.argsort(bag, kind="stable")
    return Bags(pairs.take(order), order.astype("int64"), bag[order], ids)


def union_of(gold: Sequence[Set[PairClass]], bags: Bags) -> List[Set[PairClass]]:
    """Unite the gold classes of the pairs of each bag; `gold` has the original order of the pairs."""
    united: List[Set[PairClass]] = [set() for _ in range(len(bags))]
    for row, number in zip(bags.order.tolist(), bags.bag.tolist()):
        united[number] |= gold[row]
    return united


def single_mentions(bags: Bags) -> Bags:
    """Return each mention as a bag of its own, with its links, in the order of `bags.pairs`."""
    ids = [bags.ids[number] for number in bags.bag.tolist()]
    return Bags(bags.pairs, bags.order, numpy.arange(len(ids)), ids)
