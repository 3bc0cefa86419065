"""Losses of RERE's detector and extractor.

Source: Xie et al., "Revisiting the Negative Data of Distantly Supervised Relation Extraction", ACL 2021.

    L_cPU     = γ·(-ln E_P[ŷ]) - ln(1 - |E_N[ŷ] - μ|)              collective loss, Eqs. 7 and 8       collective_loss
    detector    mean over sentences of L_cPU over relations           Eq. 9                              detector_loss
    extractor   mean over rows and pointers of L_cPU over tokens      Eq. 10                             extractor_loss
    μ         = π_o τ / ((1-τ)(1-π_o)), "hidden", or π_o (1+τ), "paper"                                 expected_rate
    γ         = π_o / (1-π_o), or a number                                                            positive_weight
    L_bce     = softplus(z) - y z                                      pairs/losses.py                       masked_bce
    L_rank    = log Σ_j exp z_j - log Σ_{j gold} exp z_j  over pairs with the same subject or object        rank_loss
    SSR-PU                                                             pairs/losses.py             shifted_ranking_loss

z are logits, ŷ = σ(z), y observed labels; P the observed positives and N the observed negatives of one row, with π_o
the observed rate and τ the share of true positives that the labels miss.

Differences from the paper (`docs/research/differences.md` has the reasons): Eq. 9 as printed has one mean for both
terms, and Eq. 10 has sums, whose logarithm may be undefined; here the means are those of the authors' code. The loss is
computed from logits, without an epsilon. Cross-entropy is the default of both components.
"""

import math
from typing import TYPE_CHECKING, Dict, Optional, Union

import torch
from torch import Tensor
from torch.nn import functional as F

from ..encoders.assertions import assertion_loss
from ..pairs.losses import masked_bce, shifted_ranking_loss
from .model import ExtractorOutput
from .span_pairs import look_up_rows, row_keys

if TYPE_CHECKING:
    from .settings import RereDetectorLoss, RereExtractorLoss

Tensors = Dict[str, Tensor]

_RATES = (1e-6, 0.5)


def detector_loss(logits: Tensor, targets: Tensors, settings: "RereDetectorLoss") -> Tensors:
    """Compute the term `relations`: binary cross-entropy, Eq. 9, or SSR-PU.

    logits (Tensor): Shape (B, R)
    targets (Tensors): `relations` (B, R); `judged` (B, R), True for cells that the annotation covers, the only ones
        that count (absent: all do); `label_prior` (R,), observed rate of each relation; `missing_rates` (R,), τ of
        each, for all but cross-entropy.
    """
    observed = targets["relations"]
    mask = targets.get("judged", torch.ones_like(observed, dtype=torch.bool))
    if settings.kind == "bce":
        return {"relations": settings.weight * masked_bce(logits, observed, mask=mask)}
    prior, missing = targets["label_prior"].clamp(*_RATES), targets["missing_rates"]
    if settings.kind == "ssr_pu":
        loss = shifted_ranking_loss(logits, observed, mask=mask, prior=prior, missing=missing)
    else:
        mu = expected_rate(prior, missing, form=settings.mu)
        gamma = positive_weight(prior.mean()) if settings.gamma is None else settings.gamma
        loss = collective_loss(logits, observed, mask=mask, mu=mu, gamma=gamma)
    return {"relations": settings.weight * loss}


def extractor_loss(output: ExtractorOutput, targets: Tensors, settings: "RereExtractorLoss") -> Tensors:
    """Compute the loss of `pointers` (context tokens only), the binary cross-entropy of candidate `pairs`, their
    `ranks` among pairs with the same subject or object, and the cross-entropy of entity `types` and `assertions`.

    targets (Tensors): `pointers` (M, T, 4), `weights` (M,), `gold_pairs` (G, 5), `entities` (E, 4); if there
        are any, `lone_pairs` (J, 5), which count though their rows have no weight; `untyped` (U,),
        sentences without known entities; and `assertions` (G,), the number of each gold pair's assertion, -1 for none.
    """
    ends, weights, cells = targets["pointers"], targets["weights"], output.mask.unsqueeze(-1)
    if settings.pointers == "collective":
        rate = ((ends * cells).sum() / cells.expand_as(ends).sum().clamp(min=1)).clamp(*_RATES)
        mu = expected_rate(rate, rate.new_tensor(settings.missing_rate), form=settings.mu)
        gamma = positive_weight(rate) if settings.gamma is None else settings.gamma
        logits, observed = output.pointers.transpose(1, 2), ends.transpose(1, 2)  # (M, 4, T)
        mask, row_weights = output.mask.unsqueeze(1), weights.unsqueeze(1)
        pointers = collective_loss(logits, observed, mask=mask, mu=mu, gamma=gamma, weights=row_weights)
    else:
        pointers = masked_bce(output.pointers, ends, mask=cells, weights=weights[:, None, None])
    pairs, gold_pairs, n_tokens = output.pairs, targets["gold_pairs"], max(1, output.mask.shape[1])
    gold = look_up_rows(pairs, gold_pairs, output.pair_logits.new_ones(len(gold_pairs)), n_tokens=n_tokens)
    row_weights = weights[pairs[:, 0]]
    if (lone := targets.get("lone_pairs")) is not None:
        row_weights = row_weights + look_up_rows(pairs, lone, weights.new_ones(len(lone)), n_tokens=n_tokens)
    everywhere = torch.ones_like(gold, dtype=torch.bool)
    scored = masked_bce(output.pair_logits, gold, mask=everywhere, weights=row_weights)
    losses = {"pointers": settings.pointer_weight * pointers, "pairs": settings.pair_weight * scored}
    if settings.rank_weight:
        losses["ranks"] = settings.rank_weight * rank_loss(output.pair_logits, pairs, gold * (weights[pairs[:, 0]] > 0))
    if settings.type_weight and len(output.type_logits):
        losses["types"] = settings.type_weight * _type_loss(output, targets["entities"], targets.get("untyped"))
    if "assertions" in targets:
        labels = look_up_rows(pairs, gold_pairs, targets["assertions"], n_tokens=n_tokens, default=-1)
        losses["assertions"] = settings.assertion_weight * assertion_loss(output.assertions, labels)
    return losses


