"""Losses of SelfORE."""

from typing import Any, Dict, Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from .model import ClusterOutput

TEMPERATURE = 0.1


def selfore_loss(
    outputs: ClusterOutput, targets: Dict[str, Any], *, smoothing: float, contrast: float = 0.0, scale: float = 1.0
) -> Dict[str, Tensor]:
    """Cross-entropy with the clusters (Eq. 12), all clusters alike: a large one does not win by its size.

    outputs (ClusterOutput): Of P pairs.
    targets (Dict[str, Any]): `clusters`, that of each pair, below 0 for those that are not learned, shape (P,);
        `weights`, of each cluster, shape (K,); with a contrast `pairs`, which pair each is a reading of, shape (P,).
    smoothing (float): Share of each label that is spread over all clusters.
    contrast (float): Weight of L'; 0: none.
    scale (float): c, by which z is multiplied first.
    RETURNS (Dict[str, Tensor]): The terms.
    """
    terms = {"contrast": contrast * contrast_loss(outputs.vector, targets["pairs"])} if contrast else {}
    known = targets["clusters"] >= 0
    if not bool(known.any()):
        return {"clusters": outputs.logits.sum() * 0.0, **terms}
    logits, clusters = scale * outputs.logits[known], targets["clusters"][known]
    weights: Optional[Tensor] = targets["weights"].to(logits.dtype)
    return {"clusters": F.cross_entropy(logits, clusters, weight=weights, label_smoothing=smoothing), **terms}


def contrast_loss(vectors: Tensor, pairs: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """L', over the readings of pairs that are there more than once.

    vectors (Tensor): h of each reading. Shape (N, F)
    pairs (Tensor): Which pair it is of. Shape (N,)
    temperature (float): τ.
    RETURNS (Tensor): Shape ()
    """
    units = F.normalize(vectors, dim=1)
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    log_p = (units @ units.T / temperature).masked_fill(itself, float("-inf")).log_softmax(1)
    same = (pairs[:, None] == pairs) & ~itself
    return -log_p[same].mean() if bool(same.any()) else vectors.sum() * 0.0
