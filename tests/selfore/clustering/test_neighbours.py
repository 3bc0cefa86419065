"""Clusterings are judged by neighbours."""

import numpy
import pytest

from spacy_relext.selfore.clustering import neighbours
from spacy_relext.selfore.clustering.neighbours import Neighbours

DICE = numpy.random.default_rng(0)
GOLD = numpy.repeat(numpy.arange(4), 50)
VECTORS = numpy.eye(4)[GOLD] + 0.1 * DICE.normal(size=(200, 4))


def test_clusters_of_neighbours_tell_most() -> None:
    found = Neighbours(VECTORS)
    assert found.nearest.shape == (200, 10) and (found.nearest != numpy.arange(200)[:, None]).all()
    assert (GOLD[found.nearest] == GOLD[:, None]).all()
    assert found.information(GOLD, count=4) == pytest.approx(1.0, abs=1e-6)
    halves = found.information(GOLD // 2, count=4)
    assert halves == pytest.approx(0.5, abs=1e-6), "two clusters of four tell half as much"
    assert found.information(DICE.integers(0, 4, 200), count=4) < 0.02
    assert found.information(GOLD * 0, count=4) == 0.0 == found.information(GOLD * 0, count=1)


def test_samples_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_ASKED", 60)
    monkeypatch.setattr(neighbours, "MOST_SEARCHED", 120)
    found = Neighbours(VECTORS, count=5)
    assert len(found.asked) == 60 and len(found.searched) == 120
    assert found.information(GOLD, count=4) > 0.9


@pytest.mark.parametrize("total", [1, 2, 3])
def test_few_pairs(total: int) -> None:
    found = Neighbours(VECTORS[:total])
    assert found.nearest.shape == (total, min(1, total - 1)) and found.information(GOLD[:total], count=2) == 0.0
