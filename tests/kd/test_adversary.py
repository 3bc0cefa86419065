"""The adversary: where it moves what is read, and that it leaves nothing behind."""

import pytest
import torch
from torch import Tensor, nn

from spacy_relext.kd.adversary import Adversary, ShiftMemory, worst_shift


class Reader(nn.Module):
    """Reads what its input module returns, as encoders do."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.out = nn.Embedding(5, 3), nn.Linear(3, 1)

    @property
    def input_module(self) -> nn.Module:
        return self.table

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.out(torch.tanh(self.table(ids)).mean(1))
        return found


def test_each_text_is_moved_as_far_along_its_own_gradient() -> None:
    gradient = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, -0.5], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    expected = torch.tensor([[[1.2, 0.0], [0.0, 1.6]], [[0.0, -2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(worst_shift(gradient, 2.0), expected)
    assert worst_shift(None, 2.0) == 0.0
    assert worst_shift(gradient.bfloat16(), 2.0).dtype == torch.float32


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_read_again_has_a_higher_loss_in_the_order_of_the_first_time(frozen: bool) -> None:
    torch.manual_seed(0)
    reader = Reader()
    reader.table.weight.requires_grad_(not frozen)
    texts = [torch.tensor([[0, 1], [2, 3]]), torch.tensor([[4, 4, 1]])]
    adversary = Adversary(reader)
    with adversary.watching():
        clean = [reader(ids) for ids in texts]
        torch.cat(clean).sum().backward()
        adversary.aim(0.1)
        moved = [reader(ids) for ids in texts]
    assert (torch.cat(moved) > torch.cat(clean)).all()
    assert (reader.table.weight.grad is None) == frozen
    with torch.no_grad():  # by hand: sum of w (1 - tanh² x) / L has the direction of the gradient
        x = reader.table.weight[texts[1]]
        gradient = reader.out.weight * (1.0 - torch.tanh(x) ** 2) / 3
        shifted = x + 0.1 * gradient / gradient.norm()
        torch.testing.assert_close(moved[1], reader.out(torch.tanh(shifted).mean(1)))


def test_texts_are_moved_by_what_the_last_pass_found_and_padding_is_not() -> None:
    torch.manual_seed(0)
    reader, memory = Reader(), ShiftMemory()
    adversary = Adversary(reader)
    assert not adversary.knows_texts
    ids = torch.tensor([[0, 1, 2], [3, 4, 0]])
    reader.last_read = (ids, torch.tensor([[1, 1, 1], [1, 1, 0]]).bool())
    assert adversary.knows_texts
    losses = []
    for _ in range(2):
        with adversary.watching(memory):
            found = reader(ids)
            losses.append(found.detach())
            found.sum().backward()
            adversary.remember(0.1)
    assert (losses[1] > losses[0]).all() and len(memory) == 2
    kept = memory.recall(*reader.last_read, 3)
    assert not kept[1, 2].any()
    torch.testing.assert_close(kept[0].norm(), torch.tensor(0.1), atol=1e-3, rtol=0)


def test_nothing_is_left_behind() -> None:
    reader, ids = Reader(), torch.tensor([[0, 1]])
    before, state = reader(ids), set(reader.state_dict())
    adversary = Adversary(reader)
    with pytest.raises(RuntimeError, match="halfway"), adversary.watching():
        reader(ids).sum().backward()
        adversary.aim(5.0)
        assert not torch.equal(reader(ids), before)
        raise RuntimeError("halfway")
    assert torch.equal(reader(ids), before) and set(reader.state_dict()) == state
    assert adversary and not Adversary(nn.Linear(2, 2))
