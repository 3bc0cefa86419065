"""Shifts of texts that are kept for the next pass."""

import copy
import pickle

import torch

from spacy_relext.kd.adversary import ShiftMemory

IDS = torch.tensor([[5, 6, 7, 0], [5, 6, 0, 0], [8, 9, 5, 6]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]).bool()


def shifts() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, 4, 6) * MASK[..., None] * torch.tensor([1.0, 1e-4, 100.0])[:, None, None]


def test_what_is_kept_is_recalled_to_eight_bits_whatever_the_padding() -> None:
    memory, found = ShiftMemory(), shifts()
    assert not memory.recall(IDS, MASK, 6).any()
    memory.keep(IDS, MASK, found)
    assert len(memory) == 3 and not memory.full
    for row in range(3):
        error = (memory.recall(IDS, MASK, 6) - found)[row].abs().max()
        assert error <= found[row].abs().max() / 254 * 1.001
    wide = torch.cat([IDS[1:2], torch.zeros(1, 3, dtype=torch.long)], 1)
    again = memory.recall(wide, wide > 0, 6)
    assert torch.equal(again[:, :4], memory.recall(IDS, MASK, 6)[1:2]) and not again[:, 4:].any()


def test_the_last_shift_of_a_text_counts() -> None:
    memory, found = ShiftMemory(), shifts()
    memory.keep(IDS, MASK, found)
    memory.keep(IDS[:1], MASK[:1], torch.zeros(1, 4, 6))
    assert len(memory) == 3
    assert not memory.recall(IDS, MASK, 6)[0].any() and memory.recall(IDS, MASK, 6)[2].any()


def test_what_finds_no_room_is_not_kept_and_the_rest_goes_on() -> None:
    memory, found = ShiftMemory(3 * 6 + 2 * 6 + 1), shifts()
    memory.keep(IDS, MASK, found)
    assert memory.full and len(memory) == 2
    memory.keep(IDS, MASK, -found)
    recalled = memory.recall(IDS, MASK, 6)
    assert len(memory) == 2 and not recalled[2].any()
    assert torch.allclose(recalled[:2], -found[:2], atol=0.02)


def test_copies_start_empty() -> None:
    memory = ShiftMemory()
    memory.keep(IDS, MASK, shifts())
    assert len(copy.deepcopy(memory)) == 0 and len(pickle.loads(pickle.dumps(memory))) == 0
