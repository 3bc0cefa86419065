"""Registered model builders of `hrere_classifier`, side by side."""

from typing import Any, List

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import check_range
from ..pairs.architectures import pair_transformer, piece_model


@registry.architectures("spacy_relext.PieceBagClassifier.v1")
def build_piece_bag_classifier(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    typed_markers: bool = False,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    hidden: int = 256,
    dropout: float = 0.1,
    lr_scale: float = 1.0,
    kb_lr_scale: float = 20.0,
) -> Model[Any, Any]:
    """Build a classifier of bags whose encoder is a transformer that reads a text for a pair.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    marker_layer (int): The layer that sees the pair first, from 0; those below read a text once for all its pairs.
    typed_markers (bool): Whether a pair's marks also say which entity types it has.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    hidden (int): Size of a mention's vector and of the layer above it.
    dropout (float): Dropout above the encoder.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    kb_lr_scale (float): Learning rate of the knowledge base's side, likewise; 0: its embeddings stay as they are.
    RETURNS (Model[PairBatch, HrereOutput]): For `hrere_classifier`.
    """
    encoder = pair_transformer(
        max_pieces=max_pieces,
        marker_layer=marker_layer,
        typed_markers=typed_markers,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
    )
    module = _classifier(encoder, hidden, dropout)
    model = piece_model(module, name, max_pieces, lr_scale, "relext_hrere_piece_bags")
    _pace(module, kb_lr_scale)
    return model


@registry.architectures("spacy_relext.RecurrentBagClassifier.v1")
def build_recurrent_bag_classifier(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 320,
    input_dropout: float = 0.1,
    lstm_dropout: float = 0.3,
    word_dropout: float = 0.0,
    mask_entities: bool = False,
    offset_width: int = 25,
    hidden: int = 190,
    dropout: float = 0.1,
    kb_lr_scale: float = 20.0,
) -> Model[Any, Any]:
    """Build the paper's form: a BiLSTM over word vectors and distances to both arguments.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word vectors: any encoder or listener.
    width (int): Size of the LSTM in each direction.
    input_dropout (float): Dropout on the vectors of words.
    lstm_dropout (float): Dropout after the LSTM.
    word_dropout (float): Share of words that are not read in training.
    mask_entities (bool): Whether an argument's words are replaced by its role and type.
    offset_width (int): Size of the embedding of each of a token's two distances to the arguments; 0: not read.
    hidden (int): Size of a mention's vector and of the layer above it.
    dropout (float): Dropout above the encoder.
    kb_lr_scale (float): Learning rate of the knowledge base's side as a multiple of the optimizer's; 0: its embeddings
        stay as they are.
    RETURNS (Model[PairBatch, HrereOutput]): For `hrere_classifier`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.recurrent import RecurrentPairs

    encoder = RecurrentPairs(
        hidden=width,
        input_dropout=input_dropout,
        dropout=lstm_dropout,
        word_dropout=word_dropout,
        mask_entities=mask_entities,
        offset_width=offset_width,
    )
    module = _classifier(encoder, hidden, dropout)
    _pace(module, kb_lr_scale)
    return token_pair_model(tok2vec, module, name="relext_hrere_recurrent_bags")


@registry.architectures("spacy_relext.SharedBagClassifier.v1")
def build_shared_bag_classifier(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 256,
    hidden: int = 256,
    dropout: float = 0.1,
    kb_lr_scale: float = 20.0,
) -> Model[Any, Any]:
    """Build a classifier of bags over token vectors that all pairs of a text share: small and fast.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    width (int): Size of what is made of a token vector.
    hidden (int): Size of a mention's vector and of the layer above it.
    dropout (float): Dropout on token vectors and above.
    kb_lr_scale (float): Learning rate of the knowledge base's side as a multiple of the optimizer's; 0: its embeddings
        stay as they are.
    RETURNS (Model[PairBatch, HrereOutput]): For `hrere_classifier`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.shared import SharedPairs

    module = _classifier(SharedPairs(hidden=width, dropout=dropout), hidden, dropout)
    _pace(module, kb_lr_scale)
    return token_pair_model(tok2vec, module, name="relext_hrere_shared_bags")


def _classifier(encoder: Any, hidden: int, dropout: float) -> Any:
    """Make an empty classifier."""
    from .model import BagClassifier

    return BagClassifier(encoder, hidden=hidden, dropout=dropout)


def _pace(module: Any, kb_lr_scale: float) -> None:
    """Give the knowledge base's side a rate of its own; where its embeddings stay as they are, c and b still learn."""
    from ..bridge.modules import set_lr_scales

    check_range("kb_lr_scale", kb_lr_scale, 0.0, 1_000.0)
    scales = dict(getattr(module, "lr_scales", {}))
    head = {f"knowledge.{name}": kb_lr_scale or 1.0 for name in ("scale", "bias")}
    set_lr_scales(module, {**scales, **head, "knowledge.": kb_lr_scale})
