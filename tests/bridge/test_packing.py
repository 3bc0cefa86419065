"""Packed weights: worked numbers, bounds of the error, and that packing twice gives the same bytes."""

import json
from typing import Dict

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from spacy_relext.bridge.packing import PACKED, pack_module, unpack_state
from spacy_relext.bridge.shim import module_from_bytes, module_to_bytes

WORDS, WIDTH = 4096, 128


class Layers(nn.Module):
    """Word embeddings, a matrix, a bias, a small table, integers and values that fp16 cannot hold."""

    input_width = None
    relext_packed = True

    def __init__(self) -> None:
        super().__init__()
        self.sizes = {"wide": 64}

    def configure(self, *, wide: int) -> None:
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(5, WIDTH)
        self.matrix = nn.Linear(WIDTH, wide)
        self.register_buffer("steps", torch.arange(3))
        self.register_buffer("far", torch.tensor([1e30, 1.0]))


def layers() -> Layers:
    torch.manual_seed(0)
    module = Layers()
    module.configure(wide=64)
    with torch.no_grad():
        module.matrix.weight[0] = 0.0
        module.matrix.weight[1] *= 1e-9  # below the scales that fp16 has
        module.matrix.weight[2] *= 1e4
        module.words.weight[7, :64] = 0.0
    return module


def unpacked(module: nn.Module) -> Dict[str, Tensor]:
    return unpack_state(*pack_module(module))


def test_worked_numbers() -> None:
    module = layers()
    with torch.no_grad():
        module.matrix.weight[3, :4] = torch.tensor([127.0, -63.4, 0.6, 0.4])
        module.words.weight[9, :64] = torch.linspace(-3.5, 2.8, 64)
    state, layout = pack_module(module)
    assert state["matrix.weight"][3, :4].tolist() == [127, -63, 1, 0] and state["matrix.weight.scale"][3] == 1.0
    group = state["words.weight"][9 * WIDTH // 64]
    assert (group[0] & 15) - 8 == -7 and state["words.weight.scale"][9 * WIDTH // 64] == 0.5
    assert layout["words.weight"] == (4, [WORDS, WIDTH]) and layout["places.weight"] == (16, [5, WIDTH])
    assert torch.equal(unpacked(module)["words.weight"][9, :2], torch.tensor([-3.5, -3.5]))


def test_errors_are_at_most_half_a_step() -> None:
    module = layers()
    own, found = module.state_dict(), unpacked(module)
    assert list(found) == list(own) and all(found[name].dtype == own[name].dtype for name in own)
    assert torch.equal(found["steps"], own["steps"]) and torch.equal(found["far"], own["far"])
    for name, size, levels in (("matrix.weight", WIDTH, 127), ("words.weight", 64, 7)):
        before, after = own[name].view(-1, size), found[name].view(-1, size)
        step = before.abs().amax(1, keepdim=True) / levels
        assert ((before - after).abs() <= 0.502 * step + 2.0**-24).all()


def test_packing_twice_gives_the_same_bytes() -> None:
    data = module_to_bytes(layers())
    again = module_from_bytes(Layers(), data, torch.device("cpu"))
    assert again.relext_packed and module_to_bytes(again) == data
    again.relext_packed = False
    assert len(module_to_bytes(again)) > 5 * len(data)
    assert not module_from_bytes(Layers(), module_to_bytes(again), torch.device("cpu")).relext_packed


@pytest.mark.parametrize("layout", [[], {"words.weight": [4, [1, 2]]}, {"matrix.weight": 3}])
def test_a_damaged_layout_is_refused(layout: object) -> None:
    state, _ = pack_module(layers())
    header = {PACKED: json.dumps({"sizes": {"wide": 64}, "layout": layout})}
    with pytest.raises(ValueError, match=r"\[R009\]"):
        module_from_bytes(Layers(), safetensors.torch.save(state, metadata=header), torch.device("cpu"))


@pytest.mark.parametrize("place", [9, 200, -3])
def test_damaged_compression_is_refused(place: int) -> None:
    data = bytearray(module_to_bytes(layers()))
    assert data.startswith(b"zlib") and len(data) < sum(tensor.nbytes for tensor in pack_module(layers())[0].values())
    data[place] ^= 255
    with pytest.raises(ValueError, match=r"\[R009\]"):
        module_from_bytes(Layers(), bytes(data), torch.device("cpu"))
