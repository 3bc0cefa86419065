"""Masked binary cross-entropy, and RERE's collective positive-unlabelled loss.

Source: Xie et al., ACL 2021, Eqs. 7-10, and the form their released code computes. See `docs/methods/rere.md`.
"""

import math
from typing import NamedTuple, Optional, Tuple, TypeVar, Union

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pairs.encoders.states import masked_mean

SCOPES = ("row", "batch", "label")

_LARGEST_GAP = 1.0 - 1e-6

Rate = TypeVar("Rate", float, Tensor)


class RunningMeans(NamedTuple):
    """Exponentially weighted sums over each label's observed negatives in this batch and earlier ones.

    total (Tensor): Sum of probabilities. Shape (R,)
    cells (Tensor): Number of negatives. Shape (R,)
    batches (float): Sum of the weights of batches: 1 + ρ + ρ² + ….
    """

    total: Tensor
    cells: Tensor
    batches: float


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
    """Compute the paper's μ = π(1+τ), for comparison."""
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
    scope: str = "batch",
    smooth: bool = False,
    weights: Optional[Tensor] = None,
) -> Tensor:
    """Compute RERE's collective loss in its stable form, γ·(-ln mean of positives) - ln(1 - |mean of negatives - μ|).

    Only the mean of observed negatives enters the loss, so a confident false negative among them is not pushed down.
    Both means are over the probabilities of a group: a row (the authors' code), the batch, or a label (one-vs-rest cPU;
    over several batches: `label_collective_loss`). The result is the mean over the groups, a scalar; 0 without groups.

    logits (Tensor): z. Shape (B, R)
    targets (Tensor): Observed labels, 0 or 1. Shape (B, R)
    mask (Tensor): True for cells that count. Shape (B, R)
    mu (Tensor): Expected mean probability of observed negatives, overall or per label. Shape () or (R,)
    gamma (Union[float, Tensor]): Weight of the positive term, overall or per group. Shape () or (G,)
    scope (str): "row", "batch" or "label".
    smooth (bool): Replace -ln(1-|m-μ|) by KL(Bern(μ) || Bern(m)), whose gradient vanishes at the target.
    weights (Optional[Tensor]): Weight of each group. Shape (G,)
    RAISES (ValueError): If the scope is unknown.
    """
    if scope not in SCOPES:
        raise ValueError(f"scope is {scope!r}; expected one of {', '.join(SCOPES)}")
    positives, negatives = mask & (targets > 0.5), mask & (targets <= 0.5)
    if scope == "batch":
        positives, negatives, logits = positives.reshape(1, -1), negatives.reshape(1, -1), logits.reshape(1, -1)
    elif scope == "label":
        positives, negatives, logits = positives.T, negatives.T, logits.T
    target = mu if scope == "label" else mu.mean()
    mean = masked_mean(torch.sigmoid(_full_precision(logits)), negatives)
    negative_term = _negative_term(mean, target, smooth=smooth, some=negatives.any(-1))
    groups = gamma * _negative_log_mean(logits, positives) + negative_term
    weights = torch.ones_like(groups) if weights is None else weights
    return (groups * weights).sum() / weights.sum().clamp(min=1.0)


def label_collective_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mask: Tensor,
    mu: Tensor,
    gamma: Optional[float] = None,
    smooth: bool = False,
    past: Optional[RunningMeans] = None,
    window: int = 1,
) -> Tuple[Tensor, RunningMeans]:
    """Compute the collective loss per label, with the mean of observed negatives over the last batches.

    The share μ_j of hidden positives holds over many cells, not in a small batch: the running mean decides whether the
    batch's mean must rise or fall, and its gradient is scaled to that of the batch's mean.

    logits, targets, mask, smooth: As for `collective_loss`.
    mu (Tensor): Expected mean probability of each label's observed negatives. Shape (R,)
    gamma (Optional[float]): Weight of the positive term; None: ratio of positives to negatives in the batch, since a
        rare label has no positives in most batches.
    past (Optional[RunningMeans]): Running means of earlier batches.
    window (int): Approximate number of batches in the means; 1: this batch alone.
    RETURNS (Tuple[Tensor, RunningMeans]): Mean over the labels, a scalar; running means for the next batch.
    """
    means, counts = label_means(torch.sigmoid(_full_precision(logits)), targets, mask=mask)
    means, running = _update_means(means, counts, past=past, window=window)
    positives = (mask & (targets > 0.5)).T
    weight = positives.sum(-1) / counts.clamp(min=1) if gamma is None else gamma
    negative_term = _negative_term(means, mu, smooth=smooth, some=running.cells > 0)
    return (weight * _negative_log_mean(logits.T, positives) + negative_term).mean(), running


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
    return collective_loss(*groups, mask=cells, mu=mu, gamma=gamma, scope="row", weights=each)


