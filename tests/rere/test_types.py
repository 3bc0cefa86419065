"""The setting `types` of `rere_extractor`, and what its average precision ranks."""

import warnings
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config

from spacy_relext.scoring.evaluation import evaluate_pipeline
from tests.contract.cases import CNN, extractor
from tests.contract.entities import FACTORY as ENTITIES

EXTRACTOR = "rere_extractor"
Stated = List[Any]


def stated(nlp: Language, examples: List[Example]) -> Stated:
    """Triples of texts, as loosely as possible, with the scores of their evidence."""
    nlp.get_pipe(EXTRACTOR).cfg["threshold"] = 0.01  # type: ignore[attr-defined]
    docs = nlp.pipe(example.text for example in examples)
    return [(doc.text, t.subject.text, t.relation, t.object.text) for doc in docs for t in doc._.triples]


def loaded(saved: Path, *, entities: bool, types: Any) -> Language:
    nlp = spacy.load(saved, config={"components": {EXTRACTOR: {"types": types}}})
    if entities:
        nlp.add_pipe(ENTITIES, first=True)
    return nlp


def test_candidates_between_entities_of_other_types_are_dropped(saved: Path, examples: List[Example]) -> None:
    types = [["PERSON", "place_of_birth", "PERSON"]]
    free = stated(loaded(saved, entities=True, types=[]), examples)
    kept = stated(loaded(saved, entities=True, types=types), examples)
    alone = stated(loaded(saved, entities=False, types=types), examples)
    kinds = {(subject, obj) for _, subject, relation, obj in free if relation == "place_of_birth"}
    assert ("Ada", "London") in kinds or ("Ada Lovelace", "London") in kinds
    assert not any(relation == "place_of_birth" and obj == "London" for _, _, relation, obj in kept)
    assert {each for each in free if each[2] != "place_of_birth"} == {
        each for each in kept if each[2] != "place_of_birth"
    }
    assert alone == free, "no entity, no type"


def test_unknown_names_warn(examples: List[Example]) -> None:
    types = [["PERSON", "place_of_brith", "PLACE"], ["PERS", "author", "*"]]
    nlp = spacy.blank("en")
    nlp.add_pipe(EXTRACTOR, config={**extractor(CNN), "types": types})
    for example in examples:
        nlp_doc = spacy.blank("en")
        nlp_doc.add_pipe(ENTITIES)
        example.reference.ents = [
            example.reference.char_span(ent.start_char, ent.end_char, label=ent.label_)
            for ent in nlp_doc(example.text).ents
        ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nlp.initialize(lambda: examples)
        stated(nlp, examples)
    messages = [str(each.message) for each in caught if "W004" in str(each.message)]
    assert len(messages) == 2 and "place_of_brith" in messages[0] and "place_of_birth" in messages[0]
    assert "PERS," in messages[1] and "PERSON" in messages[1]


def test_rows_survive_a_config(tmp_path: Path) -> None:
    """Whatever characters relations have."""
    rows = [["PERSON", "per:title=a.b", "*"], ["PERSON", "/people/person/place_of_birth", "PLACE"]]
    nlp = spacy.blank("en")
    nlp.add_pipe(EXTRACTOR, config={**extractor(CNN), "types": rows})
    nlp.config.to_disk(tmp_path / "config.cfg")
    config = load_config(tmp_path / "config.cfg")
    assert config["components"][EXTRACTOR]["types"] == rows
    with pytest.raises(ValueError, match="types"):
        nlp.add_pipe(EXTRACTOR, name="other", config={**extractor(CNN), "types": [["PERSON", "author"]]})


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
