"""Adaptive dimension reduction: linear discriminant analysis (LDA) and k-means in alternation.

Source: Ding and Li, "Adaptive Dimension Reduction Using Discriminant Analysis and K-means Clustering", ICML 2007. With
the clusters as classes, LDA finds the directions in which clusters differ most relative to the scatter within them;
k-means in these directions gives better clusters, and so on. It is SelfORE's loop with a linear map in place of the
network: clusters become labels, labels a space, and the space clusters.

In that space LDA assumes the pairs of a cluster to be normally distributed around its centroid with unit variance, so
that the log-posterior of equally large clusters is linear in a pair's vector:
log p(k | x) = −½ ‖z − μ_k‖² + c = w_k · x + b_k + c'.
"""

from functools import partial
from typing import TYPE_CHECKING, Callable, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy

from .ensemble import (
    CHUNK,
    Floats,
    Ints,
    Neighbours,
    consensus_clusters,
    fit_estimator,
    import_optional,
    merge_clusters,
    row_slices,
)

if TYPE_CHECKING:
    from .network import ClusterNetwork

# Number of pairs beyond which k-means is fitted on mini-batches, with two full passes at the end.
MAX_KMEANS_PAIRS = 200_000

# At most one principal component for ten pairs, unless K is larger: more would separate any clusters.
PAIRS_PER_COMPONENT = 10

# Maximum number of principal components.
MAX_COMPONENTS = 200

# Shrinkage of the scatter within clusters towards a multiple of the identity, 0 to 1.
SHRINKAGE = 0.3

# Maximum number of rounds of LDA and k-means; they end earlier if a smaller share of the pairs changes its cluster.
MAX_ROUNDS, TOLERANCE = 12, 0.005

TINY = 1e-9

# Numbers of best clusterings whose consensus is tried.
CONSENSUS_SIZES = (3, 5, 10)


class Space(NamedTuple):
    """An affine map of pair vectors to a space with K clusters: z = (x - mean) · projection."""

    mean: Floats  # (F,)
    projection: Floats  # (F, Z)
    centroids: Floats  # μ, (K, Z)

    def codes(self, vectors: Floats) -> Floats:
        """Project vectors in chunks: they may be stored in half precision. Shapes (N, F) → (N, Z)"""
        chunks = [(chunk - self.mean) @ self.projection for chunk in _chunks(vectors)]
        return numpy.concatenate(chunks) if chunks else numpy.zeros((0, self.projection.shape[1]), dtype="float32")

    def logits(self, codes: Floats) -> Floats:
        """Compute log p(k | x) up to a constant of each pair. Shapes (N, Z) → (N, K)"""
        logits: Floats = codes @ self.centroids.T - (self.centroids**2).sum(1) / 2
        return logits

    def scores(self, vectors: Floats) -> Tuple[Floats, Floats]:
        """Compute the scores of clusters, whose argmax is the answer, and z · μ_k − ½ ‖μ_k‖²: here equal.
        Shapes (N, F) → (N, K), (N, K)"""
        logits = self.logits(self.codes(vectors))
        return logits, logits

    def head(self) -> Tuple[Floats, Floats]:
        """Compute weight and bias of a linear layer with the same logits. Shapes (K, F), (K,)"""
        weight = self.centroids @ self.projection.T
        bias = -(self.centroids**2).sum(1) / 2 - weight @ self.mean
        return weight.astype("float32"), bias.astype("float32")


class Clustering(NamedTuple):
    """Clusters, and the space that assigns new pairs to them."""

    labels: Ints  # cluster of each pair, (N,)
    space: Space
    changed: List[float]  # share of the pairs that changed their cluster in each round
    information: float  # see `Neighbours.information`
    network: Optional["ClusterNetwork"] = None  # assigns new pairs instead of the space


class Reduced(NamedTuple):
    """Principal components of pair vectors, and neighbours there: the input of several clusterings."""

    mean: Floats  # (F,)
    axes: Floats  # (F, D)
    vectors: Floats  # (N, D)
    neighbours: Neighbours

    def clustering(self, labels: Ints, count: int, projection: Floats, changed: List[float]) -> Clustering:
        """Describe K clusters by a projection to a space in which their means are centroids. Shapes (N,), (D, Z)"""
        space = Space(self.mean, self.axes @ projection, means_of(self.vectors @ projection, labels, count))
        return Clustering(labels, space, changed, self.neighbours.information(labels, count=count))


