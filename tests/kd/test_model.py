"""Teacher and student above an encoder of pairs."""

from typing import Any, Dict

import pytest
import torch
from torch import nn

from spacy_relext.kd.model import MultiAspectAttention, Student, Teacher
from spacy_relext.pairs.encoders.states import PairStates, TokenPairs, clip_distance, masked_max, masked_mean
from spacy_relext.pairs.model import by_token

WIDTH, CLASSES, TYPES = 6, 4, 3


class Echo(TokenPairs):
    """An encoder that gives what it gets."""

    output_width = WIDTH

    def configure(self, **sizes: Any) -> None:
        """Nothing to build."""

    def forward(self, states: PairStates, **_: Any) -> PairStates:
        return states


def states_of(n: int, length: int, *, seed: int = 0, width: int = WIDTH) -> PairStates:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(n, length, width, generator=generator)
    ends = [torch.randn(n, width, generator=generator) for _ in range(3)]
    return PairStates(tokens, torch.ones(n, length, dtype=torch.bool), *ends)


def teacher(fusion: str, scale: float = 0.8) -> Teacher:
    module = Teacher(Echo(), hidden=8, dropout=0.0, fusion=fusion, scale=scale)
    module.configure(n_classes=CLASSES, n_types=TYPES)
    return module


def student(*, attention: bool = True) -> Student:
    sizes = {"attention_hidden": 5, "position_width": 3, "type_width": 2}
    module = Student(Echo(), hidden=8, dropout=0.0, attention=attention, **sizes)
    module.configure(n_classes=CLASSES, n_types=TYPES)
    return module


def test_attention_by_hand() -> None:
    attention = MultiAspectAttention(2, n_types=1, position_width=1, type_width=1, hidden=2)
    tokens = torch.tensor([[[0.2, 0.4], [0.6, -0.2], [0.1, 0.7]]])
    query = torch.tensor([[1.0, 2.0]])
    states = PairStates(tokens, torch.ones(1, 3, dtype=torch.bool), query, query * 0, query * 0)
    nothing = torch.zeros(1, 3, dtype=torch.long)
    mean, weights = attention(states, nothing, nothing, nothing)
    torch.testing.assert_close(mean, torch.tensor([[0.3, 0.3]]))  # v = 0: all alike
    with torch.no_grad():
        attention.vector.copy_(torch.tensor([1.0, -0.5]))
        attention.by_state.weight.copy_(torch.tensor([[1.0, 0.0], [0.5, 1.0]]))
        attention.by_query.weight.zero_()
        attention.by_query.weight[:, :2] = torch.tensor([[0.2, 0.1], [0.0, 0.3]])
        attention.by_type.weight.zero_()
        attention.positions.weight.zero_()
        # position terms (.1, 0), (0, .2), (-.1, .1) of the three tokens
        attention.by_position.weight.copy_(torch.eye(2))
        for offset, (first, second) in zip((-1, 0, 1), ((0.1, 0.0), (0.0, 0.2), (-0.1, 0.1))):
            attention.positions.weight[clip_distance(torch.tensor(offset))] = first
            attention.positions.weight[clip_distance(torch.tensor(offset + 50))] = second
    near = torch.tensor([[-1, 0, 1]])
    attended, weights = attention(states, near, near + 50, nothing)
    torch.testing.assert_close(weights, torch.tensor([[0.335298, 0.409258, 0.255444]]), atol=1e-6, rtol=0)
    torch.testing.assert_close(attended, torch.tensor([[0.338159, 0.231078]]), atol=1e-6, rtol=0)
    rows, bias = torch.tensor([[1.0, -1.0], [0.5, 0.5], [-2.0, 0.3]]), torch.tensor([0.0, 0.1, 0.0])
    logits = attended @ rows.T + bias  # linear: no ReLU shrinks what speaks against a class
    torch.testing.assert_close(logits, torch.tensor([[0.107081, 0.384619, -0.606994]]), atol=1e-6, rtol=0)


def test_without_weight_the_types_say_nothing() -> None:
    module, states = teacher("vector", scale=0.0).eval(), states_of(2, 5)
    prior = torch.rand(2, CLASSES)
    found = module(prior, states=states)
    torch.testing.assert_close(found.logits, found.text)
    torch.testing.assert_close(found.types, torch.zeros(2, CLASSES))


@pytest.mark.parametrize("fusion", ["scalar", "vector", "relation"])
def test_what_the_teacher_learns(fusion: str) -> None:
    module = teacher(fusion)
    prior, classes = torch.rand(3, CLASSES), torch.tensor([0, 2, 2])
    outputs = module(prior, classes, states=states_of(3, 4))
    nn.functional.cross_entropy(outputs.logits, classes).backward()
    learned = {name for name, parameter in module.named_parameters() if parameter.grad is not None}
    assert ("gamma" in learned) == (fusion != "scalar")
    if fusion == "relation":
        gamma = module.gamma.grad
        assert gamma is not None and not gamma[0].any() and not gamma[1].any() and gamma[2].any()
        torch.testing.assert_close(outputs.types[0], torch.zeros(CLASSES))


def distances_of(n: int, length: int) -> Dict[str, torch.Tensor]:
    names = ("to_subject", "to_object", "types")
    found = {name: torch.arange(length).repeat(n, 1) % TYPES for name in names}
    return {**found, "positions": torch.arange(length).repeat(n, 1)}


def test_with_a_silent_branch_the_student_is_its_base() -> None:
    module, states = student().eval(), states_of(2, 5)
    nn.init.zeros_(module.auxiliary.weight)
    nn.init.zeros_(module.auxiliary.bias)
    found = module(**distances_of(2, 5), states=states)
    torch.testing.assert_close(found.logits, found.local)
    plain = student(attention=False).eval()
    plain.local.load_state_dict(module.local.state_dict())
    alone = plain(**distances_of(2, 5), states=states)
    torch.testing.assert_close(alone.logits, found.logits)
    assert not alone.auxiliary.any()


def test_padding_changes_nothing() -> None:
    module, states = student().eval(), states_of(2, 5)
    with torch.no_grad():
        nn.init.normal_(module.attention.vector)
        alone = module(**distances_of(2, 5), states=states)
        room = (0, 0, 0, 3)
        padded = states._replace(
            tokens=nn.functional.pad(states.tokens, room, value=9.0), mask=nn.functional.pad(states.mask, (0, 3))
        )
        beside = module(**distances_of(2, 8), states=padded)
    torch.testing.assert_close(beside.logits, alone.logits)
    torch.testing.assert_close(beside.attention[:, :5], alone.attention)
    assert not beside.attention[:, 5:].any()


def test_no_pairs() -> None:
    found = student().eval()(**distances_of(0, 4), states=states_of(0, 4))
    assert found.logits.shape == (0, CLASSES) and found.attention.shape == (0, 4)


def test_pooling_knows_nothing_of_padding() -> None:
    states = torch.tensor([[[1.0, -2.0], [3.0, -1.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    torch.testing.assert_close(masked_max(states, mask), torch.tensor([[3.0, -1.0]]))
    torch.testing.assert_close(masked_mean(states, mask), torch.tensor([[2.0, -1.5]]))
    assert not masked_max(states, mask & False).any() and not masked_mean(states, mask & False).any()


def test_pieces_of_a_token_share_its_attention() -> None:
    weights = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    found = by_token(weights, torch.tensor([[-1, 0, 0, 1]]))
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.4, 0.0, 0.0]]))


def test_far_distances_share_a_row() -> None:
    assert clip_distance(torch.tensor([-500, -100, 0, 100, 10_000])).tolist() == [0, 0, 100, 200, 200]
