"""Means of weights: of several trained modules, to start from, and of the last updates of one, to learn from.

Models that start from one checkpoint and see other data, or the same in another order, lie in one basin: the mean of
their weights scores like their ensemble at the cost of one (Wortsman et al., "Model soups", ICML 2022).
"""

from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, TypeVar, cast

import torch
from torch import Tensor, nn

Copy = TypeVar("Copy")


def load_mean(module: nn.Module, states: Sequence[Mapping[str, Tensor]], *, required: str) -> Optional[str]:
    """Copy the mean of trained weights into a module, for each name and shape that all of them have.

    states (Sequence[Mapping[str, Tensor]]): Names and weights of trained modules.
    required (str): Prefix of the names that all must have; if one is missing, nothing is copied.
    RETURNS (Optional[str]): The first missing name, if there is one.
    """
    means = {}
    for key, own in module.state_dict().items():
        same = [state[key] for state in states if key in state and state[key].shape == own.shape]
        if len(same) == len(states):
            means[key] = torch.stack([weight.to(own.device, torch.float32) for weight in same]).mean(0).to(own.dtype)
        elif key.startswith(required):
            return key
    module.load_state_dict(means, strict=False)
    return None


@contextmanager
def exchanged(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> Iterator[None]:
    """Let a module compute with other values of some of its weights; meanwhile `others` holds its own."""
    _exchange(module, weights, others)
    try:
        yield
    finally:
        _exchange(module, weights, others)


def _exchange(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> None:
    for number, weight in enumerate(weights):
        weight.data, others[number] = others[number], weight.data
    clear_copies(module)


class KeepsCopy(nn.Module):
    """A module that predicts with something made from its weights, and forgets it when they change."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Create the module; all arguments are for the next class."""
        super().__init__(*args, **kwargs)
        self._copies: List[object] = []  # in a list, so that it is no part of this module
        self.register_load_state_dict_post_hook(_after_loading)

    def may_use_copy(self, device: torch.device) -> bool:
        """Return True in prediction on a CPU, the device of the input: the copy then replaces the weights."""
        return not (self.training or torch.is_grad_enabled() or device.type != "cpu")

    def copy_once(self, make: Callable[[], Copy]) -> Copy:
        """Return the copy, which is made at the first call."""
        if not self._copies:
            self._copies = [make()]
        return cast(Copy, self._copies[0])

    def weights_changed(self) -> None:
        """Forget what was made from the weights; the optimizer's step calls this."""
        self._copies = []

    def __getstate__(self) -> Dict[str, object]:
        """Return the state without what can be made again."""
        return {**self.__dict__, "_copies": []}


def _after_loading(module: KeepsCopy, _: object) -> None:
    """Forget the copy after weights were loaded; a function, since modules are sent to other processes."""
    module.weights_changed()


def clear_copies(module: nn.Module) -> None:
    """Make the parts of a module forget their copies, after its weights have changed."""
    for part in module.modules():
        if isinstance(part, KeepsCopy):
            part.weights_changed()


class EmaWeights:
    """The mean of a module's weights over its last updates, θ̄ ← d θ̄ + (1 − d) θ; the first updates count alike.

    Its predictions are steadier than those of the module itself (Tarvainen & Valpola, "Mean teachers", NeurIPS 2017).

    module (nn.Module): The module; only weights with a gradient are stored twice.
    decay (float): d.
    """

    def __init__(self, module: nn.Module, *, decay: float) -> None:
        self._module = module
        self._weights = [weight for weight in module.parameters() if weight.requires_grad]
        self._means = [weight.detach().clone() for weight in self._weights]
        self._decay, self._updates = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """Add the current weights to the mean."""
        self._updates += 1
        decay = min(self._decay, 1.0 - 1.0 / self._updates)
        for mean, weight in zip(self._means, self._weights):
            mean.lerp_(weight.detach(), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the module compute with the means while the context lasts."""
        with exchanged(self._module, self._weights, self._means):
            yield
