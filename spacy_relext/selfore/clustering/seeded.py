"""Semi-supervised clustering: gold labels of some pairs are seeds of known classes; other clusters are new.

All pairs are first clustered without labels. As many clusters as there are known classes, those with the largest share
of labelled pairs, are assigned to the class of most of these; the others are new. Then constrained k-means (Basu,
Banerjee and Mooney, "Semi-supervised Clustering by Seeding", ICML 2002) alternates with discriminants as in
`discriminant.py`: labelled pairs keep their cluster, and so attract centroids and discriminants. Starting from labelled
pairs alone was worse: unlabelled pairs of known relations formed clusters of their own.
"""

from functools import partial
from typing import List, Optional, Sequence, Tuple

import numpy

from ...pairs.gold import UNLABELLED, PairClass
from .discriminant import Clustering, Reduced, alternate, means_of, nearest_centroids, restart_clustering
from .ensemble import Floats, Ints

# Constrained k-means stops if a smaller share of the pairs moves, or after so many iterations.
TOLERANCE, MAX_ITERATIONS = 0.001, 60


def encode_classes(gold: Sequence[Optional[PairClass]]) -> Tuple[List[PairClass], List[int]]:
    """Number the classes of labelled pairs; a relation that occurs in both directions has two.

    RETURNS (Tuple[List[PairClass], List[int]]): Known classes, sorted; number of each pair's class, or `UNLABELLED`.
    """
    known = sorted({each for each in gold if each is not None})
    numbers = {each: number for number, each in enumerate(known)}
    return known, [UNLABELLED if each is None else numbers[each] for each in gold]


def seeded_kmeans(reduced: Reduced, count: int, seeds: Sequence[int], *, restarts: int, seed: int) -> Clustering:
    """Cluster with known classes from several starts, and choose the clustering with the largest product of the
    information on neighbours and the accuracy on labelled pairs.

    count (int): K, known and new clusters.
    seeds (Sequence[int]): Known cluster of each labelled pair, from 0 without gaps, else `UNLABELLED`. Shape (N,)
    RETURNS (Clustering): Clusters; those of known classes come first.
    RAISES (ValueError): If no class is known, or no cluster can be new.
    """
    labelled, vectors = numpy.asarray(seeds, dtype=numpy.int64), reduced.vectors
    known = int(labelled.max(initial=UNLABELLED)) + 1
    if not 0 < known < count:
        raise ValueError(f"{known} clusters are known: of {count} some have to be, and some new")
    cluster = partial(constrained_kmeans, seeds=labelled)
    clusterings, scores = [], []
    for restart in range(restarts):
        start_seed = seed * restarts + restart
        (unsupervised,) = restart_clustering(reduced, count, restarts=1, seed=start_seed)
        labels = assign_classes(unsupervised.labels, labelled, count)
        labels, projection, changed = alternate(vectors, labels, count, cluster)
        clusterings.append(reduced.clustering(labels, count, projection, changed))
        nearest = nearest_centroids(vectors @ projection, clusterings[-1].space.centroids)
        accuracy = float((nearest == labelled)[labelled != UNLABELLED].mean())
        scores.append(clusterings[-1].information * accuracy)
    return clusterings[scores.index(max(scores))]


def assign_classes(labels: Ints, seeds: Ints, count: int) -> Ints:
    """Renumber the clusters of an unsupervised clustering, those of known classes first. Shapes (N,), (N,) → (N,)"""
    labelled = seeds != UNLABELLED
    known = int(seeds.max()) + 1
    shared = numpy.zeros((count, known), dtype=numpy.int64)
    numpy.add.at(shared, (labels[labelled], seeds[labelled]), 1)
    shares = shared.sum(1) / numpy.maximum(numpy.bincount(labels, minlength=count), 1)
    ordered = numpy.argsort(-shares, kind="stable")
    numbers = numpy.empty(count, dtype=numpy.int64)
    numbers[ordered[:known]] = shared[ordered[:known]].argmax(1)
    numbers[ordered[known:]] = numpy.arange(known, count)
    return numpy.where(labelled, seeds, numbers[labels])


def constrained_kmeans(vectors: Floats, centroids: Floats, seeds: Ints) -> Ints:
    """Run k-means from initial centroids; labelled pairs keep their cluster. Shapes (N, D), (K, D), (N,) → (N,)"""
    count, labelled = len(centroids), seeds != UNLABELLED
    labels = numpy.where(labelled, seeds, nearest_centroids(vectors, centroids))
    for _ in range(MAX_ITERATIONS):
        sizes = numpy.bincount(labels, minlength=count)
        centroids = numpy.where(sizes[:, None] > 0, means_of(vectors, labels, count), centroids)
        before, labels = labels, numpy.where(labelled, seeds, nearest_centroids(vectors, centroids))
        if (before != labels).mean() < TOLERANCE:
            break
    return labels
