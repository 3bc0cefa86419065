"""Clusters of which some are known."""

from typing import Sequence

import numpy
import pytest

from spacy_relext.pairs.gold import UNLABELLED
from spacy_relext.selfore.clustering.discriminant import Clustering, reduce_vectors
from spacy_relext.selfore.clustering.seeded import assign_classes, constrained_kmeans, seeded_kmeans
from tests.selfore.clustering.test_discriminant import cluster

SIZE = 30


def groups(count: int, *, seed: int = 0) -> numpy.ndarray:
    """Groups of points around the corners of a simplex."""
    dice = numpy.random.default_rng(seed)
    centers = numpy.repeat(4.0 * numpy.eye(count, 8), SIZE, axis=0)
    return (centers + dice.normal(size=centers.shape) * 0.5).astype("float32")


def cluster_seeded(vectors: numpy.ndarray, count: int, seeds: Sequence[int], *, restarts: int = 10) -> Clustering:
    """Clusters beside known classes."""
    return seeded_kmeans(reduce_vectors(vectors, count), count, seeds, restarts=restarts, seed=0)


def test_new_clusters_beside_known_ones() -> None:
    vectors = groups(4)
    seeds = [UNLABELLED] * len(vectors)
    seeds[3 * SIZE], seeds[3 * SIZE + 1], seeds[SIZE] = 0, 0, 1  # the fourth group is the first cluster
    found = cluster_seeded(vectors, 4, seeds, restarts=3)
    labels = found.labels.reshape(4, SIZE)
    assert (labels == labels[:, :1]).all() and labels[3, 0] == 0 and labels[1, 0] == 1
    assert sorted(labels[:, 0].tolist()) == [0, 1, 2, 3]
    assert (found.space.logits(found.space.codes(vectors)).argmax(1) == found.labels).all()
    alone = cluster(vectors, 4, restarts=3)
    assert found.information == pytest.approx(alone.information)


def test_gold_stays_where_it_is_and_draws_centroids() -> None:
    vectors = groups(2)
    seeds = numpy.full(len(vectors), UNLABELLED)
    seeds[: SIZE // 2], seeds[SIZE] = 0, 0  # one of the second group as well
    found = cluster_seeded(vectors, 2, seeds.tolist(), restarts=2)
    assert (found.labels[seeds == 0] == 0).all() and (found.labels[SIZE + 1 :] == 1).all()


def test_clusters_go_to_relations() -> None:
    labels = numpy.repeat([0, 1, 2, 3], 4)
    seeds = numpy.full(16, UNLABELLED)
    seeds[[0, 4, 5, 6, 8]] = [0, 1, 1, 0, 0]  # most of cluster 1 is labelled, then come 0 and 2
    assert assign_classes(labels, seeds, 4).tolist() == [0, 0, 0, 0, 1, 1, 0, 1, 0, 2, 2, 2, 3, 3, 3, 3]


def test_no_room_and_nothing_to_tell_apart() -> None:
    vectors = groups(2)
    for seeds in ([0, 1, *[UNLABELLED] * (len(vectors) - 2)], [UNLABELLED] * len(vectors)):
        with pytest.raises(ValueError, match=r"[20] clusters are known: of 2 some have to be, and some new"):
            cluster_seeded(vectors, 2, seeds)
    seeds = numpy.zeros(len(vectors), dtype="int64")
    assert (constrained_kmeans(vectors, vectors[:3], seeds) == 0).all()
    equal = numpy.ones((6, 2), dtype="float32")
    assert len(cluster_seeded(equal, 3, [0, *[UNLABELLED] * 5], restarts=1).labels) == 6
