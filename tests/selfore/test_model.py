"""Vectors of pairs, and what the classifier of SelfORE learns."""

import numpy
import pytest
import torch

from spacy_relext.pairs.encoders.shared import MeanPairs
from spacy_relext.pairs.encoders.states import PairStates
from spacy_relext.selfore.losses import selfore_loss
from spacy_relext.selfore.model import Clusterer, ClusterOutput, pair_vector


def test_pair_vectors() -> None:
    tokens = torch.tensor([[[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    states = PairStates(tokens, mask, tokens[:, 0], tokens[:, 0], torch.stack([tokens[0, 2], tokens[1, 1]]))
    found = pair_vector(states, torch.tensor([[False, True, False], [False, False, False]]))
    half = 2**-0.5
    expected = [[0.6, 0.8, 1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0, half, half]]
    assert torch.allclose(found, torch.tensor(expected)), "with nothing between, both arguments stand for it"


def test_loss_on_the_worked_example() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 0.0]], requires_grad=True)
    targets = {"clusters": torch.tensor([0, 2]), "weights": torch.ones(3)}
    loss = selfore_loss(ClusterOutput(logits, logits, logits, logits), targets, smoothing=0.0)["clusters"]
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.896378, abs=1e-6)
    expected = [[-0.107201, 0.087645, 0.019556], [0.105971, 0.288058, -0.394029]]
    assert torch.allclose(logits.grad, torch.tensor(expected), atol=1e-6)  # type: ignore[arg-type]


def test_the_scale_multiplies_logits() -> None:
    logits, targets = (
        torch.tensor([[1.0, 0.0], [0.8, 0.6]]),
        {"clusters": torch.tensor([0, 1]), "weights": torch.ones(2)},
    )
    terms = selfore_loss(ClusterOutput(logits, logits, logits, logits), targets, smoothing=0.0, scale=2.0)
    scaled = selfore_loss(ClusterOutput(2 * logits, logits, logits, logits), targets, smoothing=0.0)
    assert float(terms["clusters"]) == pytest.approx(float(scaled["clusters"])) and set(scaled) == {"clusters"}


def test_pairs_without_a_cluster_teach_nothing() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    known = {"clusters": torch.tensor([1, -1]), "weights": torch.ones(3)}
    selfore_loss(ClusterOutput(logits, logits, logits, logits), known, smoothing=0.1)["clusters"].backward()
    assert logits.grad is not None and logits.grad[1].abs().sum() == 0 < logits.grad[0].abs().sum()
    none = {**known, "clusters": torch.tensor([-1, -1])}
    assert (
        float(selfore_loss(ClusterOutput(logits, logits, logits, logits), none, smoothing=0.1)["clusters"].detach())
        == 0.0
    )


def test_the_classifier_takes_the_weights_of_a_space() -> None:
    module = Clusterer(MeanPairs(dropout=0.0), dropout=0.0, type_weight=0.0, context="between")
    module.configure(n_classes=2, n_types=1, encoder={"width": 2, "n_tags": 1, "n_types": 1})
    weight = numpy.arange(18, dtype="float32").reshape(3, 6)
    module.set_head(weight, numpy.ones(3, dtype="float32"))
    assert module.sizes is not None and module.sizes["n_classes"] == 3
    vector = torch.ones(1, 6)
    assert torch.allclose(module.head(vector), torch.from_numpy(weight).sum(1)[None] + 1)


def test_types_of_the_arguments_count_beside_the_text() -> None:
    module = Clusterer(MeanPairs(dropout=0.0), dropout=0.0, type_weight=0.5, context="between").eval()
    module.configure(n_classes=2, n_types=3, encoder={"width": 2, "n_tags": 1, "n_types": 3})
    arrays = {
        "types": torch.tensor([[1, 0, 2, 2], [0, 1, 2, 0]]),  # of tokens: an argument may have an entity within it
        "kinds": torch.tensor([[1, 2], [0, 1]]),
        "to_subject": torch.tensor([[0, 1, 2, 3], [0, 1, 2, 0]]),
        "to_object": torch.tensor([[-2, -1, 0, 1], [-1, 0, 1, 0]]),
        "positions": torch.tensor([[0, 1, 2, 3], [0, 1, 2, -1]]),
        "vectors": torch.ones(4, 2),
        "index": torch.tensor([[0, 1, 2, 3], [0, 1, 2, -1]]),
        "roles": torch.tensor([[1, 0, 2, 0], [1, 2, 0, 0]]),
        "pooled": torch.tensor([[False, True, False, False], [False] * 4]),
    }
    vector = module(**arrays).vector
    assert vector.shape == (2, 6 + 4) and vector[:, 6:].tolist() == [[0.5, 0.0, 0.0, 0.5], [0.0, 0.0, 0.5, 0.0]]
    none = {name: part[:0] if name != "vectors" else part for name, part in arrays.items()}
    assert module(**none).vector.shape == (0, 10)


def test_the_text_is_what_is_between_or_all_of_it() -> None:
    from spacy_relext.pairs.encoders.states import PairStates

    tokens = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [0.0, 4.0], [3.0, 0.0]]])
    ends = tokens[:, 0], tokens[:, 3]
    states = PairStates(tokens, torch.ones(1, 4, dtype=torch.bool), torch.tensor([[3.0, 4.0]]), *ends)
    between = torch.tensor([[False, True, True, False]])
    assert pair_vector(states, between).tolist() == [[1.0, 0.0, 1.0, 0.0, 0.0, 1.0]]
    assert torch.allclose(pair_vector(states, None)[:, 4:], torch.tensor([[0.6, 0.8]]))
    assert pair_vector(states, torch.zeros_like(between))[:, 4:].tolist() == [[1.0, 0.0]], "both arguments"
