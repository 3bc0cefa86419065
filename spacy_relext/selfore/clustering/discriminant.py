"""Clustering in the space that tells the clusters apart best: linear discriminants and k-means in turn.

Source: Ding and Li, "Adaptive Dimension Reduction Using Discriminant Analysis and K-means Clustering", ICML 2007. With
the clusters as classes, a linear discriminant analysis finds the directions in which clusters differ most, measured by
how pairs of the same cluster differ; k-means in these directions gives better clusters, and so on. It is what SelfORE's
loop does with a network, with a linear map in its place: clusters become labels, labels a space, the space clusters.

In that space pairs of a cluster lie around its centroid as a Gaussian of the same width in all directions, so that the
posterior of equally large clusters is linear in a pair's vector: log p(k | x) = −½ ‖z − μ_k‖² + c = w_k · x + b_k + c'.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
import numpy.typing as npt

from ...errors import require
from .ensemble import agreed_clusters, merge_clusters
from .neighbours import Neighbours, fit_quietly

Floats = npt.NDArray[np.float32]

IntArray = npt.NDArray[np.int64]

# Pairs beyond which k-means reads samples, and two full passes at the end.
MANY = 200_000

CHUNK = 16_384

# Principal components that are kept are no more than a tenth of the pairs.
PAIRS_A_DIRECTION = 10

TINY = 1e-9

# How many of the best clusterings are asked what they agree on.
AGREEING = (3, 5, 10)


class Space(NamedTuple):
    """An affine map of pair vectors to a space with K clusters: z = (x - mean) · projection.

    mean (Floats): Shape (F,)
    projection (Floats): Shape (F, Z)
    centroids (Floats): μ. Shape (K, Z)
    """

    mean: Floats
    projection: Floats
    centroids: Floats

    def codes(self, vectors: npt.NDArray[Any]) -> Floats:
        """Map vectors, part by part: they may be stored in half precision.

        vectors (NDArray): Shape (N, F)
        RETURNS (Floats): Shape (N, Z)
        """
        parts = [(part - self.mean) @ self.projection for part in _parts(vectors)]
        return np.concatenate(parts) if parts else np.zeros((0, self.projection.shape[1]), dtype="float32")

    def logits(self, codes: Floats) -> Floats:
        """log p(k | x) but for a constant of each pair.

        codes (Floats): Shape (N, Z)
        RETURNS (Floats): Shape (N, K)
        """
        found: Floats = codes @ self.centroids.T - (self.centroids**2).sum(1) / 2
        return found

    def head(self) -> Tuple[Floats, Floats]:
        """The same as a linear layer over vectors.

        RETURNS (Tuple[Floats, Floats]): Weight and bias. Shapes (K, F), (K,)
        """
        weight = self.centroids @ self.projection.T
        bias = -(self.centroids**2).sum(1) / 2 - weight @ self.mean
        return weight.astype("float32"), bias.astype("float32")


class Clustering(NamedTuple):
    """What came out.

    labels (IntArray): Cluster of each pair. Shape (N,)
    space (Space): How it came about.
    changed (List[float]): Share of the pairs that changed their cluster in each round.
    information (float): What a pair's cluster says of its neighbours', see `Neighbours.information`.
    """

    labels: IntArray
    space: Space
    changed: List[float]
    information: float


class Reduced(NamedTuple):
    """Pair vectors in few directions, and their neighbours there, for several clusterings.

    mean (Floats): Shape (F,)
    axes (Floats): Shape (F, D)
    vectors (Floats): Shape (N, D)
    neighbours (Neighbours): Nearest ones in these directions.
    """

    mean: Floats
    axes: Floats
    vectors: Floats
    neighbours: Neighbours


def discriminant_kmeans(
    vectors: npt.NDArray[Any], count: int, *, seed: int, reduce: int = 200, whiten: float = 0.0, **options: Any
) -> Clustering:
    """Cluster several times, and take the clustering that tells most of each pair's neighbours.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    count (int): K, at most N.
    seed (int): Of k-means++; each restart has its own.
    reduce (int): Principal components that are kept, no more than a tenth of the pairs or K.
    whiten (float): As for `reduce_vectors`.
    options (Any): As for `cluster_reduced`.
    RETURNS (Clustering): Clusters; some may be empty where there are fewer different pairs.
    """
    width = reduced_width(len(vectors), count, reduce=reduce)
    return cluster_reduced(reduce_vectors(vectors, width, whiten=whiten, seed=seed), count, seed=seed, **options)


def reduced_width(total: int, count: int, *, reduce: int) -> int:
    """Say how many directions are kept: as many as there are pairs would tell any clusters apart.

    total (int): Number of pairs.
    count (int): K.
    reduce (int): Most directions.
    RETURNS (int): Directions.
    """
    return min(reduce, max(count, total // PAIRS_A_DIRECTION))


def reduce_vectors(vectors: npt.NDArray[Any], width: int, *, whiten: float = 0.0, seed: int = 0) -> Reduced:
    """Keep the principal components, and look for neighbours among them.

    vectors (NDArray): Shape (N, F)
    width (int): D, how many are kept; no more than F.
    whiten (float): w: components with the variance λ are multiplied by λ^(-w/2). 0: as they are, 1: all alike.
    seed (int): Of the samples among which neighbours are looked for.
    RETURNS (Reduced): What `cluster_reduced` reads.
    """
    mean, axes, variances = principal_axes(vectors, width)
    axes = (axes * np.maximum(variances, TINY) ** (-whiten / 2)).astype("float32")
    reduced = np.concatenate([(part - mean) @ axes for part in _parts(vectors)])
    return Reduced(mean, axes, reduced, Neighbours(reduced, seed=seed))


def cluster_reduced(
    reduced: Reduced,
    count: int,
    *,
    seed: int,
    shrinkage: float = 0.1,
    rounds: int = 12,
    restarts: int = 20,
    stop: float = 0.005,
    over: int = 1,
    consensus: bool = True,
) -> Clustering:
    """Cluster several times in the directions that were kept.

    reduced (Reduced): Pairs.
    count (int): K, at most N.
    seed (int): Of k-means++; each restart has its own.
    shrinkage (float): How far the scatter within clusters is drawn to that of a ball, 0 to 1.
    rounds (int): Most rounds; 0: k-means of the principal components.
    restarts (int): How often it begins anew.
    stop (float): The last round is that in which a smaller share of the pairs changes its cluster.
    over (int): How many times as many clusters are found, then merged in the space in which they were found; rounds go
        on from what was merged.
    consensus (bool): Whether it also begins at what the best 3, 5 and 10 of these clusterings agree on.
    RETURNS (Clustering): The one that tells most of neighbours.
    """
    options: Dict[str, Any] = {"shrinkage": shrinkage, "rounds": rounds, "stop": stop}
    found = cluster_often(reduced, count, seed=seed, restarts=restarts, over=over, **options)
    found.sort(key=lambda each: -each.information)
    best = [each.labels for each in found]
    for size in AGREEING if consensus and rounds else ():
        if size <= len(best):
            labels = agreed_clusters(best[:size], count, seed=seed)
            turned = _rounds(reduced.vectors, labels, count, seed=(seed + 1) * restarts - 1, **options)
            found.append(_judged(reduced, count, *turned))
    return max(found, key=lambda each: each.information)


def cluster_often(
    reduced: Reduced,
    count: int,
    *,
    seed: int,
    restarts: int,
    shrinkage: float = 0.1,
    rounds: int = 12,
    stop: float = 0.005,
    over: int = 1,
) -> List[Clustering]:
    """Cluster several times.

    reduced (Reduced): Pairs.
    count (int): K, at most N.
    seed (int): Of k-means++; each restart has its own.
    restarts (int): How often.
    shrinkage (float): As for `cluster_reduced`; so are `rounds`, `stop` and `over`.
    RETURNS (List[Clustering]): What came out each time.
    """
    options: Dict[str, Any] = {"shrinkage": shrinkage, "rounds": rounds, "stop": stop}
    parts = min(over * count, len(reduced.vectors))
    found = []
    for restart in range(restarts):
        options["seed"] = seed * restarts + restart
        labels, turn, changed = _climb(reduced.vectors, parts, **options)
        if parts > count:
            means = means_of(reduced.vectors @ turn, labels, parts)
            labels = merge_clusters(means, np.bincount(labels, minlength=parts), count).numbers[labels]
            labels, turn, changed = _rounds(reduced.vectors, labels, count, **options)
        found.append(_judged(reduced, count, labels, turn, changed))
        if parts > count and not rounds:
            space = space_of(reduced, labels, count, shrinkage=shrinkage)
            found[-1] = found[-1]._replace(space=space)
    return found


def _judged(reduced: Reduced, count: int, labels: IntArray, turn: Floats, changed: List[float]) -> Clustering:
    """Say how much clusters tell of neighbours."""
    space = Space(reduced.mean, reduced.axes @ turn, means_of(reduced.vectors @ turn, labels, count))
    return Clustering(labels, space, changed, reduced.neighbours.information(labels, count=count))


def space_of(reduced: Reduced, labels: IntArray, count: int, *, shrinkage: float) -> Space:
    """Find the space that tells given clusters apart: of clusters that were found in another way, it puts new pairs
    into them as nearly as a linear map can.

    reduced (Reduced): Pairs.
    labels (IntArray): Cluster of each. Shape (N,)
    count (int): K.
    shrinkage (float): As for `cluster_reduced`.
    RETURNS (Space): With their means as centroids.
    """
    turn = discriminants(reduced.vectors, labels, count, shrinkage=shrinkage)
    return Space(reduced.mean, reduced.axes @ turn, means_of(reduced.vectors @ turn, labels, count))


def _climb(
    reduced: Floats, count: int, *, seed: int, shrinkage: float, rounds: int, stop: float
) -> Tuple[IntArray, Floats, List[float]]:
    """From k-means to discriminants and back, until nothing changes."""
    labels = kmeans(reduced, count, seed=seed)
    return _rounds(reduced, labels, count, seed=seed, shrinkage=shrinkage, rounds=rounds, stop=stop)


def _rounds(
    reduced: Floats, labels: IntArray, count: int, *, seed: int, **options: Any
) -> Tuple[IntArray, Floats, List[float]]:
    """From clusters to discriminants and back, with k-means."""

    def regroup(codes: Floats, start: Floats) -> IntArray:
        return kmeans(codes, count, seed=seed, start=start)

    return alternate(reduced, labels, count, regroup, **options)


def alternate(
    vectors: Floats,
    labels: IntArray,
    count: int,
    cluster: Callable[[Floats, Floats], IntArray],
    *,
    shrinkage: float,
    rounds: int,
    stop: float,
) -> Tuple[IntArray, Floats, List[float]]:
    """From clusters to discriminants, and to clusters in their space, until nothing changes.

    vectors (Floats): Shape (N, D)
    labels (IntArray): Clusters to begin with. Shape (N,)
    count (int): K.
    cluster (Callable[[Floats, Floats], IntArray]): Clusters codes from centroids. Shapes (N, Z), (K, Z) → (N,)
    shrinkage (float): As for `cluster_reduced`.
    rounds (int): As for `cluster_reduced`.
    stop (float): As for `cluster_reduced`.
    RETURNS (Tuple[IntArray, Floats, List[float]]): Clusters, the map to the last space, and the share that changed in
        each round. Shapes (N,), (D, Z)
    """
    turn, changed = np.eye(vectors.shape[1], dtype="float32"), []
    for _ in range(rounds):
        turn = discriminants(vectors, labels, count, shrinkage=shrinkage)
        codes = vectors @ turn
        before, labels = labels, cluster(codes, means_of(codes, labels, count))
        changed.append(float((before != labels).mean()))
        if changed[-1] < stop:
            break
    return labels, turn, changed


def nearest_centroids(vectors: Floats, centroids: Floats) -> IntArray:
    """Find the nearest centroid of each vector, part by part.

    vectors (Floats): Shape (N, D)
    centroids (Floats): Shape (K, D)
    RETURNS (IntArray): Shape (N,)
    """
    halves = (centroids**2).sum(1) / 2
    parts = [(vectors[at : at + CHUNK] @ centroids.T - halves).argmax(1) for at in range(0, len(vectors), CHUNK)]
    return np.concatenate(parts).astype(np.int64)


def principal_axes(vectors: npt.NDArray[Any], count: int) -> Tuple[Floats, Floats, Floats]:
    """Find the directions in which vectors differ most.

    vectors (NDArray): Shape (N, F)
    count (int): How many directions; no more than F.
    RETURNS (Tuple[Floats, Floats, Floats]): Mean of the vectors, the directions, and the variance in each. Shapes (F,),
        (F, D), (D,)
    """
    width = vectors.shape[1]
    total, products = np.zeros(width), np.zeros((width, width))
    for part in _parts(vectors):
        total += part.sum(0, dtype="float64")
    mean = (total / max(len(vectors), 1)).astype("float32")
    for part in _parts(vectors):
        products += (part - mean).T @ (part - mean)
    variances, axes = np.linalg.eigh(products / max(len(vectors), 1))
    return mean, _signed(axes[:, ::-1][:, :count]).astype("float32"), variances[::-1][:count].astype("float32")


def discriminants(vectors: Floats, labels: IntArray, count: int, *, shrinkage: float) -> Floats:
    """Find the directions in which clusters differ most, scaled so that pairs of one cluster differ by 1 in each.

    vectors (Floats): Shape (N, D)
    labels (IntArray): Cluster of each. Shape (N,)
    count (int): K.
    shrinkage (float): As for `discriminant_kmeans`.
    RETURNS (Floats): Shape (D, min(D, K - 1))
    """
    centers = means_of(vectors, labels, count)
    within = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), CHUNK):
        part = vectors[start : start + CHUNK] - centers[labels[start : start + CHUNK]]
        within += part.T @ part
    within /= len(vectors)
    within += (shrinkage * np.trace(within) / len(within) + TINY) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within)).T
    shares = np.bincount(labels, minlength=count) / len(labels)
    apart = centers @ whiten
    between = (apart - shares @ apart) * np.sqrt(shares)[:, None]
    _, _, axes = np.linalg.svd(between, full_matrices=False)
    kept = max(1, min(len(axes), count - 1))
    return (whiten @ _signed(axes[:kept].T)).astype("float32")


def means_of(vectors: Floats, labels: IntArray, count: int) -> Floats:
    """Mean of each cluster; that of all where one is empty.

    vectors (Floats): Shape (N, D)
    labels (IntArray): Shape (N,)
    count (int): K.
    RETURNS (Floats): Shape (K, D)
    """
    sums, clusters = np.zeros((count, vectors.shape[1])), np.arange(count)[:, None]
    for start in range(0, len(vectors), CHUNK):  # a product of matrices is many times faster than np.add.at
        members = (labels[start : start + CHUNK] == clusters).astype("float64")  # (K, n)
        sums += members @ vectors[start : start + CHUNK]
    sizes = np.bincount(labels, minlength=count)[:, None]
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), vectors.mean(0)).astype("float32")


def kmeans(vectors: Floats, count: int, *, seed: int, start: Any = None) -> IntArray:
    """k-means, on samples where there are many vectors.

    vectors (Floats): Shape (N, D)
    count (int): K.
    seed (int): Of k-means++ and of the samples.
    start (Optional[Floats]): Centroids to begin with. Shape (K, D)
    RETURNS (IntArray): Cluster of each. Shape (N,)
    """
    cluster = require("sklearn.cluster", purpose="clustering", extra="cluster")
    options = {"random_state": seed, "init": "k-means++" if start is None else start}
    if len(vectors) > MANY:
        sampled = cluster.MiniBatchKMeans(count, n_init=1, batch_size=CHUNK, **options)
        start, options["init"] = fit_quietly(sampled, vectors).cluster_centers_, None
        full = cluster.KMeans(count, init=start, n_init=1, max_iter=2, random_state=seed)
    else:
        full = cluster.KMeans(count, n_init=1, **options)
    labels: IntArray = fit_quietly(full, vectors).labels_.astype("int64")
    return labels


def _parts(vectors: npt.NDArray[Any]) -> Any:
    """Yield rows in full precision, part by part."""
    return (vectors[start : start + CHUNK].astype("float32") for start in range(0, len(vectors), CHUNK))


def _signed(axes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn directions so that the largest part of each is positive: their sign is left open by what finds them."""
    largest = np.abs(axes).argmax(0)
    return axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
