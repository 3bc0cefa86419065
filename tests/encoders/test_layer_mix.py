"""The mix of layers, against torch's own gradients."""

import pytest
import torch

from spacy_relext.encoders.transformer import mix_layers


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mix_and_gradients_are_those_of_torch(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    parts = [torch.randn(2, 3, 4).to(dtype if number else torch.float32) for number in range(3)]
    logits, gradient = torch.randn(3), torch.randn(2, 3, 4)
    found = []
    for mixed in (mix_layers, lambda weights, layers: sum(w * h.float() for w, h in zip(weights, layers))):
        leaves = [each.clone().requires_grad_() for each in (logits, *parts)]
        leaves[2].requires_grad_(False)  # a frozen layer
        output = mixed(leaves[0].softmax(0), leaves[1:])
        output.backward(gradient)
        found.append((output.detach(), *(each.grad for each in leaves)))
    for one, two in zip(*found):
        assert (one is None) == (two is None)
        if one is not None:
            assert one.dtype == two.dtype
            torch.testing.assert_close(one, two)
    assert found[0][3] is None


def test_fixed_weights_give_no_gradient_to_them() -> None:
    layers = [torch.ones(1, 2, 2, requires_grad=True), torch.full((1, 2, 2), 3.0)]
    mixed = mix_layers(torch.tensor([0.5, 0.5]), layers)
    assert mixed.tolist() == [[[2.0, 2.0], [2.0, 2.0]]]
    mixed.sum().backward()
    assert layers[0].grad is not None and layers[0].grad.tolist() == [[[0.5, 0.5], [0.5, 0.5]]]
    with torch.inference_mode():
        assert mix_layers(torch.tensor([1.0]), [torch.ones(1, 1, 1)]).item() == 1.0
