"""Several clusterings of the same pairs: which one is best, what they agree on, and merging of surplus clusters.

Source: Hu et al., EMNLP 2020, find more clusters than there are relations and merge their centroids by unweighted
k-means. Here Ward's method (1963) merges them, and a centroid weighs as much as its cluster has pairs: the mean of a
large cluster and a small one lies near the large one, and a centroid without pairs has no weight.
"""

import warnings
from functools import partial
from typing import Any, Iterator, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray

from ...errors import require

Floats = NDArray[numpy.floating]

Ints = NDArray[numpy.int64]

# Maximum number of pairs whose neighbours are searched, and of their candidates; more are sampled.
MAX_QUERIES, MAX_CANDIDATES = 20_000, 50_000

# Rows in memory at once: of vectors, and of similarities with all candidates.
CHUNK, BLOCK = 16_384, 1_024

# Soft size below which a cluster counts as empty.
MIN_SIZE = 1.0

# Initializations of the k-means that finds a consensus.
CONSENSUS_STARTS = 5

import_optional = partial(require, purpose="clustering", extra="cluster")


class Neighbours:
    """The nearest neighbours of pairs by cosine similarity, which score clusterings without labels.

    count (int): Neighbours of each pair; at most a fifth of the pairs, so that small clusters have some of their own.
    """

    def __init__(self, vectors: Floats, *, count: int = 10, seed: int = 0) -> None:
        rng = numpy.random.default_rng(seed)
        total = len(vectors)
        self.queries = sample_rows(total, MAX_QUERIES, rng)
        self.candidates = self.queries if total <= MAX_QUERIES else sample_rows(total, MAX_CANDIDATES, rng)
        count = min(count, max(1, total // 5), len(self.candidates) - 1)
        units = _unit_vectors(vectors[self.candidates])
        blocks = []
        for rows in row_slices(len(self.queries), BLOCK):
            queries = self.queries[rows]
            similarity = _unit_vectors(vectors[queries]) @ units.T
            similarity[queries[:, None] == self.candidates] = -2.0  # a pair is no neighbour of itself
            nearest = numpy.argpartition(-similarity, count - 1, axis=1)[:, :count] if count > 0 else similarity[:, :0]
            blocks.append(nearest.copy())  # a view would keep the whole block
        self.nearest: Ints = numpy.concatenate(blocks).astype("int64")

    def information(self, labels: Ints, *, count: int) -> float:
        """Compute the mutual information of the clusters of a pair and of its neighbour, as a share of ln K.

        It is high, up to 1, if neighbours share clusters and clusters have similar sizes. It is 0 for one cluster of
        all pairs and for random clusters.
        """
        if count < 2 or not self.nearest.size:
            return 0.0
        joint = numpy.zeros((count, count))
        own = numpy.repeat(labels[self.queries], self.nearest.shape[1])
        numpy.add.at(joint, (own, labels[self.candidates][self.nearest].ravel()), 1.0)
        joint = (joint + joint.T) / (2.0 * joint.sum())
        shares = joint.sum(1)
        chance = shares[:, None] * shares
        seen = joint > 0
        return float((joint[seen] * numpy.log(joint[seen] / chance[seen])).sum() / numpy.log(count))


def sample_rows(total: int, most: int, rng: numpy.random.Generator) -> Ints:
    """Draw at most `most` row numbers without replacement, sorted."""
    return numpy.arange(total) if total <= most else numpy.sort(rng.choice(total, most, replace=False))


def row_slices(total: int, size: int) -> Iterator[slice]:
    """Split `total` rows into slices of at most `size`."""
    return (slice(start, start + size) for start in range(0, total, size))


def _unit_vectors(vectors: Floats) -> Floats:
    """Scale vectors to length 1; 0 stays 0."""
    vectors = vectors.astype("float32")
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def merge_clusters(centroids: Floats, sizes: Union[Ints, Floats], count: int) -> Tuple[Ints, Floats]:
    """Merge the two clusters whose union adds least to the squared distances from the centroids, until K remain.

    centroids (Floats): Shape (K', Z)
    sizes (Union[Ints, Floats]): Whole or soft number of pairs. Clusters with less than one are not merged, but assigned
        to the nearest merged one. Shape (K',)
    count (int): K; fewer clusters remain if fewer have pairs.
    RETURNS (Tuple[Ints, Floats]): Number of the merged cluster of each, and the merged centroids, in the order of their
        first parts. Shapes (K',), (K, Z)
    RAISES (ValueError): If no cluster has pairs.
    """
    populated = numpy.flatnonzero(numpy.asarray(sizes) >= MIN_SIZE)
    if not len(populated):
        raise ValueError("no cluster has pairs")
    means, weights = (numpy.asarray(array, dtype="float64")[populated] for array in (centroids, sizes))
    merged = numpy.arange(len(populated))
    costs = numpy.stack([_merge_costs(means, weights, each) for each in range(len(populated))])
    for _ in range(len(populated) - count):
        first, second = sorted(divmod(int(costs.argmin()), len(populated)))
        total = weights[first] + weights[second]
        means[first] = (weights[first] * means[first] + weights[second] * means[second]) / total
        weights[first], weights[second] = total, 0.0
        merged[merged == second] = first
        costs[first] = costs[:, first] = _merge_costs(means, weights, first)
        costs[second] = costs[:, second] = numpy.inf
    remaining, inverse = numpy.unique(merged, return_inverse=True)
    numbers = ((numpy.asarray(centroids)[:, None] - means[remaining]) ** 2).sum(2).argmin(1)
    numbers[populated] = inverse
    return numbers.astype("int64"), means[remaining]


def _merge_costs(means: Floats, weights: Floats, one: int) -> Floats:
    """Compute the cost of merging a cluster with each other one; inf for itself and for merged ones."""
    costs = weights * weights[one] / numpy.maximum(weights + weights[one], MIN_SIZE)
    costs = costs * ((means - means[one]) ** 2).sum(1)
    return numpy.where((weights > 0) & (numpy.arange(len(weights)) != one), costs, numpy.inf)


def consensus_clusters(labels: Sequence[Ints], count: int, *, seed: int) -> Ints:
    """Find the clusters on which several clusterings agree: k-means of the indicators of their clusters. Shape (N,)"""
    # pairs with the same cluster in every clustering are one row, weighted by their number
    rows, inverse, sizes = numpy.unique(numpy.stack(labels, axis=1), axis=0, return_inverse=True, return_counts=True)
    if len(rows) <= count:
        return inverse.reshape(-1).astype("int64")
    offsets = numpy.cumsum([0, *(int(each.max()) + 1 for each in labels)])
    indicators = numpy.zeros((len(rows), int(offsets[-1])), dtype="float32")
    indicators[numpy.arange(len(rows))[:, None], rows + offsets[:-1]] = 1.0
    kmeans = import_optional("sklearn.cluster").KMeans(count, n_init=CONSENSUS_STARTS, random_state=seed)
    fitted = fit_estimator(kmeans, indicators, sample_weight=sizes)
    consensus: Ints = fitted.labels_.astype("int64")[inverse.reshape(-1)]
    return consensus


def fit_estimator(estimator: Any, vectors: Floats, **arguments: Ints) -> Any:
    """Fit a scikit-learn estimator without convergence warnings: empty clusters are reported once, by their sizes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", import_optional("sklearn.exceptions").ConvergenceWarning)
        return estimator.fit(vectors, **arguments)
