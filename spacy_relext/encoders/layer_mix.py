"""Σ_l w_l h_l over the layers of an encoder, without a table of all layers on the way there or back."""

from typing import Any, Sequence, Tuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def mix_layers(weights: Tensor, layers: Sequence[Tensor]) -> Tensor:
    """Σ_l w_l h_l, in fp32.

    weights (Tensor): Shape (n,)
    layers (Sequence[Tensor]): n of shape (B, L, D), of any precision.
    RETURNS (Tensor): Shape (B, L, D)
    """
    found: Tensor = _Mix.apply(weights, *layers)
    return found


class _Mix(torch.autograd.Function):
    """dw_l = g · h_l and dh_l = w_l g, which reach each layer in its own precision.

    Stacking each w_l h_l in fp32 takes nearly twice the time there and back (31 against 17 to 22 ms for 7 layers of 60
    sequences of 50 pieces and 384 numbers, bf16, one core of an AMD EPYC), and keeps a table of all of them.
    """

    @staticmethod
    def forward(ctx: Any, weights: Tensor, *layers: Tensor) -> Tensor:
        """Add up. Shapes (n,), n times (B, L, D) → (B, L, D)"""
        ctx.save_for_backward(weights, *layers)
        values = weights.tolist()
        mixed = layers[0].float() * values[0]
        for value, layer in zip(values[1:], layers[1:]):
            mixed.add_(layer, alpha=value)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Any, ...]:
        """Share a gradient out. Shape (B, L, D) → (n,), n times (B, L, D)"""
        weights, *layers = ctx.saved_tensors
        wanted, flat = ctx.needs_input_grad, gradient.reshape(-1)
        of_weights = torch.stack([flat @ layer.float().reshape(-1) for layer in layers]) if wanted[0] else None
        of_layers = [
            torch.mul(gradient, value, out=torch.empty_like(layer)) if needed else None
            for value, layer, needed in zip(weights.tolist(), layers, wanted[1:])
        ]
        return (of_weights, *of_layers)
