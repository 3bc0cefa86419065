"""The setting `types` of `rere_extractor`, and what its average precision ranks."""

from typing import Any, List

import pytest
from spacy.language import Language
from spacy.training import Example

from spacy_relext.scoring.evaluation import evaluate_pipeline

EXTRACTOR = "rere_extractor"
Stated = List[Any]


def test_average_precision_is_of_all_candidates(nlp: Language, examples: List[Example]) -> None:
    pipe: Any = nlp.get_pipe(EXTRACTOR)
    found = []
    for threshold in (0.01, 0.6, 1.01):
        pipe.cfg["threshold"] = threshold
        scores = evaluate_pipeline(nlp, examples)
        found.append((scores["exact_ap"], scores["n_predicted"]))
    assert 0.0 < found[0][0] == found[1][0] == found[2][0] and found[0][1] > found[1][1] > found[2][1] == 0
    assert evaluate_pipeline(nlp, examples, label_filter=["place_of_birth"])["exact_ap"] is None


def test_without_vectors_it_is_of_the_triples(nlp: Language, examples: List[Example]) -> None:
    """What a listener reads is gone when the scores are computed."""
    pipe: Any = nlp.get_pipe(EXTRACTOR)
    pipe.cfg["threshold"] = 0.01
    expected = nlp.evaluate(examples)["exact_ap"]
    nlp.add_pipe("doc_cleaner", config={"attrs": {"tensor": None}})
    assert nlp.evaluate(examples)["exact_ap"] == pytest.approx(expected)
    pipe.cfg["threshold"] = 1.01
    assert nlp.evaluate(examples)["exact_ap"] == 0.0
