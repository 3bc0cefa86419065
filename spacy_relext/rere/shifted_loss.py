"""Positive-unlabelled loss under a shift of the prior, with the squared ranking loss (SSR-PU).

Source: Wang et al., A unified positive-unlabeled learning framework for document-level relation extraction with
different levels of labeling, EMNLP 2022 (arXiv 2210.08709).
"""

import torch
from torch import Tensor

from .collective_loss import hidden_positive_rate

# At the margin a probability is σ(±4) = 0.018 or 0.982.
MARGIN = 4.0


def shifted_ranking_loss(
    logits: Tensor, targets: Tensor, *, prior: Tensor, missing: Tensor, margin: float = MARGIN
) -> Tensor:
    """Compute the risk of positive and unlabelled cells, the mean over the labels, a scalar; 0 for an empty batch.

    ℓ(z, y) = (y z / m - 1)², y = ±1
    R_j = π γ E_P[ℓ(z, +1)] + max(0, (1-π)/(1-π_u) E_U[ℓ(z, -1)] - π_u (1-π)/(1-π_u) E_P[ℓ(z, -1)])

    π_o is the observed rate of label j, π = π_o / (1-τ) the true one, π_u = (π-π_o)/(1-π_o) that among the unlabelled
    cells (μ⁻ of the collective loss), γ = √((1-π)/π). Three things differ from the paper. The score of the none class
    is 0, a probability of 0.5. z is scaled, so that the margin m is 4, not 0.25. E_P and E_U divide the sums over the
    batch by the expected numbers of cells, B π_o and B (1-π_o), not the actual ones: the paper's batches have thousands
    of cells, whereas batches of sentences have no positives of most labels.

    logits (Tensor): z. Shape (B, R)
    targets (Tensor): Observed labels, 0 or 1. Shape (B, R)
    prior (Tensor): π_o of each label, in (0, 1). Shape (R,)
    missing (Tensor): τ of each label, in [0, 1). Shape (R,)
    """
    if not len(logits):
        return logits.sum() * 0.0
    true = (prior / (1.0 - missing)).clamp(max=0.99)
    hidden = hidden_positive_rate(prior, missing).clamp(max=0.99)
    is_positive = targets > 0.5
    as_positive, as_negative = (logits / margin - 1.0).square(), (logits / margin + 1.0).square()
    none = torch.zeros_like(logits)
    positives, cells = len(logits) * prior, len(logits) * (1.0 - prior)
    right = torch.where(is_positive, as_positive, none).sum(0) / positives
    wrong = torch.where(is_positive, as_negative, none).sum(0) / positives
    unlabelled = torch.where(is_positive, none, as_negative).sum(0) / cells
    negative_risk = (1.0 - true) / (1.0 - hidden) * (unlabelled - hidden * wrong)
    weight = ((1.0 - true) / true).sqrt()
    return (true * weight * right + negative_risk.clamp(min=0.0)).mean()
