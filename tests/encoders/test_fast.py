"""The copies that predict say what the layers say that are trained."""

import pickle

import pytest
import torch
from torch import Tensor

transformers = pytest.importorskip("transformers")

from spacy_relext.encoders.fast import FusedBert, prediction_copy  # noqa: E402
from spacy_relext.encoders.transformer import TransformerEncoder  # noqa: E402

SIZES = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
TOLERANCE = {"fp32": 1e-5, "bf16": 0.05}


def encoder(precision: str, **options: object) -> TransformerEncoder:
    torch.manual_seed(0)
    built = TransformerEncoder(precision=precision, dropout=0.0)
    built.configure(hf_config={"model_type": "bert", **SIZES, **options})
    assert built.shape_table is not None
    torch.nn.init.normal_(built.shape_table.weight)
    return built.eval()


def pieces(*, padded: bool) -> "tuple[Tensor, Tensor, Tensor]":
    torch.manual_seed(1)
    ids = torch.randint(5, 50, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.bool)
    if padded:
        mask[1, 5:] = False
    return ids, ids % 8, mask


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("padded", [False, True])
def test_prediction_agrees_with_the_trained_layers(precision: str, padded: bool) -> None:
    model, batch = encoder(precision), pieces(padded=padded)
    expected = model(*batch)  # with gradients: the layers that are trained
    with torch.no_grad():
        found = model(*batch)
        assert isinstance(model._cache[0], FusedBert)
        assert torch.equal(model(*batch), found)
    torch.testing.assert_close(found[batch[2]], expected[batch[2]].detach(), atol=TOLERANCE[precision], rtol=0.0)


def test_without_the_fused_kernel_the_trained_layers_run() -> None:
    batch = pieces(padded=True)
    with torch.no_grad():
        expected = encoder("fp32")(*batch)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            model = encoder("fp32")
            found = model(*batch)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
    assert model._cache == [model.transformer]
    torch.testing.assert_close(found[batch[2]], expected[batch[2]], atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_text_gets_the_same_vectors_alone_and_in_a_batch(precision: str) -> None:
    model, (ids, shapes, mask) = encoder(precision), pieces(padded=True)
    with torch.no_grad():
        together = model(ids, shapes, mask)
        for row, length in enumerate(mask.sum(1).tolist()):
            part = (slice(row, row + 1), slice(length))
            torch.testing.assert_close(model(ids[part], shapes[part], mask[part]), together[part], atol=1e-5, rtol=0.0)


def test_only_layers_of_the_same_form_are_fused() -> None:
    for options in ({"hidden_act": "relu"}, {"position_embedding_type": "relative_key"}):
        model = encoder("fp32", **options)
        with torch.no_grad():
            model(*pieces(padded=False))
        assert not any(isinstance(copied, FusedBert) for copied in model._cache)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("padded", [False, True])
def test_copies_follow_the_weights(precision: str, padded: bool) -> None:
    model, other, batch = encoder(precision), encoder(precision), pieces(padded=padded)
    with torch.no_grad():
        before = model(*batch)
        for parameter in other.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model.load_state_dict(other.state_dict())
        assert not torch.allclose(model(*batch), before) and torch.equal(model(*batch), other(*batch))


def test_copies_are_not_kept_with_the_model() -> None:
    model, batch = encoder("bf16"), pieces(padded=False)
    names = list(model.state_dict())
    with torch.no_grad():
        expected = model(*batch)
        assert list(model.state_dict()) == names
        restored = pickle.loads(pickle.dumps(model))
        assert not restored._cache and torch.equal(restored(*batch), expected)


def test_the_copy_shares_what_it_does_not_convert() -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    copied = prediction_copy(layer, torch.bfloat16)
    assert copied[0].weight.dtype == torch.bfloat16 and layer[0].weight.dtype == torch.float32
    assert prediction_copy(layer, torch.float32) is layer
    assert copied[0].bias is layer[0].bias and copied[1].weight is layer[1].weight
