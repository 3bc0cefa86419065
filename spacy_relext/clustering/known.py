"""Clustering in which some pairs have their cluster already, as gold names it, and new clusters are found beside them.

Constrained k-means (Basu, Banerjee and Mooney, "Semi-supervised Clustering by Seeding", ICML 2002) in place of k-means,
in turn with discriminants as in `discriminant.py`: pairs with a gold relation stay in its cluster when assignments
change, and so centroids and discriminants are drawn to what gold tells apart.
"""

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..instances.pair_classes import PairClass
from .discriminant import (
    CHUNK,
    Clustering,
    Floats,
    IntArray,
    Reduced,
    Space,
    discriminants,
    means_of,
    reduce_vectors,
    reduced_width,
)

FREE = -1
# k-means ends when a smaller share of the pairs moves, or after so many passes.
SETTLED, MOST_PASSES = 0.001, 60


def known_classes(said: Sequence[Optional[PairClass]]) -> List[PairClass]:
    """List what gold names: a relation that pairs have in both directions is there twice.

    said (Sequence[Optional[PairClass]]): Of each pair.
    RETURNS (List[PairClass]): Sorted; the known clusters, from number 0.
    """
    return sorted({each for each in said if each is not None})


def fixed_clusters(said: Sequence[Optional[PairClass]], known: Sequence[PairClass]) -> List[int]:
    """Say which pairs have their cluster already.

    said (Sequence[Optional[PairClass]]): Of each pair.
    known (Sequence[PairClass]): From `known_classes`.
    RETURNS (List[int]): Cluster of each, or `FREE`.
    """
    number = {each: index for index, each in enumerate(known)}
    return [FREE if each is None else number[each] for each in said]


def discriminant_known(
    vectors: npt.NDArray[Any],
    count: int,
    fixed: Sequence[int],
    *,
    seed: int,
    reduce: int = 200,
    whiten: float = 0.0,
    **options: Any,
) -> Clustering:
    """As `discriminant_kmeans`, beside known clusters.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    count (int): As for `cluster_known`.
    fixed (Sequence[int]): As for `cluster_known`.
    seed (int): Of first centroids.
    reduce (int): As for `discriminant_kmeans`.
    whiten (float): As for `reduce_vectors`.
    options (Any): As for `cluster_known`.
    RETURNS (Clustering): Clusters; the known ones have the first numbers.
    """
    width = reduced_width(len(vectors), count, reduce=reduce)
    reduced = reduce_vectors(vectors, width, whiten=whiten, seed=seed)
    return cluster_known(reduced, count, fixed, seed=seed, **options)


def cluster_known(
    reduced: Reduced,
    count: int,
    fixed: Sequence[int],
    *,
    seed: int,
    shrinkage: float = 0.1,
    rounds: int = 12,
    restarts: int = 10,
    stop: float = 0.005,
) -> Clustering:
    """Cluster several times beside known clusters, and take the clustering that tells most of each pair's neighbours.

    reduced (Reduced): Pairs.
    count (int): K, the known clusters and the new ones.
    fixed (Sequence[int]): Cluster of each pair that has one already, from 0 and without gaps, `FREE` for all others.
        Shape (N,)
    seed (int): Of the new clusters' first centroids.
    shrinkage (float): As for `cluster_reduced`.
    rounds (int): As for `cluster_reduced`.
    restarts (int): As for `cluster_reduced`.
    stop (float): As for `cluster_reduced`.
    RETURNS (Clustering): Clusters; the known ones have the first numbers.
    RAISES (ValueError): Where there is no room for a new cluster.
    """
    held = np.asarray(fixed, dtype=np.int64)
    if held.max(initial=FREE) + 1 >= count:
        raise ValueError(f"{held.max() + 1} clusters are known: no room for new ones among {count}")
    best = None
    for restart in range(restarts):
        dice = np.random.default_rng([seed, restart])
        labels, turn, changed = _climb(
            reduced.vectors, count, held, dice, shrinkage=shrinkage, rounds=rounds, stop=stop
        )
        information = reduced.neighbours.information(labels, count=count)
        if best is None or information > best.information:
            space = Space(reduced.mean, reduced.axes @ turn, means_of(reduced.vectors @ turn, labels, count))
            best = Clustering(labels, space, changed, information)
    assert best is not None, "at least one start"
    return best


def _climb(
    vectors: Floats,
    count: int,
    held: IntArray,
    dice: np.random.Generator,
    *,
    shrinkage: float,
    rounds: int,
    stop: float,
) -> Tuple[IntArray, Floats, List[float]]:
    """From constrained k-means to discriminants and back, until nothing changes."""
    labels = constrained_kmeans(vectors, first_centroids(vectors, count, held, dice), held)
    turn, changed = np.eye(vectors.shape[1], dtype="float32"), []
    for _ in range(rounds):
        turn = discriminants(vectors, labels, count, shrinkage=shrinkage)
        codes = vectors @ turn
        before, labels = labels, constrained_kmeans(codes, means_of(codes, labels, count), held)
        changed.append(float((before != labels).mean()))
        if changed[-1] < stop:
            break
    return labels, turn, changed


def first_centroids(vectors: Floats, count: int, held: IntArray, dice: np.random.Generator) -> Floats:
    """Means of the known clusters; then pairs without one, each drawn by its squared distance to all before.

    vectors (Floats): Shape (N, D)
    count (int): K.
    held (IntArray): As for `cluster_known`. Shape (N,)
    dice (np.random.Generator): What draws.
    RETURNS (Floats): Shape (K, D)
    """
    known, free = int(held.max(initial=FREE)) + 1, vectors[held == FREE]
    # where all pairs are known, what is new has to begin somewhere
    free = free if len(free) else vectors
    found = list(means_of(vectors[held != FREE], held[held != FREE], known)) if known else []
    found = found or [free[dice.integers(len(free))]]
    distances = np.min([((free - centroid) ** 2).sum(1) for centroid in found], axis=0)
    while len(found) < count:
        shares = distances / distances.sum() if distances.sum() > 0 else None
        found.append(free[dice.choice(len(free), p=shares)])
        distances = np.minimum(distances, ((free - found[-1]) ** 2).sum(1))
    return np.stack(found).astype("float32")


def constrained_kmeans(vectors: Floats, centroids: Floats, held: IntArray) -> IntArray:
    """k-means in which some pairs keep their cluster.

    vectors (Floats): Shape (N, D)
    centroids (Floats): To begin with. Shape (K, D)
    held (IntArray): As for `cluster_known`. Shape (N,)
    RETURNS (IntArray): Cluster of each pair. Shape (N,)
    """
    count, free = len(centroids), held == FREE
    labels = _nearest(vectors, centroids)
    labels[~free] = held[~free]
    for _ in range(MOST_PASSES):
        sizes = np.bincount(labels, minlength=count)
        centroids = np.where(sizes[:, None] > 0, means_of(vectors, labels, count), centroids)
        before, labels = labels, _nearest(vectors, centroids)
        labels[~free] = held[~free]
        if (before != labels).mean() < SETTLED:
            break
    return labels


def _nearest(vectors: Floats, centroids: Floats) -> IntArray:
    """Find the nearest centroid of each vector, part by part."""
    half = (centroids**2).sum(1) / 2
    parts = [(vectors[at : at + CHUNK] @ centroids.T - half).argmax(1) for at in range(0, len(vectors), CHUNK)]
    return np.concatenate(parts).astype(np.int64)
