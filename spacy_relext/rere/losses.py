"""Losses of RERE's detector and extractor.

Source: Xie et al., ACL 2021, Eqs. 7 to 10. `docs/methods/rere.md` has the defaults and their reasons.
"""

from typing import Dict, Optional

import torch
from torch import Tensor

from ..encoders.assertions import assertion_loss
from .collective_loss import (
    collective_loss,
    hidden_positive_rate,
    masked_bce,
    paper_prior,
    pointer_collective_loss,
    positive_weight,
)
from .model import ExtractorOutput
from .shifted_loss import shifted_ranking_loss

DETECTOR_LOSSES = ("bce", "collective", "ssr_pu")

POINTER_LOSSES = ("bce", "collective")

MUS = ("hidden", "paper")

_RATES = (1e-6, 0.5)


def detector_loss(
    logits: Tensor,
    targets: Dict[str, Tensor],
    *,
    kind: str,
    mu: str = "hidden",
    gamma: Optional[float] = None,
    weight: float = 1.0,
) -> Dict[str, Tensor]:
    """Compute the term `relations`: binary cross-entropy, or a loss that is robust to false negatives.

    logits (Tensor): Shape (B, R)
    targets (Dict[str, Tensor]): `relations` (B, R); `label_prior` (R,), observed rate of each relation;
        `missing_rates` (R,), τ of each, for all but cross-entropy.
    kind (str): "bce", "collective", or "ssr_pu" (positive-unlabelled learning with the squared ranking loss).
    mu (str): μ of the collective loss: "hidden", the rate of positives among observed negatives, or "paper".
    gamma (Optional[float]): Weight of the positive term; None: π_o / (1-π_o) of the data.
    RAISES (ValueError): If the kind is unknown.
    """
    observed = targets["relations"]
    mask = torch.ones_like(observed, dtype=torch.bool)
    if kind == "bce":
        return {"relations": weight * masked_bce(logits, observed, mask=mask)}
    if kind not in DETECTOR_LOSSES:
        raise ValueError(f"detector loss is {kind!r}; expected {', '.join(DETECTOR_LOSSES)}")
    prior, missing = targets["label_prior"].clamp(*_RATES), targets["missing_rates"]
    if kind == "ssr_pu":
        return {"relations": weight * shifted_ranking_loss(logits, observed, prior=prior, missing=missing)}
    if mu == "paper":
        rate = paper_prior(prior, missing).mean()
    else:
        rate = (prior * missing / (1.0 - missing)).sum() / (1.0 - prior).sum()
    mean_gamma = positive_weight(float(prior.mean())) if gamma is None else gamma
    return {"relations": weight * collective_loss(logits, observed, mask=mask, mu=rate, gamma=mean_gamma)}


def extractor_loss(
    output: ExtractorOutput,
    targets: Dict[str, Tensor],
    *,
    pointer_loss: str = "bce",
    pointer_missing: float = 0.0,
    pointer_weight: float = 1.0,
    pair_weight: float = 1.0,
    rank_weight: float = 0.0,
    type_weight: float = 0.0,
    assertion_weight: float = 1.0,
) -> Dict[str, Tensor]:
    """Compute the loss of `pointers` (context tokens only), the binary cross-entropy of candidate `pairs`, their
    `ranks` among rivals, and the cross-entropy of arguments' entity `types` and of gold pairs' `assertions`.

    targets (Dict[str, Tensor]): `pointers` (M, T, 4), `weights` (M,), `gold_pairs` (G, 5), `entities` (E, 4); if there
        are any, `refused_pairs` (J, 5), which count as wrong though their rows have no weight; `untyped` (U,),
        sentences without known entities; and `assertions` (G,), the number of each gold pair's assertion, -1 for none.
    pointer_loss (str): "bce" or "collective".
    pointer_missing (float): τ of the collective form, share of missing ends of arguments.
    """
    ends, weights, cells = targets["pointers"], targets["weights"], output.mask.unsqueeze(-1)
    if pointer_loss == "collective":
        rate = ((ends * cells).sum() / cells.expand_as(ends).sum().clamp(min=1)).clamp(*_RATES)
        pointers = pointer_collective_loss(
            output.pointers,
            ends,
            mask=output.mask,
            mu=hidden_positive_rate(rate, rate.new_tensor(pointer_missing)),
            gamma=rate / (1.0 - rate),
            weights=weights,
        )
    else:
        pointers = masked_bce(output.pointers, ends, mask=cells, weights=weights[:, None, None])
    n_tokens = max(1, output.mask.shape[1])
    gold = _pair_targets(output.pairs, targets["gold_pairs"], n_tokens=n_tokens)
    row_weights = weights[output.pairs[:, 0]]
    if "refused_pairs" in targets:
        row_weights = row_weights + _pair_targets(output.pairs, targets["refused_pairs"], n_tokens=n_tokens)
    pairs = masked_bce(output.pair_logits, gold, mask=torch.ones_like(gold, dtype=torch.bool), weights=row_weights)
    losses = {"pointers": pointer_weight * pointers, "pairs": pair_weight * pairs}
    if rank_weight:
        losses["ranks"] = rank_weight * rival_loss(output.pair_logits, output.pairs, gold)
    if type_weight and len(output.type_logits):
        losses["types"] = type_weight * _type_loss(output, targets["entities"], targets.get("untyped"))
    if "assertions" in targets:
        labels = _look_up(output.pairs, targets["gold_pairs"], targets["assertions"], n_tokens=n_tokens, default=-1)
        losses["assertions"] = assertion_weight * assertion_loss(output.assertions, labels)
    return losses


