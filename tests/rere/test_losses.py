"""The losses, held to numbers worked out by hand (γ = .04 and μ = .05 unless said)."""

import dataclasses
import math
from typing import Any, List, Optional, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spacy_relext.rere.losses import (
    collective_loss,
    detector_loss,
    expected_rate,
    extractor_loss,
    masked_bce,
    positive_weight,
    shifted_ranking_loss,
)
from spacy_relext.rere.model import ExtractorOutput
from spacy_relext.rere.settings import DETECTOR_LOSSES, MUS, RereDetectorLoss, RereExtractorLoss
from spacy_relext.rere.span_pairs import no_types

GAMMA, MU = 0.04, 0.05
Rows = Sequence[Sequence[float]]

A = ([1, 0, 0, 0], [0.9, 0.2, 0.1, 0.05])
A_LONG = ([1, 0, 0, 0, 0], [0.9, 0.2, 0.1, 0.05, 0.05])
B = ([1, 1, 0, 0, 0], [0.8, 0.3, 0.02, 0.01, 0.03])
D = ([0, 0, 0, 0], [0.1, 0.05, 0.02, 0.03])
E = ([1, 1], [0.9, 0.8])
F = ([1, 0, 0, 0], [0.9, 0.95, 0.02, 0.02])


def logits_of(probs: Rows) -> Tensor:
    return torch.logit(torch.tensor(probs, dtype=torch.float64)).requires_grad_()


def table(rows: Rows) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def number(value: Tensor) -> float:
    return float(torch.as_tensor(value).detach())


def collective(z: Tensor, y: Tensor, mask: Optional[Tensor] = None, **options: Any) -> Tensor:
    mask = torch.ones_like(y, dtype=torch.bool) if mask is None else mask
    options = {"mu": torch.tensor(MU, dtype=torch.float64), "gamma": GAMMA, **options}
    return collective_loss(z, y, mask=mask, **options)


def pointer_loss(z: Tensor, y: Tensor, mask: Tensor, weights: Optional[Tensor] = None, **options: Any) -> Tensor:
    """Eq. 10: each pointer of each row is a group over the tokens."""
    weights = torch.ones(len(z)) if weights is None else weights
    groups = [part.transpose(1, 2) for part in (z, y)]
    return collective_loss(*groups, mask=mask.unsqueeze(1), weights=weights.unsqueeze(1), **options)


def rate(observed: float, missing: float, form: str = "hidden") -> float:
    """μ of one label."""
    return number(expected_rate(*table([[observed], [missing]]), form=form))


