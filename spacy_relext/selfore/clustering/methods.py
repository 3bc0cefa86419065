"""Ways to cluster pairs, side by side. Whichever it is, a linear space comes with the clusters: it puts new pairs into
them, and a classifier begins at it.

| method | clusters |
|---|---|
| discriminant | discriminants and k-means in turn (`discriminant.py`) |
| kmeans | k-means on principal components |
| ward | Ward's hierarchy of principal components, cut at K; of many pairs that of a sample |
| adaptive | an autoencoder's codes, drawn to centroids (`adaptive.py`): the paper's |
"""

from typing import Any, Dict, List, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import require
from .adaptive import adaptive_clusters
from .discriminant import (
    TINY,
    Clustering,
    Floats,
    IntArray,
    Reduced,
    cluster_reduced,
    means_of,
    nearest_centroids,
    reduce_vectors,
    reduced_width,
    space_of,
)
from .ensemble import merge_clusters

METHODS = ("discriminant", "kmeans", "ward", "adaptive")

ADAPTIVE_KEYS = ("restarts", "pretrain_epochs", "adaptive_epochs", "refresh", "reconstruction")

# Ward's hierarchy needs the distance of each pair to each other one.
MOST_IN_A_HIERARCHY = 12_000


class _Found(NamedTuple):
    """Clusters, and how they lie in the space in which they were found."""

    labels: IntArray
    centroids: npt.NDArray[Any]
    sizes: npt.NDArray[Any]
    changed: List[float]


def find_clusters(vectors: npt.NDArray[Any], count: int, *, seed: int, settings: Dict[str, Any]) -> Clustering:
    """Cluster pairs, and fit a linear space to the clusters.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    count (int): K, at most N.
    seed (int): Of what is drawn.
    settings (Dict[str, Any]): Made by `spacy_relext.Clustering.v1`.
    RETURNS (Clustering): Clusters, and the space.
    """
    width = reduced_width(len(vectors), count, reduce=settings["reduce"])
    reduced = reduce_vectors(vectors, width, whiten=settings["whiten"], seed=seed)
    method, shrinkage, over = settings["method"], settings["shrinkage"], settings["over"]
    if method in ("discriminant", "kmeans"):
        rounds = settings["rounds"] if method == "discriminant" else 0
        options = {"shrinkage": shrinkage, "over": over, **{key: settings[key] for key in ("restarts", "consensus")}}
        clustering = cluster_reduced(reduced, count, seed=seed, rounds=rounds, **options)
        return clustering if rounds or over > 1 else _with_unit_spread(clustering, reduced)
    parts = min(over * count, len(vectors))
    if method == "ward":
        found = _ward(reduced.vectors, parts, seed=seed)
    else:
        adapted = adaptive_clusters(vectors, parts, seed=seed, **{key: settings[key] for key in ADAPTIVE_KEYS})
        found = _Found(adapted.labels, adapted.centroids, adapted.sizes, adapted.changed)
    labels = found.labels
    if parts > count:
        labels = merge_clusters(found.centroids, found.sizes, count).numbers[labels]
    information = reduced.neighbours.information(labels, count=count)
    space = space_of(reduced, labels, count, shrinkage=shrinkage)
    return Clustering(labels, space, found.changed, information)


def ward_labels(vectors: Floats, count: int, *, seed: int) -> IntArray:
    """Cut Ward's hierarchy; pairs that are not in the sample go to the nearest centroid of those that are.

    vectors (Floats): Shape (N, D)
    count (int): K, at most N.
    seed (int): Of the sample.
    RETURNS (IntArray): Shape (N,)
    """
    cluster = require("sklearn.cluster", purpose="clustering", extra="cluster")
    sample = np.arange(len(vectors))
    if len(vectors) > MOST_IN_A_HIERARCHY:
        sample = np.sort(np.random.default_rng(seed).choice(len(vectors), MOST_IN_A_HIERARCHY, replace=False))
    if count == len(sample):
        return np.arange(count)
    labels = cluster.AgglomerativeClustering(count, linkage="ward").fit(vectors[sample]).labels_.astype("int64")
    if len(sample) == len(vectors):
        return labels
    found = nearest_centroids(vectors, means_of(vectors[sample], labels, count))
    found[sample] = labels
    return found


def _ward(vectors: Floats, count: int, *, seed: int) -> _Found:
    """Ward's clusters with their means."""
    labels = ward_labels(vectors, count, seed=seed)
    return _Found(labels, means_of(vectors, labels, count), np.bincount(labels, minlength=count), [])


def _with_unit_spread(found: Clustering, reduced: Reduced) -> Clustering:
    """Scale the space of k-means so that pairs of a cluster differ by 1 in each direction on the whole: all distances
    change alike, and probabilities mean something.
    """
    turned = reduced.vectors - means_of(reduced.vectors, found.labels, len(found.space.centroids))[found.labels]
    factor = np.float32(max(float((turned**2).mean()), TINY) ** -0.5)
    space = found.space
    return found._replace(
        space=space._replace(projection=space.projection * factor, centroids=space.centroids * factor)
    )
