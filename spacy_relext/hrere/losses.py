"""Losses of HRERE: text, knowledge base, and their agreement.

    J_L = −Σ_r y_r log p_L(r)        text;  y is uniform over the relations of a bag
    J_G = −Σ_r y_r log p_G(r)        knowledge base: linked pairs and relations of the knowledge base only
    J_D = −log p_L(r*),  r* = argmax z_G

J_D has no gradient for the knowledge base: only the text learns from it.

Source: Xu and Barbosa, "Connecting Language and Knowledge with Heterogeneous Representations for Neural Relation
Extraction", NAACL 2019. Differences: `docs/research/differences.md`.
"""

from typing import Dict

from torch import Tensor

from .model import HrereOutput


def hrere_loss(
    outputs: HrereOutput, targets: Dict[str, Tensor], *, kb_weight: float, agree_weight: float
) -> Dict[str, Tensor]:
    """Compute J = J_L + λ₁ J_G + λ₂ J_D.

    targets (Dict[str, Tensor]): `gold`, y, shape (G, R); `linked`, True if the knowledge base has both entities, shape
        (G,); `shared`, True for its relations and no relation, shape (R,).
    kb_weight, agree_weight (float): λ₁ and λ₂.
    RETURNS (Dict[str, Tensor]): `text`, and if their weights are not 0 `kb` and `agree`, weighted. Shapes ()
    """
    gold, linked, shared = targets["gold"].to(outputs.text.dtype), targets["linked"], targets["shared"]
    logs = outputs.text.log_softmax(1)
    terms = {"text": _mean(-(gold * logs).sum(1), len(gold))}
    if kb_weight:
        known = gold * shared
        # a bag whose relations are all unknown is no target for the knowledge base
        rows = linked & (known.sum(1) > 0)
        kb_logs = masked_logs(outputs.knowledge, shared)
        target = known / known.sum(1, keepdim=True).clamp(min=1e-12)
        losses = -(target * kb_logs.masked_fill(~shared, 0.0)).sum(1)
        terms["kb"] = kb_weight * _mean(losses[rows], len(gold))
    if agree_weight:
        losses = agreement(logs[linked], masked_logs(outputs.knowledge, shared)[linked])
        terms["agree"] = agree_weight * _mean(losses, len(gold))
    return terms


def _mean(losses: Tensor, count: int) -> Tensor:
    """Compute the mean loss of `count` rows, with 0 for those without a loss; 0 without rows."""
    return losses.sum() / max(1, count)


def masked_logs(logits: Tensor, shared: Tensor) -> Tensor:
    """Compute log-probabilities among the shared classes; −∞ for others. Shapes (G, R), (R,) → (G, R)"""
    return logits.masked_fill(~shared, float("-inf")).log_softmax(1)


def agreement(text_logs: Tensor, kb_logs: Tensor) -> Tensor:
    """Compute J_D of each bag from log p_L and log p_G, of which only r* is read. Shapes (G, R), (G, R) → (G,)"""
    return -text_logs.gather(1, kb_logs.argmax(1, keepdim=True))[:, 0]
