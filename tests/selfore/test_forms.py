"""`selfore_clusterer` in other forms: ways to cluster, vectors of pairs, and how clusters are learned."""

import warnings
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example

from spacy_relext.bridge.modules import module_of
from spacy_relext.selfore.clustering import adaptive
from spacy_relext.selfore.clustering.adaptive import check_sizes
from spacy_relext.selfore.clustering.network import ClusterNetwork
from spacy_relext.selfore.model import PARTS
from spacy_relext.selfore.settings import METHODS
from spacy_relext.selfore.table import keys_of
from tests.contract.tiny_bert import save_tiny_bert
from tests.selfore.test_component import NAME, TURNS, blocks, build

# Fewer epochs with centroids, and more of the autoencoder, which has few pairs.
QUICK: Dict[str, Any] = {"pretrain_epochs": 100, "epochs": 4}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("encoder")
    save_tiny_bert(folder, width=16)
    return str(folder)


def build_pieces(encoder: str, vector: str, **options: Any) -> Tuple[Language, Any, List[Example]]:
    """A pipeline over a tiny random BERT, in which there is nothing to be found."""
    pieces: Dict[str, Any] = {"@architectures": "spacy_relext.PieceEncoder.v1", "name": encoder, "form": vector}
    pieces |= {"precision": "fp32", "case_features": False, "mix_from": 3, "freeze_embeddings": True}
    model = {"@architectures": "spacy_relext.SelforeClusterer.v1", "encoder": pieces, "type_weight": 0.0}
    return build(model=model, **blocks(**options))


def weights(pipe: Any) -> Dict[str, Any]:
    """All that the encoder has learned."""
    found = {key: value.clone() for key, value in module_of(pipe.model).encoder.state_dict().items()}
    for layer in pipe.model.layers:
        for node in layer.walk():
            found |= {f"{node.id}{name}": node.get_param(name).copy() for name in node.param_names}
    return found


