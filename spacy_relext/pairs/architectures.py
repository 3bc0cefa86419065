"""Registered encoders of entity pairs, and what the builders of all heads over pairs share."""

import functools
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..bridge.modules import module_model
from ..encoders.architectures import Encoder, EncoderSpec, encoder_scales, token_encoder
from ..errors import Errors, check_choice, check_range, check_sizes
from .encoders.features import prepare_pieces, prepare_tokens, prepare_trees
from .encoders.markers import FORMS

if TYPE_CHECKING:
    from .encoders.transformer import PairTransformer
    from .model import PairModule

SHARED_WIDTH = 256

# Settings of heads that are sizes.
SIZES = ("hidden", "attention_hidden", "position_width", "type_width")


@registry.architectures("spacy_relext.PieceEncoder.v1")
def build_piece_encoder(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    form: str = "means",
    precision: str = "auto",
    case_features: bool = True,
    mix_from: Optional[int] = 0,
    freeze_layers: int = 0,
    freeze_embeddings: bool = True,
    lr_scale: float = 0.1,
) -> EncoderSpec:
    """Describe a transformer that reads a text for a pair of entities, or for a relation.

    Other arguments are those of `spacy_relext.Transformer.v1`.

    marker_layer (int): First layer that sees the pair, from 0; those below read a text once for all its pairs.
    form (str): What represents a pair: the "means" over the pieces of its arguments; the vectors of "markers" inserted
        before the arguments, or of "punct", which uses "@" and "#" as markers. With the last two, each pair is read in
        its own copy of the text.
    mix_from (Optional[int]): First layer with weight in the initial mix of layers, 0 being the input embeddings; null:
        the last layer alone, without a mix.
    """
    check_choice("form", form, FORMS)
    check_range("marker_layer", marker_layer, 0, 1_000)
    check_range("mix_from", mix_from or 0, 0, 1_000)
    build_tokens = functools.partial(
        token_encoder,
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        mix_from=mix_from,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
    )

    def build() -> "PairTransformer":
        from .encoders.transformer import PairTransformer

        return PairTransformer(build_tokens(), marker_layer=marker_layer, form=form)

    return EncoderSpec(
        build,
        prepare_pieces,
        path=name,
        build_tokens=build_tokens,
        attrs={"max_pieces": max_pieces},
        lr_scales=encoder_scales("tokens.", lr_scale),
    )


@registry.architectures("spacy_relext.GraphEncoder.v1")
def build_graph_encoder(
    tok2vec: Model[List[Doc], List[Floats2d]],
    distance: int = 1,
    width: int = 200,
    layers: int = 2,
    input_dropout: float = 0.5,
    dropout: float = 0.5,
    word_dropout: float = 0.04,
    mask_entities: bool = True,
    offset_width: int = 0,
) -> EncoderSpec:
    """Describe a C-GCN: a BiLSTM, and graph convolution over the pruned dependency tree between both arguments.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    distance (int): Largest distance of a token from the path between both arguments; -1: unlimited.
    width (int): Size of the LSTM in each direction, and of the graph convolutions.
    layers (int): Number of graph convolutions.
    input_dropout (float): Dropout on the word vectors.
    dropout (float): Dropout after the LSTM and between graph convolutions.
    word_dropout (float): Share of words that are masked in training.
    mask_entities (bool): Whether an argument's words are replaced by its role and type.
    offset_width (int): Size of the embedding of each of a token's two distances to the arguments; 0: none.
    """
    from .encoders.graph import ContextualGraph

    check_range("distance", distance, -1, 1_000)
    check_sizes(width=width, layers=layers)
    _check_word_encoder(input_dropout, dropout, word_dropout, offset_width)
    build = functools.partial(
        ContextualGraph,
        hidden=width,
        layers=layers,
        input_dropout=input_dropout,
        dropout=dropout,
        word_dropout=word_dropout,
        mask_entities=mask_entities,
        offset_width=offset_width,
    )
    return EncoderSpec(build, prepare_trees, tok2vec=tok2vec, attrs={"distance": distance})


@registry.architectures("spacy_relext.RecurrentEncoder.v1")
def build_recurrent_encoder(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 100,
    input_dropout: float = 0.5,
    dropout: float = 0.5,
    word_dropout: float = 0.04,
    mask_entities: bool = True,
    offset_width: int = 0,
) -> EncoderSpec:
    """Describe a BiLSTM over word vectors, which needs no parser; arguments as for `spacy_relext.GraphEncoder.v1`."""
    from .encoders.graph import RecurrentPairs

    check_sizes(width=width)
    _check_word_encoder(input_dropout, dropout, word_dropout, offset_width)
    build = functools.partial(
        RecurrentPairs,
        hidden=width,
        input_dropout=input_dropout,
        dropout=dropout,
        word_dropout=word_dropout,
        mask_entities=mask_entities,
        offset_width=offset_width,
    )
    return EncoderSpec(build, prepare_tokens, tok2vec=tok2vec)


