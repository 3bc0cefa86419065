"""Losses of NERO, for matched pairs, unmatched pairs and the rules themselves.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020.

    L = L_matched + w_rules L_rules + w_clus L_clus + w_unmatched L_unmatched
    L_matched    mean over matched pairs of CE(z, relation of the rule)
    L_rules      mean over the rules of CE(z of the rule's body, its relation)
    L_unmatched  Σ_s ω_s CE(z_s, target_s) over unmatched pairs,  ω = softmax(σ u),  u_s = max_p SRM(s, p)
    L_clus       Σ_i π_i (ℓ₊(i) + ℓ₋(i))  on  G = SRM(p_i, p_j)
                 ℓ₊(i) = max_{j of the same relation} max(τ − G_ij, 0)²,  ℓ₋(i) = max_{j of others} max(G_ij, 0)²

Differences from the paper and its code (`docs/research/differences.md` has the reasons): target_s and u_s mix the
rules' values and an EMA teacher's (`teacher_share`); negative samples have ω_s = 1 / U and no relation as target; the
weights have names instead of α, β, γ, which paper and code use for different terms; rules have equal weights in L_clus
by default; a maximum over no rules is 0.
"""

from typing import Dict, Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .model import GrounderOutput


def batch_weights(best: Tensor, *, sharpness: float) -> Tensor:
    """Compute ω = softmax(σ u), the weights of the unmatched pairs of a batch, without gradient.

    best (Tensor): u, the score of each pair's best rule. Shape (P,)
    sharpness (float): σ.
    """
    return (sharpness * best.detach()).softmax(0)


def target_cross_entropy(logits: Tensor, targets: Tensor, *, weights: Optional[Tensor] = None) -> Tensor:
    """Compute the cross-entropy with classes or distributions over them; 0 without pairs.

    logits (Tensor): Shape (P, R)
    targets (Tensor): Classes, shape (P,), or probabilities, shape (P, R); without gradient.
    weights (Optional[Tensor]): Weight of each pair in the sum; None: 1 / P. Shape (P,)
    """
    if not len(logits):
        return logits.sum()
    each = F.cross_entropy(logits, targets.detach(), reduction="none")  # (P,)
    return each.mean() if weights is None else (each * weights).sum()


def clustering_loss(scores: Tensor, relations: Tensor, *, margin: float, weights: Optional[Tensor] = None) -> Tensor:
    """Compute L_clus, which pulls rules of one relation together and pushes others apart; 0 without rules.

    scores (Tensor): G, scores between rules. Shape (J, J)
    relations (Tensor): Relation of each rule. Shape (J,)
    margin (float): τ.
    weights (Optional[Tensor]): π, of any sum; None: equal weights. Shape (J,)
    """
    if not len(scores):
        return scores.sum()
    same = relations[:, None] == relations[None]  # (J, J)
    pull = _hardest((margin - scores).clamp(min=0.0).square(), same)
    push = _hardest(scores.clamp(min=0.0).square(), ~same)
    shares = torch.ones_like(pull) if weights is None else weights.to(pull.dtype)
    return ((pull + push) * shares).sum() / shares.sum()


def _hardest(costs: Tensor, mask: Tensor) -> Tensor:
    """Find the largest cost in each row where the mask is True; 0 if it is nowhere. Costs are not negative."""
    return costs.masked_fill(~mask, 0.0).amax(1)


def rule_targets(scores: Tensor, grid: Tensor, *, n_classes: int, temperature: float) -> Tuple[Tensor, Tensor]:
    """Compute the pseudo-labels that rules give to unmatched pairs.

    With a temperature of 0 the best rule gives the label (as in the paper); else every rule has the weight
    softmax_p(SRM(s, p) / T), which keeps competing rules.

    scores (Tensor): SRM. Shape (P, J)
    grid (Tensor): Class that each rule would give each pair; below 0 if the rule cannot apply. Shape (P, J)
    n_classes (int): R.
    temperature (float): T.
    RETURNS (Tuple[Tensor, Tensor]): Distribution over classes and score of the best rule; 0 and -1 if no rule can
        apply. Shapes (P, R), (P,)
    """
    allowed = grid >= 0
    targets = scores.new_zeros(len(scores), n_classes)
    if not scores.shape[1]:
        return targets, scores.new_full((len(scores),), -1.0)
    masked = scores.masked_fill(~allowed, -1e4)
    best, which = masked.max(1)
    if temperature > 0:
        shares = (masked / temperature).softmax(1)
    else:
        shares = F.one_hot(which, scores.shape[1]).to(scores.dtype)
    shares = shares * allowed
    return targets.scatter_add(1, grid.clamp(min=0), shares), best.clamp(min=-1.0)


def nero_loss(
    outputs: GrounderOutput,
    targets: Dict[str, Tensor],
    *,
    w_rules: float,
    w_clus: float,
    w_unmatched: float,
    margin: float,
    sharpness: float,
    temperature: float,
    teacher_share: float,
) -> Dict[str, Tensor]:
    """Compute the weighted terms of L = L_matched + w_rules L_rules + w_clus L_clus + w_unmatched L_unmatched.

    outputs (GrounderOutput): Of M matched pairs, U unmatched ones and K bodies of rules, in this order.
    targets (Dict[str, Tensor]): `matched`, shares of classes of matched pairs, shape (M, R); `grid`, class that each
        rule would give each unmatched pair, shape (U, J); `teacher`, probabilities of the EMA teacher, shape (U, R);
        `low_confidence`, True for negative samples, shape (U,); `rules`, vectors of all rules, shape (J, D);
        `relations`, class of each body, shape (K,); `unmatched`, True if unmatched pairs are already learned from.
    margin (float): τ of L_clus.
    sharpness (float): σ of the weights in the batch.
    temperature (float): T of `rule_targets`.
    teacher_share (float): Weight of the EMA teacher in the pseudo-labels; 0: the paper's form.
    """
    n_matched, n_unmatched = len(targets["matched"]), len(targets["grid"])
    sizes = [n_matched, n_unmatched, len(targets["relations"])]
    matched, unmatched, bodies = outputs.logits.split(sizes)
    _, texts, rules = outputs.unit.split(sizes)
    terms = {
        "matched": target_cross_entropy(matched, targets["matched"]),
        "rules": w_rules * target_cross_entropy(bodies, targets["relations"]),
        "clus": w_clus * clustering_loss(rules @ rules.T, targets["relations"], margin=margin),
    }
    if bool(targets["unmatched"]) and n_unmatched:
        scores = texts.detach() @ targets["rules"].to(texts.dtype).T  # (U, J)
        by_rules, best = rule_targets(scores, targets["grid"], n_classes=matched.shape[1], temperature=temperature)
        teacher = targets["teacher"].to(by_rules.dtype)
        pseudo = (1 - teacher_share) * by_rules + teacher_share * teacher
        confidence = (1 - teacher_share) * best + teacher_share * teacher.amax(1)
        weights = batch_weights(confidence, sharpness=sharpness)
        # negative samples: no relation, all with the same weight
        negative = F.one_hot(torch.zeros_like(confidence, dtype=torch.long), pseudo.shape[1]).to(pseudo.dtype)
        pseudo = torch.where(targets["low_confidence"][:, None], negative, pseudo)
        weights = torch.where(targets["low_confidence"], 1.0 / n_unmatched, weights)
        terms["unmatched"] = w_unmatched * target_cross_entropy(unmatched, pseudo, weights=weights)
    return terms
