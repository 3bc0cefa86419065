"""Clusters in the directions that tell them apart."""

import warnings
from typing import Any, Tuple

import numpy
import pytest
from sklearn.metrics import adjusted_rand_score

from spacy_relext.selfore.clustering import discriminant
from spacy_relext.selfore.clustering.discriminant import (
    Clustering,
    Space,
    discriminant_kmeans,
    kmeans,
    means_of,
    principal_axes,
    reduce_vectors,
)


def blobs(count: int = 5, size: int = 60, *, seed: int = 2) -> Tuple[Any, Any]:
    """Clusters that differ in some directions, and vary widely in others."""
    dice = numpy.random.default_rng(seed)
    gold = numpy.repeat(numpy.arange(count), size)
    centers = 3.0 * dice.normal(size=(count, 6))
    signal = centers[gold] + 0.5 * dice.normal(size=(len(gold), 6))
    noise = 1.8 * dice.normal(size=(len(gold), 6))
    mixed = numpy.concatenate([signal, noise], 1) @ numpy.linalg.qr(dice.normal(size=(12, 12)))[0]
    return mixed.astype("float32"), gold


def cluster(vectors: Any, count: int, *, seed: int = 0, restarts: int = 20) -> Clustering:
    """Clusters of the principal components."""
    return discriminant_kmeans(reduce_vectors(vectors, count, seed=seed), count, restarts=restarts, seed=seed)


def test_directions_that_matter_are_found() -> None:
    vectors, gold = blobs()
    plain = kmeans(reduce_vectors(vectors, 5).vectors, 5, seed=0)
    found = cluster(vectors, 5)
    plainly, better = (adjusted_rand_score(gold, labels) for labels in (plain, found.labels))
    assert better > 0.95 and better > plainly and found.changed[-1] < 0.01
    assert found.space.projection.shape == (12, 4) and found.space.centroids.shape == (5, 4)


def test_the_space_gives_the_clusters_again_also_as_a_linear_layer() -> None:
    vectors, _ = blobs()
    labels, space, *_ = cluster(vectors, 5)
    codes = space.codes(vectors)
    assert (space.logits(codes).argmax(1) == labels).mean() > 0.99
    distances = ((codes[:, None] - space.centroids) ** 2).sum(2)
    log_p = space.logits(codes) - (codes**2).sum(1, keepdims=True) / 2
    assert numpy.allclose(log_p, -distances / 2, atol=1e-3)
    weight, bias = space.head()
    assert numpy.allclose(vectors @ weight.T + bias, space.logits(codes), atol=1e-2)


def test_pairs_of_a_cluster_differ_by_one_in_each_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = blobs()
    monkeypatch.setattr(discriminant, "SHRINKAGE", 0.0)
    labels, space, *_ = cluster(vectors, 5)
    codes = space.codes(vectors)
    within = codes - means_of(codes, labels, 5)[labels]
    assert numpy.allclose(within.T @ within / len(codes), numpy.eye(4), atol=0.05)


def test_parts_and_precision_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = blobs()
    labels = cluster(vectors, 5).labels
    assert (cluster(vectors, 5).labels == labels).all()
    assert adjusted_rand_score(cluster(vectors.astype("float16"), 5).labels, labels) > 0.97
    monkeypatch.setattr(discriminant, "CHUNK", 17)
    assert adjusted_rand_score(cluster(vectors, 5).labels, labels) > 0.97


def test_many_vectors_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, gold = blobs(size=200)
    monkeypatch.setattr(discriminant, "MAX_KMEANS_PAIRS", 100)
    assert adjusted_rand_score(gold, cluster(vectors, 5).labels) > 0.9


@pytest.mark.parametrize("count", [1, 2, 4])
def test_vectors_that_are_all_alike(count: int) -> None:
    with warnings.catch_warnings():  # who looks at sizes of clusters tells of empty ones, once
        warnings.simplefilter("error")
        labels, space, *_ = cluster(numpy.ones((6, 3), dtype="float32"), count)
    assert numpy.isfinite(space.codes(numpy.ones((2, 3)))).all() and (labels >= 0).all() and (labels < count).all()


def test_principal_axes() -> None:
    vectors = numpy.asarray([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0], [2.0, 2.2]], dtype="float32")
    mean, axes = principal_axes(vectors, 1)
    assert numpy.allclose(mean, [2.0, 2.05]) and numpy.allclose(axes[:, 0], [0.7071, 0.7071], atol=1e-2)
    assert principal_axes(vectors, 9)[1].shape == (2, 2)
    empty = Space(mean, axes, numpy.zeros((3, 1), dtype="float32")).codes(numpy.zeros((0, 2)))
    assert empty.shape == (0, 1)
