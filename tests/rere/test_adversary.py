"""A shared encoder whose input is perturbed while detector and extractor learn."""

import pathlib
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.util import fix_random_seed

from spacy_relext.bridge.modules import module_of
from tests.contract.cases import BERT, LISTENER, detector, extractor
from tests.contract.sentences import make_english_examples
from tests.rere.conftest import pipeline_of

COMPONENTS = ("rere_detector", "rere_extractor")


def build(path: str, radius: float) -> Language:
    """A pipeline of one encoder and two components that listen to it."""
    encoder = {"model": {**BERT, "name": path, "adversarial_radius": radius}}
    return pipeline_of(tok2vec=encoder, rere_detector=detector(LISTENER), rere_extractor=extractor(LISTENER))


def losses_of(nlp: Language, *, learn_rate: float, epochs: int) -> List[Dict[str, float]]:
    """The losses of some epochs, each a batch of all sentences."""
    fix_random_seed(0)
    examples = make_english_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = learn_rate
    return [nlp.update(examples, sgd=optimizer, losses={}, annotates=["sentencizer"]) for _ in range(epochs)]


def relations_of(nlp: Language, texts: List[str]) -> List[Dict[str, float]]:
    return [sentence._.relations for doc in nlp.pipe(texts) for sentence in doc.sents]


def encoder_of(nlp: Language) -> Any:
    tok2vec: Any = nlp.get_pipe("tok2vec")
    return module_of(tok2vec.model).encoder


def test_the_second_epoch_is_harder_for_both_components(bert: str) -> None:
    plain = losses_of(build(bert, 0.0), learn_rate=0.0, epochs=2)
    nlp = build(bert, 2.0)
    first, second = losses_of(nlp, learn_rate=0.0, epochs=2)
    assert first == pytest.approx(plain[0]) and plain[1] == pytest.approx(plain[0])
    assert sum(second[name] for name in COMPONENTS) > sum(first[name] for name in COMPONENTS)
    texts = [example.text for example in make_english_examples(nlp)]
    sentences = {sentence.text for doc in nlp.pipe(texts) for sentence in doc.sents}
    assert len(encoder_of(nlp).perturbations) == len(sentences)


def test_prediction_and_saved_pipelines_know_nothing_of_it(bert: str, tmp_path: pathlib.Path) -> None:
    nlp = build(bert, 1.0)
    losses = losses_of(nlp, learn_rate=0.005, epochs=40)
    assert losses[-1]["rere_detector"] < 0.5 * losses[0]["rere_detector"]
    texts = [example.text for example in make_english_examples(nlp)]
    before = relations_of(nlp, texts)
    encoder_of(nlp).perturbations = None  # prediction would fail if it read them
    assert relations_of(nlp, texts) == before
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert relations_of(loaded, texts) == before and any(before)
    assert len(encoder_of(loaded).perturbations) == 0


def test_a_radius_below_zero_is_refused(bert: str) -> None:
    with pytest.raises(ValueError, match=r"adversarial_radius"):
        build(bert, -1.0)