def reduce_vectors(vectors: Floats, count: int, *, seed: int = 0) -> Reduced:
    """Project vectors to their principal components, and find neighbours there.

    vectors (Floats): Half precision suffices. Shape (N, F)
    count (int): K; there are no more components than that or a tenth of the pairs, whichever is larger.
    """
    mean, axes = principal_axes(vectors, min(MAX_COMPONENTS, max(count, len(vectors) // PAIRS_PER_COMPONENT)))
    reduced = numpy.concatenate([(chunk - mean) @ axes for chunk in _chunks(vectors)])
    return Reduced(mean, axes, reduced, Neighbours(reduced, seed=seed))


def discriminant_kmeans(reduced: Reduced, count: int, *, restarts: int, seed: int, over: int = 1) -> Clustering:
    """Cluster from several starts, and choose the clustering with the most information on neighbours.

    The consensus of the best 3, 5 and 10 clusterings is also a start.

    count (int): K, at most N; some clusters may be empty if there are fewer distinct pairs.
    restarts (int): Number of starts.
    seed (int): Of k-means++; each start has its own.
    over (int): Factor of over-clustering: K · over clusters are merged to K, and refined by more rounds.
    """
    clusterings = restart_clustering(reduced, count, restarts=restarts, seed=seed, over=over)
    clusterings.sort(key=lambda each: -each.information)
    cluster = partial(kmeans, seed=(seed + 1) * restarts - 1)
    for size in CONSENSUS_SIZES:
        if size <= restarts:
            labels = consensus_clusters([each.labels for each in clusterings[:size]], count, seed=seed)
            labels, projection, changed = alternate(reduced.vectors, labels, count, cluster)
            clusterings.append(reduced.clustering(labels, count, projection, changed))
    return max(clusterings, key=lambda each: each.information)


def restart_clustering(reduced: Reduced, count: int, *, restarts: int, seed: int, over: int = 1) -> List[Clustering]:
    """Cluster from several starts; the arguments are those of `discriminant_kmeans`."""
    parts = min(over * count, len(reduced.vectors))
    clusterings = []
    for restart in range(restarts):
        cluster = partial(kmeans, seed=seed * restarts + restart)
        labels = cluster(reduced.vectors, parts)
        labels, projection, changed = alternate(reduced.vectors, labels, parts, cluster)
        if parts > count:
            means = means_of(reduced.vectors @ projection, labels, parts)
            labels = merge_clusters(means, numpy.bincount(labels, minlength=parts), count)[0][labels]
            labels, projection, changed = alternate(reduced.vectors, labels, count, cluster)
        clusterings.append(reduced.clustering(labels, count, projection, changed))
    return clusterings


def alternate(
    vectors: Floats, labels: Ints, count: int, cluster: Callable[[Floats, Floats], Ints]
) -> Tuple[Ints, Floats, List[float]]:
    """Alternate between discriminants and clusters in their space, until few pairs change their cluster.

    labels (Ints): Initial clusters. Shape (N,)
    cluster (Callable[[Floats, Floats], Ints]): Clusters codes from initial centroids. Shapes (N, Z), (K, Z) → (N,)
    RETURNS (Tuple[Ints, Floats, List[float]]): Clusters, the last projection, and the share of pairs that changed in
        each round. Shapes (N,), (D, Z)
    """
    projection: Floats = numpy.eye(vectors.shape[1], dtype="float32")
    changed: List[float] = []
    for _ in range(MAX_ROUNDS):
        projection = discriminants(vectors, labels, count)
        codes = vectors @ projection
        before, labels = labels, cluster(codes, means_of(codes, labels, count))
        changed.append(float((before != labels).mean()))
        if changed[-1] < TOLERANCE:
            break
    return labels, projection, changed


def nearest_centroids(vectors: Floats, centroids: Floats) -> Ints:
    """Find the nearest centroid of each vector. Shapes (N, D), (K, D) → (N,)"""
    halves = (centroids**2).sum(1) / 2
    chunks = [(vectors[rows] @ centroids.T - halves).argmax(1) for rows in row_slices(len(vectors), CHUNK)]
    return numpy.concatenate(chunks).astype(numpy.int64)


def principal_axes(vectors: Floats, count: int) -> Tuple[Floats, Floats]:
    """Find D principal components: mean and axes. Shapes (N, F) → (F,), (F, D)"""
    width = vectors.shape[1]
    total, products = numpy.zeros(width), numpy.zeros((width, width))
    for chunk in _chunks(vectors):
        total += chunk.sum(0, dtype="float64")
    mean = (total / max(len(vectors), 1)).astype("float32")
    for chunk in _chunks(vectors):
        products += (chunk - mean).T @ (chunk - mean)
    axes = numpy.linalg.eigh(products / max(len(vectors), 1))[1]
    return mean, _fix_signs(axes[:, ::-1][:, :count]).astype("float32")


def discriminants(vectors: Floats, labels: Ints, count: int) -> Floats:
    """Find linear discriminants, scaled to unit variance within clusters. Shapes (N, D), (N,) → (D, min(D, K - 1))"""
    centers = means_of(vectors, labels, count)
    within = numpy.zeros((vectors.shape[1],) * 2)
    for rows in row_slices(len(vectors), CHUNK):
        chunk = vectors[rows] - centers[labels[rows]]
        within += chunk.T @ chunk
    within /= len(vectors)
    within += (SHRINKAGE * numpy.trace(within) / len(within) + TINY) * numpy.eye(len(within))
    whiten = numpy.linalg.inv(numpy.linalg.cholesky(within)).T
    shares = numpy.bincount(labels, minlength=count) / len(labels)
    whitened = centers @ whiten
    between = (whitened - shares @ whitened) * numpy.sqrt(shares)[:, None]
    _, _, axes = numpy.linalg.svd(between, full_matrices=False)
    rank = max(1, min(len(axes), count - 1))
    return (whiten @ _fix_signs(axes[:rank].T)).astype("float32")


def means_of(vectors: Floats, labels: Ints, count: int) -> Floats:
    """Compute the mean of each cluster; the mean of all vectors for an empty one. Shapes (N, D), (N,) → (K, D)"""
    sums, clusters = numpy.zeros((count, vectors.shape[1])), numpy.arange(count)[:, None]
    for rows in row_slices(len(vectors), CHUNK):  # a matrix product is many times faster than numpy.add.at
        members = (labels[rows] == clusters).astype("float64")  # (K, n)
        sums += members @ vectors[rows]
    sizes = numpy.bincount(labels, minlength=count)[:, None]
    return numpy.where(sizes > 0, sums / numpy.maximum(sizes, 1), vectors.mean(0)).astype("float32")


def kmeans(vectors: Floats, init: Union[int, Floats], *, seed: int) -> Ints:
    """Cluster by k-means, first on mini-batches if there are many vectors. Shapes (N, D) → (N,)

    init (Union[int, Floats]): K, for k-means++, or initial centroids. Shape (K, D)
    """
    cluster = import_optional("sklearn.cluster")
    count, start = (init, "k-means++") if isinstance(init, int) else (len(init), init)
    iterations = 300
    if len(vectors) > MAX_KMEANS_PAIRS:
        sampled = cluster.MiniBatchKMeans(count, init=start, n_init=1, batch_size=CHUNK, random_state=seed)
        start, iterations = fit_estimator(sampled, vectors).cluster_centers_, 2
    full = cluster.KMeans(count, init=start, n_init=1, max_iter=iterations, random_state=seed)
    labels: Ints = fit_estimator(full, vectors).labels_.astype("int64")
    return labels


def _chunks(vectors: Floats) -> Iterator[Floats]:
    return (vectors[rows].astype("float32") for rows in row_slices(len(vectors), CHUNK))


def _fix_signs(axes: Floats) -> Floats:
    """Make the largest entry of each axis positive: decompositions leave the sign undetermined."""
    largest = numpy.abs(axes).argmax(0)
    return axes * numpy.where(axes[largest, numpy.arange(axes.shape[1])] < 0, -1.0, 1.0)
