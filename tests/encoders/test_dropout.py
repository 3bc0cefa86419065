"""Dropout with cheap masks does what PyTorch's does."""

import pytest
import torch
from torch import nn

from spacy_relext.encoders.fast import CheapDropout, cheapen_dropout, draw_bits

SHAPE = (40, 50, 51)  # no multiple of four


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_drops_a_share_and_keeps_the_mean(dtype, p):
    torch.manual_seed(0)
    dropped = CheapDropout(p)(torch.ones(SHAPE, dtype=dtype))
    assert dropped.shape == SHAPE and dropped.dtype == dtype
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert set(dropped.unique().tolist()) == {0.0, torch.ones(1, dtype=dtype).div(1 - p).item()}
    # along no axis do neighbours depend on each other
    zero = (dropped == 0).float() - p
    for axis in range(3):
        shifted = zero.roll(1, axis)
        assert (zero * shifted).mean().abs().item() < 0.005


def test_the_gradient_passes_where_values_did():
    values = torch.randn(SHAPE, requires_grad=True)
    dropped = CheapDropout(0.3)(values)
    dropped.sum().backward()
    assert torch.allclose(values.grad, torch.where(dropped == 0, 0.0, 1 / 0.7))


def test_the_seed_decides():
    values, layer = torch.ones(SHAPE), CheapDropout(0.1)
    torch.manual_seed(1)
    first, second = layer(values), layer(values)
    torch.manual_seed(1)
    assert torch.equal(layer(values), first) and not torch.equal(first, second)


def test_bits_are_even():
    torch.manual_seed(0)
    bits = draw_bits(torch.empty(200_000)).int() + 2**15
    for bit in range(16):
        assert ((bits >> bit) & 1).float().mean().item() == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_ends(p):
    assert torch.equal(CheapDropout(p)(torch.ones(SHAPE)), torch.full(SHAPE, 1 - p))


def test_nothing_outside_training_and_of_nothing():
    layer = CheapDropout(0.5)
    assert layer(torch.ones(0, 3)).shape == (0, 3)
    assert torch.equal(layer.eval()(torch.ones(3)), torch.ones(3))


def test_exchanges_all_of_a_module():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2), nn.ModuleDict({"inner": nn.Dropout(0.3)}))
    cheapen_dropout(module)
    assert [part.p for part in module.modules() if isinstance(part, CheapDropout)] == [0.2, 0.3]
    assert not any(type(part) is nn.Dropout for part in module.modules())
