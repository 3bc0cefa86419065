"""Loss of SelfORE: cross-entropy with clusters (Eq. 12).

Source: Hu et al., EMNLP 2020; equations in `selfore/model.py`.
"""

from typing import Dict

from torch import Tensor
from torch.nn import functional as F

from .model import ClusterOutput


def selfore_loss(
    outputs: ClusterOutput, targets: Dict[str, Tensor], *, smoothing: float, scale: float = 1.0
) -> Dict[str, Tensor]:
    """Compute the cross-entropy with the clusters, weighted so that large ones do not dominate.

    targets (Dict[str, Tensor]): `clusters`, below 0 for pairs without one, shape (P,); `weights` of the clusters, shape
        (K,).
    smoothing (float): Share of each label that is spread over all clusters.
    scale (float): Inverse temperature of the logits.
    RETURNS (Dict[str, Tensor]): `clusters`.
    """
    known = targets["clusters"] >= 0
    if not bool(known.any()):
        return {"clusters": outputs.logits.sum() * 0.0}
    logits, clusters = scale * outputs.logits[known], targets["clusters"][known]
    weights = targets["weights"].to(logits.dtype)
    return {"clusters": F.cross_entropy(logits, clusters, weight=weights, label_smoothing=smoothing)}
