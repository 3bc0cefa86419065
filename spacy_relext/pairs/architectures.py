"""Builders that models over entity pairs share."""

from typing import Any, Dict

from thinc.api import Model

from ..encoders.architectures import encoder_scales, token_encoder
from ..errors import check_range


def pair_transformer(*, marker_layer: int, typed_markers: bool, form: str = "means", **options: Any) -> Any:
    """Make an empty encoder of word pieces that are marked for a pair.

    marker_layer (int): The layer that sees the pair first, from 0.
    typed_markers (bool): Whether marks also say which entity types a pair has.
    form (str): What is put between word pieces: "means" (nothing), "markers" or "cloze".
    options (Any): As for `token_encoder`.
    RETURNS (PairTransformer): The encoder.
    """
    from .encoders.transformer import PairTransformer

    check_range("marker_layer", marker_layer, 0, 1_000)
    return PairTransformer(token_encoder(**options), marker_layer=marker_layer, typed=typed_markers, form=form)


def piece_model(module: Any, path: str, max_pieces: int, lr_scale: float, name: str, **attrs: Any) -> Model[Any, Any]:
    """Wrap a module that reads word pieces.

    module (nn.Module): Over a `PairTransformer`.
    path (str): Folder or Hub name that `initialize` reads.
    max_pieces (int): Longest sequence in word pieces.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    name (str): The model's name.
    attrs (Any): Attributes of the model.
    RETURNS (Model[PairBatch, Any]): The model.
    """
    from ..bridge.modules import set_lr_scales
    from .encoders.models import piece_pair_model

    scales: Dict[str, float] = encoder_scales("encoder.tokens.", lr_scale)
    set_lr_scales(module, scales)
    model = piece_pair_model(module, path=path, max_pieces=max_pieces, name=name)
    model.attrs.update(attrs)
    return model


def contextual_graph(
    width: int,
    layers: int,
    input_dropout: float,
    dropout: float,
    word_dropout: float,
    mask_entities: bool,
    offset_width: int,
) -> Any:
    """Make an empty C-GCN."""
    from .encoders.graph import ContextualGraph

    return ContextualGraph(
        hidden=width,
        layers=layers,
        input_dropout=input_dropout,
        dropout=dropout,
        word_dropout=word_dropout,
        mask_entities=mask_entities,
        offset_width=offset_width,
    )


def graph_pair_model(tok2vec: Any, module: Any, distance: int, name: str, **attrs: Any) -> Model[Any, Any]:
    """Wrap a module that reads token vectors along trees."""
    from .encoders.models import token_pair_model

    check_range("distance", distance, -1, 1_000)
    model = token_pair_model(tok2vec, module, distance=distance, name=name)
    model.attrs.update(attrs)
    return model
