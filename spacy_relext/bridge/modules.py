"""Wraps torch modules as thinc models; with `shim.py` the only file that knows both torch and thinc."""

import functools
import os
import sys
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, cast

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, PyTorchShim, torch2xp, xp2torch
from thinc.types import Floats2d, Ints1d
from thinc.util import get_torch_default_device
from torch import Tensor, nn

from ..errors import Errors
from .shim import ReadDocs, TorchShim, wrap_module
from .words import TokenEncoder, skip_white_space

Arrays = Mapping[str, Any]
Outputs = Any  # a tensor, or a named tuple of tensors; on the way out of thinc, arrays


class ModuleInput(NamedTuple):
    """What a torch module is called with."""

    arrays: Arrays  # keyword arguments: numpy arrays, or lists of them, become tensors on the module's device
    docs: Sequence[Doc] = ()  # the tok2vec encodes their tokens; the module gets the vectors as `vectors`, shape (N, D)
    sequences: Optional[List[Floats2d]] = None  # such vectors themselves, if there is no tok2vec
    lengths: Optional[List[int]] = None  # rows of each sequence of the output, if the model returns a list of arrays


Prepare = Callable[[Model, Any, bool], ModuleInput]

# Attribute of a model while it keeps vectors.
_KEPT = "relext_kept_vectors"


def module_model(
    module: nn.Module,
    prepare: Prepare,
    *,
    name: str,
    tok2vec: Optional[TokenEncoder] = None,
    init: Optional[Callable[..., Model]] = None,
    attrs: Optional[Dict[str, object]] = None,
    lr_scales: Optional[Mapping[str, float]] = None,
    dims: Optional[Dict[str, Optional[int]]] = None,
) -> Model:
    """Build a thinc model around a torch module; all functions must be picklable.

    module (nn.Module): A `WrappedModule`.
    prepare (Prepare): Turns the model, its input and `is_train` into the arguments of the module.
    tok2vec (Optional[TokenEncoder]): Encodes the Docs of the input; any encoder or listener. One that reads tokens, and
        not word pieces, is given the words alone.
    init (Optional[Callable[..., Model]]): Called by `Model.initialize`; by default it initializes the tok2vec.
    lr_scales (Optional[Mapping[str, float]]): See `TorchShim`.
    RETURNS (Model): Its output is what the module returns, or a list of arrays if `prepare` gives lengths.
    """
    if tok2vec is not None and not tok2vec.shims and not any(hasattr(node, "upstream_name") for node in tok2vec.walk()):
        tok2vec = skip_white_space(tok2vec)
    return Model(
        name,
        functools.partial(_forward, prepare=prepare),
        init=init or _init_tok2vec,
        dims=dims or {},
        attrs=attrs or {},
        layers=[] if tok2vec is None else [tok2vec],
        refs={} if tok2vec is None else {"tok2vec": tok2vec},  # where `spacy debug model` looks for a listener
        shims=[wrap_module(module, lr_scales=lr_scales)],
    )


def init_checkpoint(model: Model, X: object = None, Y: object = None, *, path: str) -> Model:
    """Load the encoder of a model from a folder or the Hugging Face Hub; trained weights are overwritten."""
    module_of(model).load_checkpoint(path)
    move_to_device(model)
    return model


def _init_tok2vec(model: Model, X: Any = None, Y: object = None) -> Model:
    """Initialize the tok2vec with the Docs of a batch; the component sizes the module."""
    for layer in model.layers:
        layer.initialize(X=list(X.docs) if X is not None else None)
    return model


