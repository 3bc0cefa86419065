"""Selection by neighbours, merging and consensus of clusterings."""

from typing import List

import numpy
import pytest

from spacy_relext.scoring.clusters import score_clusters
from spacy_relext.selfore.clustering import ensemble
from spacy_relext.selfore.clustering.ensemble import Neighbours, consensus_clusters, merge_clusters

CENTROIDS = [[0.0, 0.0], [0.2, 0.0], [5.0, 0.0], [5.4, 0.0]]
DICE = numpy.random.default_rng(0)
GOLD = numpy.repeat(numpy.arange(4), 50)
VECTORS = numpy.eye(4)[GOLD] + 0.1 * DICE.normal(size=(200, 4))


@pytest.mark.parametrize(
    ("sizes", "means"), [([90, 10, 50, 50], [0.02, 5.2]), ([1, 1, 1, 1], [0.1, 5.2]), ([0.5, 10, 50, 50], [0.2, 5.2])]
)
def test_a_centroid_counts_as_often_as_it_has_pairs(sizes: List[float], means: List[float]) -> None:
    numbers, merged = merge_clusters(numpy.asarray(CENTROIDS), numpy.asarray(sizes), 2)
    assert numbers.tolist() == [0, 0, 1, 1]
    assert merged[:, 0].tolist() == pytest.approx(means)


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_centroid_without_pairs_draws_nothing(place: int) -> None:
    centroids, sizes = list(CENTROIDS), [90.0, 10.0, 50.0, 50.0]
    centroids.insert(place, [9.0, 9.0])
    sizes.insert(place, 0.0)
    numbers, means = merge_clusters(numpy.asarray(centroids), numpy.asarray(sizes), 2)
    rest = numbers.tolist()
    assert rest.pop(place) == 1 and rest == [0, 0, 1, 1], "it goes to the nearest in the end"
    assert means[:, 0].tolist() == pytest.approx([0.02, 5.2])


def test_large_clusters_are_kept_apart() -> None:
    centroids = numpy.asarray([[0.0], [1.0], [2.1]])
    assert merge_clusters(centroids, numpy.asarray([100, 100, 100]), 2)[0].tolist() == [0, 0, 1]
    assert merge_clusters(centroids, numpy.asarray([100, 100, 5]), 2)[0].tolist() == [0, 1, 1]


def test_as_many_as_there_are() -> None:
    centroids = numpy.asarray(CENTROIDS)
    assert merge_clusters(centroids, numpy.ones(4), 4)[0].tolist() == [0, 1, 2, 3]
    assert merge_clusters(centroids, numpy.asarray([3, 0, 0, 2]), 3)[0].tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="no cluster has pairs"):
        merge_clusters(centroids, numpy.zeros(4), 2)


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
    monkeypatch.setattr(ensemble, "MAX_QUERIES", 60)
    monkeypatch.setattr(ensemble, "MAX_CANDIDATES", 120)
    found = Neighbours(VECTORS, count=5)
    assert len(found.queries) == 60 and len(found.candidates) == 120
    assert found.information(GOLD, count=4) > 0.9


@pytest.mark.parametrize("total", [1, 2, 3])
def test_few_pairs(total: int) -> None:
    found = Neighbours(VECTORS[:total])
    assert found.nearest.shape == (total, min(1, total - 1)) and found.information(GOLD[:total], count=2) == 0.0


def test_most_clusterings_decide_whatever_their_numbers() -> None:
    dice = numpy.random.default_rng(0)
    wrong = []
    for _ in range(7):  # numbered anew, a fifth of the pairs anywhere
        labels = dice.permutation(4)[GOLD]
        astray = dice.random(len(GOLD)) < 0.2
        wrong.append(numpy.where(astray, dice.integers(4, size=len(GOLD)), labels))
    found = consensus_clusters(wrong, 4, seed=0)
    alone = max(score_clusters(GOLD.tolist(), each.tolist())["ari"] for each in wrong)
    assert score_clusters(GOLD.tolist(), found.tolist())["ari"] > max(0.9, alone)


def test_clusterings_that_are_the_same() -> None:
    found = consensus_clusters([GOLD, 3 - GOLD], 4, seed=0)
    assert score_clusters(GOLD.tolist(), found.tolist())["ari"] == 1.0
    assert consensus_clusters([numpy.zeros(5, dtype="int64")], 3, seed=0).tolist() == [0] * 5
