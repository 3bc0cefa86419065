"""The losses, held to numbers worked out by hand (γ = .04 and μ = .05 unless said)."""

import math
from typing import Any, List, Optional, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spacy_relext.rere.collective_loss import (
    absolute_gap_loss,
    collective_loss,
    hidden_positive_rate,
    masked_bce,
    paper_prior,
    pointer_collective_loss,
    positive_weight,
)

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
    (stable,) = torch.autograd.grad(collective(z, y), z)
    assert stable[0].tolist() == pytest.approx(expected, abs=6e-7)


def test_bce_of_the_same_row() -> None:
    z, y = logits_of([A[1]]), table([A[0]])
    loss = masked_bce(z, y, mask=torch.ones_like(y, dtype=torch.bool))
    assert number(loss) == pytest.approx(0.121289, abs=6e-7)
    assert torch.autograd.grad(loss, z)[0][0].tolist() == pytest.approx([-0.025, 0.05, 0.025, 0.0125])


def test_a_confident_false_negative_is_hardly_punished() -> None:
    z, y = logits_of([F[1]]), table([F[0]])
    (gradient,) = torch.autograd.grad(collective(z, y), z)
    assert number(gradient[0, 1]) == pytest.approx(0.021991, abs=6e-7)
    (bce,) = torch.autograd.grad(masked_bce(z, y, mask=torch.ones_like(y, dtype=torch.bool)), z)
    assert number(bce[0, 1]) == pytest.approx(0.2375, abs=6e-7)


def test_extreme_logits_keep_their_gradient_in_the_stable_form() -> None:
    z, y = table([[-100.0, -100.0]]).requires_grad_(), table([[1, 0]])
    loss = collective(z, y)
    assert number(loss) == pytest.approx(4.051293, abs=6e-7)
    assert number(collective(z, y, mu=torch.tensor(0.0))) == pytest.approx(4.0)  # the positive part alone
    assert number(torch.autograd.grad(loss, z)[0][0, 0]) == pytest.approx(-0.04)


def test_gradients_agree_with_finite_differences() -> None:
    y = table([A_LONG[0], B[0]])
    assert torch.autograd.gradcheck(lambda z: collective(z, y), logits_of([A_LONG[1], B[1]]))


def test_other_gradients_agree_with_finite_differences() -> None:
    y, mask = table([A_LONG[0], B[0]]), torch.ones(2, 5, dtype=torch.bool)
    z = logits_of([A_LONG[1], B[1]])
    assert torch.autograd.gradcheck(lambda z: masked_bce(z, y, mask=mask), z)
    mu = torch.tensor(0.02, dtype=torch.float64)
    pointers = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    targets = y.unsqueeze(-1).expand(2, 5, 4)
    assert torch.autograd.gradcheck(
        lambda z: pointer_collective_loss(z, targets, mask=mask, mu=mu, gamma=GAMMA), pointers
    )


def pointer_grid(rows: int) -> Any:
    """Six tokens, one target a pointer with probabilities .9, .8, .7, .6; .05 everywhere else and on padding."""
    probs, targets = torch.full((1, rows, 4), 0.05, dtype=torch.float64), torch.zeros(1, rows, 4, dtype=torch.float64)
    for pointer, (token, prob) in enumerate([(0, 0.9), (1, 0.8), (3, 0.7), (4, 0.6)]):
        probs[0, token, pointer], targets[0, token, pointer] = prob, 1.0
    return torch.logit(probs), targets, (torch.arange(rows) < 6).unsqueeze(0)


def test_pointer_grid() -> None:
    z, y, mask = pointer_grid(6)
    assert number(masked_bce(z, y, mask=mask.unsqueeze(-1))) == pytest.approx(0.092578, abs=6e-7)
    assert 24 * number(masked_bce(z, y, mask=mask.unsqueeze(-1))) == pytest.approx(2.221871, abs=6e-7)
    mu = torch.tensor(0.02)
    assert number(pointer_collective_loss(z, y, mask=mask, mu=mu, gamma=GAMMA)) == pytest.approx(0.042419, abs=6e-7)


def test_pointer_grid_does_not_see_padding() -> None:
    z, y, mask = pointer_grid(16)
    assert number(masked_bce(z, y, mask=mask.unsqueeze(-1))) == pytest.approx(0.092578, abs=6e-7)
    everything = torch.ones_like(y, dtype=torch.bool)
    assert number(masked_bce(z, y, mask=everything)) == pytest.approx(0.066775, abs=6e-7)  # what a mask prevents
    loss = pointer_collective_loss(z, y, mask=mask, mu=torch.tensor(0.02), gamma=GAMMA)
    assert number(loss) == pytest.approx(0.042419, abs=6e-7)


def test_the_sum_of_equation_10_cannot_be_trained() -> None:
    probs = table([0.9, 0.7, 0.4, 0.2, 0.1])
    assert -math.log(probs.sum()) == pytest.approx(-0.832909, abs=6e-7)  # a loss below 0
    assert 1 - abs(number(probs.sum()) - 0.01) == pytest.approx(-1.29)  # whose logarithm is asked for
    z, y = torch.logit(probs).reshape(1, 5, 1), torch.ones(1, 5, 1, dtype=torch.float64)
    loss = pointer_collective_loss(z, y, mask=torch.ones(1, 5, dtype=torch.bool), mu=torch.tensor(0.01), gamma=1.0)
    assert number(loss) == pytest.approx(-math.log(0.46))  # read as a mean


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
    assert paper_prior(observed, missing) == pytest.approx(paper, abs=6e-7)
    assert hidden_positive_rate(observed, missing) == pytest.approx(hidden, abs=6e-7)
    true = observed / (1 - missing)
    assert true == pytest.approx(prior, abs=6e-7)
    assert hidden_positive_rate(observed, missing) == pytest.approx((true - observed) / (1 - observed))
    assert hidden_positive_rate(observed, 0.0) == 0.0


def test_what_the_paper_rate_asks_of_a_sentence() -> None:
    assert 31 * 0.0390 == pytest.approx(1.209)
    assert (31 - 1.209) * paper_prior(0.0390, 0.05) == pytest.approx(1.2199, abs=6e-5)


def test_weight_of_positives() -> None:
    assert positive_weight(0.0390) == pytest.approx(0.040583, abs=6e-7)


def test_absolute_gap_jumps_at_the_target_and_stays_finite() -> None:
    for step, slope in ((-1e-4, -1.0001), (1e-4, 1.0001)):
        mean = torch.tensor([MU + step], dtype=torch.float64, requires_grad=True)
        loss = absolute_gap_loss(mean, torch.tensor(MU, dtype=torch.float64)).sum()
        assert number(torch.autograd.grad(loss, mean)[0]) == pytest.approx(slope, abs=1e-6)
    assert math.isfinite(number(absolute_gap_loss(torch.tensor([1.0]), torch.tensor(0.0))))


def test_without_hidden_positives_the_negative_term_is_their_mean() -> None:
    z, y = logits_of([[1e-4, 3e-4]]), table([[0, 0]])
    assert number(collective(z, y, mu=torch.tensor(0.0))) == pytest.approx(2e-4, rel=1e-3)


def test_one_positive_costs_what_it_costs_in_bce() -> None:
    z, y = logits_of([[0.3]]), table([[1]])
    bce = masked_bce(z, y, mask=torch.ones_like(y, dtype=torch.bool))
    assert number(collective(z, y)) == pytest.approx(GAMMA * number(bce))


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
