"""Dropout whose mask takes little time on a CPU, where PyTorch draws it number by number (its issue 138199)."""

import torch
from torch import Tensor, nn

# Bits of a random number; one of 64 gives four.
LEVELS = 2**16


class CheapDropout(nn.Dropout):
    """As `nn.Dropout`, whose mask on a CPU is drawn from 16 random bits a value: p is met to 1/65536.

    They depend on PyTorch's seed, and are others than PyTorch's. Training MiniLM in bf16 on one core, 11 % of the time
    goes into drawing PyTorch's masks, and 2 % into drawing these.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Set a share p of the values to 0, and divide the others by 1 − p, in training.

        values (Tensor): Any shape.
        RETURNS (Tensor): The same shape.
        """
        if not self.training or self.inplace or not 0.0 < self.p < 1.0 or values.device.type != "cpu":
            return super().forward(values)
        kept: Tensor = draw_bits(values) >= round(LEVELS * self.p) - LEVELS // 2
        return values * kept.to(values.dtype).div_(1.0 - self.p)


def draw_bits(values: Tensor) -> Tensor:
    """Draw a number of 16 bits for each value.

    values (Tensor): On the CPU. Any shape
    RETURNS (Tensor): int16, evenly from all that there are. The same shape
    """
    count = values.numel()
    drawn = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    return drawn.view(torch.int16)[:count].view(values.shape)


def cheapen_dropout(module: nn.Module) -> None:
    """Exchange each `nn.Dropout` of a module for one that does the same in less time.

    module (nn.Module): Any module.
    """
    for part in module.modules():
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, CheapDropout(child.p, child.inplace))