def _forward(
    model: Model, batch: object, is_train: bool, *, prepare: Prepare
) -> Tuple[Outputs, Callable[[Outputs], object]]:
    """Run the tok2vec and the module; the gradient flows back through both."""
    shim = cast(TorchShim, model.shims[0])
    if shim.reader is not None and isinstance(batch, list):
        batch = cast(ReadDocs, shim.reader())(batch)
    arrays, docs, sequences, lengths = prepare(model, batch, is_train)
    if lengths is not None and not sum(lengths):
        nothing = [model.ops.alloc2f(0, model.get_dim("nO")) for _ in lengths]
        return nothing, lambda gradients: sequences or []
    backprop_vectors: Callable[[List[Floats2d]], object] = list
    kept: Optional[KeptVectors] = model.attrs.get(_KEPT)
    if model.layers and kept is not None and not is_train:
        sequences = kept.read(model.layers[0], docs)
        arrays, sequences = narrow_vectors(model, arrays, sequences)
    elif model.layers:
        sequences, backprop_vectors = model.layers[0](list(docs), is_train)
    if sequences is None:
        flat, inputs = None, _to_tensors(arrays, device_of(model))
    else:
        flat = xp2torch(model.ops.flatten(sequences), requires_grad=is_train)
        width = module_of(model).input_width
        if width is not None and len(flat) and flat.shape[1] != width:
            raise ValueError(Errors.R361.format(name=model.name, found=flat.shape[1], expected=width))
        inputs = {"vectors": flat, **_to_tensors(arrays, flat.device)}
    outputs, backprop_module = shim(ArgsKwargs((), inputs), is_train)

    def backprop(gradients: Outputs) -> object:
        if lengths is not None:
            gradients = (xp2torch(model.ops.flatten(gradients), device=outputs.device),)
        _backpropagate(backprop_module, outputs, gradients)
        if flat is None or not len(flat):  # thinc's layers cannot backpropagate through empty Docs
            return []
        d_flat = torch2xp(flat.grad) if flat.grad is not None else model.ops.alloc2f(*flat.shape)
        return backprop_vectors(_split(model, d_flat, [len(sequence) for sequence in sequences or []]))

    if lengths is not None:
        return _split(model, torch2xp(outputs.detach()), lengths), backprop
    return outputs, backprop


class KeptVectors:
    """A cache of the token vectors of Docs that are read in several parts; the Docs must stay alive and unchanged."""

    def __init__(self) -> None:
        self._by_doc: Dict[int, Floats2d] = {}

    def read(self, tok2vec: TokenEncoder, docs: Sequence[Doc]) -> List[Floats2d]:
        """Return the vectors of each Doc; only Docs that were not encoded before are encoded."""
        new = list({id(doc): doc for doc in docs if id(doc) not in self._by_doc}.values())
        if new:
            self._by_doc.update(zip(map(id, new), tok2vec.predict(new)))
        return [self._by_doc[id(doc)] for doc in docs]


@contextmanager
def keep_vectors(model: Model) -> Iterator[None]:
    """Encode each Doc once while a model predicts over parts of the same Docs."""
    model.attrs[_KEPT] = KeptVectors()
    try:
        yield
    finally:
        del model.attrs[_KEPT]


def narrow_vectors(model: Model, arrays: Arrays, sequences: List[Floats2d]) -> Tuple[Arrays, List[Floats2d]]:
    """Drop the token vectors that `index` does not refer to, unless it refers to more than half of them.

    A part then costs what it reads, not what its Docs hold.

    arrays (Arrays): `index` holds row numbers of the concatenated vectors; -1 is padding.
    """
    index, total = arrays.get("index"), sum(len(sequence) for sequence in sequences)
    if index is None or not total:
        return arrays, sequences
    rows = numpy.unique(index[index >= 0])
    if 2 * len(rows) > total:
        return arrays, sequences
    starts = numpy.cumsum([0, *(len(sequence) for sequence in sequences)])
    bounds = numpy.searchsorted(rows, starts)
    parts = [
        sequence[model.ops.xp.asarray(rows[first:end] - start)]
        for sequence, start, first, end in zip(sequences, starts.tolist(), bounds[:-1], bounds[1:])
        if end > first
    ]
    places = numpy.searchsorted(rows, numpy.maximum(index, rows[0] if len(rows) else 0))
    narrowed = numpy.where(index >= 0, places, -1).astype(index.dtype)
    return {**arrays, "index": narrowed}, [model.ops.xp.concatenate(parts)] if parts else sequences[:1]


def _backpropagate(
    backprop: Callable[[ArgsKwargs], object], outputs: Outputs, gradients: Sequence[Optional[Tensor]]
) -> None:
    """Backpropagate through the outputs that have a gradient."""
    pairs = [(output, g) for output, g in zip(_parts(outputs), gradients) if g is not None and output.requires_grad]
    if pairs:
        grads = {"grad_tensors": tuple(gradient for _, gradient in pairs)}
        backprop(ArgsKwargs((tuple(output for output, _ in pairs),), grads))


def _parts(outputs: Outputs) -> Tuple[Tensor, ...]:
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)