def rival_loss(logits: Tensor, pairs: Tensor, gold: Tensor) -> Tensor:
    """Compute the listwise loss of gold pairs among their rivals: pairs of the same row and subject, or row and object.

    L = mean over groups with a gold pair of log Σ_j exp z_j - log Σ_{j gold} exp z_j

    logits, gold (Tensor): Shapes (P,)
    pairs (Tensor): Row, subject first and last, object first and last. Shape (P, 5)
    """
    losses = []
    n_tokens = 1 + int(pairs.max()) if len(pairs) else 1
    for columns in ((0, 1, 2), (0, 3, 4)):
        # `unique` is twenty times as fast on numbers as on rows
        _, group = torch.unique(_row_keys(pairs[:, columns], n_tokens=n_tokens), return_inverse=True)
        size = int(group.max()) + 1 if len(group) else 0
        peak = logits.new_full((size,), -1e4).scatter_reduce(0, group, logits.detach(), "amax")
        weights = (logits - peak[group]).exp()
        everyone = logits.new_zeros(size).index_add(0, group, weights)
        right = logits.new_zeros(size).index_add(0, group, weights * gold)
        stated = logits.new_zeros(size).index_add(0, group, gold) > 0
        losses.append(everyone[stated].log() - right[stated].clamp(min=1e-9).log())
    ranks = torch.cat(losses)
    return ranks.sum() / max(1, len(ranks))


def _type_loss(output: ExtractorOutput, entities: Tensor, untyped: Optional[Tensor]) -> Tensor:
    """Compute the cross-entropy of the arguments' entity types; the last class is that of spans that are no entity."""
    n_tokens, last = max(1, output.mask.shape[1]), output.type_logits.shape[1] - 1
    target = _look_up(output.spans, entities[:, :3], entities[:, 3], n_tokens=n_tokens, default=last)
    logits = output.type_logits
    if untyped is not None:
        known = ~torch.isin(output.spans[:, 0], untyped)
        logits, target = logits[known], target[known]
    return torch.nn.functional.cross_entropy(logits, target) if len(logits) else output.type_logits.sum() * 0.0


def _look_up(rows: Tensor, known: Tensor, values: Tensor, *, n_tokens: int, default: int) -> Tensor:
    """Look up the value of each row among known rows, else `default`. Shapes (N, C), (K, C), (K,) → (N,)"""
    keys, order = torch.sort(_row_keys(known, n_tokens=n_tokens))
    wanted = _row_keys(rows, n_tokens=n_tokens)
    place = torch.searchsorted(keys, wanted).clamp(max=max(0, len(keys) - 1))
    found = torch.full_like(wanted, default)
    return torch.where(keys[place] == wanted, values[order[place]], found) if len(keys) else found


def _pair_targets(pairs: Tensor, gold: Tensor, *, n_tokens: int) -> Tensor:
    """Mark the candidates that are gold by 1, comparing rows as integers. Shapes (P, 5), (G, 5) → (P,)"""
    return torch.isin(_row_keys(pairs, n_tokens=n_tokens), _row_keys(gold, n_tokens=n_tokens)).float()


def _row_keys(rows: Tensor, *, n_tokens: int) -> Tensor:
    """Encode each row as one integer; all columns but the first are below `n_tokens`. Shape (N, C) → (N,)"""
    powers = n_tokens ** torch.arange(rows.shape[1] - 1, -1, -1, device=rows.device)
    return (rows * powers).sum(1)
