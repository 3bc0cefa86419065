"""Learning from an adversary, who moves what an encoder reads of a text to where the loss rises most.

With x the vectors that the first layer reads of one text, g = ∂L/∂x and r = ε g / ‖g‖₂, ½ (L(x) + L(x + r)) is
minimised (Miyato et al., "Adversarial training methods for semi-supervised text classification", ICLR 2017, equations 4
and 5, there on word vectors). r is a constant: nothing is learned through it.

To find r a text is read once more. What was found when it was last read, a pass ago, still raises the loss (Zheng et
al., "Efficient adversarial training with transferable adversarial examples", CVPR 2020): L(x + r′) with r′ of the last
pass, 0 in the first one, takes no longer than L(x), and its own gradient gives the r′ of the next pass.
"""

from contextlib import contextmanager
from functools import partial
from typing import Any, Dict, Iterator, List, Optional, Tuple, cast

import numpy
import torch
from torch import Tensor, nn

# All that is kept, in bytes; with MiniLM a text of 25 word pieces takes 10 kB.
MOST_BYTES = 2**31


class ShiftMemory:
    """Shifts of texts, by their word pieces.

    Each number is kept in eight bits, as a share of the largest one of its text. Texts that find no room are not kept:
    of a corpus that is too large for it, as many as fit are moved in every pass, and not none at all.

    most_bytes (int): Room for shifts.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: Dict[bytes, Tuple[float, numpy.ndarray]] = {}
        self._free = most_bytes

    def __len__(self) -> int:
        return len(self._kept)

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """A copy of a component for another process takes no shifts along: they serve training."""
        return type(self), ()

    @property
    def full(self) -> bool:
        """RETURNS (bool): Whether a text found no room."""
        return self._free < 0

    def recall(self, ids: Tensor, mask: Tensor, width: int) -> Tensor:
        """Look up the shifts of texts.

        ids (Tensor): Their word pieces. Shape (B, L)
        mask (Tensor): True on pieces, then False on padding. Shape (B, L)
        width (int): D.
        RETURNS (Tensor): In fp32; 0 for texts that are not known, and on padding. Shape (B, L, D)
        """
        numbers = numpy.zeros((*ids.shape, width), dtype="int8")
        scales = numpy.zeros((len(ids), 1, 1), dtype="float32")
        for row, key in enumerate(_keys(ids, mask)):
            if key in self._kept:
                scales[row], shift = self._kept[key]
                numbers[row, : len(shift)] = shift
        return torch.from_numpy(numbers).to(ids.device).float() * torch.from_numpy(scales).to(ids.device)

    def keep(self, ids: Tensor, mask: Tensor, shifts: Tensor) -> None:
        """Keep the shifts of texts.

        ids, mask (Tensor): As for `recall`. Shapes (B, L)
        shifts (Tensor): In fp32. Shape (B, L, D)
        """
        scales = shifts.abs().amax((1, 2)) / LEVELS
        # a text without a shift is kept as well: 0 / 1
        shares = shifts / torch.where(scales > 0, scales, 1.0)[:, None, None]
        numbers, lengths = shares.round().to(torch.int8).cpu().numpy(), mask.sum(1).tolist()
        for key, scale, row, length in zip(_keys(ids, mask), scales.tolist(), numbers, lengths):
            if key in self._kept:
                self._kept[key] = (scale, row[:length].copy())
            elif self._free >= 0:
                self._free -= row[:length].size
                if self._free >= 0:
                    self._kept[key] = (scale, row[:length].copy())


class Adversary:
    """Watches what the encoders of a module read, and moves it when they read the same again.

    Encoders name the part whose output their first layer reads, `input_module`; those whose texts are known again when
    the next pass reads them also say what they read, `last_read`: word pieces and their mask, both of shape (B, L).

    module (nn.Module): The module.
    """

    def __init__(self, module: nn.Module) -> None:
        self._encoders = [part for part in module.modules() if hasattr(part, "input_module")]
        self._read: List[Tuple[Optional[Tuple[Tensor, Tensor]], Tensor]] = []
        self._shifts: Optional[Iterator[Tensor]] = None
        self._memory: Optional[ShiftMemory] = None

    def __bool__(self) -> bool:
        """RETURNS (bool): Whether there is anything to move."""
        return bool(self._encoders)

    @property
    def knows_texts(self) -> bool:
        """RETURNS (bool): Whether texts are known again in the next pass."""
        return all(hasattr(encoder, "last_read") for encoder in self._encoders)

    @contextmanager
    def watching(self, memory: Optional[ShiftMemory] = None) -> Iterator[None]:
        """Watch, and after `aim` move, what is read while the context lasts.

        memory (Optional[ShiftMemory]): Shifts by which texts are moved at once, if they were read before.
        """
        self._memory = memory
        inputs = [(encoder, cast(nn.Module, encoder.input_module)) for encoder in self._encoders]
        hooks = [part.register_forward_hook(partial(self._pass_on, encoder)) for encoder, part in inputs]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            self._read, self._shifts, self._memory = [], None, None

    def aim(self, radius: float) -> None:
        """Find the shifts for what was read so far, after the way back: what is read next is moved by them, in order.

        radius (float): ε, the length of the shift of each text.
        """
        self._shifts = iter([worst_shift(states.grad, radius) for _, states in self._read])
        self._read = []

    def remember(self, radius: float) -> None:
        """Find the shifts for what was read so far, after the way back, and keep them for the next pass.

        radius (float): ε.
        """
        assert self._memory is not None, "watching(memory) comes first"
        for said, states in self._read:
            if said is not None and states.grad is not None:
                self._memory.keep(*said, worst_shift(states.grad, radius))
        self._read = []

    def _pass_on(self, encoder: Any, part: nn.Module, inputs: Any, states: Tensor) -> Tensor:
        """Take down, or move, what a part returns. Shape (B, L, D)"""
        if self._shifts is not None:
            return states + next(self._shifts).to(states.dtype)
        said: Optional[Tuple[Tensor, Tensor]] = None
        if self._memory is not None:
            ids, mask = said = encoder.last_read
            states = states + self._memory.recall(ids, mask, states.shape[-1]).to(states.dtype)
        if not states.requires_grad:  # frozen: nothing learns from the gradient, but the adversary does
            states = states.detach().requires_grad_()
        states.retain_grad()
        self._read.append((said, states))
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


LEVELS = 127


def _keys(ids: Tensor, mask: Tensor) -> List[bytes]:
    """The word pieces of each text, without its padding."""
    rows, lengths = ids.cpu().numpy().astype("int32"), mask.sum(1).tolist()
    return [row[:length].tobytes() for row, length in zip(rows, lengths)]
