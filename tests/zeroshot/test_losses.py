"""The matching loss, on numbers worked by hand."""

import math
from typing import Sequence

import pytest
import torch

from spacy_relext.zeroshot.losses import matching_loss
from spacy_relext.zeroshot.model import WITHHELD, MatchOutput


def loss_of(logits: torch.Tensor, classes: Sequence[int], other_order: Sequence[int] = ()) -> torch.Tensor:
    targets = {"classes": classes, "other_order": other_order or [-1] * len(classes)}
    given = {key: torch.tensor(each, dtype=torch.long) for key, each in targets.items()}
    return matching_loss(MatchOutput(logits, logits), given)["match"]


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


def test_orders_are_compared() -> None:
    logits = torch.tensor([[0.0, math.log(3.0), 0.0], [5.0, math.log(2.0), math.log(4.0)]], requires_grad=True)
    # 3 of 1 + 3 + 1 of the right order, and 2 + 4 of the other one, whose own no relation is not asked
    loss = loss_of(logits, [1, 0], [1, 0])
    assert loss.item() == pytest.approx(math.log(11 / 3))
    loss.backward()
    assert logits.grad is not None
    expected = [[1 / 11, 3 / 11 - 1, 1 / 11], [0.0, 2 / 11, 4 / 11]]
    assert logits.grad.tolist() == [pytest.approx(row) for row in expected]


def test_both_orders_hold() -> None:
    logits = torch.tensor([[0.0, math.log(3.0), 0.0], [0.0, 0.0, math.log(2.0)]])
    # 3 of 1 + 3 + 1 and the other order's 1; 2 of 1 + 1 + 2 and the other order's 1: what holds is no rival
    assert loss_of(logits, [1, 2], [1, 0]).item() == pytest.approx((math.log(6 / 3) + math.log(5 / 2)) / 2)


def test_no_order_holds() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [math.log(2.0), 0.0]])
    assert loss_of(logits, [0, 0], [1, 0]).item() == pytest.approx((math.log(5) + math.log(3)) / 2)


def test_a_withheld_relation_of_the_other_order() -> None:
    logits = torch.tensor([[0.0, WITHHELD, 0.0], [0.0, 9.0, math.log(2.0)]])
    assert loss_of(logits, [1, 0], [1, 0]).item() == pytest.approx(math.log(4))
