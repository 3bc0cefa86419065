"""Means of weights: of several trained modules, to start from, and of the last updates of one, to learn from.

Models that start from one checkpoint and see other data, or the same in another order, lie in one basin: the mean of
their weights scores like their ensemble at the cost of one (Wortsman et al., "Model soups", ICML 2022).
"""

from contextlib import contextmanager
from typing import Any, Iterator, List, Mapping, Optional, Sequence, cast

import torch
from torch import Tensor, nn


def load_mean(module: nn.Module, states: Sequence[Mapping[str, Tensor]], *, whole: str) -> Optional[str]:
    """Copy the mean of trained weights into a module, where all of them have a weight of that name and shape.

    module (nn.Module): Gets the weights; nothing is copied where one of its part `whole` is missing.
    states (Sequence[Mapping[str, Tensor]]): Names and weights of trained modules.
    whole (str): Beginning of the names that all must have.
    RETURNS (Optional[str]): The first missing one; None where there is none.
    """
    found = {}
    for key, own in module.state_dict().items():
        same = [state[key] for state in states if key in state and state[key].shape == own.shape]
        if len(same) == len(states):
            found[key] = torch.stack([weight.to(own.device, torch.float32) for weight in same]).mean(0).to(own.dtype)
        elif key.startswith(whole):
            return key
    module.load_state_dict(found, strict=False)
    return None


@contextmanager
def exchanged(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> Iterator[None]:
    """Let a module compute with other weights while the context lasts.

    module (nn.Module): The module.
    weights (Sequence[Tensor]): Some of its weights.
    others (List[Tensor]): What they are for a while; holds what they were until then.
    """
    _exchange(module, weights, others)
    try:
        yield
    finally:
        _exchange(module, weights, others)


def _exchange(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> None:
    for number, weight in enumerate(weights):
        weight.data, others[number] = others[number], weight.data
    tell_changed(module)


def tell_changed(module: nn.Module) -> None:
    """Tell those parts of a module that keep something which they made of their weights.

    module (nn.Module): Its weights have changed.
    """
    for part in module.modules():
        if hasattr(part, "weights_changed"):
            cast(Any, part).weights_changed()


class MeanWeights:
    """The mean of a module's weights over its last updates, θ̄ ← d θ̄ + (1 − d) θ; the first updates count alike.

    What it says of a text is steadier than the module's own word (Tarvainen & Valpola, "Mean teachers", NeurIPS 2017).

    module (nn.Module): The module; only weights that learn are kept twice.
    decay (float): d.
    """

    def __init__(self, module: nn.Module, *, decay: float) -> None:
        self._module = module
        self._weights = [weight for weight in module.parameters() if weight.requires_grad]
        self._means = [weight.detach().clone() for weight in self._weights]
        self._decay, self._updates = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are now."""
        self._updates += 1
        decay = min(self._decay, 1.0 - 1.0 / self._updates)
        for mean, weight in zip(self._means, self._weights):
            mean.lerp_(weight.detach(), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the module compute with the means while the context lasts."""
        with exchanged(self._module, self._weights, self._means):
            yield
