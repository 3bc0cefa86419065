"""`selfore_clusterer`: the score says how well a pair fits, and pairs that fit nowhere can be left out."""

from pathlib import Path
from typing import Any, List

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example

from tests.selfore.test_component import build, make_doc

STRANGE = ("Ada ; 7 ( ? ) zyx Eve", "qqq Pia 99 % !! Kim ww", "Ada $ Eve # ^ & ~ 1234")


def scores_of(nlp: Language, pipe: Any, examples: List[Example]) -> List[float]:
    pipe.cfg["threshold"] = 0.0
    return [nlp(example.predicted.copy())._.triples[0].score for example in examples]


@pytest.fixture(scope="module")
def trained() -> Any:
    return build()


def test_scores_are_ranks_of_training_pairs(trained: Any) -> None:
    nlp, pipe, examples = trained
    found = sorted(scores_of(nlp, pipe, examples))
    assert 0.0 <= found[0] < 0.05 and 0.95 < found[-1] <= 1.0
    assert numpy.abs(numpy.asarray(found) - numpy.linspace(0, 1, len(found))).max() < 0.05
    fits = [each["fit"] for each in pipe.clusters.records]
    assert all(0.0 <= each <= 1.0 for each in fits) and numpy.mean(fits) == pytest.approx(0.5, abs=0.05)


def test_what_is_like_nothing_fits_nowhere(trained: Any) -> None:
    nlp, pipe, examples = trained
    assert max(nlp(make_doc(nlp, text))._.triples[0].score for text in STRANGE) < 0.1
    assert nlp(make_doc(nlp, "Eve is the happy wife of Kim"))._.triples[0].score > 0.1


def test_a_higher_threshold_leaves_out_more(trained: Any) -> None:
    nlp, pipe, examples = trained
    kept = []
    for threshold in (0.0, 0.25, 0.5, 0.75, 1.0):
        pipe.cfg["threshold"] = threshold
        found = {number for number, example in enumerate(examples) if nlp(example.predicted.copy())._.triples}
        assert abs(len(found) / len(examples) - (1 - threshold)) < 0.06
        assert not kept or found <= kept[-1]
        kept.append(found)


def test_saved_with_the_weights(trained: Any, tmp_path: Path) -> None:
    nlp, pipe, examples = trained
    expected = scores_of(nlp, pipe, examples)
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert scores_of(again, again.get_pipe(pipe.name), examples) == pytest.approx(expected, abs=1e-5)
    strange = [each(make_doc(each, STRANGE[0]))._.triples[0].score for each in (nlp, again)]
    assert strange[0] == pytest.approx(strange[1], abs=1e-5)