@pytest.mark.parametrize(
    "examples, expected",
    [
        ([A], 0.073207),
        ([B], 0.054373),
        ([A_LONG], 0.055508),
        ([A_LONG, B], 0.054941),
        ([D], 0.0),
        ([E], 0.006501),
        ([F], 0.332718),
    ],
    ids=["A", "B", "A with a fifth label", "C", "D no positive", "E no negative", "F confident negative"],
)
def test_rows_worked_by_hand(examples: Any, expected: float) -> None:
    z, y = logits_of([probs for _, probs in examples]), table([labels for labels, _ in examples])
    assert number(collective(z, y)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("example, positive, negative", [(A, 0.105361, 0.068993), (B, 0.597837, 0.030459)])
def test_terms(example: Any, positive: float, negative: float) -> None:
    z, y = logits_of([example[1]]), table([example[0]])
    assert number(collective(z, y, gamma=0.0)) == pytest.approx(negative, abs=1e-6)
    with_positive = number(collective(z, y, gamma=1.0))
    assert with_positive - number(collective(z, y, gamma=0.0)) == pytest.approx(positive, abs=1e-6)


@pytest.mark.parametrize(
    "example, expected",
    [
        (A, [-0.004000, 0.057143, 0.032143, 0.016964]),
        (B, [-0.005818, -0.007636, -0.006735, -0.003402, -0.010000]),  # below μ the negatives are pushed up
    ],
)
def test_gradients_worked_by_hand(example: Any, expected: List[float]) -> None:
    z, y = logits_of([example[1]]), table([example[0]])
    (found,) = torch.autograd.grad(collective(z, y), z)
    assert found[0].tolist() == pytest.approx(expected, abs=6e-7)


def test_extreme_logits_keep_their_gradient_in_the_stable_form() -> None:
    z, y = table([[-100.0, -100.0]]).requires_grad_(), table([[1, 0]])
    loss = collective(z, y)
    assert number(loss) == pytest.approx(4.051293, abs=6e-7)
    assert number(collective(z, y, mu=torch.tensor(0.0))) == pytest.approx(4.0)  # the positive part alone
    assert number(torch.autograd.grad(loss, z)[0][0, 0]) == pytest.approx(-0.04)


def test_gradients_agree_with_finite_differences() -> None:
    y = table([A_LONG[0], B[0]])
    assert torch.autograd.gradcheck(lambda z: collective(z, y), logits_of([A_LONG[1], B[1]]))


def pointer_grid(rows: int) -> Any:
    """Six tokens, one target a pointer with probabilities .9, .8, .7, .6; .05 everywhere else and on padding."""
    probs, targets = torch.full((1, rows, 4), 0.05, dtype=torch.float64), torch.zeros(1, rows, 4, dtype=torch.float64)
    for pointer, (token, prob) in enumerate([(0, 0.9), (1, 0.8), (3, 0.7), (4, 0.6)]):
        probs[0, token, pointer], targets[0, token, pointer] = prob, 1.0
    return torch.logit(probs), targets, (torch.arange(rows) < 6).unsqueeze(0)


@pytest.mark.parametrize("rows, unmasked", [(6, 0.092578), (16, 0.066775)])  # the second is what a mask prevents
def test_pointer_grid_does_not_see_padding(rows: int, unmasked: float) -> None:
    z, y, mask = pointer_grid(rows)
    assert 24 * number(masked_bce(z, y, mask=mask.unsqueeze(-1))) == pytest.approx(2.221871, abs=6e-7)
    everything = torch.ones_like(y, dtype=torch.bool)
    assert number(masked_bce(z, y, mask=everything)) == pytest.approx(unmasked, abs=6e-7)
    loss = pointer_loss(z, y, mask, mu=torch.tensor(0.02), gamma=GAMMA)
    assert number(loss) == pytest.approx(0.042419, abs=6e-7)


@pytest.mark.parametrize(
    "observed, missing, paper, prior, hidden",
    [
        (0.0390, 0.05, 0.040950, 0.041053, 0.002136),
        (0.0390, 0.33, 0.051870, 0.058209, 0.019989),
        (0.0344, 0.05, 0.036120, 0.036211, 0.001875),
        (0.0344, 0.35, 0.046440, 0.052923, 0.019183),
        (0.0826, 0.33, 0.109858, 0.123284, 0.044347),
    ],
)
def test_expected_rates(observed: float, missing: float, paper: float, prior: float, hidden: float) -> None:
    assert rate(observed, missing, "paper") == pytest.approx(paper, abs=6e-7)
    assert rate(observed, missing) == pytest.approx(hidden, abs=6e-7)
    true = observed / (1 - missing)
    assert true == pytest.approx(prior, abs=6e-7)
    assert rate(observed, missing) == pytest.approx((true - observed) / (1 - observed))
    assert rate(observed, 0.0) == 0.0


def test_the_negative_term_jumps_at_the_target_and_stays_finite() -> None:
    y = table([[0]])
    for step, slope in ((-1e-4, -1.0001), (1e-4, 1.0001)):
        z = logits_of([[MU + step]])
        (gradient,) = torch.autograd.grad(collective(z, y), z)
        at = MU + step
        assert number(gradient) / (at * (1 - at)) == pytest.approx(slope, abs=1e-6)
    assert math.isfinite(number(collective(table([[50.0]]), y, mu=torch.tensor(0.0))))


def test_nothing_to_count_costs_nothing() -> None:
    z, y, nothing = logits_of([A[1]]), table([A[0]]), torch.zeros(1, 4, dtype=torch.bool)
    for loss in (masked_bce(z, y, mask=nothing), collective(z, y, nothing)):
        assert number(loss) == 0.0
        assert torch.autograd.grad(loss, z)[0].abs().sum() == 0.0


TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.tuples(st.floats(-8, 8), st.integers(0, 1)), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


@given(TABLES, st.randoms(use_true_random=False))
def test_order_and_padding_change_nothing(cells: Any, random: Any) -> None:
    z, y = table([[z for z, _ in row] for row in cells]), table([[y for _, y in row] for row in cells])
    columns, rows = list(range(z.shape[1])), list(range(len(z)))
    random.shuffle(columns), random.shuffle(rows)
    expected = number(collective(z, y))
    assert number(collective(z[rows][:, columns], y[rows][:, columns])) == pytest.approx(expected, abs=1e-9)
    mask = torch.nn.functional.pad(torch.ones_like(y, dtype=torch.bool), (0, 2))
    padded = [torch.nn.functional.pad(part, (0, 2), value=1.0) for part in (z, y)]
    assert number(collective(*padded, mask)) == pytest.approx(expected, abs=1e-9)


# Of the components


def detector_targets(observed: Tensor, prior: Tensor, missing: Any) -> Any:
    rates = torch.as_tensor(missing, dtype=torch.float64).expand(len(prior))
    return {"relations": observed, "label_prior": prior, "missing_rates": rates}


@pytest.mark.parametrize(
    "mu, prior, missing, mean",
    [
        ("hidden", [0.3, 0.01], 0.3, rate(0.155, 0.3)),
        # of 100 sentences the first relation hides nothing among 80, the second 10 among 90
        ("hidden", [0.2, 0.1], [0.0, 0.5], 10 / 170),
        ("paper", [0.3, 0.01], 0.3, rate(0.155, 0.3, "paper")),
        ("paper", [0.2, 0.1], [0.0, 0.5], (0.2 + 0.15) / 2),
    ],
)
def test_what_the_detector_aims_at(mu: str, prior: List[float], missing: Any, mean: float) -> None:
    rates = [torch.as_tensor(each, dtype=torch.float64) for each in (prior, missing)]
    targets = detector_targets(torch.zeros(1, 2, dtype=torch.float64), *rates)
    probs = torch.tensor([[mean] * 2], dtype=torch.float64)
    loss = detector_loss(torch.logit(probs), targets, RereDetectorLoss(kind="collective", weight=1.0, mu=mu))
    assert number(loss["relations"]) == pytest.approx(0.0, abs=1e-9)
    off = detector_loss(torch.logit(probs + 0.1), targets, RereDetectorLoss(kind="collective", weight=1.0, mu=mu))
    assert number(off["relations"]) == pytest.approx(-math.log(0.9))


LOSSES = [("bce", "hidden"), ("ssr_pu", "hidden"), *(("collective", mu) for mu in MUS)]


@pytest.mark.parametrize(("kind", "mu"), LOSSES)
def test_an_empty_batch_costs_nothing(kind: str, mu: str) -> None:
    z = torch.zeros(0, 2, dtype=torch.float64, requires_grad=True)
    targets = detector_targets(torch.zeros(0, 2, dtype=torch.float64), torch.tensor([0.1, 0.2]).double(), 0.1)
    assert number(detector_loss(z, targets, RereDetectorLoss(kind=kind, mu=mu))["relations"]) == 0.0


@pytest.mark.parametrize(("kind", "mu"), LOSSES)
def test_more_missing_labels_than_there_can_be(kind: str, mu: str) -> None:
    assert kind in DETECTOR_LOSSES
    z, observed = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True), torch.eye(2, dtype=torch.float64)
    targets = detector_targets(observed, torch.tensor([0.5, 0.1]).double(), 0.8)  # 2.5 true labels a sentence
    loss = detector_loss(z, targets, RereDetectorLoss(kind=kind, mu=mu))["relations"]
    (gradient,) = torch.autograd.grad(loss, z)
    assert loss.isfinite() and gradient.isfinite().all()


