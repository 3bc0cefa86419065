"""The losses of detector and extractor: what they aim at, and pointers."""

import math
from typing import Any, List

import pytest
import torch
from torch import Tensor

from spacy_relext.rere.argument_types import no_types
from spacy_relext.rere.collective_loss import (
    hidden_positive_rate,
    paper_prior,
    pointer_collective_loss,
    positive_weight,
)
from spacy_relext.rere.losses import DETECTOR_LOSSES, MUS, detector_loss, extractor_loss
from spacy_relext.rere.model import ExtractorOutput
from tests.rere.test_collective_loss import GAMMA, number, pointer_grid


def detector_targets(observed: Tensor, prior: Tensor, missing: Any) -> Any:
    rates = torch.as_tensor(missing, dtype=torch.float64).expand(len(prior))
    return {"relations": observed, "label_prior": prior, "missing_rates": rates}


@pytest.mark.parametrize(
    "mu, prior, missing, mean",
    [
        ("hidden", [0.3, 0.01], 0.3, hidden_positive_rate(0.155, 0.3)),
        # of 100 sentences the first relation hides nothing among 80, the second 10 among 90
        ("hidden", [0.2, 0.1], [0.0, 0.5], 10 / 170),
        ("paper", [0.3, 0.01], 0.3, paper_prior(0.155, 0.3)),
        ("paper", [0.2, 0.1], [0.0, 0.5], (0.2 + 0.15) / 2),
    ],
)
def test_what_the_detector_aims_at(mu: str, prior: List[float], missing: Any, mean: float) -> None:
    rates = [torch.as_tensor(each, dtype=torch.float64) for each in (prior, missing)]
    targets = detector_targets(torch.zeros(1, 2, dtype=torch.float64), *rates)
    probs = torch.tensor([[mean] * 2], dtype=torch.float64)
    loss = detector_loss(torch.logit(probs), targets, kind="collective", mu=mu)
    assert number(loss["relations"]) == pytest.approx(0.0, abs=1e-9)
    off = detector_loss(torch.logit(probs + 0.1), targets, kind="collective", mu=mu)
    assert number(off["relations"]) == pytest.approx(-math.log(0.9))


LOSSES = [("bce", "hidden"), ("ssr_pu", "hidden"), *(("collective", mu) for mu in MUS)]


@pytest.mark.parametrize(("kind", "mu"), LOSSES)
def test_an_empty_batch_costs_nothing(kind: str, mu: str) -> None:
    z = torch.zeros(0, 2, dtype=torch.float64, requires_grad=True)
    targets = detector_targets(torch.zeros(0, 2, dtype=torch.float64), torch.tensor([0.1, 0.2]).double(), 0.1)
    assert number(detector_loss(z, targets, kind=kind, mu=mu)["relations"]) == 0.0


@pytest.mark.parametrize(("kind", "mu"), LOSSES)
def test_more_missing_labels_than_there_can_be(kind: str, mu: str) -> None:
    assert kind in DETECTOR_LOSSES
    z, observed = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True), torch.eye(2, dtype=torch.float64)
    targets = detector_targets(observed, torch.tensor([0.5, 0.1]).double(), 0.8)  # 2.5 true labels a sentence
    loss = detector_loss(z, targets, kind=kind, mu=mu)["relations"]
    (gradient,) = torch.autograd.grad(loss, z)
    assert loss.isfinite() and gradient.isfinite().all()


# Pointers


def rows_of(z: Tensor, mask: Tensor) -> ExtractorOutput:
    none = torch.zeros(0, dtype=z.dtype)
    return ExtractorOutput(
        z,
        mask,
        torch.zeros(0, 5, dtype=torch.long),
        none,
        none.reshape(0, 2),
        *no_types(torch.zeros(0, 5, dtype=torch.long)),
    )


def test_pointer_loss_of_the_extractor() -> None:
    z, y, mask = pointer_grid(16)
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": torch.zeros(0, 5, dtype=torch.long)}
    bce = extractor_loss(rows_of(z, mask), targets)
    assert number(bce["pointers"]) == pytest.approx(0.092578, abs=6e-7) and number(bce["pairs"]) == 0.0
    options: Any = {"pointer_loss": "collective", "pointer_missing": 0.3, "pointer_weight": 2.0}
    rate = 4 / 24
    mu = torch.tensor(hidden_positive_rate(rate, 0.3))
    expected = pointer_collective_loss(z, y, mask=mask, mu=mu, gamma=positive_weight(rate))
    found = extractor_loss(rows_of(z, mask), targets, **options)
    assert number(found["pointers"]) == pytest.approx(2 * number(expected), rel=1e-6)