@registry.architectures("spacy_relext.SharedEncoder.v1")
def build_shared_encoder(
    tok2vec: Model[List[Doc], List[Floats2d]], width: int = SHARED_WIDTH, dropout: float = 0.1, context: bool = False
) -> EncoderSpec:
    """Describe an encoder over token vectors that all pairs of a text share: the fastest for texts with many pairs.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    width (int): Size of the projection of a token vector; 0: no projection, and means instead of maxima.
    dropout (float): Dropout on token vectors.
    context (bool): Whether a pair's sentence vector also contains the tokens between both arguments and those of the
        whole text, pooled by attention, and the distance; not read with width 0.
    """
    from .encoders.shared import MeanPairs, SharedPairs

    check_range("width", width, 0, 1_000_000)
    check_range("dropout", dropout, 0.0, 1.0)
    if not width:
        return EncoderSpec(functools.partial(MeanPairs, dropout=dropout), prepare_tokens, tok2vec=tok2vec)
    build = functools.partial(SharedPairs, hidden=width, dropout=dropout, context=context)
    return EncoderSpec(build, prepare_tokens, tok2vec=tok2vec)


def _check_word_encoder(input_dropout: float, dropout: float, word_dropout: float, offset_width: int) -> None:
    """Check the settings of an encoder over word vectors."""
    for key, rate in (("input_dropout", input_dropout), ("dropout", dropout), ("word_dropout", word_dropout)):
        check_range(key, rate, 0.0, 1.0)
    check_range("offset_width", offset_width, 0, 1_000_000)


def pair_model(
    head: Callable[..., "PairModule"],
    encoder: Encoder,
    *,
    name: str,
    dropout: float,
    shared_width: int = SHARED_WIDTH,
    attrs: Optional[Dict[str, str]] = None,
    lr_scales: Optional[Dict[str, float]] = None,
    **settings: Any,
) -> Model:
    """Build a model of a head over an encoder of pairs.

    head (Callable[..., PairModule]): The head's class; `settings` are its further arguments.
    encoder (Encoder): An encoder of pairs, or a token encoder, which all pairs of a text then share.
    dropout (float): Dropout of the head, and on the vectors of a token encoder.
    shared_width (int): For token encoders, see `spacy_relext.SharedEncoder.v1`.
    lr_scales (Optional[Dict[str, float]]): Learning rates of the head, see `TorchShim`.
    RETURNS (Model[PairBatch, Any]): Its output is what the head returns.
    RAISES (ValueError): If `encoder` is not an encoder, or a size or the dropout is out of range.
    """
    check_range("dropout", dropout, 0.0, 1.0)
    check_sizes(**{key: value for key, value in settings.items() if key in SIZES})
    if isinstance(encoder, Model):
        encoder = build_shared_encoder(encoder, width=shared_width, dropout=dropout)
    if not isinstance(encoder, EncoderSpec):
        raise ValueError(Errors.R418.format(name=name, found=type(encoder).__name__))
    scales = {f"encoder.{prefix}": scale for prefix, scale in encoder.lr_scales.items()}
    return module_model(
        head(encoder.build(), dropout=dropout, **settings),
        encoder.prepare,
        name=name,
        tok2vec=encoder.tok2vec,
        init=encoder.init,
        attrs={**encoder.attrs, **(attrs or {})},
        lr_scales={**scales, **(lr_scales or {})},
    )


def encoder_sizes(model: Model, *, n_types: int, n_tags: int) -> Dict[str, Dict[str, int]]:
    """Collect the sizes of an encoder over token vectors; other encoders have them from their checkpoint.

    model (Model): Built by `pair_model`, initialized.
    n_types (int): Number of entity types, with 0 for none.
    n_tags (int): Number of part-of-speech tags, with 0 for none.
    RETURNS (Dict[str, Dict[str, int]]): The sizes under the key `encoder`; empty for other encoders.
    """
    if not model.layers:
        return {}
    return {"encoder": {"width": int(model.layers[0].get_dim("nO")), "n_tags": n_tags, "n_types": n_types}}