def collective_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mask: Tensor,
    mu: Tensor,
    gamma: Union[float, Tensor],
    weights: Optional[Tensor] = None,
) -> Tensor:
    """Compute L_cPU (Eqs. 7 to 9), a scalar: the mean over the rows; 0 without rows.

    Only the mean of observed negatives enters the loss, so a confident false negative among them is not pushed down.

    logits, targets (Tensor): z, and observed labels, 0 or 1. Shapes (..., R)
    mask (Tensor): True for cells that count; broadcast to z.
    mu, gamma (Tensor): μ, expected mean probability of observed negatives; γ, weight of the positives. Shapes ()
    weights (Optional[Tensor]): Weight of each row; broadcast to (...).
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()  # bf16 has no means near 0
    positives, negatives = mask & (targets > 0.5), mask & (targets <= 0.5)
    target = mu.clamp(max=1.0)  # with an estimated τ, hidden positives may outnumber the negatives
    mean = (torch.sigmoid(logits) * negatives).sum(-1) / negatives.sum(-1).clamp(min=1)
    gap = (mean - target).abs().clamp(max=1.0 - 1e-6)
    count, zero = positives.sum(-1), torch.zeros_like(gap)
    # -ln E_P[ŷ] = ln|P| - logsumexp(ln ŷ); a row without positives would have a gradient of NaN
    log_probs = F.logsigmoid(logits).masked_fill(~positives, -math.inf)
    log_probs = torch.where(count.unsqueeze(-1) > 0, log_probs, torch.zeros_like(log_probs))
    positive_term = torch.where(count > 0, count.clamp(min=1).to(gap.dtype).log() - log_probs.logsumexp(-1), zero)
    rows = gamma * positive_term + torch.where(negatives.any(-1), -torch.log1p(-gap), zero)
    weights = torch.ones_like(rows) if weights is None else weights.expand_as(rows)
    return (rows * weights).sum() / weights.sum().clamp(min=1.0)


def expected_rate(observed: Tensor, missing: Tensor, *, form: str) -> Tensor:
    """Compute μ over the cells of all labels, a scalar.

    observed, missing (Tensor): π_o and τ of each label, or of all. Shapes (R,) or ()
    form (str): "hidden", the rate of true positives among observed negatives, if labels are missing completely at
        random; or "paper", their rate among all cells, though the loss compares it with a mean over negatives.
    """
    if form == "paper":
        return (observed * (1.0 + missing)).mean()
    return (observed * missing / (1.0 - missing)).sum() / (1.0 - observed).sum()


def positive_weight(observed: Tensor) -> Tensor:
    """Compute γ = π_o / (1-π_o), which restores the natural frequency of positives."""
    return observed / (1.0 - observed)


def rank_loss(logits: Tensor, pairs: Tensor, gold: Tensor) -> Tensor:
    """Compute the mean of L_rank over groups with a gold pair: pairs of one row and subject, or one row and object.

    logits, gold (Tensor): Shapes (P,)
    pairs (Tensor): Row, subject first and last, object first and last. Shape (P, 5)
    """
    losses = []
    n_tokens = 1 + int(pairs.max()) if len(pairs) else 1
    for columns in ((0, 1, 2), (0, 3, 4)):
        # `unique` is twenty times as fast on numbers as on rows
        _, group = torch.unique(row_keys(pairs[:, columns], n_tokens=n_tokens), return_inverse=True)
        size = int(group.max()) + 1 if len(group) else 0
        peak = logits.new_full((size,), -1e4).scatter_reduce(0, group, logits.detach(), "amax")
        weights = (logits - peak[group]).exp()
        total = logits.new_zeros(size).index_add(0, group, weights)
        correct = logits.new_zeros(size).index_add(0, group, weights * gold)
        has_gold = logits.new_zeros(size).index_add(0, group, gold) > 0
        losses.append(total[has_gold].log() - correct[has_gold].clamp(min=1e-9).log())
    ranks = torch.cat(losses)
    return ranks.sum() / max(1, len(ranks))


def _type_loss(output: ExtractorOutput, entities: Tensor, untyped: Optional[Tensor]) -> Tensor:
    """Compute the cross-entropy of the arguments' entity types; the last class is that of spans that are no entity."""
    n_tokens, last = max(1, output.mask.shape[1]), output.type_logits.shape[1] - 1
    target = look_up_rows(output.spans, entities[:, :3], entities[:, 3], n_tokens=n_tokens, default=last)
    logits = output.type_logits
    if untyped is not None:
        known = ~torch.isin(output.spans[:, 0], untyped)
        logits, target = logits[known], target[known]
    return F.cross_entropy(logits, target) if len(logits) else output.type_logits.sum() * 0.0
