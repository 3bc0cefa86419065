"""Static word vectors that are fine-tuned."""

from typing import Any, List

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import SGD, Model

from spacy_relext.encoders.tuned_vectors import build_tuned_vectors

VECTORS = {"Ada": [1.0, 2.0], "sleeps": [3.0, 4.0], "\xa0": [9.0, 9.0]}


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.vocab.reset_vectors(width=2)
    for word, vector in VECTORS.items():
        nlp.vocab.set_vector(word, numpy.asarray(vector, dtype="float32"))
    return nlp


def build(nlp: Language) -> Model[List[Doc], Any]:
    model = build_tuned_vectors()
    model.initialize(X=[nlp("Ada")])
    return model


def test_untrained_output_is_the_static_vectors(nlp: Language) -> None:
    docs = [nlp("Ada sleeps 🙂"), nlp(""), nlp("Ada \n Ada")]
    outputs = build(nlp).predict(docs)
    assert [each.tolist() for each in outputs] == [[[1, 2], [3, 4], [0, 0]], [], [[1, 2], [0, 0], [1, 2]]]


def test_training_moves_each_word_by_the_sum_of_its_gradients(nlp: Language) -> None:
    model, docs = build(nlp), [nlp("Ada Ada unknown"), nlp("")]
    outputs, backprop = model.begin_update(docs)
    backprop([numpy.ones_like(each) for each in outputs])
    model.finish_update(SGD(0.1, L2=0.0, grad_clip=0.0))
    assert model.predict([nlp("Ada sleeps unknown")])[0] == pytest.approx(numpy.array([[0.8, 1.8], [3, 4], [0, 0]]))
    assert nlp.vocab["Ada"].vector.tolist() == [1, 2]


def test_bytes(nlp: Language) -> None:
    model = build(nlp)
    model.set_param("E", model.get_param("E") + 1)
    loaded = build_tuned_vectors().from_bytes(model.to_bytes())
    assert loaded.get_dim("nO") == 2
    assert loaded.predict([nlp("Ada")])[0].tolist() == [[2, 3]]
