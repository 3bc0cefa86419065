"""Registered model builders of `selfore_clusterer`, and its settings of clustering."""

from typing import Any, List

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import check_choice, check_range
from ..pairs.architectures import pair_transformer, piece_model
from ..pairs.encoders.markers import FORMS


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
    from .model import Clusterer

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
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.shared import MeanPairs
    from .model import Clusterer

    check_range("type_weight", type_weight, 0.0, 100.0)
    module = Clusterer(MeanPairs(dropout=dropout), dropout=dropout, type_weight=type_weight)
    return token_pair_model(tok2vec, module, name="relext_selfore_shared_clusterer")
