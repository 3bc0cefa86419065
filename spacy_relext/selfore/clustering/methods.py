"""Clustering methods and their settings. Whatever the method, a linear space comes with the clusters: it assigns new
pairs, and the classifier is initialized with it.

| method | clusters |
|---|---|
| discriminant | LDA and k-means in alternation (`discriminant.py`) |
| kmeans | k-means on principal components |
| ward | agglomerative clustering of principal components by Ward's method, on a sample of many pairs |
| adaptive | deep embedded clustering, as in the paper (`adaptive.py`) |
"""

from typing import Dict, Optional, Sequence

import numpy
from spacy import registry

from ...errors import Errors, check_range
from ...pipeline.settings import Ranges, Settings, check_settings, plain_settings
from .adaptive import Adapted, adaptive_clusters
from .discriminant import (
    TINY,
    Clustering,
    LdaOptions,
    Reduced,
    discriminant_kmeans,
    discriminants,
    means_of,
    nearest_centroids,
    reduce_vectors,
)
from .ensemble import Floats, Ints, import_optional, merge_clusters, sample_rows
from .seeded import seeded_kmeans

METHODS = ("discriminant", "kmeans", "ward", "adaptive")

# Agglomerative clustering needs the distances of all pairs of its sample.
MAX_WARD_PAIRS = 12_000

RANGES: Ranges = {
    "method": METHODS,
    "reduce": (1, 100_000),
    "whiten": (0.0, 1.0),
    "shrinkage": (0.0, 1.0),
    "rounds": (0, 1_000),
    "restarts": (1, 1_000),
    "over": (1, 100),
    "pretrain_epochs": (0, 100_000),
    "adaptive_epochs": (0, 100_000),
    "refresh": (1, 100_000),
    "reconstruction": (0.0, 1_000.0),
    "loops": (0, 1_000),
    "stop": (0.0, 1.0),
    "freeze_epochs": (0, 100_000),
    "smoothing": (0.0, 0.99),
}

# Each start has its own seed, up to four times their number times `seed`; scikit-learn's seeds end at 2³².
MAX_SEED, MIN_STARTS = 2**29, 3

# Settings of training, and the values that they must have without loops.
TRAINING: Dict[str, object] = {"freeze_epochs": 0}


