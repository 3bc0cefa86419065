"""The joint between torch and thinc: gradients, rates, and weights on disk."""

import gc
import json
import math
from typing import Any, Dict, List, NamedTuple, Optional

import numpy
import pytest
import spacy
import srsly
import torch
from spacy.tokens import Doc
from thinc.api import Adam, Model, Optimizer, fix_random_seed
from torch import Tensor, nn

from spacy_relext.bridge.modules import loss_and_gradient, module_model, module_of, to_numpy, width_of
from spacy_relext.bridge.shim import TorchShim, module_from_bytes, module_to_bytes, wrap_module
from spacy_relext.bridge.weights import CachesWeights
from spacy_relext.encoders.architectures import init_sequences, prepare_sequences
from spacy_relext.rere.architectures import prepare_tokens
from spacy_relext.rere.windows import TokenBatch

NLP = spacy.blank("en")
WIDTH = 4


class Scores(NamedTuple):
    tokens: Tensor
    best: Tensor  # integers: no gradient


class Watched(CachesWeights, nn.Linear):
    """A layer that may keep a copy of its weights."""


class Toy(nn.Module):
    """A head over token vectors, with two groups of parameters and one that is never used."""

    input_width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Optional[Dict[str, Any]] = None

    def configure(self, *, width: int, n_relations: int) -> None:
        self.sizes = {"width": width, "n_relations": n_relations}
        self.slow = Watched(width, 3)
        self.fast = nn.Linear(3, n_relations)
        self.unused = nn.Linear(2, 2)

    def forward(self, vectors: Tensor, index: Tensor) -> Scores:
        scores = self.fast(torch.tanh(self.slow(vectors)))[index]
        return Scores(scores, scores.argmax(-1))


def toy_model() -> Model:
    fix_random_seed(0)
    tok2vec = spacy.registry.architectures.get("spacy.HashEmbedCNN.v2")(
        width=WIDTH, depth=1, embed_size=20, window_size=1, maxout_pieces=2, subword_features=False,
        pretrained_vectors=None,
    )  # fmt: skip
    model = module_model(Toy(), prepare_tokens, tok2vec=tok2vec, name="toy")
    model.initialize(X=TokenBatch(docs()))
    module_of(model).configure(width=width_of(model), n_relations=2)
    return model


def docs() -> List[Doc]:
    return [NLP.make_doc("Ada wrote to Charles"), NLP.make_doc(""), NLP.make_doc("Oslo grew")]


def batch() -> TokenBatch:
    return TokenBatch(docs(), {"index": numpy.asarray([0, 2, 5, 2])})


def squares(output: Scores, targets: Dict[str, Tensor], *, factor: float = 1.0) -> Dict[str, Tensor]:
    gap = (output.tokens - targets["tokens"]) ** 2
    return {"first": factor * gap[:, 0].sum(), "second": 2 * gap[:, 1].sum()}


TARGETS = {"tokens": numpy.ones((4, 2), dtype="float32")}


def total_loss(model: Model) -> float:
    terms, _ = loss_and_gradient(squares, model.predict(batch()), TARGETS)
    return sum(terms.values())


def backward(model: Model) -> None:
    outputs, backprop = model.begin_update(batch())
    _, gradients = loss_and_gradient(squares, outputs, TARGETS)
    backprop(gradients)


def test_gradient_of_a_loss() -> None:
    output = Scores(torch.tensor([[1.0, 2.0]], requires_grad=True), torch.tensor([1]))
    terms, gradients = loss_and_gradient(squares, output, {"tokens": numpy.zeros((1, 2), "float32")}, factor=3.0)
    assert terms == {"first": 3.0, "second": 8.0} and all(type(value) is float for value in terms.values())
    assert gradients[0] is not None and gradients[0].tolist() == [[6.0, 8.0]] and gradients[1] is None
    assert output.tokens.grad is None  # nothing went back into the model yet


def test_gradient_of_a_plain_tensor_and_of_a_constant() -> None:
    terms, gradients = loss_and_gradient(lambda z, t: {"all": (z * t["w"]).sum()}, torch.ones(2), {"w": [2.0, 3.0]})
    assert terms == {"all": 5.0} and [g.tolist() for g in gradients if g is not None] == [[2.0, 3.0]]
    terms, gradients = loss_and_gradient(lambda z, t: {"all": torch.tensor(1.5)}, torch.ones(2), {})
    assert (terms, gradients) == ({"all": 1.5}, (None,))


def test_gradient_of_the_module_equals_torch() -> None:
    model = toy_model()
    backward(model)
    found = {name: p.grad.clone() for name, p in module_of(model).named_parameters() if p.grad is not None}
    assert set(found) == {"slow.weight", "slow.bias", "fast.weight", "fast.bias"}
    twin = Toy()
    twin.configure(width=WIDTH, n_relations=2)
    twin.load_state_dict(module_of(model).state_dict())
    vectors = torch.from_numpy(numpy.concatenate(model.layers[0].predict(docs())))
    output = twin(vectors, torch.as_tensor([0, 2, 5, 2]))
    sum(squares(output, {"tokens": torch.ones(4, 2)}).values()).backward()  # type: ignore[union-attr]
    for name, parameter in twin.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(found[name], parameter.grad)


