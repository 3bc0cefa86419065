"""Positives of the contrastive loss with `loop = "neighbours"`: for each pair, a neighbour in the same cluster.

Two pairs are mutual neighbours if each is among the nearest ones of the other (`Neighbours`). Where a cluster mixes
relations, its mutual neighbours still mostly share one, so they are a better label than the cluster itself.
"""

from typing import Dict, NamedTuple, Sequence

import numpy

from ..pairs.pairs import IntArray, Pairs, stack_pairs
from .clustering.ensemble import Neighbours
from .table import keys_of


class Partners(NamedTuple):
    """The pairs of a corpus, and the mutual neighbours of each in its cluster.

    pairs (Pairs): All pairs, with their texts.
    rows (Dict[bytes, IntArray]): Key of a pair → numbers of its neighbours; pairs without one are missing.
    """

    pairs: Pairs
    rows: Dict[bytes, IntArray]

    def draw(self, pairs: Pairs) -> Pairs:
        """Select the pairs of a batch that have a neighbour, and append a neighbour of each, drawn at random."""
        keys = keys_of(pairs)
        chosen = [number for number, key in enumerate(keys) if key in self.rows]
        rows = [int(numpy.random.choice(self.rows[keys[number]])) for number in chosen]
        if not chosen:  # the texts stay: a batch without pairs still goes through the model
            return pairs.take([])
        return stack_pairs([pairs.take(chosen).with_own_docs(), self.pairs.take(rows).with_own_docs()])


def find_partners(
    pairs: Pairs, keys: Sequence[bytes], labels: IntArray, neighbours: Neighbours, *, learned: Sequence[bool]
) -> Partners:
    """Find the mutual neighbours of each pair in its cluster.

    keys (Sequence[bytes]): Of the pairs, from `keys_of`.
    labels (IntArray): Clusters. Shape (N,)
    neighbours (Neighbours): Of the pairs, or of a sample if there are many.
    learned (Sequence[bool]): Which pairs may be learned from.
    """
    first, second = mutual_neighbours(neighbours, len(keys))
    usable = numpy.asarray(learned)
    kept = (labels[first] == labels[second]) & usable[first] & usable[second]
    first, second = first[kept], second[kept]
    starts = numpy.flatnonzero(numpy.diff(first, prepend=-1))
    parts = numpy.split(second, starts[1:])
    return Partners(pairs, {keys[row]: part for row, part in zip(first[starts].tolist(), parts)})


def mutual_neighbours(neighbours: Neighbours, total: int) -> IntArray:
    """List the mutual neighbours among `total` rows: numbers of both, sorted by the first. Shape (2, M)"""
    own = numpy.repeat(neighbours.queries, neighbours.nearest.shape[1])
    other = neighbours.candidates[neighbours.nearest].ravel()
    forwards, backwards = own * total + other, other * total + own
    kept = numpy.sort(forwards[numpy.isin(forwards, backwards)])
    return numpy.stack(numpy.divmod(kept, total))
