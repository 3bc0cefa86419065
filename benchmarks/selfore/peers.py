"""Usual clustering methods, on the same vectors of pairs as the default, with K given.

k-means reads pair vectors, whose parts have length 1; the tied Gaussian mixture and average linkage with the cosine
read their principal components.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

COMPONENTS, STARTS = 200, 10
Fit = Callable[[numpy.ndarray, int, int], numpy.ndarray]


def _kmeans(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    return KMeans(count, n_init=STARTS, random_state=seed).fit_predict(vectors)


def _mixture(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    model = GaussianMixture(count, covariance_type="tied", n_init=3, reg_covar=1e-5, random_state=seed)
    return model.fit_predict(_components(vectors, seed))


def _average(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    model = AgglomerativeClustering(count, linkage="average", metric="cosine")
    return model.fit_predict(_components(vectors, seed))


def _components(vectors: numpy.ndarray, seed: int) -> numpy.ndarray:
    size = min(COMPONENTS, *vectors.shape)
    return PCA(size, svd_solver="randomized", random_state=seed).fit_transform(vectors)


PEERS: dict[str, Fit] = {
    "k-means": _kmeans,
    "tied Gaussian mixture": _mixture,
    "average linkage": _average,
}
