"""Wraps torch modules over pairs of entities as thinc models; beside `bridge.py`, which has what all modules share."""

import functools
import warnings
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn

from ...bridge.modules import backward, call, module_of, move_to_device, tensors, unflatten
from ...bridge.shim import wrap_module
from ...encoders.models import cut_options, load_checkpoint
from ...errors import Errors, Warnings
from .features import PairBatch, graph_arrays, piece_arrays, token_arrays
from .markers import cut_marked_pairs, hide_arguments, mask_piece
from .pieces import PairPieces, cut_pairs


def piece_pair_model(module: nn.Module, *, path: str, max_pieces: int, name: str) -> Model:
    """Build a thinc model whose torch module reads the word pieces of a text for each of its pairs.

    module (nn.Module): With an encoder of word pieces; called with what `cut_pairs` and `piece_arrays` give.
    path (str): Folder or Hub name that `initialize` reads.
    max_pieces (int): Longest sequence, special pieces included.
    name (str): The model's name.
    RETURNS (Model[PairBatch, Any]): Its output is whatever the module returns.
    """
    init = functools.partial(_init_pieces, path=path)
    return Model(name, _forward_pieces, init=init, attrs={"max_pieces": max_pieces}, shims=[wrap_module(module)])


def token_pair_model(
    tok2vec: Model[List[Doc], List[Floats2d]], module: nn.Module, *, name: str, distance: Optional[int] = None
) -> Model:
    """Build a thinc model whose torch module reads token vectors, along pruned dependency trees or as they stand.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    module (nn.Module): Called with `vectors` of shape (N, D), all tokens of all Docs, and what `graph_arrays` or
        `token_arrays` gives.
    name (str): The model's name.
    distance (Optional[int]): How far from the path between both arguments a token may be; -1: any token. None: no
        tree is read.
    RETURNS (Model[PairBatch, Any]): Its output is whatever the module returns.
    """
    return Model(
        name,
        _forward_tokens,
        init=_init_tokens,
        layers=[tok2vec],
        attrs={"distance": distance},
        shims=[wrap_module(module)],
    )


def _init_pieces(model: Model, X: Any = None, Y: Any = None, *, path: str) -> Model:
    """Load the checkpoint of the encoder; what stands above it is sized by the component."""
    load_checkpoint(module_of(model).encoder, path)
    module_of(model).encoder.check_layers()
    move_to_device(model)
    return model


def _init_tokens(model: Model, X: Optional[PairBatch] = None, Y: Any = None) -> Model:
    """Initialize the tok2vec; the module is sized by the component."""
    model.layers[0].initialize(X=list(X.pairs.docs) if X is not None else None)
    return model


def _forward_pieces(model: Model, batch: PairBatch, is_train: bool) -> Tuple[Any, Callable[[Any], List[Doc]]]:
    """Cut the pairs' texts into pieces and run the module."""
    module = module_of(model)
    device = next(module.parameters()).device
    pieces = _cut(batch, module.encoder, cut_options(model, device, is_train))
    if pieces.lost:
        warnings.warn(Warnings.W402.format(name=model.name, max_pieces=model.attrs["max_pieces"]), stacklevel=2)
    names = ("ids", "shapes", "masks", "rows", "roles", "order", "inserted")
    arrays = {**{name: getattr(pieces, name) for name in names}, **piece_arrays(pieces, batch), **batch.arrays}
    outputs, backprop_module = call(model, ArgsKwargs((), tensors(arrays, device)), is_train)

    def backprop(gradients: Sequence[Optional[Tensor]]) -> List[Doc]:
        backward(backprop_module, tuple(outputs), gradients)
        return []

    return outputs, backprop


def _cut(batch: PairBatch, encoder: Any, options: Dict[str, Any]) -> PairPieces:
    """Cut texts as the encoder wants to read them, without the words that are hidden from it."""
    tokenizer = encoder.tokens.tokenizer
    if encoder.form == "means":
        pieces = cut_pairs(batch.pairs, tokenizer, **options)
    else:
        pieces = cut_marked_pairs(batch.pairs, tokenizer, form=encoder.form, **options)
    hidden = batch.arrays.get("hidden")
    return pieces if hidden is None else hide_arguments(pieces, hidden, mask_piece(tokenizer))


def _forward_tokens(model: Model, batch: PairBatch, is_train: bool) -> Tuple[Any, Callable[[Any], List[Doc]]]:
    """Run the tok2vec and the module; the gradient goes back through both."""
    docs = list(batch.pairs.docs)
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    flat = xp2torch(model.ops.flatten(vectors), requires_grad=is_train)
    width = (module_of(model).encoder.sizes or {}).get("width")
    if width is not None and len(flat) and flat.shape[1] != width:
        raise ValueError(Errors.R361.format(name=model.name, found=flat.shape[1], expected=width))
    distance = model.attrs["distance"]
    arrays, chains = (token_arrays(batch), 0) if distance is None else graph_arrays(batch, distance=distance)
    if chains:
        warnings.warn(Warnings.W403.format(name=model.name), UserWarning, stacklevel=2)
    found: Dict[str, Any] = tensors({**arrays, **batch.arrays}, flat.device)
    outputs, backprop_module = call(model, ArgsKwargs((), {"vectors": flat, **found}), is_train)

    def backprop(gradients: Sequence[Optional[Tensor]]) -> List[Doc]:
        backward(backprop_module, tuple(outputs), gradients)
        if not len(flat):
            return []
        d_flat = torch2xp(flat.grad) if flat.grad is not None else model.ops.alloc2f(*flat.shape)
        return backprop_vectors(unflatten(model, d_flat, [len(doc) for doc in docs]))

    return outputs, backprop


def encoder_sizes(model: Model, *, n_types: int, n_tags: int) -> Dict[str, Any]:
    """Name the sizes that an encoder over token vectors takes; that of a piece model has them from its checkpoint.

    model (Model): Built by this file, initialized.
    n_types (int): Entity types, with 0 for none.
    n_tags (int): Part-of-speech tags, with 0 for none.
    RETURNS (Dict[str, Any]): `encoder`, or nothing.
    """
    if not model.layers:
        return {}
    return {"encoder": {"width": int(model.layers[0].get_dim("nO")), "n_tags": n_tags, "n_types": n_types}}
