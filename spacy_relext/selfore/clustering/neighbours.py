"""A judge of clusterings that needs no labels: what a pair's cluster says of its neighbours' clusters."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import require

IntArray = npt.NDArray[np.int64]

# Pairs whose neighbours are looked for, and pairs among which; of more, samples are drawn.
MOST_ASKED, MOST_SEARCHED = 20_000, 50_000

CHUNK = 1_024


class Neighbours:
    """The nearest neighbours of pairs, by the cosine of their vectors.

    vectors (NDArray): Shape (N, D)
    count (int): Neighbours of each; no more than a fifth of the pairs, so that small clusters have some of their own.
    seed (int): Of the samples.
    """

    def __init__(self, vectors: npt.NDArray[Any], *, count: int = 10, seed: int = 0) -> None:
        dice = np.random.default_rng(seed)
        total = len(vectors)
        self.asked = _sample(total, MOST_ASKED, dice)
        self.searched = self.asked if total <= MOST_ASKED else _sample(total, MOST_SEARCHED, dice)
        count = min(count, max(1, total // 5), len(self.searched) - 1)
        units = _units(vectors[self.searched])
        found = []
        for start in range(0, len(self.asked), CHUNK):
            chosen = self.asked[start : start + CHUNK]
            likeness = _units(vectors[chosen]) @ units.T
            likeness[chosen[:, None] == self.searched] = -2.0  # not of itself
            nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count] if count > 0 else likeness[:, :0]
            found.append(nearest.copy())  # a view would keep all of them
        self.nearest: IntArray = np.concatenate(found).astype("int64")

    def information(self, labels: IntArray, *, count: int) -> float:
        """Mutual information of a pair's cluster and a neighbour's, as a share of that of K equally large clusters.

        It is high where neighbours lie in the same cluster and clusters are of like size: one cluster of all pairs has
        0, and so have clusters drawn by chance.

        labels (IntArray): Cluster of each of N pairs. Shape (N,)
        count (int): K, above 1.
        RETURNS (float): 0 to 1.
        """
        if count < 2 or not self.nearest.size:
            return 0.0
        table = np.zeros((count, count))
        own = np.repeat(labels[self.asked], self.nearest.shape[1])
        np.add.at(table, (own, labels[self.searched][self.nearest].ravel()), 1.0)
        table = (table + table.T) / (2.0 * table.sum())
        shares = table.sum(1)
        chance = shares[:, None] * shares
        there = table > 0
        return float((table[there] * np.log(table[there] / chance[there])).sum() / np.log(count))


def _units(vectors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Vectors of length 1; 0 stays 0."""
    found = vectors.astype("float32")
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _sample(total: int, most: int, dice: np.random.Generator) -> IntArray:
    """Draw numbers below `total`, all where they are no more than asked for."""
    if total <= most:
        return np.arange(total)
    return np.sort(dice.choice(total, most, replace=False))


def fit_quietly(estimator: Any, vectors: Any, **options: Any) -> Any:
    """Fit an estimator; that clusters stay empty is told once, by who looks at their sizes.

    estimator (Any): Of scikit-learn.
    vectors (NDArray): Shape (N, D)
    options (Any): Of `fit`.
    RETURNS (Any): The estimator.
    """
    exceptions = require("sklearn.exceptions", purpose="clustering", extra="cluster")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        return estimator.fit(vectors, **options)
