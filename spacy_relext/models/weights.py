"""Weights that training starts from: the mean of those of several trained modules.

Models that start from one checkpoint and see other data, or the same in another order, lie in one basin: the mean of
their weights scores like their ensemble at the cost of one (Wortsman et al., "Model soups", ICML 2022).
"""

from typing import Mapping, Optional, Sequence

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
