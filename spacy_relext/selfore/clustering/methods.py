"""Clustering methods. Whatever the method, a linear space comes with the clusters: it assigns new
pairs, and the classifier is initialized with it.

| method | clusters |
|---|---|
| discriminant | LDA and k-means in alternation (`discriminant.py`) |
| kmeans | k-means on principal components |
| ward | agglomerative clustering of principal components by Ward's method, on a sample of many pairs |
| adaptive | deep embedded clustering, as in the paper (`adaptive.py`) |
"""

from typing import Optional, Sequence

import numpy

from ..settings import SelforeAutoencoder, SelforeClustering
from .adaptive import Adapted, adaptive_clusters
from .discriminant import (
    TINY,
    Clustering,
    LdaOptions,
    Reduced,
    discriminant_kmeans,
    discriminants,
    means_of,
    nearest_centroids,
    reduce_vectors,
)
from .ensemble import Floats, Ints, import_optional, merge_clusters, sample_rows
from .seeded import seeded_kmeans

# Agglomerative clustering needs the distances of all pairs of its sample.
MAX_WARD_PAIRS = 12_000


def find_clusters(
    vectors: Floats,
    count: int,
    *,
    settings: SelforeClustering,
    autoencoder: SelforeAutoencoder,
    seeds: Optional[Sequence[int]] = None,
) -> Clustering:
    """Cluster pairs, and fit a linear space to the clusters.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    count (int): K, at most N.
    seeds (Optional[Sequence[int]]): As for `seeded_kmeans`; None: no class is known.
    """
    reduced, options = reduce_vectors(vectors, count, seed=settings.seed), LdaOptions(restarts=settings.restarts)
    if seeds is not None:
        return seeded_kmeans(reduced, count, seeds, options, seed=settings.seed)
    if settings.method == "discriminant":
        return discriminant_kmeans(reduced, count, options, seed=settings.seed, over=settings.over)
    if settings.method == "kmeans":
        options = options._replace(rounds=0)
        clustering = discriminant_kmeans(reduced, count, options, seed=settings.seed, over=settings.over)
        return clustering if settings.over > 1 else _scale_to_unit_variance(clustering, reduced)
    parts = min(settings.over * count, len(vectors))
    if settings.method == "ward":
        labels = ward_labels(reduced.vectors, parts, seed=settings.seed)
        sizes = numpy.bincount(labels, minlength=parts).astype("float64")
        adapted = Adapted(labels, means_of(reduced.vectors, labels, parts), sizes, [], [])
    else:
        starts = settings.restarts
        adapted = adaptive_clusters(vectors, parts, seed=settings.seed, restarts=starts, settings=autoencoder)
    labels = adapted.labels
    if parts > count:
        labels = merge_clusters(adapted.centroids, adapted.sizes, count)[0][labels]
    projection = discriminants(reduced.vectors, labels, count, shrinkage=options.shrinkage)
    return reduced.clustering(labels, count, projection, adapted.changed)


def ward_labels(vectors: Floats, count: int, *, seed: int) -> Ints:
    """Cluster by Ward's method; pairs outside of the sample go to the nearest centroid. Shape (N, D) → (N,)"""
    sample = sample_rows(len(vectors), MAX_WARD_PAIRS, numpy.random.default_rng(seed))
    if count == len(sample):
        return numpy.arange(count)
    ward = import_optional("sklearn.cluster").AgglomerativeClustering(count, linkage="ward")
    sampled: Ints = ward.fit(vectors[sample]).labels_.astype("int64")
    if len(sample) == len(vectors):
        return sampled
    labels = nearest_centroids(vectors, means_of(vectors[sample], sampled, count))
    labels[sample] = sampled
    return labels


def _scale_to_unit_variance(clustering: Clustering, reduced: Reduced) -> Clustering:
    """Scale the space of k-means to unit mean variance within clusters: its probabilities are then meaningful."""
    labels, space = clustering.labels, clustering.space
    within = reduced.vectors - means_of(reduced.vectors, labels, len(space.centroids))[labels]
    factor = numpy.float32(max(float((within**2).mean()), TINY) ** -0.5)
    scaled = space._replace(projection=space.projection * factor, centroids=space.centroids * factor)
    return clustering._replace(space=scaled)
