"""How thinc runs, updates and saves a torch module: as safetensors.

The module's `sizes` travel in the header of the file, so that a loaded pipeline needs neither the network nor a pickle.
"""

import json
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Mapping, Optional, cast

import safetensors.torch
import torch
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, torch2xp, xp2torch
from torch import nn

from ..errors import Errors
from .weights import exchanged, tell_changed

_SIZES = "sizes"


class TorchShim(PyTorchShim):
    """A thinc shim whose parameters may have learning rates of their own.

    Four things differ from thinc's: gradients are dropped, not zeroed, after an update, so that a parameter without a
    gradient is not moved by the optimizer's momentum; each parameter's rate is scaled by `lr_scales`; averages are
    used, which thinc's shim looks for under keys that its optimizer does not give them; and the module stays in
    evaluation mode between predictions, since switching all its parts twice a call costs 3 ms.

    lr_scales (Dict[str, float]): Prefix of a parameter's name → multiple of the optimizer's rate; the first that fits.
    """

    lr_scales: Dict[str, float] = {}

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Run the module without gradients.

        inputs (ArgsKwargs): Its arguments.
        RETURNS (Any): What the module returns.
        """
        self._switch(training=False)
        with torch.inference_mode():
            return self._model(*inputs.args, **inputs.kwargs)

    def begin_update(self, inputs: ArgsKwargs) -> Any:
        """Run the module in training mode.

        inputs (ArgsKwargs): Its arguments.
        RETURNS (Any): What the module returns, and the callback for the way back.
        """
        self._switch(training=True)
        return super().begin_update(inputs)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update all parameters that got a gradient.

        optimizer (Optimizer): thinc's optimizer, the only one there is.
        """
        for name, parameter in self._model.named_parameters():
            if parameter.grad is None:
                continue
            scale = next((scale for prefix, scale in self.lr_scales.items() if name.startswith(prefix)), 1.0)
            updated, _ = optimizer(
                (self.id, name),
                cast(Any, torch2xp(parameter.data)),
                cast(Any, torch2xp(parameter.grad)),
                lr_scale=scale,
            )
            new = xp2torch(updated, device=parameter.device)
            if new.data_ptr() != parameter.data_ptr():
                parameter.data = new  # only then: a view of a view of a view would keep all of them alive
            parameter.grad = None
        tell_changed(self._model)

    @contextmanager
    def use_params(self, params: Mapping[Any, Any]) -> Iterator[None]:
        """Run with other parameters for a while, such as the averages of an optimizer.

        params (Mapping[Any, Any]): By `(shim.id, name)`; parameters that are not among them stay as they are.
        """
        own = [(p, params[self.id, name]) for name, p in self._model.named_parameters() if (self.id, name) in params]
        others = [xp2torch(other, device=parameter.device) for parameter, other in own]
        with exchanged(self._model, [parameter for parameter, _ in own], others):
            yield

    def _switch(self, *, training: bool) -> None:
        """Put the module into training or evaluation mode, unless it is there."""
        if self._model.training != training:
            self._model.train(training)


def wrap_module(module: nn.Module, *, lr_scales: Optional[Dict[str, float]] = None) -> TorchShim:
    """Put a torch module into a shim that saves it as safetensors.

    module (nn.Module): With `sizes` and `configure`.
    lr_scales (Optional[Dict[str, float]]): See `TorchShim`.
    RETURNS (TorchShim): For `Model(shims=[...])`.
    """
    shim = TorchShim(module, serialize_model=module_to_bytes, deserialize_model=module_from_bytes)
    shim.lr_scales = dict(lr_scales or {})
    return shim


def module_to_bytes(module: nn.Module) -> bytes:
    """Serialize a module's weights and sizes.

    module (nn.Module): The module, which may be empty.
    RETURNS (bytes): A safetensors file.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    return safetensors.torch.save(state, metadata={_SIZES: json.dumps(module.sizes)})


def module_from_bytes(module: nn.Module, data: bytes, device: torch.device) -> nn.Module:
    """Restore a module: first its sizes, then its weights.

    module (nn.Module): As built from the config.
    data (bytes): A safetensors file of `module_to_bytes`.
    device (torch.device): Where the weights go.
    RETURNS (nn.Module): The same module.
    RAISES (ValueError): If the weights do not fit the module.
    """
    sizes = json.loads(_header(data).get("__metadata__", {}).get(_SIZES, "null"))
    if sizes is not None:
        cast(Any, module).configure(**sizes)
        try:
            module.load_state_dict(safetensors.torch.load(data))
        except RuntimeError as error:
            raise ValueError(Errors.R009.format(detail=str(error).splitlines()[-1].strip())) from None
    return module.to(device)


def _header(data: bytes) -> Dict[str, Any]:
    """Read the JSON header of a safetensors file."""
    length = int.from_bytes(data[:8], "little")
    return cast(Dict[str, Any], json.loads(data[8 : 8 + length]))
