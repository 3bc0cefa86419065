"""Learning from an adversary too, who moves what an encoder reads of a text to where the loss rises most.

With x the vectors that the first layer reads of one text, g = ∂L/∂x and r = ε g / ‖g‖₂, ½ (L(x) + L(x + r)) is
minimised (Miyato et al., "Adversarial training methods for semi-supervised text classification", ICLR 2017, equations 4
and 5, there on word vectors). r is a constant: nothing is learned through it.
"""

from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, cast

import torch
from torch import Tensor, nn


class Adversary:
    """Watches what the encoders of a module read, and moves it when they read the same again.

    Encoders name the part whose output their first layer reads: `input_module`.

    module (nn.Module): The module.
    """

    def __init__(self, module: nn.Module) -> None:
        self._parts = [cast(nn.Module, part.input_module) for part in module.modules() if hasattr(part, "input_module")]
        self._read: List[Tensor] = []
        self._shifts: Optional[Iterator[Tensor]] = None

    def __bool__(self) -> bool:
        """RETURNS (bool): Whether there is anything to move."""
        return bool(self._parts)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch, and after `aim` move, what is read while the context lasts."""
        hooks = [part.register_forward_hook(self._pass_on) for part in self._parts]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            self._read, self._shifts = [], None

    def aim(self, radius: float) -> None:
        """Find the shifts for what was read so far, after the way back: what is read next is moved by them, in order.

        radius (float): ε, the length of the shift of each text.
        """
        self._shifts = iter([worst_shift(states.grad, radius) for states in self._read])
        self._read = []

    def _pass_on(self, part: nn.Module, inputs: Any, states: Tensor) -> Tensor:
        """Take down, or move, what a part returns. Shape (B, L, D)"""
        if self._shifts is not None:
            return states + next(self._shifts).to(states.dtype)
        if not states.requires_grad:  # frozen: nothing learns from the gradient, but the adversary does
            states = states.detach().requires_grad_()
        states.retain_grad()
        self._read.append(states)
        return states


def worst_shift(gradient: Optional[Tensor], radius: float) -> Tensor:
    """Find r = ε g / ‖g‖₂ for each text.

    gradient (Optional[Tensor]): g; None where nothing came back. Shape (B, L, D)
    radius (float): ε.
    RETURNS (Tensor): r, in fp32; 0 where g is 0. Shape (B, L, D)
    """
    if gradient is None:
        return torch.zeros(())
    gradient = gradient.float()
    length = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
    return radius * gradient / length.clamp(min=torch.finfo(gradient.dtype).tiny)