# Pointers


NO_PAIRS = torch.zeros(0, 5, dtype=torch.long)


def output_of(z: Tensor, mask: Tensor, pairs: Tensor = NO_PAIRS, logits: Optional[Tensor] = None) -> ExtractorOutput:
    logits = torch.zeros(len(pairs), dtype=z.dtype) if logits is None else logits
    return ExtractorOutput(z, mask, pairs, logits, torch.ones(len(pairs), 2), *no_types(NO_PAIRS))


@pytest.mark.parametrize("mu", MUS)
def test_pointer_loss_of_the_extractor(mu: str) -> None:
    z, y, mask = pointer_grid(16)
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": NO_PAIRS}
    bce = extractor_loss(output_of(z, mask), targets, RereExtractorLoss(pointer_weight=1.0))
    assert number(bce["pointers"]) == pytest.approx(0.092578, abs=6e-7) and number(bce["pairs"]) == 0.0
    share = torch.tensor(4 / 24)
    settings = RereExtractorLoss(pointers="collective", missing_rate=0.3, mu=mu, pointer_weight=2.0)
    expected = torch.tensor(rate(4 / 24, 0.3, mu))
    for gamma in (None, 0.04):
        weight = positive_weight(share) if gamma is None else gamma
        found = extractor_loss(output_of(z, mask), targets, dataclasses.replace(settings, gamma=gamma))
        loss = pointer_loss(z, y, mask, mu=expected, gamma=weight)
        assert number(found["pointers"]) == pytest.approx(2 * number(loss), rel=1e-6)


def test_pairs_have_the_weights_of_their_rows_and_refused_ones_weigh_more() -> None:
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [1, 0, 1, 3, 3], [1, 4, 4, 3, 3]])
    logits, weights = torch.tensor([0.7, -0.4, 1.5], dtype=z.dtype), torch.tensor([1.0, 0.25])
    output = output_of(torch.cat([z, z]), mask.repeat(2, 1), pairs, logits)
    gold = torch.tensor([[0, 0, 1, 3, 3], [1, 9, 9, 3, 3]])
    targets = {"pointers": y.repeat(2, 1, 1), "weights": weights, "gold_pairs": gold}
    cells = torch.nn.functional.softplus(logits) - torch.tensor([1.0, 0.0, 0.0]) * logits
    plain = (cells * torch.tensor([1.0, 0.25, 0.25])).sum() / 1.5
    found = extractor_loss(output, targets, RereExtractorLoss(pair_weight=2.0))["pairs"]
    assert number(found) == pytest.approx(2 * number(plain))
    refused = {**targets, "lone_pairs": pairs[2:]}
    expected = (cells * torch.tensor([1.0, 0.25, 1.25])).sum() / 2.5
    assert number(extractor_loss(output, refused, RereExtractorLoss())["pairs"]) == pytest.approx(number(expected))


