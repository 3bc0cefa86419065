"""Mutual neighbours, and the pairs that a loop contrasts."""

import numpy

from spacy_relext.selfore.clustering.ensemble import Neighbours
from spacy_relext.selfore.neighbours import find_partners, mutual_neighbours
from spacy_relext.selfore.table import keys_of
from tests.selfore.test_component import TURNS, build


def unit(degrees: float) -> "list[float]":
    return [float(numpy.cos(numpy.radians(degrees))), float(numpy.sin(numpy.radians(degrees)))]


def test_neighbours_that_are_mutual() -> None:
    """At 0, 10, 25, 27 and 100 degrees, one neighbour each: of 1 it is 0, of 2 and 3 each other, of 4 it is 3."""
    vectors = numpy.asarray([unit(angle) for angle in (0, 10, 25, 27, 100)], dtype="float32")
    neighbours = Neighbours(vectors, count=1)
    assert neighbours.nearest.ravel().tolist() == [1, 0, 3, 2, 3]
    assert mutual_neighbours(neighbours, 5).tolist() == [[0, 1, 2, 3], [1, 0, 3, 2]]


def test_partners_share_the_cluster_and_are_learned_from() -> None:
    _, pipe, examples = build()
    pairs = pipe.suggest_gold(examples[:5])
    keys = keys_of(pairs)
    neighbours = Neighbours(numpy.asarray([unit(angle) for angle in (0, 10, 25, 27, 100)], dtype="float32"), count=1)
    labels = numpy.asarray([0, 0, 0, 1, 1])
    found = find_partners(pairs, keys, labels, neighbours, learned=[True] * 5)
    assert {key: rows.tolist() for key, rows in found.rows.items()} == {keys[0]: [1], keys[1]: [0]}
    drawn = found.draw(pipe.suggest_gold(examples[1:4]))
    assert keys_of(drawn) == [keys[1], keys[0]] and len(drawn.docs) == 2
    assert not find_partners(pairs, keys, labels, neighbours, learned=[False, *[True] * 4]).rows
    assert len(found.draw(pipe.suggest_gold(examples[TURNS : TURNS + 2]))) == 0
