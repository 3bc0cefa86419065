"""A component begins anew each time it is initialized, and says what does not fit."""

import warnings
from typing import Any, Dict, Iterator, List

import numpy
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example

from spacy_relext.bridge.modules import module_of
from tests.contract.cases import BERT, CNN, LISTENER, MARKED_DETECTOR, RECURRENT, _filled, detector, extractor
from tests.contract.sentences import make_english_examples
from tests.rere.conftest import pipeline_of, train


def one_pipe(config: Dict[str, Any], encoder: str = "") -> Language:
    return pipeline_of(rere_detector=_filled(config, encoder))


def checkpoint_weights(module: Any) -> Dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters() if "transformer" in name}


@pytest.mark.parametrize("kind", ["transformer", "marked"])
def test_initialize_starts_from_the_checkpoint_again(kind: str, bert: str) -> None:
    nlp = one_pipe(detector(BERT) if kind == "transformer" else {"model": MARKED_DETECTOR}, bert)
    examples = make_english_examples(nlp)
    nlp.initialize(lambda: examples)
    model = nlp.get_pipe("rere_detector").model  # type: ignore[attr-defined]
    module = module_of(model.layers[0] if kind == "transformer" else model)
    fresh = checkpoint_weights(module)
    assert len(fresh) > 10
    train(nlp, examples, steps=2)
    learned = checkpoint_weights(module)
    assert any(not torch.equal(learned[name], weight) for name, weight in fresh.items())
    nlp.initialize(lambda: examples)
    again = checkpoint_weights(module)
    assert all(torch.equal(again[name], weight) for name, weight in fresh.items())
    nlp.update(examples, sgd=nlp.create_optimizer(), annotates=["sentencizer"])


def test_the_training_data_is_read_once() -> None:
    nlp = one_pipe(detector(RECURRENT))
    examples = make_english_examples(nlp)
    read = []

    def get_examples() -> Iterator[Example]:
        for example in examples:
            read.append(example)
            yield example

    nlp.get_pipe("rere_detector").initialize(get_examples, nlp=nlp)  # type: ignore[attr-defined]
    sample = min(10, len(examples))  # from which thinc layers infer their sizes
    assert len(read) == len(examples) + sample


@pytest.mark.parametrize("times, epochs, count", [(1, 0, 1), (20, 0, 0), (1, -1, 0)])
def test_too_few_labels_are_said_once(times: int, epochs: int, count: int) -> None:
    nlp = pipeline_of(rere_detector=detector(RECURRENT), rere_extractor=extractor(RECURRENT))
    nlp.config["training"]["max_epochs"] = epochs
    examples = times * make_english_examples(nlp)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nlp.initialize(lambda: examples)
    found = [str(each.message) for each in caught if "[W011]" in str(each.message)]
    assert len(found) == count
    assert all("the training data: " in each and "--have rules" in each for each in found)


@pytest.mark.parametrize("wrong", [[], ["text"], lambda: ["text"]])
def test_no_examples(wrong: Any) -> None:
    nlp = one_pipe(detector(RECURRENT))
    with pytest.raises(TypeError, match=r"\[E9(30|78)\]"):
        nlp.get_pipe("rere_detector").initialize(wrong, nlp=nlp)  # type: ignore[attr-defined]


def test_a_recurrent_encoder_starts_anew() -> None:
    nlp = one_pipe(detector(RECURRENT))
    examples = make_english_examples(nlp)
    train(nlp, examples, steps=1)
    node = next(n for n in nlp.get_pipe("rere_detector").model.walk() if n.name == "relext_bilstm")  # type: ignore
    before = {name: p.detach().clone() for name, p in module_of(node).named_parameters()}
    nlp.initialize(lambda: examples)
    assert all(not torch.equal(p, before[name]) for name, p in module_of(node).named_parameters())


