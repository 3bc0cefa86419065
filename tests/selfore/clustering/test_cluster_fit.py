"""How well pairs fit into clusters."""

import numpy

from spacy_relext.selfore.clustering.fit import ClusterFit, cluster_fit
from tests.selfore.clustering.test_discriminant import blobs, cluster

SHAPE = {"parts": 3, "width": 4}


def test_what_lies_between_clusters_or_elsewhere_fits_less() -> None:
    vectors, _ = blobs()
    found = cluster(vectors, 5)
    statistics, fit = cluster_fit(vectors.astype("float16"), found.labels, found.space, **SHAPE)
    dice = numpy.random.default_rng(0)
    elsewhere = (vectors.mean(0) + dice.normal(size=(200, 12)) * vectors.std(0)).astype("float32")
    swapped = vectors.copy()
    swapped[:, :4] = vectors[dice.permutation(len(vectors)), :4]  # one part is of another pair
    for others in (elsewhere, swapped):
        clusters, theirs = statistics.assign(others, found.space.logits(found.space.codes(others)), **SHAPE)
        assert (fit > numpy.median(theirs)).mean() > 0.6 and set(clusters) <= set(range(5))
    assert numpy.median(fit) > 1.0 and fit.max() <= 3.0 and fit.min() >= -3.0


def test_the_classifier_is_enough_to_find_the_cosine_in_the_space() -> None:
    vectors, _ = blobs()
    found = cluster(vectors, 5)
    statistics, fit = cluster_fit(vectors, found.labels, found.space, parts=1, width=vectors.shape[1])
    codes, centroids = found.space.codes(vectors), found.space.centroids
    lengths = numpy.linalg.norm(codes, axis=1) * numpy.linalg.norm(centroids, axis=1)[found.labels]
    in_space = (codes * centroids[found.labels]).sum(1) / lengths
    centred = vectors - vectors.mean(0)
    means = numpy.stack([centred[found.labels == k].mean(0) for k in range(5)])[found.labels]
    whole = (centred * means).sum(1) / numpy.linalg.norm(centred, axis=1) / numpy.linalg.norm(means, axis=1)
    plain = in_space + whole
    level = numpy.asarray([plain[found.labels == k].mean() for k in range(5)])[found.labels]
    assert numpy.allclose(fit, plain + level / 2, atol=1e-3)
    weight, bias = found.space.head()
    again = statistics.assign(vectors, vectors @ weight.T + bias, parts=1, width=vectors.shape[1])
    assert numpy.array_equal(again[0], found.labels) and numpy.allclose(again[1], fit, atol=1e-3)


def test_one_cluster_and_no_pairs() -> None:
    same = numpy.ones((4, 12), dtype="float32")
    statistics = ClusterFit(numpy.zeros((1, 12)), numpy.ones(12), numpy.zeros((1, 1)), numpy.zeros(1))
    clusters, fit = statistics.assign(same, numpy.zeros((4, 1)), **SHAPE)
    assert clusters.tolist() == [0] * 4 and fit.tolist() == [0.0] * 4
    assert len(statistics.assign(same[:0], numpy.zeros((0, 1)), **SHAPE)[1]) == 0
