"""More clusters than are wanted, merged by how near and how large they are."""

from typing import List

import numpy
import pytest

from spacy_relext.selfore.clustering.ensemble import merge_clusters

CENTROIDS = [[0.0, 0.0], [0.2, 0.0], [5.0, 0.0], [5.4, 0.0]]


@pytest.mark.parametrize(
    ("sizes", "means"), [([90, 10, 50, 50], [0.02, 5.2]), ([1, 1, 1, 1], [0.1, 5.2]), ([0.5, 10, 50, 50], [0.2, 5.2])]
)
def test_a_centroid_counts_as_often_as_it_has_pairs(sizes: List[float], means: List[float]) -> None:
    found = merge_clusters(numpy.asarray(CENTROIDS), numpy.asarray(sizes), 2)
    assert found.numbers.tolist() == [0, 0, 1, 1]
    assert found.centroids[:, 0].tolist() == pytest.approx(means)


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_centroid_without_pairs_draws_nothing(place: int) -> None:
    centroids, sizes = list(CENTROIDS), [90.0, 10.0, 50.0, 50.0]
    centroids.insert(place, [9.0, 9.0])
    sizes.insert(place, 0.0)
    found = merge_clusters(numpy.asarray(centroids), numpy.asarray(sizes), 2)
    numbers = found.numbers.tolist()
    assert numbers.pop(place) == 1 and numbers == [0, 0, 1, 1], "it goes to the nearest in the end"
    assert found.centroids[:, 0].tolist() == pytest.approx([0.02, 5.2])


def test_large_clusters_are_kept_apart() -> None:
    centroids = numpy.asarray([[0.0], [1.0], [2.1]])
    assert merge_clusters(centroids, numpy.asarray([100, 100, 100]), 2).numbers.tolist() == [0, 0, 1]
    assert merge_clusters(centroids, numpy.asarray([100, 100, 5]), 2).numbers.tolist() == [0, 1, 1]


def test_as_many_as_there_are() -> None:
    centroids = numpy.asarray(CENTROIDS)
    assert merge_clusters(centroids, numpy.ones(4), 4).numbers.tolist() == [0, 1, 2, 3]
    assert merge_clusters(centroids, numpy.asarray([3, 0, 0, 2]), 3).numbers.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="no cluster has pairs"):
        merge_clusters(centroids, numpy.zeros(4), 2)
