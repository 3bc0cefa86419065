"""Adversarial perturbations: their direction and norm, and that hooks are removed."""

import pytest
import torch
from torch import Tensor, nn

from spacy_relext.encoders.adversary import AdversarialPerturber, PerturbationCache, adversarial_perturbation


class Reader(nn.Module):
    """Reads what its input module returns, as encoders do."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.out = nn.Embedding(5, 3), nn.Linear(3, 1)

    @property
    def input_module(self) -> nn.Module:
        return self.table

    def forward(self, ids: Tensor) -> Tensor:
        score: Tensor = self.out(torch.tanh(self.table(ids)).mean(1))
        return score


def test_each_text_has_its_own_gradient_and_the_same_norm() -> None:
    gradient = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, -0.5], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    expected = torch.tensor([[[1.2, 0.0], [0.0, 1.6]], [[0.0, -2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(adversarial_perturbation(gradient, 2.0), expected)
    assert adversarial_perturbation(None, 2.0) == 0.0
    assert adversarial_perturbation(gradient.bfloat16(), 2.0).dtype == torch.float32


@pytest.mark.parametrize("frozen", [False, True])
def test_the_second_pass_has_a_higher_loss_with_perturbations_in_order(frozen: bool) -> None:
    torch.manual_seed(0)
    reader = Reader()
    reader.table.weight.requires_grad_(not frozen)
    texts = [torch.tensor([[0, 1], [2, 3]]), torch.tensor([[4, 4, 1]])]
    perturber = AdversarialPerturber(reader)
    with perturber.recording():
        clean = [reader(ids) for ids in texts]
        torch.cat(clean).sum().backward()
        perturber.perturb_next(0.1)
        perturbed = [reader(ids) for ids in texts]
    assert (torch.cat(perturbed) > torch.cat(clean)).all()
    assert (reader.table.weight.grad is None) == frozen
    with torch.no_grad():  # by hand: sum of w (1 - tanh² x) / L has the direction of the gradient
        x = reader.table.weight[texts[1]]
        gradient = reader.out.weight * (1.0 - torch.tanh(x) ** 2) / 3
        shifted = x + 0.1 * gradient / gradient.norm()
        torch.testing.assert_close(perturbed[1], reader.out(torch.tanh(shifted).mean(1)))


def test_cached_perturbations_raise_the_loss_and_leave_padding_alone() -> None:
    torch.manual_seed(0)
    reader, cache = Reader(), PerturbationCache()
    perturber = AdversarialPerturber(reader)
    assert not perturber.can_reuse
    ids = torch.tensor([[0, 1, 2], [3, 4, 0]])
    reader.last_read = (ids, torch.tensor([[1, 1, 1], [1, 1, 0]]).bool())
    assert perturber.can_reuse
    losses = []
    for _ in range(2):
        with perturber.reusing(cache, 0.1):
            loss = reader(ids)
            losses.append(loss.detach())
            loss.sum().backward()
    assert (losses[1] > losses[0]).all() and len(cache) == 2
    cached = cache.lookup(*reader.last_read, 3)
    assert not cached[1, 2].any()
    torch.testing.assert_close(cached[0].norm(), torch.tensor(0.1), atol=1e-3, rtol=0)


def test_a_teacher_reads_texts_as_they_are() -> None:
    torch.manual_seed(0)
    reader, cache, ids = Reader(), PerturbationCache(), torch.tensor([[0, 1, 2]])
    perturber = AdversarialPerturber(reader)
    as_it_is = reader(ids).detach()

    def teach() -> None:
        with torch.no_grad():
            torch.testing.assert_close(reader(ids), as_it_is, rtol=0, atol=0)

    with perturber.recording():
        teach()
        reader(ids).sum().backward()
        teach()
        perturber.perturb_next(1.0)
        teach()
        assert reader(ids) > as_it_is
    reader.last_read = (ids, torch.ones(1, 3).bool())
    for _ in range(2):
        with perturber.reusing(cache, 1.0):
            reader(ids).sum().backward()
            teach()


def test_hooks_are_removed_after_an_exception() -> None:
    reader, ids = Reader(), torch.tensor([[0, 1]])
    before, state = reader(ids), set(reader.state_dict())
    perturber = AdversarialPerturber(reader)
    with pytest.raises(RuntimeError, match="halfway"), perturber.recording():
        reader(ids).sum().backward()
        perturber.perturb_next(5.0)
        assert not torch.equal(reader(ids), before)
        raise RuntimeError("halfway")
    assert torch.equal(reader(ids), before) and set(reader.state_dict()) == state
    assert perturber and not AdversarialPerturber(nn.Linear(2, 2))
