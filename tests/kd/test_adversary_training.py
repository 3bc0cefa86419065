"""Adversarial training of teacher and student."""

import copy
from typing import Any, Dict, List

import pytest
import spacy
import torch

from spacy_relext.bridge.modules import module_of
from spacy_relext.encoders.adversary import PerturbationCache
from tests.contract.cases import BERT, CNN, LISTENER
from tests.kd.pipes import (
    GRAPH_STUDENT,
    GRAPH_TEACHER,
    PIECE_STUDENT,
    PIECE_TEACHER,
    STUDENT,
    TEACHER,
    VECTORS,
    build,
    loss_of,
    make_examples,
    over,
    settings_of,
    student,
    train,
)

SHARED = {TEACHER: "spacy_relext.KdTeacher.v1", STUDENT: "spacy_relext.KdStudent.v1"}

pytestmark = pytest.mark.filterwarnings("ignore:.W403")  # these texts have no parse


def gradients(pipe: Any, radius: float) -> Dict[str, torch.Tensor]:
    """What one update would change the weights by."""
    pipe.cfg["learning"]["adversarial_radius"] = radius
    loss_of(pipe, make_examples(spacy.blank("en")))
    module = module_of(pipe.model)
    grads = {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}
    module.zero_grad()
    return grads


@pytest.mark.parametrize("factory", [TEACHER, STUDENT])
@pytest.mark.parametrize("kind", ["graph", "piece", "shared"])
def test_perturbations_raise_the_loss_and_small_ones_change_no_gradient(factory: str, kind: str, bert: str) -> None:
    graph, piece = (GRAPH_TEACHER, PIECE_TEACHER) if factory == TEACHER else (GRAPH_STUDENT, PIECE_STUDENT)
    shared = {"@architectures": SHARED[factory], "dropout": 0.0, "encoder": {**BERT, "name": bert, "dropout": 0.0}}
    pipe = build(factory, {"graph": graph, "piece": over(piece, name=bert), "shared": shared}[kind])
    train(pipe, make_examples(spacy.blank("en")), steps=5)
    clean, near, far = (gradients(pipe, radius) for radius in (0.0, 1e-6, 1.0))
    assert clean.keys() == near.keys() == far.keys()
    for name, gradient in clean.items():
        torch.testing.assert_close(near[name], gradient, atol=1e-5, rtol=1e-3)
    assert any(not torch.allclose(far[name], gradient, atol=1e-4) for name, gradient in clean.items())
    losses: List[float] = []
    for radius in (0.0, 0.5, 2.0):
        pipe.cfg["learning"]["adversarial_radius"] = radius
        losses.append(loss_of(pipe, make_examples(spacy.blank("en")))[factory])
        module_of(pipe.model).zero_grad()
    assert losses == sorted(losses) and losses[0] < losses[-1]


@pytest.mark.parametrize("kind", ["piece", "shared"])
def test_the_next_epoch_reuses_perturbations(kind: str, bert: str) -> None:
    shared = {"@architectures": SHARED[STUDENT], "dropout": 0.0, "encoder": {**BERT, "name": bert, "dropout": 0.0}}
    pipe = build(STUDENT, {"piece": over(PIECE_STUDENT, name=bert), "shared": shared}[kind])
    examples = make_examples(spacy.blank("en"))
    train(pipe, examples, steps=5)
    plain = loss_of(pipe, examples)[STUDENT]
    pipe.cfg["learning"].update(adversarial_radius=1.0, adversarial_reuse=True)
    first, second = (loss_of(pipe, examples)[STUDENT] for _ in range(2))
    assert first == pytest.approx(plain) and second > first
    # each text alone is known as well, in whatever batch it was
    alone = sum(loss_of(pipe, [example])[STUDENT] > 0 for example in examples[:3])
    texts = [example for example in examples if kind == "shared" or len(example.reference.ents) > 1]
    assert alone == 3 and len(pipe.perturbations) == len(texts)
    pipe.initialize(lambda: examples, nlp=spacy.blank("en"))
    assert len(pipe.perturbations) == 0


def test_a_full_cache_warns_once(bert: str) -> None:
    pipe = build(STUDENT, over(PIECE_STUDENT, name=bert), adversarial_radius=1.0, adversarial_reuse=True)
    pipe.perturbations = PerturbationCache(500)
    with pytest.warns(UserWarning, match=r"^\[W407\] The adversarial perturbations of 1 texts") as caught:
        train(pipe, make_examples(spacy.blank("en")), steps=2)
    assert len(caught) == 1


def test_a_batch_without_pairs_changes_nothing() -> None:
    pipe = student(adversarial_radius=1.0)
    before = copy.deepcopy(module_of(pipe.model).state_dict())
    train(pipe, make_examples(spacy.blank("en"))[-1:], steps=2)
    assert all(torch.equal(before[name], weight) for name, weight in module_of(pipe.model).state_dict().items())


def test_an_encoder_that_cannot_be_perturbed() -> None:
    shared = {"@architectures": "spacy_relext.KdStudent.v1", "encoder": VECTORS}
    pipe = build(STUDENT, shared, adversarial_radius=0.5)
    with pytest.raises(ValueError, match=r"^\[R417\] kd_classifier has adversarial_radius = 0.5, but no encoder"):
        pipe.update(make_examples(spacy.blank("en")))


def test_a_listening_encoder_cannot_be_perturbed() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": CNN})
    model = over(GRAPH_STUDENT, tok2vec=LISTENER)
    pipe: Any = nlp.add_pipe(STUDENT, config={"model": model, **settings_of(STUDENT, adversarial_radius=0.5)})
    nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=r"^\[R417\] kd_classifier has adversarial_radius = 0.5, but no encoder"):
        pipe.update(make_examples(nlp))
