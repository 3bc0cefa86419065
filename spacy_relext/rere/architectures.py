"""Registered heads of `rere_detector` and `rere_extractor`, and the arguments of their modules."""

import logging
from typing import TYPE_CHECKING, Callable

import numpy
from spacy import registry
from thinc.api import Model

from ..bridge.modules import ModuleInput, module_model, module_of
from ..encoders.architectures import Encoder, EncoderSpec
from ..encoders.pieces import cut_options
from ..errors import Errors, Warnings, check_choice, check_range, check_sizes
from .queries import cut_queries
from .windows import TokenBatch

if TYPE_CHECKING:
    from ..encoders.layers import TokenModule
    from ..encoders.tokens import TokenEncoder
    from .model import MarkedModule

logger = logging.getLogger(__name__)


@registry.architectures("spacy_relext.RereDetector.v1")
def build_detector(encoder: Encoder, hidden: int = 256, dropout: float = 0.1, pooling: str = "cls") -> Model:
    """Build a detector of the relations that a sentence states.

    encoder (Encoder): Any tok2vec, or a `spacy_relext.PieceEncoder.v1`, which reads `[CLS] sentence [SEP]`.
    hidden (int): Size of the projection of token vectors; not read with a piece encoder.
    dropout (float): Dropout on vectors and projection.
    pooling (str): What a piece encoder makes of a sentence: "cls" (the paper's) or "mean", the mean of all pieces.
    RETURNS (Model[TokenBatch, Tensor]): Its output is the relations' logits. Shape (B, R)
    """
    from .model import POOLINGS, MarkedDetector, SharedDetector

    check_choice("pooling", pooling, POOLINGS)
    check_sizes(hidden=hidden)
    check_range("dropout", dropout, 0.0, 1.0)
    return _head_model(
        encoder,
        lambda: SharedDetector(hidden=hidden, dropout=dropout),
        lambda tokens: MarkedDetector(tokens, dropout=dropout, pooling=pooling),
        name="relext_rere_detector",
    )


@registry.architectures("spacy_relext.RereExtractor.v1")
def build_extractor(
    encoder: Encoder,
    hidden: int = 128,
    pair_hidden: int = 256,
    between: bool = True,
    dropout: float = 0.1,
) -> Model:
    """Build an extractor of the arguments of a sentence's relations.

    encoder (Encoder): Any tok2vec: a sentence is read once, and pointers are conditioned on a relation embedding. Or a
        `spacy_relext.PieceEncoder.v1`, which reads `[CLS] relation [SEP] sentence [SEP]` for each relation, as in the
        paper.
    hidden (int): Size of a pointer's projection; not read with a piece encoder.
    pair_hidden (int): Size of the pair scorer's hidden layer.
    between (bool): Whether the pair scorer reads the tokens between subject and object; ignored with a piece encoder.
    dropout (float): Dropout on token vectors and in the pair scorer.
    RETURNS (Model[TokenBatch, ExtractorOutput]): Logits of pointers and pairs.
    """
    from .model import MarkedExtractor, SharedExtractor

    check_sizes(hidden=hidden, pair_hidden=pair_hidden)
    check_range("dropout", dropout, 0.0, 1.0)
    return _head_model(
        encoder,
        lambda: SharedExtractor(hidden=hidden, pair_hidden=pair_hidden, dropout=dropout, between=between),
        lambda tokens: MarkedExtractor(tokens, pair_hidden=pair_hidden, dropout=dropout),
        name="relext_rere_extractor",
    )


def _head_model(
    encoder: Encoder,
    over_vectors: Callable[[], "TokenModule"],
    over_pieces: Callable[["TokenEncoder"], "MarkedModule"],
    *,
    name: str,
) -> Model:
    if isinstance(encoder, Model):
        return module_model(over_vectors(), prepare_tokens, name=name, tok2vec=encoder)
    if not isinstance(encoder, EncoderSpec) or encoder.build_tokens is None:
        raise ValueError(Errors.R364.format(name=name))
    module = over_pieces(encoder.build_tokens())
    return module_model(
        module, _prepare_queries, name=name, init=encoder.init, attrs=dict(encoder.attrs), lr_scales=encoder.lr_scales
    )


def prepare_tokens(model: Model, batch: TokenBatch, is_train: bool) -> ModuleInput:
    """Pass a batch of sentences to a head over token vectors."""
    return ModuleInput({**batch.arrays, **batch.options}, docs=batch.docs)


def _prepare_queries(model: Model, batch: TokenBatch, is_train: bool) -> ModuleInput:
    """Cut the rows (sentence, relation) of a batch into word pieces, for a head over them."""
    assert batch.windows is not None
    arrays = {key: value for key, value in batch.arrays.items() if key not in ("index", "sentence", "relation")}
    rows = batch.arrays.get("sentence", numpy.arange(len(batch.windows)))
    tokenizer = module_of(model).tokens.tokenizer
    options = cut_options(model, is_train)
    pieces, lost = cut_queries(batch.windows, rows, batch.arrays.get("relation"), batch.queries, tokenizer, **options)
    if lost:
        logger.warning(Warnings.W003.format(name=model.name, count=lost, max_pieces=model.attrs["max_pieces"]))
    return ModuleInput({**pieces, **arrays, **batch.options})
