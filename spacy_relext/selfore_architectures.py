"""Registered model builders of `selfore_clusterer`, and its settings of clustering."""

from typing import Any, Dict, List, Tuple

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .clustering.methods import METHODS
from .components.settings import plain_settings
from .errors import Errors, check_choice, check_range
from .instances.pair_marks import FORMS
from .pair_architectures import pair_transformer, piece_model

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


@registry.architectures("spacy_relext.PieceClusterer.v1")
def build_piece_clusterer(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    precision: str = "auto",
    case_features: bool = False,
    vector: str = "means",
    mix_from: int = 3,
    freeze_layers: int = 0,
    freeze_embeddings: bool = True,
    dropout: float = 0.1,
    type_weight: float = 0.3,
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build a clusterer whose encoder is a transformer that reads a text for a pair.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    marker_layer (int): The layer that sees the pair first, from 0; those below read a text once for all its pairs.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    vector (str): What stands for a pair: "means" over the arguments and the words between, or the vectors of "markers"
        before the arguments, or that of the mask of a "cloze", "subject [MASK] object" behind the text. With the last
        two each pair of a text is read in a text of its own.
    mix_from (int): The first layer whose vectors count before anything is learned; 0 are those of word pieces.
    freeze_layers (int): How many of the lowest layers are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    dropout (float): Dropout on the vectors of pairs.
    type_weight (float): Weight of the arguments' entity types, beside parts of length 1; 0: they are not read.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[PairBatch, ClusterOutput]): For `selfore_clusterer`.
    """
    from .models.selfore import Clusterer

    check_range("mix_from", mix_from, 0, 1_000)
    check_choice("vector", vector, FORMS)
    encoder = pair_transformer(
        max_pieces=max_pieces,
        marker_layer=marker_layer,
        typed_markers=False,
        form=vector,
        precision=precision,
        case_features=case_features,
        layer_mix=True,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
    )
    check_range("type_weight", type_weight, 0.0, 100.0)
    module = Clusterer(encoder, dropout=dropout, mix_from=mix_from, type_weight=type_weight)
    return piece_model(module, name, max_pieces, lr_scale, "relext_selfore_piece_clusterer")


@registry.architectures("spacy_relext.SharedClusterer.v1")
def build_shared_clusterer(
    tok2vec: Model[List[Doc], List[Floats2d]], dropout: float = 0.1, type_weight: float = 0.3
) -> Model[Any, Any]:
    """Build a clusterer over token vectors that all pairs of a text share. Static vectors or a pretrained tok2vec are
    what it should start from: of vectors that have learned nothing it sees no more than which words are the same.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder.
    dropout (float): Dropout on token vectors and on the vectors of pairs.
    type_weight (float): As for `spacy_relext.PieceClusterer.v1`.
    RETURNS (Model[PairBatch, ClusterOutput]): For `selfore_clusterer`.
    """
    from .encoders.mean_pairs import MeanPairs
    from .models.selfore import Clusterer
    from .pair_bridge import token_pair_model

    check_range("type_weight", type_weight, 0.0, 100.0)
    module = Clusterer(MeanPairs(dropout=dropout), dropout=dropout, type_weight=type_weight)
    return token_pair_model(tok2vec, module, name="relext_selfore_shared_clusterer")


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
