"""The shifted ranking loss on numbers worked by hand."""

import math

import pytest
import torch

from spacy_relext.rere.losses import detector_loss
from spacy_relext.rere.shifted_loss import shifted_ranking_loss


def loss_of(logits: list, targets: list, prior: list, missing: list) -> torch.Tensor:
    made = [torch.tensor(values, dtype=torch.float64) for values in (logits, targets, prior, missing)]
    made[0].requires_grad_()
    loss = shifted_ranking_loss(made[0], made[1], prior=made[2], missing=made[3])
    loss.backward()
    assert made[0].grad is not None and made[0].grad.isfinite().all()
    return torch.cat([loss.detach().view(1), made[0].grad.flatten()])


def test_on_numbers() -> None:
    # One label, four sentences, one positive: π_o = 1/4. Half of the true ones are missing: π = 1/2, π_u = 1/3, γ = 1.
    # Logits 2 | -4, 0, 4: ℓ+ = (2/4 - 1)² = 1/4 and ℓ- = (3/2)² = 9/4 of the positive, ℓ- = 0, 1, 4 of the others.
    found = loss_of([[2.0], [-4.0], [0.0], [4.0]], [[1.0], [0.0], [0.0], [0.0]], [0.25], [0.5])
    negative = (1 / 2) / (2 / 3) * ((0 + 1 + 4) / 3 - 1 / 3 * 9 / 4)
    assert found[0].item() == pytest.approx(1 / 2 * 1 / 4 + negative)
    # d/dz of ℓ- = (z/4 + 1) / 2
    assert found[2:].tolist() == pytest.approx([0.0, 0.75 / 3 * 0.5, 0.75 / 3 * 1.0])
    assert found[1].item() == pytest.approx(1 / 2 * -1 / 4 - 0.75 / 3 * 0.75)


def test_with_all_labels_it_is_the_weighted_squared_loss() -> None:
    # τ = 0: π = π_o = 1/2, π_u = 0: R = ½ E_P ℓ+ + ½ E_N ℓ-
    found = loss_of([[4.0], [2.0]], [[1.0], [0.0]], [0.5], [0.0])
    assert found[0].item() == pytest.approx(0.5 * 0.0 + 0.5 * (1.5**2))
    rare = loss_of([[0.0], [-4.0], [-4.0], [-4.0], [-4.0]], [[1.0], [0.0], [0.0], [0.0], [0.0]], [0.2], [0.0])
    assert rare[0].item() == pytest.approx(0.2 * math.sqrt(0.8 / 0.2) * 1.0)


def test_a_negative_risk_below_zero_is_none() -> None:
    # The unlabelled cell costs nothing, the positive as a negative 4: what is left is the positive's risk.
    found = loss_of([[4.0, 0.0], [-4.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]], [0.5, 0.5], [0.5, 0.0])
    # First label: ℓ+ = 0 and the risk of negatives below 0. Second, without a positive in the batch: the two cells with
    # ℓ- = 1 count 1/2 × 2 / (2 × 1/2) = 1. The mean of both is 1/2.
    assert found[0].item() == pytest.approx(0.5)
    assert found[1:].view(2, 2)[:, 0].tolist() == [0.0, 0.0]


def test_an_option_of_the_detector() -> None:
    logits, observed = torch.tensor([[1.0, -2.0], [0.5, -3.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    rates = {"label_prior": torch.tensor([0.3, 0.1]), "missing_rates": torch.tensor([0.2, 0.0])}
    found = detector_loss(logits, {"relations": observed, **rates}, kind="ssr_pu", weight=2.0)["relations"]
    expected = shifted_ranking_loss(logits, observed, prior=rates["label_prior"], missing=rates["missing_rates"])
    assert found.item() == pytest.approx(2 * expected.item())
