"""Usual clustering methods, on the same vectors of pairs as the default; all but HDBSCAN are given K.

| peer | input |
|---|---|
| k-means | pair vectors, whose parts have length 1 |
| tied Gaussian mixture | their principal components |
| Ward, average linkage with the cosine | the same |
| spectral clustering of the graph of 20 nearest neighbours | the same |
| HDBSCAN | the same; what it calls noise is one cluster |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import spectral_embedding
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import normalize

COMPONENTS, STARTS, NEIGHBOURS = 200, 10, 20
# HDBSCAN: minimum cluster size, as a share of the mean cluster size, pairs / K.
SMALLEST = 0.1
Fit = Callable[[numpy.ndarray, int, int], numpy.ndarray]


def _kmeans(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    return KMeans(count, n_init=STARTS, random_state=seed).fit_predict(vectors)


def _mixture(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    model = GaussianMixture(count, covariance_type="tied", n_init=3, reg_covar=1e-5, random_state=seed)
    return model.fit_predict(_components(vectors, seed))


def _ward(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    return AgglomerativeClustering(count, linkage="ward").fit_predict(_components(vectors, seed))


def _average(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    model = AgglomerativeClustering(count, linkage="average", metric="cosine")
    return model.fit_predict(_components(vectors, seed))


def _spectral(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    """Ng, Jordan and Weiss (2001): with rows normalised to length 1, which scikit-learn's estimator leaves out."""
    graph = kneighbors_graph(_components(vectors, seed), NEIGHBOURS)
    rows = spectral_embedding((graph + graph.T) / 2, n_components=count, drop_first=False, random_state=seed)
    return KMeans(count, n_init=STARTS, random_state=seed).fit_predict(normalize(rows))


def _density(vectors: numpy.ndarray, count: int, seed: int) -> numpy.ndarray:
    smallest = max(5, round(SMALLEST * len(vectors) / count))
    return HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(_components(vectors, seed))


def _components(vectors: numpy.ndarray, seed: int) -> numpy.ndarray:
    size = min(COMPONENTS, *vectors.shape)
    return PCA(size, svd_solver="randomized", random_state=seed).fit_transform(vectors)


PEERS: dict[str, Fit] = {
    "k-means": _kmeans,
    "tied Gaussian mixture": _mixture,
    "Ward": _ward,
    "average linkage": _average,
    "spectral clustering": _spectral,
    "HDBSCAN": _density,
}