def same(one: Dict[str, Any], other: Dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(bool((one[key] == other[key]).all()) for key in one)


# Ways to cluster


@pytest.mark.parametrize("method", METHODS)
def test_templates_are_clusters(method: str) -> None:
    nlp, pipe, examples = build(**blocks(method=method, over=1, **QUICK))
    assert nlp.evaluate(examples)["ari"] > 0.9
    if method != "adaptive":  # what is not linear may find other clusters than the space that is fitted to them
        assert {each["size"] for each in pipe.clusters.records} == {TURNS}


def test_clusters_that_stay_fallen_together_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: List[int] = []

    def collapsed(vectors: Any, count: int, *, seed: int, **_: Any) -> Any:
        tries.append(seed)
        labels = numpy.zeros(len(vectors.vectors), dtype="int64")
        sizes = numpy.bincount(labels, minlength=count)
        return adaptive.Adapted(
            labels, ClusterNetwork(vectors.vectors.shape[1], count, count), sizes, [], check_sizes(sizes).reasons
        )

    monkeypatch.setattr(adaptive, "adapt", collapsed)
    with pytest.warns(UserWarning, match=r"W600.*33% of the clusters are used"):
        build(**blocks(method="adaptive", **QUICK))
    assert len(tries) == 1 + adaptive.RETRIES


# Vectors of pairs


@pytest.mark.parametrize("vector", PARTS)
def test_vectors_are_read_learned_saved_and_loaded(vector: str, encoder: str, tmp_path: Path) -> None:
    nlp, pipe, examples = build_pieces(encoder, vector, loops=1)
    before = weights(pipe)
    assert pipe.forward(pipe.suggest_gold(examples[:5])).vector.shape == (5, 16 * PARTS[vector])
    losses: Dict[str, float] = {}
    nlp.update(examples[:8], sgd=nlp.create_optimizer(), losses=losses)
    assert losses[NAME] > 0.0 and not same(weights(pipe), before)
    if vector == "markers":
        assert not bool((weights(pipe)["markers.weight"] == before["markers.weight"]).all())
    nlp.to_disk(tmp_path)
    again: Any = spacy.load(tmp_path)
    assert same(weights(again.get_pipe(NAME)), weights(pipe))
    for example in examples[:4]:
        one, other = (each(example.predicted.copy())._.triples[0] for each in (nlp, again))
        assert one.relation == other.relation and one.score == pytest.approx(other.score, abs=1e-5)


def test_markers_are_of_the_pair(encoder: str) -> None:
    _, pipe, _ = build_pieces(encoder, "markers")
    doc = spacy.blank("en").make_doc("Ada met Eve and Kim in [E1] town [/E1]")
    doc.ents = [spacy.tokens.Span(doc, at, at + 1, "X") for at in (0, 2, 4)]
    pairs = pipe.suggest([doc])
    together = pipe.forward(pairs).vector
    for number in range(len(pairs)):
        assert numpy.allclose(pipe.forward(pairs.take([number])).vector[0], together[number], atol=1e-5)
    assert numpy.abs(together[0] - together[1]).max() > 1e-4, "the same subject, beside another object"
    assert numpy.allclose(numpy.linalg.norm(together, axis=1), 2**0.5, atol=1e-5)


# Learning


@pytest.mark.parametrize("kind", ["shared", "markers"])
def test_a_frozen_encoder_stays_as_it_is_bit_by_bit(kind: str, encoder: str) -> None:
    options = {"loops": 2, "freeze_epochs": 2}
    if kind == "shared":
        nlp, pipe, examples = build(**blocks(**options))
    else:
        nlp, pipe, examples = build_pieces(encoder, kind, **options)
    callback = spacy.registry.callbacks.get("spacy_relext.recluster.v1")(component=NAME, epochs=3)
    optimizer = nlp.create_optimizer()
    moved, heads = [], []
    for epoch in range(6):
        for step in (0, 1):
            callback(nlp, {"step": 2 * epoch + step, "epoch": epoch})
            pipe.clusters.has_converged = False
            before, head = weights(pipe), module_of(pipe.model).head.weight.clone()
            nlp.update(examples[8 * step : 8 * step + 8], sgd=optimizer, losses={})
            moved.append(not same(weights(pipe), before))
            heads.append(not bool((module_of(pipe.model).head.weight == head).all()))
    assert moved == [False] * 4 + [True] * 2 + [False] * 4 + [True] * 2 and all(heads)
    assert len(pipe.clusters.history) == 2


def test_an_encoder_that_would_never_learn_is_refused() -> None:
    nlp, _, _ = build(**blocks(loops=1, freeze_epochs=2))
    callback = spacy.registry.callbacks.get("spacy_relext.recluster.v1")(component=NAME, epochs=2)
    with pytest.raises(ValueError, match=r"^\[R607\].*2 epochs a loop.*first 2"):
        callback(nlp, {"step": 0, "epoch": 0})


def test_the_paper_s_form(encoder: str) -> None:
    options = {"method": "adaptive", "freeze_epochs": 1, "smoothing": 0.0, "loops": 2, **QUICK}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "\\[W601\\]")  # clusters are found anew by hand below
        nlp, pipe, examples = build_pieces(encoder, "markers", **options)
    nlp.update(examples[:8], sgd=nlp.create_optimizer(), losses={})
    assert 0.0 <= pipe.recluster() <= 1.0


@pytest.mark.parametrize("answer", ["q", "p"])
def test_a_network_assigns_new_pairs_and_is_saved(answer: str, tmp_path: Path) -> None:
    nlp, pipe, examples = build(**blocks(method="adaptive", answer=answer, **QUICK))
    module, pairs = module_of(pipe.model), pipe.suggest_gold(examples)
    outputs = pipe.forward(pairs)
    labels = [pipe.loop.cluster_of[key] for key in keys_of(pairs)]
    assert numpy.mean(outputs.scores.argmax(1) == labels) > 0.95  # vectors of the clustering are in half precision
    assert module.sizes["n_centroids"] == 9 and "network.encoder.0.weight" in module.state_dict()
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path).get_pipe(NAME)
    assert numpy.allclose(again.forward(pairs).scores, outputs.scores, atol=1e-4)  # type: ignore[attr-defined]
    before = {name: value.clone() for name, value in module.network.state_dict().items()}
    nlp.update(examples[:8], sgd=nlp.create_optimizer(), losses={})
    assert all(torch.equal(value, before[name]) for name, value in module.network.state_dict().items())


def test_a_classifier_without_a_head_start_keeps_what_it_has_learned() -> None:
    nlp, pipe, examples = build(**blocks(method="adaptive", loops=2, head_start=False, class_weights=False, **QUICK))
    head = module_of(pipe.model).head
    assert pipe.clusters.scale == 1.0 and float(head.weight.std()) > 0.0
    nlp.update(examples[:8], sgd=nlp.create_optimizer(), losses={})
    learned = head.weight.clone()
    pipe.recluster()
    assert module_of(pipe.model).head is head and torch.equal(head.weight, learned)
    assert set(pipe.targets(pipe.suggest_gold(examples))["weights"].tolist()) == {1.0}
