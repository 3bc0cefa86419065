"""Torch modules of RERE wrapped as thinc models."""

import functools
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn

from ..bridge.modules import backward, call, logger, module_of, tensors, unflatten
from ..bridge.shim import wrap_module
from ..encoders.models import cut_options, load_checkpoint
from ..errors import Errors, Warnings
from .queries import cut_queries
from .windows import TokenBatch


def token_model(tok2vec: Model[List[Doc], List[Floats2d]], module: nn.Module, *, name: str) -> Model:
    """Build a thinc model: token vectors from any tok2vec, then a torch module over a batch of sentences.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    module (nn.Module): Called as `module(vectors, **arrays)` with vectors of shape (N, D), all tokens of all Docs.
    name (str): The model's name.
    RETURNS (Model[TokenBatch, Any]): Its output is whatever the module returns: a tensor or a tuple of tensors.
    """
    return Model(name, _forward_tokens, init=_init_tokens, layers=[tok2vec], shims=[wrap_module(module)])


def marked_model(module: nn.Module, *, path: str, max_pieces: int, name: str) -> Model:
    """Build a thinc model whose torch module cuts and encodes the text itself.

    module (nn.Module): A `models.rere_marked.MarkedModule`.
    path (str): Folder or Hub name that `initialize` reads.
    max_pieces (int): Longest sequence, special pieces included.
    name (str): The model's name.
    RETURNS (Model[TokenBatch, Any]): Its output is whatever the module returns.
    """
    init = functools.partial(_init_marked, path=path)
    return Model(name, _forward_marked, init=init, attrs={"max_pieces": max_pieces}, shims=[wrap_module(module)])


def _init_tokens(model: Model, X: Optional[TokenBatch] = None, Y: Any = None) -> Model:
    """Initialize the tok2vec of a token model; the module itself is sized by the component."""
    model.layers[0].initialize(X=list(X.docs) if X is not None else None)
    return model


def _init_marked(model: Model, X: Any = None, Y: Any = None, *, path: str) -> Model:
    """Load the checkpoint of the encoder inside a marked module; its head is sized by the component."""
    load_checkpoint(module_of(model), path)
    return model


def _forward_tokens(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[Any, Callable[[Any], List[Doc]]]:
    """Run the tok2vec and the module; the gradient goes back through both."""
    tok2vec = model.layers[0]
    vectors, backprop_vectors = tok2vec(list(batch.docs), is_train)
    flat = xp2torch(model.ops.flatten(vectors), requires_grad=is_train)
    width = (module_of(model).sizes or {}).get("width")
    if width is not None and len(flat) and flat.shape[1] != width:
        raise ValueError(Errors.R361.format(name=model.name, found=flat.shape[1], expected=width))
    outputs, backprop_module = call(model, ArgsKwargs((flat,), tensors(batch.arrays, flat.device)), is_train)

    def backprop(gradients: Sequence[Optional[Tensor]]) -> List[Doc]:
        parts = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        backward(backprop_module, parts, gradients)
        if not len(flat):  # nothing but empty Docs; thinc's layers cannot go back through nothing
            return []
        d_flat = torch2xp(flat.grad) if flat.grad is not None else model.ops.alloc2f(*flat.shape)
        return backprop_vectors(unflatten(model, d_flat, [len(doc) for doc in batch.docs]))

    return outputs, backprop


def _forward_marked(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[Any, Callable[[Any], List[Doc]]]:
    """Cut the batch's rows into pieces and run the module."""
    module = module_of(model)
    assert batch.windows is not None
    arrays = dict(batch.arrays)
    arrays.pop("index")
    window = arrays.pop("sentence", None)
    relation = arrays.pop("relation", None)
    rows = numpy.arange(len(batch.windows)) if window is None else window
    device = next(module.parameters()).device
    options = cut_options(model, device, is_train)
    pieces, lost = cut_queries(batch.windows, rows, relation, batch.queries, module.tokens.tokenizer, **options)
    if lost:
        logger.warning(Warnings.W003.format(name=model.name, count=lost, max_pieces=model.attrs["max_pieces"]))
    outputs, backprop_module = call(model, ArgsKwargs((), tensors({**pieces, **arrays}, device)), is_train)

    def backprop(gradients: Sequence[Optional[Tensor]]) -> List[Doc]:
        parts = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        backward(backprop_module, parts, gradients)
        return []

    return outputs, backprop
