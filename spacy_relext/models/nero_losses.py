"""Losses of NERO, which learns from rules and from texts that no rule matches.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020.

    L = L_matched + w_rules L_rules + w_clus L_clus + w_unmatched L_unmatched
    L_matched    mean over matched pairs of CE(z, relation of the rule)
    L_rules      mean over the rules of CE(z of the rule's body, its relation)
    L_unmatched  Σ_s ω_s CE(z_s, target_s) over unmatched pairs,  ω = softmax(σ u),  u_s = max_p SRM(s, p)
    L_clus       Σ_i π_i (ℓ₊(i) + ℓ₋(i))  on  G = SRM(p_i, p_j)
                 ℓ₊(i) = max_{j of the same relation} max(τ − G_ij, 0)²,  ℓ₋(i) = max_{j of others} max(G_ij, 0)²

What differs from the paper and its code (`docs/methods/nero.md` has the reasons): the weights have names instead of α,
β, γ, which paper and code use for different terms; rules count the same in L_clus unless weights are given; a maximum
over no rule is 0, where the code's filler would become the loss.
"""

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F


def batch_weights(best: Tensor, *, sharpness: float) -> Tensor:
    """ω = softmax(σ u): how much each unmatched pair of a batch teaches; no gradient goes through it.

    best (Tensor): u, the score of each pair's best rule. Shape (P,)
    sharpness (float): σ.
    RETURNS (Tensor): Sums to 1; empty without pairs. Shape (P,)
    """
    return (sharpness * best.detach()).softmax(0)


def target_cross_entropy(logits: Tensor, targets: Tensor, *, weights: Optional[Tensor] = None) -> Tensor:
    """CE with classes, or with distributions over them.

    logits (Tensor): Shape (P, R)
    targets (Tensor): Classes, shape (P,), or probabilities, shape (P, R); they get no gradient.
    weights (Optional[Tensor]): Of the pairs, summing to 1; None: the mean. Shape (P,)
    RETURNS (Tensor): A scalar; 0 without pairs.
    """
    if not len(logits):
        return logits.sum()
    each = F.cross_entropy(logits, targets.detach(), reduction="none")  # (P,)
    return each.mean() if weights is None else (each * weights).sum()


def clustering_loss(scores: Tensor, relations: Tensor, *, margin: float, weights: Optional[Tensor] = None) -> Tensor:
    """L_clus: rules of one relation shall be alike, those of others not; the hardest of each kind count.

    scores (Tensor): G, scores between rules. Shape (J, J)
    relations (Tensor): Relation of each rule. Shape (J,)
    margin (float): τ.
    weights (Optional[Tensor]): π, of any sum; None: all rules count the same. Shape (J,)
    RETURNS (Tensor): A scalar; 0 without rules.
    """
    if not len(scores):
        return scores.sum()
    same = relations[:, None] == relations[None]  # (J, J)
    pull = _hardest((margin - scores).clamp(min=0.0).square(), same)
    push = _hardest(scores.clamp(min=0.0).square(), ~same)
    shares = torch.ones_like(pull) if weights is None else weights.to(pull.dtype)
    return ((pull + push) * shares).sum() / shares.sum()


def _hardest(costs: Tensor, mask: Tensor) -> Tensor:
    """Largest cost of each row among marked cells; 0 where none is marked. Costs are not negative."""
    return costs.masked_fill(~mask, 0.0).amax(1)


def entropy(logits: Tensor) -> Tensor:
    """H = logsumexp(z) − Σ p z, in nats; how unsure a prediction is.

    logits (Tensor): Shape (P, R)
    RETURNS (Tensor): 0 to ln R. Shape (P,)
    """
    return logits.logsumexp(1) - (logits.softmax(1) * logits).sum(1)