def test_ranks_of_pairs_have_a_weight_and_are_left_out_without_one() -> None:
    """Two objects of one subject with logits log 3 and 0, of which the first is gold; as objects they stand alone."""
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [0, 0, 1, 4, 4]])
    output = output_of(z, mask, pairs, torch.tensor([3.0, 1.0]).log())
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": pairs[:1]}
    assert set(extractor_loss(output, targets, RereExtractorLoss(rank_weight=0.0))) == {"pointers", "pairs"}
    for weight in (1.0, 4.0):
        ranks = extractor_loss(output, targets, RereExtractorLoss(rank_weight=weight))["ranks"]
        assert number(ranks) == pytest.approx(weight * math.log(4 / 3) / 2, rel=1e-5)


def test_assertions_of_gold_pairs_have_a_weight() -> None:
    """Two of three pairs are gold; one of these has an assertion, the second of two, with logits log 3 and 0."""
    z, y, mask = pointer_grid(16)
    pairs = torch.tensor([[0, 0, 1, 3, 3], [0, 0, 1, 4, 4], [0, 2, 2, 4, 4]])
    asserted = torch.tensor([[3.0, 1.0], [5.0, 1.0], [7.0, 1.0]]).log()
    targets = {"pointers": y, "weights": torch.ones(1), "gold_pairs": pairs[:2], "assertions": torch.tensor([1, -1])}
    for weight in (1.0, 4.0):
        settings = RereExtractorLoss(assertion_weight=weight)
        output = output_of(z, mask, pairs)._replace(assertions=asserted)
        found = extractor_loss(output, targets, settings)["assertions"]
        assert number(found) == pytest.approx(weight * math.log(4), rel=1e-5)


def test_pointer_rows_have_weights() -> None:
    z, y, mask = pointer_grid(6)
    options: Any = {"mu": torch.tensor(0.02), "gamma": GAMMA}
    alone = pointer_loss(z, y, mask, **options)
    both = [torch.cat([part, part.flip(1)]) for part in (z, y)]
    weights = torch.tensor([1.0, 0.0])
    found = pointer_loss(both[0], y.repeat(2, 1, 1), mask.repeat(2, 1), weights, **options)
    assert number(found) == pytest.approx(number(alone))
    nothing = pointer_loss(z[:0], y[:0], mask[:0], **options)
    assert number(nothing) == 0.0


def test_unknown_losses_are_refused() -> None:
    with pytest.raises(ValueError, match=r"R007. loss.kind is 'hinge'.*bce or collective or ssr_pu"):
        RereDetectorLoss(kind="hinge")
    with pytest.raises(ValueError, match=r"R007. loss.pointers is 'ssr_pu'.*bce or collective"):
        RereExtractorLoss(pointers="ssr_pu")


# SSR-PU


def loss_of(logits: list, targets: list, prior: list, missing: list) -> torch.Tensor:
    made = [torch.tensor(values, dtype=torch.float64) for values in (logits, targets, prior, missing)]
    made[0].requires_grad_()
    loss = shifted_ranking_loss(made[0], made[1], mask=made[1] > -1, prior=made[2], missing=made[3])
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
    settings = RereDetectorLoss(kind="ssr_pu", weight=2.0)
    found = detector_loss(logits, {"relations": observed, **rates}, settings)["relations"]
    expected = shifted_ranking_loss(
        logits, observed, mask=observed > -1, prior=rates["label_prior"], missing=rates["missing_rates"]
    )
    assert found.item() == pytest.approx(2 * expected.item())


@pytest.mark.parametrize("kind", ["bce", "collective", "ssr_pu"])
def test_cells_that_are_not_judged_have_no_gradient(kind: str) -> None:
    logits = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    judged = torch.tensor([[True, True], [True, False]])
    targets = {"relations": torch.tensor([[1.0, 0.0], [0.0, 0.0]]), "judged": judged}
    rates = {"label_prior": torch.tensor([0.3, 0.1]), "missing_rates": torch.tensor([0.2, 0.1])}
    detector_loss(logits, {**targets, **rates}, RereDetectorLoss(kind=kind))["relations"].backward()
    assert logits.grad is not None and (logits.grad != 0).tolist() == judged.tolist()