def printed_collective_loss(logits: Tensor, targets: Tensor, *, mu: float, gamma: float, eps: float = 1e-6) -> Tensor:
    """Compute the collective loss of the authors' code: per row, from probabilities and with an epsilon.

    Eq. 9 as printed has one mean over all labels for both terms and cannot be trained. As in the code, rows without
    positives get the constant γ·(-ln eps). The result is the mean over the batch, a scalar; 0 for an empty batch.

    logits (Tensor): z. Shape (B, R)
    targets (Tensor): Observed labels. Shape (B, R)
    """
    probs = torch.sigmoid(logits)
    positive_mean = masked_mean(probs, targets > 0.5)
    negative_mean = masked_mean(probs, targets <= 0.5)
    positive = -torch.log(positive_mean + eps)
    negative = -torch.log(1.0 - (negative_mean - mu).abs() + eps)
    return (gamma * positive + negative).sum() / max(1, len(logits))


def absolute_gap_loss(mean: Tensor, target: Tensor) -> Tensor:
    """Compute -ln(1 - |m - μ|) of each group's mean probability m, with the gap clamped below 1. Shape (G,)"""
    return -torch.log1p(-(mean - target).abs().clamp(max=_LARGEST_GAP))


def label_means(probs: Tensor, targets: Tensor, *, mask: Tensor) -> Tuple[Tensor, Tensor]:
    """Compute the mean probability and the number of each label's observed negatives. Shapes (B, R) → (R,), (R,)"""
    negatives = (mask & (targets <= 0.5)).T
    return masked_mean(probs.T, negatives), negatives.sum(-1)


def _update_means(
    means: Tensor, counts: Tensor, *, past: Optional[RunningMeans], window: int
) -> Tuple[Tensor, RunningMeans]:
    """Add a batch to the running means; their gradient is scaled to that of the batch's means."""
    total, count, batches = means * counts, counts.to(means.dtype), 1.0
    if past is not None:
        decay = 1.0 - 1.0 / window
        total = total + decay * past.total.to(means)
        count = count + decay * past.cells.to(means)
        batches += decay * past.batches
    mean = total / count.clamp(min=1e-9)
    fixed = mean.detach()
    return fixed + batches * (mean - fixed), RunningMeans(total.detach(), count.detach(), batches)


def _negative_term(mean: Tensor, target: Tensor, *, smooth: bool, some: Tensor) -> Tensor:
    """Compute the distance of the negatives' means from their targets; 0 for groups without negatives."""
    target = target.clamp(max=1.0)  # with an estimated τ, hidden positives may outnumber the negatives
    term = _bernoulli_kl(target, mean) if smooth else absolute_gap_loss(mean, target)
    return torch.where(some, term, torch.zeros_like(term))


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


def _bernoulli_kl(target: Tensor, mean: Tensor) -> Tensor:
    """Compute KL(Bern(μ) || Bern(m)) with m clamped into (0, 1)."""
    mean = mean.clamp(1e-6, 1.0 - 1e-6)
    target = target.to(mean.dtype)
    entropy = torch.xlogy(target, target) + torch.xlogy(1.0 - target, 1.0 - target)  # a quotient has no slope at μ = 0
    return entropy - target * torch.log(mean) - (1.0 - target) * torch.log1p(-mean)