@registry.misc("spacy_relext.Clustering.v1")
def create_clustering(
    reduce: int = 200,
    whiten: float = 0.0,
    shrinkage: float = 0.3,
    rounds: int = 12,
    restarts: int = 20,
    consensus: bool = True,
    method: str = "discriminant",
    over: int = 3,
    pretrain_epochs: int = 20,
    adaptive_epochs: int = 20,
    refresh: int = 2,
    reconstruction: float = 0.1,
    loops: int = 0,
    stop: float = 0.1,
    freeze_epochs: int = 0,
    smoothing: float = 0.1,
    seed: int = 0,
) -> Settings:
    """Check the clustering settings of a `selfore_clusterer`, and return them.

    reduce (int): Maximum number of principal components.
    whiten (float): Degree of whitening of the components, from 0 (none) to 1 (unit variance).
    shrinkage (float): Shrinkage of the scatter within clusters towards a multiple of the identity.
    rounds (int): Maximum number of rounds of LDA and k-means; 0: k-means alone.
    restarts (int): Number of starts; the clustering with the most information on neighbours is chosen.
    consensus (bool): Whether the consensus of the best clusterings is also a start.
    method (str): "discriminant", "kmeans", "ward" or "adaptive".
    over (int): Factor of over-clustering; the clusters are then merged by Ward's method. 1: none. Not used where
        relations are known.
    pretrain_epochs (int): Of "adaptive": epochs of the autoencoder alone.
    adaptive_epochs (int): Of "adaptive": maximum epochs of codes and centroids together.
    refresh (int): Of "adaptive": epochs with the same target distribution.
    reconstruction (float): Of "adaptive": weight of the reconstruction loss after pretraining.
    loops (int): Loops of training on the clusters and clustering again; 0: none.
    stop (float): Training ends if a smaller share of the pairs changes its cluster.
    freeze_epochs (int): First epochs of each loop, in which only the classifier is trained.
    smoothing (float): Label smoothing.
    seed (int): Random seed, from 0.
    RAISES (ValueError): If a setting is out of its range, or is one of `TRAINING` and there are no loops.
    """
    settings = plain_settings(locals())
    check_settings(settings, RANGES)
    check_range("seed", seed, 0, MAX_SEED // max(restarts, MIN_STARTS))
    for key, default in TRAINING.items() if not loops else ():
        if settings[key] != default:
            raise ValueError(Errors.R609.format(key=key, found=settings[key], expected=default))
    return settings


def find_clusters(
    vectors: Floats, count: int, *, seed: int, settings: Settings, seeds: Optional[Sequence[int]] = None
) -> Clustering:
    """Cluster pairs, and fit a linear space to the clusters.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    count (int): K, at most N.
    settings (Settings): From `spacy_relext.Clustering.v1`.
    seeds (Optional[Sequence[int]]): As for `seeded_kmeans`; None: no class is known.
    """
    reduced = reduce_vectors(vectors, count, reduce=settings["reduce"], whiten=settings["whiten"], seed=seed)
    method, over = settings["method"], settings["over"]
    options = LdaOptions(settings["shrinkage"], settings["rounds"], settings["restarts"])
    if seeds is not None:
        return seeded_kmeans(reduced, count, seeds, options, seed=seed)
    if method in ("discriminant", "kmeans"):
        options = options._replace(rounds=0) if method == "kmeans" else options
        clustering = discriminant_kmeans(reduced, count, options, seed=seed, over=over, consensus=settings["consensus"])
        return clustering if options.rounds or over > 1 else _scale_to_unit_variance(clustering, reduced)
    parts = min(over * count, len(vectors))
    if method == "ward":
        labels = ward_labels(reduced.vectors, parts, seed=seed)
        sizes = numpy.bincount(labels, minlength=parts).astype("float64")
        adapted = Adapted(labels, means_of(reduced.vectors, labels, parts), sizes, [], [])
    else:
        adapted = adaptive_clusters(vectors, parts, seed=seed, settings=settings)
    labels = adapted.labels
    if parts > count:
        labels = merge_clusters(adapted.centroids, adapted.sizes, count)[0][labels]
    projection = discriminants(reduced.vectors, labels, count, shrinkage=options.shrinkage)
    return reduced.clustering(labels, count, projection, adapted.changed)


def ward_labels(vectors: Floats, count: int, *, seed: int) -> Ints:
    """Cluster by Ward's method; pairs outside of the sample go to the nearest centroid. Shape (N, D) → (N,)"""
    sample = sample_rows(len(vectors), MAX_WARD_PAIRS, numpy.random.default_rng(seed))
    if count == len(sample):
        return numpy.arange(count)
    ward = import_optional("sklearn.cluster").AgglomerativeClustering(count, linkage="ward")
    sampled: Ints = ward.fit(vectors[sample]).labels_.astype("int64")
    if len(sample) == len(vectors):
        return sampled
    labels = nearest_centroids(vectors, means_of(vectors[sample], sampled, count))
    labels[sample] = sampled
    return labels


def _scale_to_unit_variance(clustering: Clustering, reduced: Reduced) -> Clustering:
    """Scale the space of k-means to unit mean variance within clusters: its probabilities are then meaningful."""
    labels, space = clustering.labels, clustering.space
    within = reduced.vectors - means_of(reduced.vectors, labels, len(space.centroids))[labels]
    factor = numpy.float32(max(float((within**2).mean()), TINY) ** -0.5)
    scaled = space._replace(projection=space.projection * factor, centroids=space.centroids * factor)
    return clustering._replace(space=scaled)
