"""Registered model builders of NERO, side by side."""

from typing import Any, List

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..pairs.architectures import pair_transformer, piece_model


@registry.architectures("spacy_relext.PieceGrounder.v1")
def build_piece_grounder(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    typed_markers: bool = False,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    hidden: int = 384,
    dropout: float = 0.1,
    attention_hidden: int = 200,
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build relation module and soft matcher over a transformer that reads a text for a pair.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    marker_layer (int): The layer that sees the pair first, from 0; those below read a text once for all its pairs.
    typed_markers (bool): Whether a pair's marks also say which entity types it has.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder.
    attention_hidden (int): Size of the layer of both attentions.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[PairBatch, GrounderOutput]): For `nero_grounder`.
    """
    from .model import Grounder

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
    module = Grounder(encoder, hidden=hidden, dropout=dropout, attention_hidden=attention_hidden)
    return piece_model(module, name, max_pieces, lr_scale, "relext_nero_piece_grounder")


@registry.architectures("spacy_relext.RecurrentGrounder.v1")
def build_recurrent_grounder(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 100,
    input_dropout: float = 0.5,
    lstm_dropout: float = 0.5,
    word_dropout: float = 0.04,
    mask_entities: bool = True,
    hidden: int = 200,
    dropout: float = 0.1,
    attention_hidden: int = 200,
) -> Model[Any, Any]:
    """Build the paper's form: a BiLSTM over word vectors, and a soft matcher over the word vectors themselves.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word vectors: any encoder of its own, no listener.
    width (int): Size of the LSTM in each direction.
    input_dropout (float): Dropout on the vectors of words.
    lstm_dropout (float): Dropout after the LSTM.
    word_dropout (float): Share of words that are not read in training.
    mask_entities (bool): Whether an argument's words are replaced by its role and type.
    hidden (int): Size of the hidden layer above.
    dropout (float): Dropout above the encoder.
    attention_hidden (int): Size of the layer of both attentions.
    RETURNS (Model[PairBatch, GrounderOutput]): For `nero_grounder`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.recurrent import RecurrentPairs
    from .model import Grounder

    encoder = RecurrentPairs(
        hidden=width,
        input_dropout=input_dropout,
        dropout=lstm_dropout,
        word_dropout=word_dropout,
        mask_entities=mask_entities,
    )
    module = Grounder(encoder, hidden=hidden, dropout=dropout, attention_hidden=attention_hidden)
    return token_pair_model(tok2vec, module, name="relext_nero_recurrent_grounder")


@registry.architectures("spacy_relext.SharedGrounder.v1")
def build_shared_grounder(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 256,
    hidden: int = 256,
    dropout: float = 0.1,
    attention_hidden: int = 200,
) -> Model[Any, Any]:
    """Build relation module and soft matcher over token vectors that all pairs of a text share: small and fast.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder of its own, no listener.
    width (int): Size of what is made of a token vector.
    hidden (int): Size of the hidden layer above.
    dropout (float): Dropout on token vectors and above.
    attention_hidden (int): Size of the layer of both attentions.
    RETURNS (Model[PairBatch, GrounderOutput]): For `nero_grounder`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.shared import SharedPairs
    from .model import Grounder

    encoder = SharedPairs(hidden=width, dropout=dropout)
    module = Grounder(encoder, hidden=hidden, dropout=dropout, attention_hidden=attention_hidden)
    return token_pair_model(tok2vec, module, name="relext_nero_shared_grounder")
