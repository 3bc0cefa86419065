"""Masked binary cross-entropy, and RERE's collective positive-unlabelled loss.

Source: Xie et al., ACL 2021, Eqs. 7-10, and the form their released code computes. See `docs/methods/rere.md`.
"""

import math
from typing import Optional, TypeVar, Union

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pairs.encoders.states import masked_mean

_LARGEST_GAP = 1.0 - 1e-6

Rate = TypeVar("Rate", float, Tensor)


def masked_bce(logits: Tensor, targets: Tensor, *, mask: Tensor, weights: Optional[Tensor] = None) -> Tensor:
    """Compute the mean binary cross-entropy softplus(z) - y z of the cells that count, a scalar; 0 if none does.

    logits (Tensor): z. Shape (...)
    targets (Tensor): y, 0 to 1. Shape (...)
    mask (Tensor): True for cells that count; broadcast to z.
    weights (Optional[Tensor]): Weight of each cell; broadcast to z.
    """
    weight = mask.to(logits.dtype).expand_as(logits)
    if weights is not None:
        weight = weight * weights
    cells = F.softplus(logits) - targets * logits
    return (cells * weight).sum() / weight.sum().clamp(min=1.0)


def hidden_positive_rate(observed: Rate, missing: Rate) -> Rate:
    """Compute the rate of true positives among observed negatives, μ⁻ = π_o τ / ((1-τ)(1-π_o)).

    This assumes SCAR: true positives are labelled or missing completely at random. The paper's μ = π(1+τ) is the prior
    over *all* cells, but the loss compares it with a mean over observed negatives.

    observed (Rate): π_o, share of cells observed as positive, overall or per label.
    missing (Rate): τ, share of true positives that are missing from the labels, in [0, 1).
    """
    return observed * missing / ((1.0 - missing) * (1.0 - observed))


def paper_prior(observed: Rate, missing: Rate) -> Rate:
    """Compute the paper's μ = π(1+τ), the rate over all cells."""
    return observed * (1.0 + missing)


def positive_weight(observed: float) -> float:
    """Compute γ = π_o / (1-π_o), which restores the natural frequency of positives."""
    return observed / (1.0 - observed)


def collective_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mask: Tensor,
    mu: Tensor,
    gamma: Union[float, Tensor],
    weights: Optional[Tensor] = None,
) -> Tensor:
    """Compute RERE's collective loss in its stable form, γ·(-ln mean of positives) - ln(1 - |mean of negatives - μ|).

    Only the mean of observed negatives enters the loss, so a confident false negative among them is not pushed down.
    Both means are over the probabilities of a row, as in the authors' code. The result is the mean over the rows, a
    scalar; 0 without rows.

    logits (Tensor): z. Shape (B, R)
    targets (Tensor): Observed labels, 0 or 1. Shape (B, R)
    mask (Tensor): True for cells that count. Shape (B, R)
    mu (Tensor): Expected mean probability of observed negatives. Shape ()
    gamma (Union[float, Tensor]): Weight of the positive term. Shape ()
    weights (Optional[Tensor]): Weight of each row. Shape (B,)
    """
    positives, negatives = mask & (targets > 0.5), mask & (targets <= 0.5)
    mean = masked_mean(torch.sigmoid(_full_precision(logits)), negatives)
    target = mu.clamp(max=1.0)  # with an estimated τ, hidden positives may outnumber the negatives
    # a row without negatives has no target to miss
    negative_term = torch.where(negatives.any(-1), absolute_gap_loss(mean, target), torch.zeros_like(mean))
    rows = gamma * _negative_log_mean(logits, positives) + negative_term
    weights = torch.ones_like(rows) if weights is None else weights
    return (rows * weights).sum() / weights.sum().clamp(min=1.0)


def pointer_collective_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mask: Tensor,
    mu: Tensor,
    gamma: Union[float, Tensor],
    weights: Optional[Tensor] = None,
) -> Tensor:
    """Compute the collective loss of an extractor's pointers: Eq. 10 as a mean, as its sum over tokens can exceed 1.

    Each pointer of each row is a group over the context tokens.

    logits (Tensor): z. Shape (M, T, 4)
    targets (Tensor): 1 at observed ends. Shape (M, T, 4)
    mask (Tensor): True for context tokens. Shape (M, T)
    mu (Tensor): Expected mean probability of a pointer's observed negatives. Shape ()
    gamma (Union[float, Tensor]): Weight of the positive term. Shape ()
    weights (Optional[Tensor]): Weight of each row. Shape (M,)
    """
    groups = [part.transpose(1, 2).flatten(0, 1) for part in (logits, targets)]  # 2 x (M * 4, T)
    cells = mask.unsqueeze(1).expand(-1, logits.shape[2], -1).flatten(0, 1)  # (M * 4, T)
    each = None if weights is None else weights.repeat_interleave(logits.shape[2])
    return collective_loss(*groups, mask=cells, mu=mu, gamma=gamma, weights=each)


def absolute_gap_loss(mean: Tensor, target: Tensor) -> Tensor:
    """Compute -ln(1 - |m - μ|) of each group's mean probability m, with the gap clamped below 1. Shape (G,)"""
    return -torch.log1p(-(mean - target).abs().clamp(max=_LARGEST_GAP))


def _negative_log_mean(logits: Tensor, mask: Tensor) -> Tensor:
    """Compute -ln of the mean probability of the mask's cells P as ln|P| - logsumexp(logσ(z)); 0 without cells."""
    log_probs = F.logsigmoid(_full_precision(logits)).masked_fill(~mask, -math.inf)
    count = mask.sum(-1)
    some = count > 0
    # A group without positives would give -logsumexp(-inf) = inf, with a gradient of NaN.
    safe = torch.where(some.unsqueeze(-1), log_probs, torch.zeros_like(log_probs))
    value = torch.log(count.clamp(min=1).to(safe.dtype)) - torch.logsumexp(safe, dim=-1)
    return torch.where(some, value, torch.zeros_like(value))


def _full_precision(logits: Tensor) -> Tensor:
    """Convert logits to fp32 at least: bf16 cannot represent means of probabilities near 0."""
    return logits if logits.dtype == torch.float64 else logits.float()