def test_calibration_of_old_weights_is_forgotten(nlp: Language, examples: List[Example]) -> None:
    pipe: Any = nlp.get_pipe("rere_extractor")
    pipe.cfg.update(scale=2.0, shift=-1.0, thresholds={"author": 0.9})
    nlp.initialize(lambda: examples)
    assert (pipe.cfg["scale"], pipe.cfg["shift"], pipe.cfg["thresholds"]) == (1.0, 0.0, {})


@pytest.mark.parametrize("layers, learns", [(0, True), (1, False)])
def test_letter_shapes_below_frozen_layers_are_frozen(bert: str, layers: int, learns: bool) -> None:
    nlp = one_pipe(detector({**BERT, "case_features": True, "freeze_layers": layers}), bert)
    examples = make_english_examples(nlp)
    train(nlp, examples, steps=1)
    encoder = module_of(nlp.get_pipe("rere_detector").model.layers[0]).encoder  # type: ignore[attr-defined]
    assert encoder.shape_table.weight.requires_grad is learns
    assert bool(encoder.shape_table.weight.abs().sum() > 0) is learns


@pytest.mark.parametrize("marked", [True, False])
def test_marks_of_entities_are_learned(bert: str, marked: bool) -> None:
    nlp = one_pipe(detector({**BERT, "entity_marks": marked}), bert)
    examples = make_english_examples(nlp)
    for example in examples:
        example.predicted.set_ents([Span(example.predicted, 0, 1, label="PER")])
    train(nlp, examples, steps=1)
    model: Any = nlp.get_pipe("rere_detector").model.layers[0]  # type: ignore[attr-defined]
    table = module_of(model).encoder.mark_table
    assert (table is not None) is marked
    bare = examples[0].predicted.copy()
    bare.set_ents([])
    with_marks, without = (model.predict([doc])[0] for doc in (examples[0].predicted, bare))
    if marked:
        assert ((table.weight.abs().sum(1) > 0).sum()) == 2, "no entity, and the first token of one type"
    assert (abs(with_marks - without).max() > 1e-6) is numpy.bool_(marked)


def listening(width: int, upstream: str = "tok2vec") -> Language:
    nlp = pipeline_of(tok2vec={"model": CNN})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": upstream}
    nlp.add_pipe("rere_extractor", name="facts", config=extractor(listener))
    return nlp


@pytest.mark.parametrize("upstream", ["tok2vec", "*"])
def test_a_listener_takes_its_width_from_the_encoder(upstream: str) -> None:
    listener = {**LISTENER, "upstream": upstream}
    nlp = pipeline_of(tok2vec={"model": {**CNN, "width": 40}}, rere_extractor=extractor(listener))
    nlp.initialize(lambda: make_english_examples(nlp))
    assert nlp.get_pipe("rere_extractor").model.get_ref("tok2vec").get_dim("nO") == 40  # type: ignore[attr-defined]
    again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert again.get_pipe("rere_extractor").model.get_ref("tok2vec").get_dim("nO") == 40  # type: ignore[attr-defined]
    again("")  # a listener makes vectors of that width for a text without tokens


@pytest.mark.parametrize("upstream", ["tok2vec", "*"])
def test_a_wrong_width_is_one_clear_line(upstream: str) -> None:
    nlp = listening(100, upstream)
    message = r"^\[R360\] 'facts' listens to 'tok2vec', whose vectors have 48 numbers, but .* says 100\."
    with pytest.raises(ValueError, match=message) as caught:
        nlp.initialize(lambda: make_english_examples(nlp))
    assert "\n" not in str(caught.value)
    assert "Set the width of its listener, in [components.facts.model.encoder], to 48" in str(caught.value)


def test_an_upstream_that_was_exchanged_is_noticed() -> None:
    nlp = listening(48)
    nlp.initialize(lambda: make_english_examples(nlp))
    doc = nlp.make_doc("Ada wrote Lodore.")
    doc.tensor = numpy.zeros((len(doc), 10), dtype="float32")
    with pytest.raises(ValueError, match="R361.*have 10 numbers.*made for 48"):
        nlp.get_pipe("facts")(doc)
