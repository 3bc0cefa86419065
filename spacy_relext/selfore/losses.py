"""Losses of SelfORE: cross-entropy with clusters (Eq. 12), and a contrastive loss L'.

Source: Hu et al., EMNLP 2020; equations in `selfore/model.py`.
"""

from typing import Dict

import torch
from torch import Tensor
from torch.nn import functional as F

from .model import ClusterOutput

# τ of L'.
TEMPERATURE = 0.1


def selfore_loss(
    outputs: ClusterOutput, targets: Dict[str, Tensor], *, smoothing: float, contrast: float = 0.0, scale: float = 1.0
) -> Dict[str, Tensor]:
    """Compute the cross-entropy with the clusters, weighted so that large ones do not dominate, and L'.

    targets (Dict[str, Tensor]): `clusters`, below 0 for pairs that are not learned, shape (P,); `weights` of the
        clusters, shape (K,); with L' also `pairs`, the pair that each row is a view of, shape (P,).
    contrast (float): Weight of L'; 0: none.
    scale (float): Inverse temperature of the logits.
    RETURNS (Dict[str, Tensor]): `clusters`, and with L' `contrast`.
    """
    terms = {"contrast": contrast * contrast_loss(outputs.vector, targets["pairs"])} if contrast else {}
    known = targets["clusters"] >= 0
    if not bool(known.any()):
        return {"clusters": outputs.logits.sum() * 0.0, **terms}
    logits, clusters = scale * outputs.logits[known], targets["clusters"][known]
    weights = targets["weights"].to(logits.dtype)
    return {"clusters": F.cross_entropy(logits, clusters, weight=weights, label_smoothing=smoothing), **terms}


def contrast_loss(vectors: Tensor, pairs: Tensor) -> Tensor:
    """Compute L' from h and the pair of each view; 0 if every pair has one view.

    vectors (Tensor): h. Shape (N, F)
    pairs (Tensor): Rows with the same number are positives of each other. Shape (N,)
    RETURNS (Tensor): A scalar.
    """
    units = F.normalize(vectors, dim=1)
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    same = (pairs[:, None] == pairs) & ~itself
    log_p = (units @ units.T / TEMPERATURE).masked_fill(itself, float("-inf")).log_softmax(1)
    return -log_p[same].mean() if bool(same.any()) else vectors.sum() * 0.0
