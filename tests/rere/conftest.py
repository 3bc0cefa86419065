"""A small detector and extractor on one shared encoder, half trained, so that there is something left to tune."""

import pathlib
from typing import Any, List

import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from tests.contract.cases import CNN, LISTENER, detector, extractor
from tests.contract.sentences import make_english_examples


def pipeline_of(**configs: Any) -> Language:
    """An untrained pipeline that sets sentences and has components with these configs."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for factory, config in configs.items():
        nlp.add_pipe(factory, config=config)
    return nlp


def build(**settings: object) -> Language:
    """An untrained pipeline; settings go to the detector."""
    first = {**detector(LISTENER), **settings}
    return pipeline_of(tok2vec={"model": CNN}, rere_detector=first, rere_extractor=extractor(LISTENER))


def train(nlp: Language, examples: List[Example], *, steps: int, learn_rate: float = 0.005) -> None:
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = learn_rate
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, annotates=["sentencizer"])


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A half-trained pipeline on disk."""
    nlp = build()
    train(nlp, make_english_examples(nlp), steps=11)
    path = tmp_path_factory.mktemp("half-trained") / "pipeline"
    nlp.to_disk(path)
    return path


@pytest.fixture
def nlp(saved: pathlib.Path) -> Language:
    return spacy.load(saved)


@pytest.fixture
def examples(nlp: Language) -> List[Example]:
    return make_english_examples(nlp)
