"""The registered settings of clustering."""

from typing import Any, Dict, Tuple

from spacy import registry

from ...errors import Errors, check_choice, check_range
from ...pipeline.settings import plain_settings
from .methods import METHODS

# Smallest and largest value of each setting of clustering.
RANGES: Dict[str, Tuple[float, float]] = {
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
    "confident": (0.0, 1.0),
    "mask_mentions": (0.0, 1.0),
    "contrast": (0.0, 1_000.0),
    "smoothing": (0.0, 0.99),
}

# Each start draws with a seed of its own: those of two settings lie up to four times their number apart, and
# scikit-learn's end at 2³².
SEEDS, LEAST_STARTS = 2**29, 3

# What says how clusters are learned, and what it is where nothing is learned.
LEARNING: Dict[str, float] = {"freeze_epochs": 0, "confident": 1.0, "mask_mentions": 0.0, "contrast": 0.0}


@registry.misc("spacy_relext.Clustering.v1")
def create_clustering(
    reduce: int = 200,
    whiten: float = 0.0,
    shrinkage: float = 0.3,
    rounds: int = 12,
    restarts: int = 20,
    consensus: bool = True,
    method: str = "discriminant",
    over: int = 1,
    pretrain_epochs: int = 20,
    adaptive_epochs: int = 20,
    refresh: int = 2,
    reconstruction: float = 0.1,
    loops: int = 0,
    stop: float = 0.1,
    freeze_epochs: int = 0,
    confident: float = 1.0,
    mask_mentions: float = 0.0,
    contrast: float = 0.0,
    smoothing: float = 0.1,
    seed: int = 0,
) -> Dict[str, Any]:
    """Check how a `selfore_clusterer` shall cluster.

    reduce (int): Principal components of the pairs' vectors that are kept.
    whiten (float): How far these are made alike: 0 not at all, 1 to the same variance.
    shrinkage (float): How far the scatter within clusters is drawn to that of a ball.
    rounds (int): Most rounds of discriminants and k-means; 0: k-means alone.
    restarts (int): How often clustering begins anew; the clusters that tell most of a pair's neighbours are taken.
    consensus (bool): Whether clustering also begins at what the best of these clusterings agree on.
    method (str): "discriminant": discriminants and k-means in turn; "kmeans": k-means alone; "ward": Ward's hierarchy;
        "adaptive": the paper's autoencoder, whose codes are drawn to centroids.
    over (int): How many times as many clusters are found, and then merged by Ward's method; 1: none more.
    pretrain_epochs (int): Of "adaptive": epochs in which the autoencoder learns alone.
    adaptive_epochs (int): Of "adaptive": most epochs in which codes and centroids are drawn together.
    refresh (int): Of "adaptive": epochs that a target stays.
    reconstruction (float): Of "adaptive": weight of the autoencoder's error while codes are drawn to centroids.
    loops (int): How often the encoder learns the clusters and they are found anew; 0: clusters of the encoder as it is.
    stop (float): Nothing more is learned when a smaller share of the pairs than this changes its cluster.
    freeze_epochs (int): The first epochs of each loop, in which the classifier learns alone.
    confident (float): Share of the pairs of each cluster, those that fit best, that are learned.
    mask_mentions (float): Share of what is learned from in which the words of one argument are hidden.
    contrast (float): Weight of a loss by which two readings of a pair should be more alike than those of two pairs.
    smoothing (float): Share of each cluster's label that is spread over all clusters in learning.
    seed (int): Of what is drawn; from 0.
    RETURNS (Dict[str, Any]): The settings.
    RAISES (ValueError): Where one is out of its range, or says how clusters are learned where they are not.
    """
    settings = plain_settings(locals())
    check_choice("method", method, METHODS)
    for key, (low, high) in RANGES.items():
        check_range(key, settings[key], low, high)
    check_range("seed", seed, 0, SEEDS // max(restarts, LEAST_STARTS))
    for key, default in LEARNING.items() if not loops else ():
        if settings[key] != default:
            raise ValueError(Errors.R609.format(key=key, found=settings[key], expected=default))
    return settings