def _split(model: Model, rows: object, lengths: List[int]) -> List[Floats2d]:
    """Split rows into sequences; thinc's types want the lengths as an array, its code takes a list."""
    return model.ops.unflatten(cast(Floats2d, rows), cast(Ints1d, lengths))


def _to_tensors(arrays: Arrays, device: torch.device) -> Dict[str, object]:
    def convert(value: object) -> object:
        if isinstance(value, numpy.ndarray):
            return torch.from_numpy(value).to(device)
        return [convert(part) for part in value] if isinstance(value, list) else value

    return {key: convert(value) for key, value in arrays.items()}


def accept_docs(model: Model, read_docs: ReadDocs) -> None:
    """Let a model predict from Docs too, as `spacy debug model` does, which does not go through the component.

    read_docs (ReadDocs): A method of the component that turns Docs into the model's input.
    """
    if model.shims:
        cast(TorchShim, model.shims[0]).reader = weakref.WeakMethod(read_docs)


def module_of(model: Model) -> Any:
    """Get the torch module of a model that `module_model` built."""
    return model.shims[0]._model


def modules_of(model: Model) -> List[nn.Module]:
    """Get the torch modules of a thinc layer itself, without those of its sublayers."""
    return [shim._model for shim in model.shims if isinstance(shim, PyTorchShim)]


def width_of(model: Model) -> int:
    """Get the size of the token vectors that the head of an initialized model reads."""
    return int(model.layers[0].get_dim("nO") if model.layers else module_of(model).input_width)


def device_of(model: Model) -> torch.device:
    """Get the device of a module's weights."""
    return cast(torch.device, next(module_of(model).parameters()).device)


def move_to_device(model: Model) -> None:
    """Put a module that was just configured onto the device in use."""
    module_of(model).to(get_torch_default_device())


def find_device(gpu_id: int) -> torch.device:
    """Choose a device, the CPU for -1, and check that it can be used.

    RAISES (ValueError): If there is no such GPU.
    """
    device = torch.device(f"cuda:{gpu_id}" if gpu_id >= 0 else "cpu")
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(Errors.R201.format(gpu_id=gpu_id, reason=error)) from error
    return device


def use_one_thread() -> None:
    """Let torch compute on one thread: forked workers with threads of their own would wait for each other."""
    torch.set_num_threads(1)


if sys.platform != "win32":
    # libgomp's threads do not survive a fork
    os.register_at_fork(after_in_child=use_one_thread)


def loss_and_gradient(
    loss: Callable[..., Dict[str, Tensor]], outputs: Outputs, targets: Arrays, *, share: float = 1.0, **options: object
) -> Tuple[Dict[str, float], Tuple[Optional[Tensor], ...]]:
    """Evaluate a loss and its gradient with respect to a model's outputs, by autograd.

    loss (Callable[..., Dict[str, Tensor]]): Takes outputs and targets, returns named terms whose sum is minimized.
    outputs (Outputs): As the model returned them.
    targets (Arrays): They become tensors on the outputs' device.
    share (float): Factor of each term.
    options (object): Keyword arguments of the loss.
    RETURNS (Tuple[Dict[str, float], Tuple[Optional[Tensor], ...]]): The terms, and one gradient per output (None for
        outputs of integers).
    """
    # tensors made in inference mode cannot take part in autograd, but their clones can
    parts = [part.clone() if part.is_inference() else part for part in _parts(outputs)]
    leaves = [part.detach().requires_grad_(part.is_floating_point()) for part in parts]
    rebuilt = leaves[0] if isinstance(outputs, Tensor) else type(outputs)(*leaves)
    tensors = {key: torch.as_tensor(value, device=parts[0].device) for key, value in targets.items()}
    terms = {key: share * value for key, value in loss(rebuilt, tensors, **options).items()}
    total = torch.stack(list(terms.values())).sum()
    if total.requires_grad:
        total.backward(inputs=[leaf for leaf in leaves if leaf.requires_grad])
    return {key: float(value.detach()) for key, value in terms.items()}, tuple(leaf.grad for leaf in leaves)


def to_numpy(outputs: Outputs) -> Outputs:
    """Convert a model's outputs to numpy arrays in main memory; named tuples stay named tuples."""
    arrays = [part.detach().cpu().numpy() for part in _parts(outputs)]
    return arrays[0] if isinstance(outputs, Tensor) else type(outputs)(*arrays)
