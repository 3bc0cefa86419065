"""Fast gradient method for R-BERT, which then learns from each batch and from its adversarial perturbation.

Miyato et al., Adversarial training methods for semi-supervised text classification, ICLR 2017, equations 4 and 5, on
the output of the encoder's embeddings: ½ (L(x) + L(x + ε g / ‖g‖₂)) with g = ∂L/∂x, a perturbation of norm ε per text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def backward(loss: Callable[[], Tensor], embeddings: nn.Module, *, radius: float) -> Tensor:
    """Add the gradients of a batch or, with a radius, half of these and half of those of the perturbed batch.

    loss (Callable[[], Tensor]): computes the loss of the batch at each call.
    embeddings (Module): the part of the encoder whose output is perturbed.
    radius (float): ε; 0 for the batch alone.
    RETURNS (Tensor): the loss of the unperturbed batch, a scalar.
    """
    if not radius:
        clean = loss()
        clean.backward()
        return clean.detach()
    read: list[Tensor] = []

    def watch(module: nn.Module, inputs: Any, output: Tensor) -> None:
        output.retain_grad()
        read.append(output)

    clean = _hooked(loss, embeddings, watch)
    (clean / 2).backward()
    gradient = read[0].grad
    assert gradient is not None
    length = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True).clamp(min=1e-30)  # (B, 1, 1)
    shift = radius * gradient / length  # (B, T, D)
    (_hooked(loss, embeddings, lambda module, inputs, output: output + shift) / 2).backward()
    return clean.detach()


def _hooked(loss: Callable[[], Tensor], part: nn.Module, hook: Callable[..., Any]) -> Tensor:
    """Compute a loss while a part of the model has a forward hook."""
    handle = part.register_forward_hook(hook)
    try:
        return loss()
    finally:
        handle.remove()
