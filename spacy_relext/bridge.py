"""Wraps torch modules as thinc models; with `shim.py` the only file that knows both torch and thinc.

A module that is wrapped here has `sizes` (what it was built with, None while it is empty) and `configure(**sizes)`.
"""

import functools
import logging
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, PyTorchShim, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn

from .encoders.tokens import TokenEncoder
from .errors import Errors, Warnings
from .instances.batch import TokenBatch
from .instances.pieces import MOST_PIECES, PIECES_PER_BATCH, cut_docs
from .instances.queries import cut_queries
from .shim import wrap_module

logger = logging.getLogger(__name__)
_process = os.getpid()


def token_model(tok2vec: Model[List[Doc], List[Floats2d]], module: nn.Module, *, name: str) -> Model:
    """Build a thinc model: token vectors from any tok2vec, then a torch module over a batch of sentences.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    module (nn.Module): Called as `module(vectors, **arrays)` with vectors of shape (N, D), all tokens of all Docs.
    name (str): The model's name.
    RETURNS (Model[TokenBatch, Any]): Its output is whatever the module returns: a tensor or a tuple of tensors.
    """
    return Model(name, _forward_tokens, init=_init_tokens, layers=[tok2vec], shims=[wrap_module(module)])


def set_lr_scales(module: nn.Module, scales: Dict[str, float]) -> None:
    """Give groups of parameters learning rates of their own.

    module (nn.Module): A module that will be wrapped.
    scales (Dict[str, float]): Beginning of a parameter's name → multiple of the optimizer's rate; the first that fits.
    """
    cast(Any, module).lr_scales = dict(scales)


def module_of(model: Model) -> Any:
    """Reach the torch module of a wrapped model.

    model (Model): Built by this file.
    RETURNS (Any): The module.
    """
    return model.shims[0]._model


def modules_of(model: Model) -> List[Any]:
    """Reach the torch modules of one layer, its own layers left out.

    model (Model): Any.
    RETURNS (List[Any]): The modules; none for a layer that is not wrapped.
    """
    return [shim._model for shim in model.shims if isinstance(shim, PyTorchShim)]


def move_to_device(model: Model) -> None:
    """Put a module that was just configured onto the device in use.

    model (Model): Built by this file.
    """
    from thinc.util import get_torch_default_device

    module_of(model).to(get_torch_default_device())


def loss_and_gradient(
    loss: Callable[..., Dict[str, Tensor]], outputs: Any, targets: Dict[str, Any], *, share: float = 1.0, **options: Any
) -> Tuple[Dict[str, float], Tuple[Optional[Tensor], ...]]:
    """Evaluate a loss and its gradient with respect to a model's outputs, by autograd.

    loss (Callable[..., Dict[str, Tensor]]): Takes outputs and targets, returns named terms whose sum is minimised.
    outputs (Any): A tensor or a named tuple of tensors, as the model returned them.
    targets (Dict[str, Any]): Arrays; they become tensors on the outputs' device.
    share (float): What each term is multiplied by.
    options (Any): Passed on to the loss.
    RETURNS (Tuple[Dict[str, float], Tuple[Optional[Tensor], ...]]): The terms, and one gradient per output (None for
        outputs of integers).
    """
    parts = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    # what a prediction returned cannot take part in autograd, but its copy can
    parts = tuple(part.clone() if part.is_inference() else part for part in parts)
    leaves = [part.detach().requires_grad_() if part.is_floating_point() else part for part in parts]
    rebuilt = leaves[0] if isinstance(outputs, Tensor) else type(outputs)(*leaves)
    device = parts[0].device
    tensors = {key: torch.as_tensor(value, device=device) for key, value in targets.items()}
    terms = {key: share * value for key, value in loss(rebuilt, tensors, **options).items()}
    total = torch.stack(list(terms.values())).sum()
    floating = [leaf for leaf in leaves if leaf.is_floating_point()]
    found = torch.autograd.grad(total, floating, allow_unused=True) if total.requires_grad else [None] * len(floating)
    gradients = iter(found)
    values = {key: float(value.detach()) for key, value in terms.items()}
    return values, tuple(next(gradients) if leaf.is_floating_point() else None for leaf in leaves)


def to_numpy(outputs: Any) -> Any:
    """Bring a model's outputs to numpy arrays, named tuples staying named tuples.

    outputs (Any): A tensor or a named tuple of tensors.
    RETURNS (Any): The same form, of arrays in main memory.
    """
    if isinstance(outputs, Tensor):
        return outputs.detach().cpu().numpy()
    return type(outputs)(*(part.detach().cpu().numpy() for part in outputs))


