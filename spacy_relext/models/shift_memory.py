"""What an adversary did to each text when it was last read, so that the next pass need not find it out first."""

from typing import Dict, List, Tuple

import numpy
import torch
from torch import Tensor

# All that is kept, in bytes; with MiniLM a text of 25 word pieces takes 10 kB.
MOST_BYTES = 2**31
LEVELS = 127


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


def _keys(ids: Tensor, mask: Tensor) -> List[bytes]:
    """The word pieces of each text, without its padding."""
    rows, lengths = ids.cpu().numpy().astype("int32"), mask.sum(1).tolist()
    return [row[:length].tobytes() for row, length in zip(rows, lengths)]
