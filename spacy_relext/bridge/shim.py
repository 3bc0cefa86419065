"""How thinc runs, updates and saves a torch module: as safetensors.

The module's `sizes` travel in the header of the file, so that a loaded pipeline needs neither the network nor a pickle.
"""

import json
import zlib
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Protocol, Sequence, Tuple, cast

import safetensors.torch
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, torch2xp, xp2torch
from thinc.types import FloatsXd
from torch import nn

from ..errors import Errors
from .packing import PACKED, pack_module, unpack_state
from .weights import clear_caches, swapped_weights

Sizes = Dict[str, object]
ReadDocs = Callable[[Sequence[Doc]], object]
ParameterKey = Tuple[int, str]  # id of the layer or shim, and the name there

_SIZES, _LAYOUT = "sizes", "layout"

# Before compressed files; as the length that a safetensors file begins with, it would be too large.
_COMPRESSED = b"zlib\xff\xff\xff\xff"


class WrappedModule(Protocol):
    """A torch module that can be wrapped: it is built empty, and sized when the data is known or weights are loaded."""

    sizes: Optional[Sizes]  # the arguments of `configure`; None if the module is empty
    input_width: Optional[int]  # of the token vectors that it reads; None if it is empty, or reads none

    def configure(self, **sizes: object) -> None:
        """Build the layers with random weights."""


class TorchShim(PyTorchShim):
    """A thinc shim whose parameters may have learning rates of their own.

    Four things differ from thinc's: gradients are dropped, not zeroed, after an update, so that a parameter without a
    gradient is not moved by the optimizer's momentum; each parameter's learning rate is scaled by `lr_scales`; averages
    of parameters are used, which thinc's shim looks up under keys other than its optimizer's; and the module stays in
    evaluation mode between predictions, since switching all its parts twice per call costs 3 ms.
    """

    # Prefix of a parameter's name → factor of the optimizer's learning rate; the first match counts.
    lr_scales: Mapping[str, float] = {}

    # Gets the method of the component that turns Docs into the module's input, see `accept_docs`.
    reader: Optional[Callable[[], Optional[ReadDocs]]] = None

    def __getstate__(self) -> Dict[str, object]:
        return {key: value for key, value in self.__dict__.items() if key != "reader"}

    @property
    def parameters(self) -> List[Tuple[ParameterKey, nn.Parameter]]:
        """RETURNS (List[Tuple[ParameterKey, nn.Parameter]]): The module's parameters, by the keys of the optimizer."""
        return [((self.id, name), parameter) for name, parameter in self._model.named_parameters()]

    def predict(self, inputs: ArgsKwargs) -> object:
        """Run the module without gradients."""
        if self._model.training:
            self._model.eval()
        with torch.inference_mode():
            return self._model(*inputs.args, **inputs.kwargs)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update all parameters that got a gradient."""
        for key, parameter in self.parameters:
            if parameter.grad is None:
                continue
            scale = next((scale for prefix, scale in self.lr_scales.items() if key[1].startswith(prefix)), 1.0)
            weights, gradient = (cast(FloatsXd, torch2xp(each)) for each in (parameter.data, parameter.grad))
            new = xp2torch(optimizer(key, weights, gradient, lr_scale=scale)[0], device=parameter.device)
            if new.data_ptr() != parameter.data_ptr():
                parameter.data = new  # only if it moved: a chain of views would keep all of them alive
            parameter.grad = None
        clear_caches(self._model)

    @contextmanager
    def use_params(self, params: Mapping[ParameterKey, FloatsXd]) -> Iterator[None]:
        """Run with other parameters, such as an optimizer's averages; those without an average stay as they are."""
        own = [(parameter, params[key]) for key, parameter in self.parameters if key in params]
        others = [xp2torch(other, device=parameter.device) for parameter, other in own]
        with swapped_weights(self._model, [parameter for parameter, _ in own], others):
            yield


def wrap_module(module: nn.Module, *, lr_scales: Optional[Mapping[str, float]] = None) -> TorchShim:
    """Put a `WrappedModule` into a shim that saves it as safetensors."""
    shim = TorchShim(module, serialize_model=module_to_bytes, deserialize_model=module_from_bytes)
    shim.lr_scales = dict(lr_scales or {})
    return shim


def module_to_bytes(module: nn.Module) -> bytes:
    """Serialize a module's weights and sizes as a safetensors file, which is compressed if the module is stored packed.

    The module may be empty.
    """
    if getattr(module, PACKED, False):
        state, layout = pack_module(module)
        # in one key: safetensors writes several in any order
        metadata = {PACKED: json.dumps({_SIZES: module.sizes, _LAYOUT: layout}, sort_keys=True)}
    else:
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
        metadata = {_SIZES: json.dumps(module.sizes)}
    data = safetensors.torch.save(state, metadata=metadata)
    return _COMPRESSED + zlib.compress(data) if getattr(module, PACKED, False) else data


def module_from_bytes(module: nn.Module, data: bytes, device: torch.device) -> nn.Module:
    """Restore a module as built from the config: first its sizes, then its weights.

    RAISES (ValueError): If the weights do not fit the module.
    """
    try:
        if data.startswith(_COMPRESSED):
            data = zlib.decompress(data[len(_COMPRESSED) :])
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = {key: json.loads(value) for key, value in header.get("__metadata__", {}).items()}
        packed = metadata.get(PACKED)
        sizes = packed[_SIZES] if packed else metadata.get(_SIZES)
        setattr(module, PACKED, packed is not None)
        if sizes is not None:
            cast(WrappedModule, module).configure(**sizes)
            state = safetensors.torch.load(data)
            module.load_state_dict(unpack_state(state, packed[_LAYOUT]) if packed else state)
    except Exception as error:  # reading a damaged file may raise almost any exception
        if isinstance(error, ValueError) and str(error).startswith("[R"):
            raise
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(Errors.R009.format(detail=lines[-1].strip()[:200])) from None
    return module.to(device)
