"""The losses of HRERE, and how what the text says and what the knowledge base says become one probability.

    J_L = −Σ_r y_r log p_L(r)        text;  y is shared equally by all relations of a bag
    J_G = −Σ_r y_r log p_G(r)        knowledge base: of linked pairs, and relations that it knows
    J_D = −log p_L(r*),  r* = argmax z_G                                  "ce", the paper's
          −p_L(r*)                                                         "linear", what the authors' code amounts to
          Σ_r p_G(r) (log p_G(r) − log p_L(r)), where p_G is sure of a relation, else 0     "gated"

No gradient of J_D reaches the knowledge base: text learns from it, not the other way round.

Source: Xu and Barbosa, "Connecting Language and Knowledge with Heterogeneous Representations for Neural Relation
Extraction", NAACL 2019. What differs is listed in `docs/methods/hrere.md`.
"""

from typing import Dict

import torch
from torch import Tensor

from .model import HrereOutput

AGREEMENTS = ("ce", "linear", "gated")

MIXES = ("prob", "logit")

NO_RELATION = 0


def hrere_loss(
    outputs: HrereOutput,
    targets: Dict[str, Tensor],
    *,
    kb_weight: float,
    agree_weight: float,
    agree: str,
    confidence: float,
) -> Dict[str, Tensor]:
    """J = J_L + λ₁ J_G + λ₂ J_D.

    outputs (HrereOutput): Of the module.
    targets (Dict[str, Tensor]): `gold` (y, rows sum to 1; shape (G, R)), `linked` (whether the knowledge base knows
        both entities; shape (G,)), `shared` (whether it knows a class, no relation among them; shape (R,)).
    kb_weight (float): λ₁.
    agree_weight (float): λ₂.
    agree (str): One of `AGREEMENTS`.
    confidence (float): What the best probability of p_G must exceed with "gated".
    RETURNS (Dict[str, Tensor]): `text`, and where they have a weight `kb` and `agree`, weighted. Shapes ()
    """
    gold, linked, shared = targets["gold"].to(outputs.text.dtype), targets["linked"], targets["shared"]
    logs = outputs.text.log_softmax(1)
    terms = {"text": mean_of(-(gold * logs).sum(1))}
    if kb_weight:
        known = gold * shared
        # a bag of which only unknown relations are stated says nothing of what the knowledge base should say
        rows = linked & (known.sum(1) > 0)
        kb_logs = masked_logs(outputs.knowledge, shared)
        wanted = known / known.sum(1, keepdim=True).clamp(min=1e-12)
        losses = -(wanted * kb_logs.masked_fill(~shared, 0.0)).sum(1)
        terms["kb"] = kb_weight * mean_of(losses[rows], len(gold))
    if agree_weight:
        kb_logs = masked_logs(outputs.knowledge.detach(), shared)
        found = agreement(logs[linked], kb_logs[linked], form=agree, confidence=confidence)
        terms["agree"] = agree_weight * mean_of(found, len(gold))
    return terms


def mean_of(losses: Tensor, count: int = -1) -> Tensor:
    """Mean of losses, over more rows where some are left out; 0 of none."""
    return losses.sum() / max(1, len(losses) if count < 0 else count)


def masked_logs(logits: Tensor, shared: Tensor) -> Tensor:
    """Log-probabilities of the classes that are shared; −∞ of others.

    logits (Tensor): Shape (G, R)
    shared (Tensor): Shape (R,)
    RETURNS (Tensor): Shape (G, R)
    """
    return logits.masked_fill(~shared, float("-inf")).log_softmax(1)


def agreement(text_logs: Tensor, kb_logs: Tensor, *, form: str, confidence: float = 0.5) -> Tensor:
    """J_D of each bag.

    text_logs (Tensor): log p_L. Shape (G, R)
    kb_logs (Tensor): log p_G, which gets no gradient. Shape (G, R)
    form (str): One of `AGREEMENTS`.
    confidence (float): Of "gated".
    RETURNS (Tensor): Shape (G,)
    """
    kb_logs = kb_logs.detach()
    sure, best = kb_logs.exp().max(1) if len(kb_logs) else (kb_logs.new_zeros(0), text_logs.new_zeros(0).long())
    if form != "gated":
        found = text_logs.gather(1, best[:, None])[:, 0]
        return -found if form == "ce" else -found.exp()
    probs = kb_logs.exp()
    divergence = torch.where(probs > 0, probs * (kb_logs - text_logs), torch.zeros_like(probs)).sum(1)
    return divergence * ((sure > confidence) & (best != NO_RELATION))
