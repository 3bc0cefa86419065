"""Losses of cells, each one thing to classify and one label, that several methods share.

    L_bce  = softplus(z) - y z                                                                              masked_bce
    SSR-PU   π γ' E_P[ℓ(z, +1)] + max(0, (1-π)/(1-μ) (E_N[ℓ(z, -1)] - μ E_P[ℓ(z, -1)]))           shifted_ranking_loss
             ℓ(z, y) = (y z / m - 1)², π = π_o / (1-τ), γ' = √((1-π)/π), μ = π_o τ / ((1-τ)(1-π_o))

z are logits and y observed labels; P the observed positives and N the observed negatives of a label, with π_o the
observed rate and τ the share of true positives that the labels miss. SSR-PU: Wang et al., EMNLP 2022.
"""

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F

MARGIN = 4.0  # m: at the margin a probability is σ(±4) = 0.018 or 0.982


def masked_bce(logits: Tensor, targets: Tensor, *, mask: Tensor, weights: Optional[Tensor] = None) -> Tensor:
    """Compute the mean of L_bce over the cells that count, a scalar; 0 if none does.

    logits, targets (Tensor): z, and y from 0 to 1. Shapes (...)
    mask, weights (Tensor): True for cells that count, and the weight of each cell; broadcast to z.
    """
    weight = mask.to(logits.dtype).expand_as(logits)
    if weights is not None:
        weight = weight * weights
    cells = F.softplus(logits) - targets * logits
    return (cells * weight).sum() / weight.sum().clamp(min=1.0)


def shifted_ranking_loss(logits: Tensor, targets: Tensor, *, mask: Tensor, prior: Tensor, missing: Tensor) -> Tensor:
    """Compute SSR-PU's risk R of positive and unlabelled cells, the mean over the labels; 0 for an empty batch.

    Three things differ from its paper. The score of the none class is 0, a probability of 0.5. z is scaled, so that the
    margin m is 4, not 0.25. E_P and E_N divide the sums over the batch by the expected numbers of cells, B π_o and
    B (1-π_o), B being the cells of a label that count: batches of sentences have no positives of most labels.

    logits, targets (Tensor): z, and observed labels, 0 or 1. Shapes (B, R)
    mask (Tensor): True for cells that count. Shape (B, R)
    prior, missing (Tensor): π_o, in (0, 1), and τ, in [0, 1), of each label. Shapes (R,)
    """
    if not len(logits):
        return logits.sum() * 0.0
    true = (prior / (1.0 - missing)).clamp(max=0.99)
    hidden = (prior * missing / ((1.0 - missing) * (1.0 - prior))).clamp(max=0.99)
    is_positive, is_negative, count = mask & (targets > 0.5), mask & (targets <= 0.5), mask.sum(0).clamp(min=1)
    as_positive, as_negative = (logits / MARGIN - 1.0).square(), (logits / MARGIN + 1.0).square()
    zero = torch.zeros_like(logits)
    positives, negatives = count * prior, count * (1.0 - prior)
    positive_risk = torch.where(is_positive, as_positive, zero).sum(0) / positives
    reversed_risk = torch.where(is_positive, as_negative, zero).sum(0) / positives
    unlabelled = torch.where(is_negative, as_negative, zero).sum(0) / negatives
    negative_risk = (1.0 - true) / (1.0 - hidden) * (unlabelled - hidden * reversed_risk)
    weight = ((1.0 - true) / true).sqrt()
    return (true * weight * positive_risk + negative_risk.clamp(min=0.0)).mean()