def test_pairs_have_the_weights_of_their_rows_and_refused_ones_weigh_more() -> None:
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [1, 0, 1, 3, 3], [1, 4, 4, 3, 3]])
    logits, weights = torch.tensor([0.7, -0.4, 1.5], dtype=z.dtype), torch.tensor([1.0, 0.25])
    output = ExtractorOutput(
        torch.cat([z, z]), mask.repeat(2, 1), pairs, logits, torch.ones(3, 2), *no_types(pairs[:0])
    )
    gold = torch.tensor([[0, 0, 1, 3, 3], [1, 9, 9, 3, 3]])
    targets = {"pointers": y.repeat(2, 1, 1), "weights": weights, "gold_pairs": gold}
    cells = torch.nn.functional.softplus(logits) - torch.tensor([1.0, 0.0, 0.0]) * logits
    plain = (cells * torch.tensor([1.0, 0.25, 0.25])).sum() / 1.5
    assert number(extractor_loss(output, targets, pair_weight=2.0)["pairs"]) == pytest.approx(2 * number(plain))
    refused = {**targets, "refused_pairs": pairs[2:]}
    expected = (cells * torch.tensor([1.0, 0.25, 1.25])).sum() / 2.5
    assert number(extractor_loss(output, refused)["pairs"]) == pytest.approx(number(expected))


def test_ranks_of_pairs_have_a_weight_and_are_left_out_without_one() -> None:
    """Two objects of one subject with logits log 3 and 0, of which the first is gold; as objects they stand alone."""
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [0, 0, 1, 4, 4]])
    logits = torch.tensor([3.0, 1.0]).log()
    output = ExtractorOutput(z, mask, pairs, logits, torch.ones(2, 2), *no_types(pairs[:0]))
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": pairs[:1]}
    assert set(extractor_loss(output, targets)) == {"pointers", "pairs"}
    for weight in (1.0, 4.0):
        ranks = extractor_loss(output, targets, rank_weight=weight)["ranks"]
        assert number(ranks) == pytest.approx(weight * math.log(4 / 3) / 2, rel=1e-5)


def test_assertions_of_gold_pairs_have_a_weight() -> None:
    """Two of three pairs are gold; one of these has an assertion, the second of two, with logits log 3 and 0."""
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [0, 0, 1, 4, 4], [0, 2, 2, 4, 4]])
    asserted = torch.tensor([[3.0, 1.0], [5.0, 1.0], [7.0, 1.0]]).log()
    output = ExtractorOutput(z, mask, pairs, torch.zeros(3), torch.ones(3, 2), *no_types(pairs[:0]))
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": pairs[:2], "assertions": torch.tensor([1, -1])}
    for weight in (1.0, 4.0):
        found = extractor_loss(output._replace(assertions=asserted), targets, assertion_weight=weight)["assertions"]
        assert number(found) == pytest.approx(weight * math.log(4), rel=1e-5)


def test_pointer_rows_have_weights() -> None:
    z, y, mask = pointer_grid(6)
    options: Any = {"mu": torch.tensor(0.02), "gamma": GAMMA}
    alone = pointer_collective_loss(z, y, mask=mask, **options)
    both = [torch.cat([part, part.flip(1)]) for part in (z, y)]
    weights = torch.tensor([1.0, 0.0])
    found = pointer_collective_loss(both[0], y.repeat(2, 1, 1), mask=mask.repeat(2, 1), weights=weights, **options)
    assert number(found) == pytest.approx(number(alone))
    nothing = pointer_collective_loss(z[:0], y[:0], mask=mask[:0], **options)
    assert number(nothing) == 0.0


def test_unknown_detector_loss_is_refused() -> None:
    targets = {"relations": torch.zeros(1, 1), "label_prior": torch.ones(1)}
    with pytest.raises(ValueError, match="expected bce, collective, ssr_pu"):
        detector_loss(torch.zeros(1, 1), targets, kind="hinge")