def test_gradient_through_tok2vec_agrees_with_finite_differences() -> None:
    model = toy_model()
    backward(model)
    checked = 0
    for node in model.layers[0].walk():
        for name in node.param_names:
            if not (node.has_param(name) and node.has_grad(name)):
                continue
            values, gradient = node.get_param(name), node.get_grad(name)
            for cell in numpy.argsort(-numpy.abs(gradient.ravel()))[:3]:
                assert slope(model, values.reshape(-1), int(cell)) == pytest.approx(
                    gradient.ravel()[cell], rel=0.05, abs=5e-3
                )
                checked += 1
    assert checked > 5


def slope(model: Model, values: Any, cell: int, step: float = 2e-3) -> float:
    """Central difference of the loss in one number of a parameter that is changed in place."""
    before, losses = float(values[cell]), []
    for moved in (before + step, before - step):
        values[cell] = moved
        losses.append(total_loss(model))
    values[cell] = before
    return (losses[0] - losses[1]) / (2 * step)


def test_empty_docs_have_no_gradient() -> None:
    model = toy_model()
    nothing = TokenBatch([NLP.make_doc(""), Doc(NLP.vocab)], {"index": numpy.zeros(0, dtype="int64")})
    outputs, backprop = model.begin_update(nothing)
    assert outputs.tokens.shape == (0, 2)
    _, gradients = loss_and_gradient(squares, outputs, {"tokens": numpy.zeros((0, 2), "float32")})
    backprop(gradients)
    assert not any(p.grad is not None and p.grad.abs().sum() for p in module_of(model).parameters())


def test_predicting_keeps_no_graph_and_no_dropout() -> None:
    model = toy_model()
    outputs = model.predict(batch())
    assert not outputs.tokens.requires_grad
    found = to_numpy(outputs)
    assert type(found) is Scores and isinstance(found.tokens, numpy.ndarray) and found.best.dtype == numpy.int64
    assert to_numpy(torch.ones(2)).tolist() == [1.0, 1.0]
    assert not module_of(model).training  # and stays so until the next update
    model.begin_update(batch())
    assert module_of(model).training


class Record:
    """Stands in for thinc's optimizer: notes the rates and subtracts the gradient."""

    def __init__(self) -> None:
        self.scales: Dict[str, float] = {}

    def __call__(self, key: Any, weights: Any, gradient: Any, *, lr_scale: float = 1.0) -> Any:
        self.scales[key[1]] = lr_scale
        return weights - lr_scale * gradient, gradient


def test_rates_of_parameter_groups() -> None:
    model, plain = toy_model(), toy_model()
    model.shims[0].lr_scales = {"slow.": 0.25, "fast.bias": 0.0}
    start = {name: p.detach().clone() for name, p in module_of(model).named_parameters()}
    moves = []
    for each, scales in ((model, {"slow.weight": 0.25, "fast.bias": 0.0, "fast.weight": 1.0}), (plain, {})):
        backward(each)
        record = Record()
        each.shims[0].finish_update(record)  # type: ignore[arg-type]
        assert set(record.scales) == {"slow.weight", "slow.bias", "fast.weight", "fast.bias"}
        assert {name: record.scales[name] for name in scales} == scales
        moves.append({name: p.detach() - start[name] for name, p in module_of(each).named_parameters()})
    torch.testing.assert_close(moves[0]["slow.weight"], 0.25 * moves[1]["slow.weight"])
    torch.testing.assert_close(moves[0]["fast.weight"], moves[1]["fast.weight"])
    assert moves[0]["fast.bias"].abs().sum() == 0.0 < moves[1]["fast.bias"].abs().sum()
    assert moves[1]["unused.weight"].abs().sum() == 0.0


def adam() -> Optimizer:
    return Adam(0.1, L2=0.1, L2_is_weight_decay=True)


def test_without_gradient_nothing_moves() -> None:
    model, optimizer = toy_model(), adam()
    backward(model)
    model.finish_update(optimizer)
    assert all(p.grad is None for p in module_of(model).parameters())
    after = {name: p.detach().clone() for name, p in module_of(model).named_parameters()}
    model.finish_update(optimizer)  # momentum and weight decay would move it
    for name, parameter in module_of(model).named_parameters():
        assert torch.equal(parameter.detach(), after[name]), name
        assert parameter.requires_grad


def test_updates_leave_no_tensors_behind() -> None:
    model, optimizer = toy_model(), adam()
    alive = []
    for _ in range(4):
        backward(model)
        model.finish_update(optimizer)
        gc.collect()
        alive.append(sum(type(found) is torch.Tensor for found in gc.get_objects()))
    assert alive[3] == alive[2] == alive[1]


