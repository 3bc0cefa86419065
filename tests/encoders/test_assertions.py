"""The loss of assertions: of gold pairs alone, by hand, with its gradient, and without any pair."""

import math

import pytest
import torch

from spacy_relext.encoders.assertions import NO_ASSERTIONS, assertion_loss


def test_the_mean_over_pairs_with_a_label() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [5.0, -5.0], [0.0, 0.0]], requires_grad=True)
    loss = assertion_loss(logits, torch.tensor([1, -1, 0]))
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    loss.backward()
    assert logits.grad is not None and logits.grad[1].tolist() == [0.0, 0.0]
    assert logits.grad[2].tolist() == pytest.approx([-0.25, 0.25])


def test_gradient() -> None:
    logits = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 2, -1, 1, 1])
    assert torch.autograd.gradcheck(lambda z: assertion_loss(z, labels), (logits,))


def test_without_a_label_or_a_pair_it_is_0() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = assertion_loss(logits, torch.tensor([-1, -1]))
    loss.backward()
    assert loss.item() == 0.0 and logits.grad is not None and not logits.grad.any()
    assert assertion_loss(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).item() == 0.0
    assert NO_ASSERTIONS.shape == (0, 0)
