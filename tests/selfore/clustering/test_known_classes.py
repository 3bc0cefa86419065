"""Clusters of which some are known."""

import numpy
import pytest

from spacy_relext.selfore.clustering.discriminant import discriminant_kmeans
from spacy_relext.selfore.clustering.known import FREE, allot, constrained_kmeans, discriminant_known

SIZE = 30


def groups(count: int, *, seed: int = 0) -> numpy.ndarray:
    """Groups of points around the corners of a simplex."""
    dice = numpy.random.default_rng(seed)
    centers = numpy.repeat(4.0 * numpy.eye(count, 8), SIZE, axis=0)
    return (centers + dice.normal(size=centers.shape) * 0.5).astype("float32")


def test_new_clusters_beside_known_ones() -> None:
    vectors = groups(4)
    fixed = [FREE] * len(vectors)
    fixed[3 * SIZE], fixed[3 * SIZE + 1], fixed[SIZE] = 0, 0, 1  # the fourth group is the first cluster
    found = discriminant_known(vectors, 4, fixed, seed=0, restarts=3)
    labels = found.labels.reshape(4, SIZE)
    assert (labels == labels[:, :1]).all() and labels[3, 0] == 0 and labels[1, 0] == 1
    assert sorted(labels[:, 0].tolist()) == [0, 1, 2, 3]
    assert (found.space.logits(found.space.codes(vectors)).argmax(1) == found.labels).all()
    alone = discriminant_kmeans(vectors, 4, seed=0, restarts=3)
    assert found.information == pytest.approx(alone.information)


def test_gold_stays_where_it_is_and_draws_centroids() -> None:
    vectors = groups(2)
    fixed = numpy.full(len(vectors), FREE)
    fixed[: SIZE // 2], fixed[SIZE] = 0, 0  # one of the second group as well
    found = discriminant_known(vectors, 2, fixed.tolist(), seed=0, restarts=2)
    assert (found.labels[fixed == 0] == 0).all() and (found.labels[SIZE + 1 :] == 1).all()


def test_clusters_go_to_relations() -> None:
    labels = numpy.repeat([0, 1, 2, 3], 4)
    held = numpy.full(16, FREE)
    held[[0, 4, 5, 6, 8]] = [0, 1, 1, 0, 0]  # most of cluster 1 is labelled, then come 0 and 2
    assert allot(labels, held, 4).tolist() == [0, 0, 0, 0, 1, 1, 0, 1, 0, 2, 2, 2, 3, 3, 3, 3]


def test_no_room_and_nothing_to_tell_apart() -> None:
    vectors = groups(2)
    for fixed in ([0, 1, *[FREE] * (len(vectors) - 2)], [FREE] * len(vectors)):
        with pytest.raises(ValueError, match=r"[20] clusters are known: of 2 some have to be, and some new"):
            discriminant_known(vectors, 2, fixed, seed=0)
    held = numpy.zeros(len(vectors), dtype="int64")
    assert (constrained_kmeans(vectors, vectors[:3], held) == 0).all()
    equal = numpy.ones((6, 2), dtype="float32")
    assert len(discriminant_known(equal, 3, [0, *[FREE] * 5], seed=0, restarts=1).labels) == 6