def test_updates_make_the_loss_smaller() -> None:
    model, optimizer = toy_model(), Adam(0.02)
    before = total_loss(model)
    for _ in range(20):
        backward(model)
        model.finish_update(optimizer)
    assert total_loss(model) < before / 2


def test_averages_stand_in_for_a_while() -> None:
    model, optimizer = toy_model(), Adam(0.1, use_averages=True)
    expected, forgotten = torch.zeros(2), []
    module_of(model).slow.clear_cache = lambda: forgotten.append(1)
    for step in (1, 2, 3):
        backward(model)
        model.finish_update(optimizer)
        decay = (1 + step) / (10 + step)  # thinc's
        expected = decay * expected + (1 - decay) * module_of(model).fast.bias.detach()
    after = {name: p.detach().clone() for name, p in module_of(model).named_parameters()}
    forgotten.clear()
    with pytest.raises(KeyError, match="inside"):
        with model.use_params(optimizer.averages):
            torch.testing.assert_close(module_of(model).fast.bias.detach(), expected)
            assert torch.equal(module_of(model).unused.bias, after["unused.bias"]) and len(forgotten) == 1
            raise KeyError("inside")
    assert len(forgotten) == 2
    for name, parameter in module_of(model).named_parameters():
        assert torch.equal(parameter, after[name]) and parameter.requires_grad, name
    backward(model)
    model.finish_update(optimizer)  # training goes on with the weights, not with their averages
    assert not torch.equal(module_of(model).fast.bias, after["fast.bias"])


def configured(**sizes: int) -> Toy:
    module = Toy()
    module.configure(**{"width": WIDTH, "n_relations": 2, **sizes})
    return module


def test_weights_and_sizes_travel_as_safetensors() -> None:
    module = configured(n_relations=5)
    data = module_to_bytes(module)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert json.loads(header["__metadata__"]["sizes"]) == {"width": WIDTH, "n_relations": 5}
    assert header["fast.weight"]["shape"] == [5, 3] and b"pickle" not in data
    restored = module_from_bytes(Toy(), data, torch.device("cpu"))
    assert isinstance(restored, Toy) and restored.sizes == module.sizes
    for name, tensor in module.state_dict().items():
        assert torch.equal(restored.state_dict()[name], tensor)
    assert module_to_bytes(restored) == data


def test_an_empty_module_travels_empty() -> None:
    assert module_from_bytes(Toy(), module_to_bytes(Toy()), torch.device("cpu")).sizes is None


def test_a_shim_restores_its_module() -> None:
    shim = wrap_module(configured())
    assert isinstance(shim, TorchShim)
    other = wrap_module(Toy()).from_bytes(shim.to_bytes())
    assert module_to_bytes(other._model) == module_to_bytes(shim._model)
    assert set(srsly.msgpack_loads(shim.to_bytes())) == {"config", "state"}


class OtherToy(Toy):
    def configure(self, *, width: int, n_relations: int) -> None:
        super().configure(width=width + 1, n_relations=n_relations)


class SmallToy(Toy):
    def configure(self, *, width: int, n_relations: int) -> None:
        super().configure(width=width, n_relations=n_relations)
        del self.unused


@pytest.mark.parametrize("kind, what", [(OtherToy, "slow.weight"), (SmallToy, "unused")])
def test_weights_that_do_not_fit_are_refused_in_one_line(kind: Any, what: str) -> None:
    with pytest.raises(ValueError, match=rf"^\[R009\] .*{what}.*another configuration\.$") as caught:
        module_from_bytes(kind(), module_to_bytes(configured()), torch.device("cpu"))
    assert "\n" not in str(caught.value)


class Running(nn.Module):
    """Sums its sequence from the left: order and padding matter."""

    input_width = 2

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Optional[Dict[str, Any]] = None

    def configure(self, *, input_width: int) -> None:
        self.sizes = {"input_width": input_width}
        self.weight = nn.Parameter(torch.ones(input_width))

    def forward(self, vectors: Tensor, index: Tensor) -> Tensor:
        table = vectors[index.clamp(min=0)] * (index >= 0).unsqueeze(-1)
        return (table.cumsum(1) * self.weight)[index >= 0]


def test_sequences_in_and_out() -> None:
    dims: Dict[str, Optional[int]] = {"nO": 2}
    model = module_model(Running(), prepare_sequences, name="running", init=init_sequences, dims=dims)
    rows = [numpy.ones((n, 2), dtype="float32") for n in (2, 0, 3)]
    model.initialize(X=rows)
    outputs, backprop = model.begin_update(rows)
    assert [part[:, 0].tolist() for part in outputs] == [[1.0, 2.0], [], [1.0, 2.0, 3.0]]
    gradients = backprop([numpy.ones_like(part) for part in outputs])
    assert [part[:, 1].tolist() for part in gradients] == [[2.0, 1.0], [], [3.0, 2.0, 1.0]]
    assert module_of(model).weight.grad.tolist() == [9.0, 9.0]
    empty, backprop = model.begin_update(rows[1:2])
    assert empty[0].shape == (0, 2) and math.prod(backprop(empty)[0].shape) == 0
