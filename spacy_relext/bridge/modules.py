"""Wraps torch modules as thinc models; with `shim.py` the only file that knows both torch and thinc."""

import functools
import os
import sys
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple, cast

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, PyTorchShim, torch2xp, xp2torch
from thinc.types import Floats2d
from thinc.util import get_torch_default_device
from torch import Tensor, nn

from ..errors import Errors
from .shim import wrap_module

Arrays = Mapping[str, Any]
Outputs = Any  # a tensor, or a named tuple of tensors
Gradients = Sequence[Optional[Tensor]]
TokenEncoder = Model[List[Doc], List[Floats2d]]


class WrappedModule(Protocol):
    """A torch module that can be wrapped: it is built empty, and sized when the data is known or weights are loaded.

    sizes (Optional[Dict[str, Any]]): The arguments of `configure`; None if the module is empty.
    input_width (Optional[int]): Size of the token vectors that it reads; None if it is empty, or reads none.
    """

    @property
    def sizes(self) -> Optional[Dict[str, Any]]:
        """RETURNS (Optional[Dict[str, Any]]): See above."""

    @property
    def input_width(self) -> Optional[int]:
        """RETURNS (Optional[int]): See above."""

    def configure(self, **sizes: Any) -> None:
        """Build the layers with random weights."""


class ModuleInput(NamedTuple):
    """What a torch module is called with.

    arrays (Arrays): Keyword arguments: numpy arrays, or lists of them, become tensors on the module's device.
    docs (Sequence[Doc]): Docs whose tokens the tok2vec encodes; the module gets the vectors as `vectors`, shape (N, D).
    sequences (Optional[List[Floats2d]]): Such vectors themselves, if there is no tok2vec.
    lengths (Optional[List[int]]): Rows of each sequence of the output, if the model returns a list of arrays.
    """

    arrays: Arrays
    docs: Sequence[Doc] = ()
    sequences: Optional[List[Floats2d]] = None
    lengths: Optional[List[int]] = None


Prepare = Callable[[Model, Any, bool], ModuleInput]


def module_model(
    module: nn.Module,
    prepare: Prepare,
    *,
    name: str,
    tok2vec: Optional[TokenEncoder] = None,
    init: Optional[Callable[..., Model]] = None,
    attrs: Optional[Dict[str, Any]] = None,
    lr_scales: Optional[Dict[str, float]] = None,
    dims: Optional[Dict[str, Optional[int]]] = None,
) -> Model:
    """Build a thinc model around a torch module; all functions must be picklable.

    module (nn.Module): A `WrappedModule`.
    prepare (Prepare): Turns the model, its input and `is_train` into the arguments of the module.
    name (str): The model's name.
    tok2vec (Optional[TokenEncoder]): Encodes the Docs of the input; any encoder or listener.
    init (Optional[Callable[..., Model]]): Called by `Model.initialize`; by default it initializes the tok2vec.
    attrs (Optional[Dict[str, Any]]): The model's attributes.
    lr_scales (Optional[Dict[str, float]]): See `TorchShim`.
    dims (Optional[Dict[str, Optional[int]]]): The model's dimensions.
    RETURNS (Model): Its output is what the module returns, or a list of arrays if `prepare` gives lengths.
    """
    return Model(
        name,
        functools.partial(_forward, prepare=prepare),
        init=init or _init_tok2vec,
        dims=dims or {},
        attrs=attrs or {},
        layers=[] if tok2vec is None else [tok2vec],
        shims=[wrap_module(module, lr_scales=lr_scales)],
    )


def init_checkpoint(model: Model, X: object = None, Y: object = None, *, path: str) -> Model:
    """Load the encoder of a model from a checkpoint, also if it has been trained: `initialize` starts anew.

    model (Model): Its module has `load_checkpoint`.
    path (str): A folder, or a name on the Hugging Face Hub.
    RETURNS (Model): The model.
    """
    module_of(model).load_checkpoint(path)
    move_to_device(model)
    return model


def _init_tok2vec(model: Model, X: Any = None, Y: object = None) -> Model:
    """Initialize the tok2vec with the Docs of a batch; the component sizes the module."""
    for layer in model.layers:
        layer.initialize(X=list(X.docs) if X is not None else None)
    return model


def _forward(model: Model, batch: object, is_train: bool, *, prepare: Prepare) -> Tuple[Any, Callable[[Any], Any]]:
    """Run the tok2vec and the module; the gradient flows back through both."""
    arrays, docs, sequences, lengths = prepare(model, batch, is_train)
    if lengths is not None and not sum(lengths):
        nothing = [model.ops.alloc2f(0, model.get_dim("nO")) for _ in lengths]
        return nothing, lambda gradients: sequences or []
    backprop_vectors: Callable[[List[Floats2d]], Any] = list
    if model.layers:
        sequences, backprop_vectors = model.layers[0](list(docs), is_train)
    if sequences is None:
        flat, inputs = None, _to_tensors(arrays, device_of(model))
    else:
        flat = xp2torch(model.ops.flatten(sequences), requires_grad=is_train)
        _check_width(model, flat)
        inputs = {"vectors": flat, **_to_tensors(arrays, flat.device)}
    outputs, backprop_module = model.shims[0](ArgsKwargs((), inputs), is_train)

    def backprop(gradients: Any) -> Any:
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


