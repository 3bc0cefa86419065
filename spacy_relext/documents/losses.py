"""Losses of relations of documents.

    "bce"        mean over cells of softplus(z) - y z
    "adaptive"   -log softmax over positives and threshold, -log of the threshold among the negatives
    "ssr_pu"     positive and unlabelled cells with a shifted squared ranking loss, see `pairs/losses.py`

Sources: adaptive thresholding, Zhou et al., AAAI 2021 (Eqs. 10 to 12), with the threshold at 0; SSR-PU, Wang et al.,
EMNLP 2022.
"""

from typing import TYPE_CHECKING, Dict

import torch
from torch import Tensor

from ..pairs.losses import masked_bce, shifted_ranking_loss

if TYPE_CHECKING:
    from .settings import DocumentsLoss

LOWEST = -1e4


def documents_loss(logits: Tensor, targets: Dict[str, Tensor], settings: "DocumentsLoss") -> Dict[str, Tensor]:
    """Compute the loss of pairs of entities.

    logits (Tensor): Shape (P, R)
    targets (Dict[str, Tensor]): `facts` and `judged` of shapes (P, R), and `prior`, the observed rate of each relation.
        Shape (R,)
    """
    facts, judged = targets["facts"], targets["judged"]
    if settings.kind == "bce":
        loss = masked_bce(logits, facts, mask=judged)
    elif settings.kind == "adaptive":
        loss = adaptive_loss(logits, facts, mask=judged)
    else:
        missing = torch.full_like(targets["prior"], settings.missing_rate)
        loss = shifted_ranking_loss(logits, facts, mask=judged, prior=targets["prior"], missing=missing)
    return {"facts": loss}


def adaptive_loss(logits: Tensor, facts: Tensor, *, mask: Tensor) -> Tensor:
    """Compute the adaptive-thresholding loss with the threshold's logit at 0, the mean over pairs; 0 without pairs.

    logits, facts (Tensor): z, and y, 0 or 1. Shapes (P, R)
    mask (Tensor): True for cells that count. Shape (P, R)
    """
    zero = logits.new_zeros(len(logits), 1)
    positive, negative = mask & (facts > 0.5), mask & (facts <= 0.5)
    among = torch.cat([logits.masked_fill(~positive, LOWEST), zero], 1).log_softmax(1)
    above = -(among[:, :-1] * positive).sum(1)
    below = torch.cat([logits.masked_fill(~negative, LOWEST), zero], 1).logsumexp(1)
    return (above + below).sum() / max(1, len(logits))