def encoder_model(
    module: TokenEncoder, *, path: str, max_pieces: int, entity_marks: bool = False
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tok2vec from a Hugging Face encoder.

    module (TokenEncoder): Empty until the model is initialized or loaded.
    path (str): Folder or Hub name that `initialize` reads.
    max_pieces (int): Longest sequence, special pieces included.
    entity_marks (bool): Whether pieces are marked by the entities of the Docs.
    RETURNS (Model[List[Doc], List[Floats2d]]): One vector per token.
    """
    return Model(
        "relext_encoder",
        _forward_encoder,
        init=functools.partial(_init_encoder, path=path),
        dims={"nO": None},
        attrs={"max_pieces": max_pieces, "entity_marks": entity_marks},
        shims=[wrap_module(module)],
    )


def sequence_model(module: nn.Module, *, width: int, name: str) -> Model[List[Floats2d], List[Floats2d]]:
    """Build a thinc layer that encodes sequences of vectors, for the `encode` slot of `spacy.Tok2Vec.v2`.

    module (nn.Module): Called as `module(vectors, index)`; sized by `configure(input_width=...)`.
    width (int): Size of the output vectors.
    name (str): The model's name.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): One output row per input row.
    """
    return Model(name, _forward_sequences, init=_init_sequences, dims={"nO": width}, shims=[wrap_module(module)])


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


def width_of(model: Model) -> int:
    """Find the size of the token vectors that a model's head reads.

    model (Model): Built by `token_model` or `marked_model`, initialized.
    RETURNS (int): D.
    """
    if model.layers:
        return int(model.layers[0].get_dim("nO"))
    return int(module_of(model).tokens.encoder.width)


def load_checkpoint(module: Any, path: str) -> None:
    """Load an encoder's weights, with one clear line where they are not there."""
    try:
        module.load_checkpoint(path)
    except (OSError, ValueError) as error:
        raise ValueError(Errors.R008.format(path=path)) from error


def _init_tokens(model: Model, X: Optional[TokenBatch] = None, Y: Any = None) -> Model:
    """Initialize the tok2vec of a token model; the module itself is sized by the component."""
    model.layers[0].initialize(X=list(X.docs) if X is not None else None)
    return model


# Functions of the module, not closures: a spawned process gets the model by pickle.


def _init_encoder(model: Model, X: Any = None, Y: Any = None, *, path: str) -> Model:
    """Load the checkpoint of an encoder, also where it has learned before: `initialize` starts anew."""
    load_checkpoint(module_of(model), path)
    move_to_device(model)
    model.set_dim("nO", module_of(model).encoder.width)
    return model


def _init_sequences(model: Model, X: Optional[List[Floats2d]] = None, Y: Any = None) -> Model:
    """Size a sequence encoder by its input, and give it new weights."""
    if X:
        module_of(model).configure(input_width=int(X[0].shape[1]))
        move_to_device(model)
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


def _forward_encoder(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[Any], List[Doc]]]:
    """Encode Docs; with nothing to encode there is nothing to differentiate."""
    module = module_of(model)
    if module.sizes is None:
        raise ValueError(Errors.R004.format(name=model.name))
    lengths = [len(doc) for doc in docs]
    if not sum(lengths):
        return [model.ops.alloc2f(0, module.encoder.width) for _ in docs], lambda gradients: []
    device = next(module.parameters()).device
    marks = bool(model.attrs.get("entity_marks"))  # absent from models of before
    pieces = cut_docs(docs, module.tokenizer, entity_marks=marks, **cut_options(model, device, is_train))
    vectors, backprop_module = call(model, ArgsKwargs((), tensors(vars(pieces), device)), is_train)

    def backprop(gradients: List[Floats2d]) -> List[Doc]:
        backward(backprop_module, (vectors,), (xp2torch(model.ops.flatten(gradients), device=device),))
        return []

    return unflatten(model, torch2xp(vectors.detach()), lengths), backprop


def _forward_sequences(
    model: Model, sequences: List[Floats2d], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Floats2d]]]:
    """Run the module over the sequences that have a token."""
    lengths = [len(sequence) for sequence in sequences]
    if not sum(lengths):
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in sequences], lambda gradients: gradients
    flat = xp2torch(model.ops.flatten(sequences), requires_grad=is_train)
    counts = numpy.asarray([length for length in lengths if length])
    position = numpy.arange(counts.max())
    starts = numpy.cumsum(counts) - counts
    index = numpy.where(position < counts[:, None], starts[:, None] + position, -1)
    outputs, backprop_module = call(model, ArgsKwargs((flat,), tensors({"index": index}, flat.device)), is_train)

    def backprop(gradients: List[Floats2d]) -> List[Floats2d]:
        backward(backprop_module, (outputs,), (xp2torch(model.ops.flatten(gradients), device=flat.device),))
        return unflatten(model, torch2xp(cast(Tensor, flat.grad)), lengths)

    return unflatten(model, torch2xp(outputs.detach()), lengths), backprop


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


def cut_options(model: Model, device: torch.device, is_train: bool) -> Dict[str, Any]:
    """How an encoder's text is cut into word pieces."""
    small = device.type == "cpu" and not is_train
    return {"max_pieces": model.attrs["max_pieces"], "batch_pieces": PIECES_PER_BATCH if small else MOST_PIECES}


def call(model: Model, arguments: ArgsKwargs, is_train: bool) -> Tuple[Any, Any]:
    """Call the module; a forked worker uses one thread, since libgomp's threads do not survive a fork."""
    global _process
    if os.getpid() != _process:
        torch.set_num_threads(1)
        _process = os.getpid()
    return model.shims[0](arguments, is_train)


def backward(backprop: Any, outputs: Sequence[Tensor], gradients: Sequence[Optional[Tensor]]) -> None:
    """Backpropagate through the outputs that have a gradient."""
    pairs = [(o, g) for o, g in zip(outputs, gradients) if g is not None and o.requires_grad]
    if pairs:
        grads = {"grad_tensors": tuple(gradient for _, gradient in pairs)}
        backprop(ArgsKwargs((tuple(output for output, _ in pairs),), grads))


def unflatten(model: Model, rows: Any, lengths: List[int]) -> List[Floats2d]:
    """Split rows into sequences; thinc's types want the lengths as an array, its code takes a list."""
    return cast(List[Floats2d], model.ops.unflatten(rows, cast(Any, lengths)))


def tensors(arrays: Dict[str, Any], device: torch.device) -> Dict[str, Any]:
    """Turn arrays, and lists of arrays, into tensors."""

    def convert(value: Any) -> Any:
        if isinstance(value, numpy.ndarray):
            return torch.from_numpy(value).to(device)
        return [convert(part) for part in value] if isinstance(value, list) else value

    return {key: convert(value) for key, value in arrays.items()}
