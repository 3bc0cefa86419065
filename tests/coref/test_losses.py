"""The loss of coreference on numbers worked out by hand, and its gradient."""

import math

import pytest
import torch

from spacy_relext.coref.losses import coref_loss
from spacy_relext.coref.model import CorefOutput

LOG = math.log


def test_worked_numbers() -> None:
    # probabilities 1/6, 2/6, 3/6 of two candidates and none; 1/4, 3/4 of no mention and one word
    antecedents = torch.tensor([[LOG(1), LOG(2), LOG(3)]] * 3, dtype=torch.float64)
    phrases = torch.tensor([[0.0, LOG(3)]] * 3, dtype=torch.float64)
    allowed = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
    loss = coref_loss(CorefOutput(antecedents, phrases), {"allowed": allowed, "ends": torch.tensor([1, 0, -1])})
    assert float(loss["antecedent"]) == pytest.approx(-(LOG(3 / 6) + LOG(3 / 6)) / 2)
    assert float(loss["phrase"]) == pytest.approx(-(LOG(3 / 4) + LOG(1 / 4)) / 2)


def test_nothing_annotated_costs_nothing() -> None:
    outputs = CorefOutput(torch.zeros(1, 3, requires_grad=True), torch.zeros(2, 6, requires_grad=True))
    targets = {"allowed": torch.zeros(1, 3, dtype=torch.bool), "ends": torch.tensor([-1, -1])}
    assert [float(term.detach()) for term in coref_loss(outputs, targets).values()] == [0.0, 0.0]
    empty = CorefOutput(torch.zeros(0, 1), torch.zeros(0, 6))
    nothing = {"allowed": torch.zeros(0, 1, dtype=torch.bool), "ends": torch.zeros(0, dtype=torch.long)}
    assert [float(term.detach()) for term in coref_loss(empty, nothing).values()] == [0.0, 0.0]


def test_gradient() -> None:
    torch.manual_seed(0)
    targets = {"allowed": torch.tensor([[True, False, True], [False, True, False]]), "ends": torch.tensor([2, 0])}
    inputs = [torch.randn(2, size, dtype=torch.float64, requires_grad=True) for size in (3, 6)]
    assert torch.autograd.gradcheck(lambda *parts: sum(coref_loss(CorefOutput(*parts), targets).values()), inputs)