def _check_width(model: Model, vectors: Tensor) -> None:
    """Compare the token vectors that arrive with those that the weights were made for."""
    width = module_of(model).input_width
    if width is not None and len(vectors) and vectors.shape[1] != width:
        raise ValueError(Errors.R361.format(name=model.name, found=vectors.shape[1], expected=width))


def _backpropagate(backprop: Callable[[ArgsKwargs], object], outputs: Outputs, gradients: Gradients) -> None:
    """Backpropagate through the outputs that have a gradient."""
    parts = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    pairs = [(output, g) for output, g in zip(parts, gradients) if g is not None and output.requires_grad]
    if pairs:
        grads = {"grad_tensors": tuple(gradient for _, gradient in pairs)}
        backprop(ArgsKwargs((tuple(output for output, _ in pairs),), grads))


def _split(model: Model, rows: Any, lengths: List[int]) -> List[Floats2d]:
    """Split rows into sequences; thinc's types want the lengths as an array, its code takes a list."""
    return model.ops.unflatten(rows, cast(Any, lengths))


def _to_tensors(arrays: Arrays, device: torch.device) -> Dict[str, object]:
    """Turn arrays, and lists of arrays, into tensors."""

    def convert(value: object) -> object:
        if isinstance(value, numpy.ndarray):
            return torch.from_numpy(value).to(device)
        return [convert(part) for part in value] if isinstance(value, list) else value

    return {key: convert(value) for key, value in arrays.items()}


def module_of(model: Model) -> Any:
    """Get the torch module of a wrapped model.

    model (Model): Built by `module_model`.
    RETURNS (Any): The module.
    """
    return model.shims[0]._model


def modules_of(model: Model) -> List[nn.Module]:
    """Get the torch modules of one layer, without those of its own layers.

    model (Model): Any.
    RETURNS (List[nn.Module]): The modules; none if the layer wraps no module.
    """
    return [shim._model for shim in model.shims if isinstance(shim, PyTorchShim)]


def width_of(model: Model) -> int:
    """Get the size of the token vectors that a model's head reads.

    model (Model): Built by `module_model`, initialized.
    RETURNS (int): D.
    """
    return int(model.layers[0].get_dim("nO") if model.layers else module_of(model).input_width)


def device_of(model: Model) -> torch.device:
    """Get the device of a module's weights.

    model (Model): Built by `module_model`.
    RETURNS (torch.device): The device.
    """
    return cast(torch.device, next(module_of(model).parameters()).device)


def move_to_device(model: Model) -> None:
    """Put a module that was just configured onto the device in use.

    model (Model): Built by `module_model`.
    """
    module_of(model).to(get_torch_default_device())


def find_device(gpu_id: int) -> torch.device:
    """Choose a device and check that it can be used.

    gpu_id (int): The GPU; -1 for the processor.
    RETURNS (torch.device): The device.
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
    loss: Callable[..., Dict[str, Tensor]], outputs: Outputs, targets: Arrays, *, share: float = 1.0, **options: Any
) -> Tuple[Dict[str, float], Tuple[Optional[Tensor], ...]]:
    """Evaluate a loss and its gradient with respect to a model's outputs, by autograd.

    loss (Callable[..., Dict[str, Tensor]]): Takes outputs and targets, returns named terms whose sum is minimized.
    outputs (Outputs): As the model returned them.
    targets (Arrays): They become tensors on the outputs' device.
    share (float): Factor of each term.
    options (Any): Keyword arguments of the loss.
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
    computed: Sequence[Optional[Tensor]] = [None] * len(floating)
    if total.requires_grad:
        computed = torch.autograd.grad(total, floating, allow_unused=True)
    gradients = iter(computed)
    values = {key: float(value.detach()) for key, value in terms.items()}
    return values, tuple(next(gradients) if leaf.is_floating_point() else None for leaf in leaves)


def to_numpy(outputs: Outputs) -> Any:
    """Bring a model's outputs to numpy arrays in main memory; named tuples stay named tuples.

    outputs (Outputs): A tensor or a named tuple of tensors.
    RETURNS (Any): The same form, of arrays.
    """
    if isinstance(outputs, Tensor):
        return outputs.detach().cpu().numpy()
    return type(outputs)(*(part.detach().cpu().numpy() for part in outputs))
