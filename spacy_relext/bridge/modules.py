"""Wraps torch modules as thinc models; with `shim.py` the only file that knows both torch and thinc.

A module that is wrapped here has `sizes` (what it was built with, None while it is empty) and `configure(**sizes)`.
"""

import logging
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy
import torch
from thinc.api import ArgsKwargs, Model, PyTorchShim
from thinc.types import Floats2d
from torch import Tensor, nn

from ..errors import Errors

logger = logging.getLogger(__name__)

_process = os.getpid()


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


def width_of(model: Model) -> int:
    """Find the size of the token vectors that a model's head reads.

    model (Model): Built by `token_model` or `marked_model`, initialized.
    RETURNS (int): D.
    """
    if model.layers:
        return int(model.layers[0].get_dim("nO"))
    return int(module_of(model).tokens.encoder.width)


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
