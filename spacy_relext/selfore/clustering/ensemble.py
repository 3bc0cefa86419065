"""From more clusters than are wanted to as many as are: those that lie near each other become one.

Source: Hu et al., EMNLP 2020, find more clusters than there are relations and merge their centroids by k-means, each
counting the same. Here it is Ward's method (1963), and a centroid counts as many times as it has pairs: of a large
cluster and a small one the mean lies near the large one, and a centroid without pairs draws nothing.
"""

from typing import Any, NamedTuple, Sequence

import numpy as np
import numpy.typing as npt

from ...errors import require
from .neighbours import fit_quietly

IntArray = npt.NDArray[np.int64]

# Soft size below which a cluster is none.
LEAST = 1.0


class Merged(NamedTuple):
    """What became of K' clusters.

    numbers (IntArray): Which of the K clusters each is a part of. Shape (K',)
    centroids (NDArray): Of the K clusters. Shape (K, Z)
    """

    numbers: IntArray
    centroids: npt.NDArray[np.float64]


def merge_clusters(centroids: npt.NDArray[Any], sizes: npt.NDArray[Any], count: int) -> Merged:
    """Merge the two clusters whose union adds least to the squared distances from the centroids, again and again.

    centroids (NDArray): Shape (K', Z)
    sizes (NDArray): Pairs of each, whole or soft; those with less than one take no part, and go to the nearest in the
        end. Shape (K',)
    count (int): K; no more clusters than this are left, and fewer where fewer have pairs.
    RETURNS (Merged): Numbers of the clusters, those of the first parts in rising order.
    """
    kept = np.flatnonzero(np.asarray(sizes) >= LEAST)
    if not len(kept):
        raise ValueError("no cluster has pairs")
    means, mass = np.asarray(centroids, dtype="float64")[kept], np.asarray(sizes, dtype="float64")[kept]
    part_of = np.arange(len(kept))
    costs = np.stack([_added(means, mass, each) for each in range(len(kept))])
    for _ in range(len(kept) - count):
        first, second = sorted(divmod(int(costs.argmin()), len(kept)))
        total = mass[first] + mass[second]
        means[first] = (mass[first] * means[first] + mass[second] * means[second]) / total
        mass[first], mass[second] = total, 0.0
        part_of[part_of == second] = first
        costs[first] = costs[:, first] = _added(means, mass, first)
        costs[second] = costs[:, second] = np.inf
    left, inverse = np.unique(part_of, return_inverse=True)
    numbers = ((np.asarray(centroids)[:, None] - means[left]) ** 2).sum(2).argmin(1)
    numbers[kept] = inverse
    return Merged(numbers.astype("int64"), means[left])


def _added(means: npt.NDArray[np.float64], mass: npt.NDArray[np.float64], one: int) -> npt.NDArray[np.float64]:
    """What merging a cluster with each other adds to the squared distances; inf with itself or one that is gone."""
    added = mass * mass[one] / np.maximum(mass + mass[one], LEAST) * ((means - means[one]) ** 2).sum(1)
    return np.where((mass > 0) & (np.arange(len(mass)) != one), added, np.inf)


# Starts of k-means.
STARTS = 5


def agreed_clusters(labels: Sequence[IntArray], count: int, *, seed: int) -> IntArray:
    """Find the clusters on which clusterings agree.

    labels (Sequence[IntArray]): At least one clustering: the cluster of each pair, from 0. Shapes (N,)
    count (int): K.
    seed (int): Of k-means++.
    RETURNS (IntArray): Shape (N,)
    """
    # pairs of which all clusterings say the same are one, as heavy as they are many
    kinds, inverse, sizes = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True, return_counts=True)
    if len(kinds) <= count:
        return inverse.reshape(-1).astype("int64")
    offsets = np.cumsum([0, *(int(each.max()) + 1 for each in labels)])
    indicators = np.zeros((len(kinds), int(offsets[-1])), dtype="float32")
    indicators[np.arange(len(kinds))[:, None], kinds + offsets[:-1]] = 1.0
    cluster = require("sklearn.cluster", purpose="clustering", extra="cluster")
    kmeans = cluster.KMeans(count, n_init=STARTS, random_state=seed)
    found = fit_quietly(kmeans, indicators, sample_weight=sizes)
    agreed: IntArray = found.labels_.astype("int64")[inverse.reshape(-1)]
    return agreed
