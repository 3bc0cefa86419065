"""Large batches of training, whose activations are recomputed in the backward pass."""

from typing import Dict, List, Tuple

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from spacy_relext.encoders import layers
from spacy_relext.encoders.tokens import TokenEncoder
from spacy_relext.encoders.transformer import TransformerEncoder
from spacy_relext.pairs.encoders.transformer import PairTransformer
from tests.pairs.builders import wordpiece_tokenizer

SIZES = {"vocab_size": 80, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
PIECES = 2 * 6


@pytest.fixture(autouse=True)
def batches_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_MOST_STORED", layers._STORED_BYTES * 3 * 16 * (PIECES - 1))


def build(radius: float = 0.0) -> PairTransformer:
    torch.manual_seed(0)
    encoder = TransformerEncoder(dropout=0.1, adversarial_radius=radius)
    module = PairTransformer(TokenEncoder(encoder), marker_layer=1)
    module.configure(hf_config={"model_type": "bert", **SIZES}, tokenizer=wordpiece_tokenizer().to_str())
    return module.train()


def train(module: PairTransformer, *, of_pairs: bool) -> Tuple[Dict[str, Tensor], int]:
    """Two epochs with dropout, the second of them perturbed if the encoder has an adversary.

    RETURNS (Tuple[Dict[str, Tensor], int]): Gradients, and the number of stored values.
    """
    ids = torch.arange(5, 5 + PIECES).reshape(2, 6)
    shapes, mask = torch.zeros_like(ids), torch.ones_like(ids, dtype=torch.bool)
    stored: List[int] = []

    def store(tensor: Tensor) -> Tensor:
        stored.append(tensor.numel())
        return tensor

    torch.manual_seed(1)
    for _ in range(2):
        module.zero_grad()
        with torch.autograd.graph.saved_tensors_hooks(store, lambda tensor: tensor):
            if of_pairs:
                roles = torch.tensor([[0, 1, 2, 0, 0, 0], [0, 0, 1, 2, 0, 0]])
                rows, order = torch.arange(2), torch.arange(2)
                output = module([ids], [shapes], [mask], [rows], [roles], order).tokens
            else:
                output = module.tokens.cells([ids], [shapes], [mask])
        output.square().sum().backward()
    return {name: each.grad for name, each in module.named_parameters() if each.grad is not None}, sum(stored)


@pytest.mark.parametrize("of_pairs, radius", [(True, 0.0), (False, 0.0), (False, 1.0)])
def test_gradients_are_the_same(of_pairs: bool, radius: float, monkeypatch: pytest.MonkeyPatch) -> None:
    recomputed, few = train(build(radius), of_pairs=of_pairs)
    monkeypatch.setattr(layers, "_MOST_STORED", 2**32)
    expected, many = train(build(radius), of_pairs=of_pairs)
    assert few < many / 2 and recomputed.keys() == expected.keys()
    for name, gradient in recomputed.items():
        torch.testing.assert_close(gradient, expected[name], msg=name)


def test_small_batches_and_predictions_store_as_ever() -> None:
    transformer = AutoModel.from_config(AutoConfig.for_model("bert", **SIZES))
    assert layers.must_recompute(transformer, PIECES)
    assert not layers.must_recompute(transformer, PIECES - 1)
    with torch.inference_mode():
        assert not layers.must_recompute(transformer, PIECES)
