"""The matching loss, on numbers worked by hand."""

import math

import pytest
import torch

from spacy_relext.zeroshot.losses import matching_loss
from spacy_relext.zeroshot.model import WITHHELD, MatchOutput


def loss_of(logits: torch.Tensor, classes: list) -> torch.Tensor:
    return matching_loss(MatchOutput(logits, logits), {"classes": torch.tensor(classes, dtype=torch.long)})["match"]


def test_cross_entropy_over_relations_and_none() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [math.log(2.0), 0.0]])
    # p = [1/4, 3/4] and [2/3, 1/3], gold 1 and 0
    assert loss_of(logits, [1, 0]).item() == pytest.approx((math.log(4 / 3) + math.log(3 / 2)) / 2)


def test_a_pair_of_a_withheld_relation_has_none() -> None:
    logits = torch.tensor([[0.0, math.log(3.0), WITHHELD]], requires_grad=True)
    loss = loss_of(logits, [2])
    assert loss.item() == pytest.approx(math.log(4.0))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.tolist()[0] == pytest.approx([-0.75, 0.75, 0.0])


def test_no_pair() -> None:
    assert loss_of(torch.zeros(0, 3), []).item() == 0.0
