"""Clustering in which some pairs have their cluster already, as gold names it, and new clusters are found beside them.

All pairs are first clustered without gold. As many clusters as there are known ones, those with the largest share of
labelled pairs, go to the relation of most of these; the others are the new ones. From there on constrained k-means
(Basu, Banerjee and Mooney, "Semi-supervised Clustering by Seeding", ICML 2002) takes turns with discriminants as in
`discriminant.py`: labelled pairs stay in their cluster, and so centroids and discriminants are drawn to what gold tells
apart. To begin with the labelled pairs alone was worse: unlabelled pairs of their relation made clusters beside them.
"""

from functools import partial
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import numpy.typing as npt

from ...pairs.gold import PairClass
from .discriminant import (
    Clustering,
    Floats,
    IntArray,
    Reduced,
    Space,
    alternate,
    cluster_reduced,
    means_of,
    nearest_centroids,
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
    seed (int): Of k-means++.
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
    """Cluster several times beside known clusters; take the clustering that tells most of each pair's neighbours, and
    would put most labelled pairs where gold does: the product of both shares counts.

    reduced (Reduced): Pairs.
    count (int): K, the known clusters and the new ones.
    fixed (Sequence[int]): Cluster of each pair that has one already, from 0 and without gaps, `FREE` for all others.
        Shape (N,)
    seed (int): As for `cluster_reduced`.
    shrinkage (float): As for `cluster_reduced`.
    rounds (int): As for `cluster_reduced`.
    restarts (int): As for `cluster_reduced`.
    stop (float): As for `cluster_reduced`.
    RETURNS (Clustering): Clusters; the known ones have the first numbers.
    RAISES (ValueError): Where there is no room for a new cluster, or nothing is known.
    """
    held, vectors = np.asarray(fixed, dtype=np.int64), reduced.vectors
    known = int(held.max(initial=FREE)) + 1
    if not 0 < known < count:
        raise ValueError(f"{known} clusters are known: of {count} some have to be, and some new")
    options: Dict[str, Any] = {"shrinkage": shrinkage, "rounds": rounds, "stop": stop}
    regroup = partial(constrained_kmeans, held=held)
    best, best_score = None, -1.0
    for restart in range(restarts):
        alone = cluster_reduced(reduced, count, seed=seed * restarts + restart, restarts=1, **options)
        labels = allot(alone.labels, held, count)
        if not rounds:
            labels = regroup(vectors, means_of(vectors, labels, count))
        labels, turn, changed = alternate(vectors, labels, count, regroup, **options)
        information = reduced.neighbours.information(labels, count=count)
        codes = vectors @ turn
        centroids = means_of(codes, labels, count)
        score = information * float((nearest_centroids(codes, centroids) == held)[held != FREE].mean())
        if score > best_score:
            best_score = score
            best = Clustering(labels, Space(reduced.mean, reduced.axes @ turn, centroids), changed, information)
    assert best is not None, "at least one start"
    return best


def allot(labels: IntArray, held: IntArray, count: int) -> IntArray:
    """Give clusters to known relations.

    labels (IntArray): Clusters that were found without gold. Shape (N,)
    held (IntArray): The known ones of labelled pairs, as `fixed` of `cluster_known`. Shape (N,)
    count (int): K.
    RETURNS (IntArray): Known clusters first, then the others. Shape (N,)
    """
    labelled = held != FREE
    known = int(held.max()) + 1
    shared = np.zeros((count, known), dtype=np.int64)
    np.add.at(shared, (labels[labelled], held[labelled]), 1)
    shares = shared.sum(1) / np.maximum(np.bincount(labels, minlength=count), 1)
    ordered = np.argsort(-shares, kind="stable")
    numbers = np.empty(count, dtype=np.int64)
    numbers[ordered[:known]] = shared[ordered[:known]].argmax(1)
    numbers[ordered[known:]] = np.arange(known, count)
    return np.where(labelled, held, numbers[labels])


def constrained_kmeans(vectors: Floats, centroids: Floats, held: IntArray) -> IntArray:
    """k-means in which some pairs keep their cluster.

    vectors (Floats): Shape (N, D)
    centroids (Floats): To begin with. Shape (K, D)
    held (IntArray): As for `cluster_known`. Shape (N,)
    RETURNS (IntArray): Cluster of each pair. Shape (N,)
    """
    count, free = len(centroids), held == FREE
    labels = nearest_centroids(vectors, centroids)
    labels[~free] = held[~free]
    for _ in range(MOST_PASSES):
        sizes = np.bincount(labels, minlength=count)
        centroids = np.where(sizes[:, None] > 0, means_of(vectors, labels, count), centroids)
        before, labels = labels, nearest_centroids(vectors, centroids)
        labels[~free] = held[~free]
        if (before != labels).mean() < SETTLED:
            break
    return labels
