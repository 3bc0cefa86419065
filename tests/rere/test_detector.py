"""What the detector learns from, and what it takes labels to miss."""

import copy
import json
import warnings
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.rere.component import estimate_priors
from tests.contract.sentences import make_english_examples
from tests.rere.conftest import build, train

DETECTOR, EXTRACTOR = "rere_detector", "rere_extractor"


def pipe_of(nlp: Language, name: str = DETECTOR) -> Any:
    return nlp.get_pipe(name)


def bare(nlp: Language, text: str = "Kari was born in Oslo.") -> Example:
    """A text that nobody annotated."""
    return Example(nlp.make_doc(text), nlp.make_doc(text))


def update(nlp: Language, examples: List[Example]) -> Dict[str, float]:
    """One step; the losses of the two components."""
    losses = nlp.update(examples, sgd=nlp.resume_training(), annotates=["sentencizer"])
    return {name: losses[name] for name in (DETECTOR, EXTRACTOR)}


def head(nlp: Language, name: str) -> bytes:
    return nlp.get_pipe(name).model.to_bytes()  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:.W360")
def test_documents_without_annotation_teach_nothing(saved: Any, examples: List[Example]) -> None:
    found = []
    for batch in (examples, [bare(spacy.blank("en")), *examples, bare(spacy.blank("en"), "Mary. Ole. Oslo.")]):
        nlp = spacy.load(saved)
        pipe_of(nlp, EXTRACTOR).cfg["sampling"]["negatives"] = 100.0  # all of them: nothing left to chance
        found.append((update(nlp, copy.deepcopy(batch)), head(nlp, DETECTOR), head(nlp, EXTRACTOR)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    empty = bare(spacy.blank("en"))
    set_triples(empty.reference, [])
    assert update(spacy.load(saved), [*examples, empty])[DETECTOR] != pytest.approx(found[0][0][DETECTOR], rel=1e-3)


@pytest.mark.filterwarnings("ignore:.W360")
def test_a_batch_of_nothing_changes_nothing(nlp: Language) -> None:
    before = head(nlp, DETECTOR), head(nlp, EXTRACTOR)
    assert update(nlp, [bare(nlp), bare(nlp)]) == {DETECTOR: 0.0, EXTRACTOR: 0.0}
    assert (head(nlp, DETECTOR), head(nlp, EXTRACTOR)) == before


def test_missing_annotation_is_reported_once(nlp: Language, examples: List[Example]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            update(nlp, [bare(nlp), *examples])
    found = [str(w.message) for w in caught if "W360" in str(w.message)]
    assert len(found) == 2  # one for each component
    assert found[0].startswith(f"[W360] {DETECTOR}: 1 of the {len(examples) + 1} documents of a batch")


def test_missing_annotation_is_counted_at_initialize(examples: List[Example]) -> None:
    nlp = build()
    with pytest.warns(UserWarning, match=rf"W360. {DETECTOR}: 3 of the {len(examples) + 3} documents of the training"):
        nlp.initialize(lambda: [*examples, *(bare(nlp) for _ in range(3))])
    plain = build()
    plain.initialize(lambda: examples)
    for key in ("prior", "label_prior"):
        assert pipe_of(nlp).cfg[key] == pipe_of(plain).cfg[key]


def test_priors_are_rates_of_sentences() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp("Ada wrote it. Ada met Ole. Oslo grew.")
    # the second triple leaves its sentence: nothing can be learned from it, but its relation is known
    set_triples(doc, [((14, 17), "met", (22, 25)), ((0, 3), "crossing", (22, 25))])
    found = estimate_priors([Example(nlp.make_doc(doc.text), doc), bare(nlp)])
    assert found.labels == ["crossing", "met"] and found.rates == {"crossing": 0.0, "met": pytest.approx(1 / 3)}
    assert found.mean == pytest.approx(1 / 6) and (found.documents, found.unannotated) == (2, 1)


# Missing labels


def test_a_number_goes_before_estimates_and_these_before_the_default(examples: List[Example]) -> None:
    nlp = build()
    nlp.initialize(lambda: examples)
    pipe, labels = pipe_of(nlp), list(pipe_of(nlp).labels)
    assert pipe.missing_rates().tolist() == pytest.approx([0.05] * len(labels))
    pipe.initialize(lambda: examples, nlp=nlp, missing_rates={"author": 0.4})
    expected = [0.4 if label == "author" else 0.05 for label in labels]
    assert pipe.missing_rates().tolist() == pytest.approx(expected)
    assert pipe.targets(pipe.suggest_gold(examples))["missing_rates"].tolist() == pytest.approx(expected)
    pipe.initialize(lambda: examples, nlp=nlp)
    assert pipe.missing_rates().tolist() == pytest.approx(expected), "what was known is kept"
    pipe.cfg["loss"]["missing_rate"] = 0.3
    assert pipe.missing_rates().tolist() == pytest.approx([0.3] * len(labels))


def test_estimates_come_through_the_config(examples: List[Example], tmp_path: Any) -> None:
    (tmp_path / "missing.json").write_text(json.dumps({"author": 0.25}))
    nlp = build(loss={"kind": "collective"})
    reader = {"@readers": "srsly.read_json.v1", "path": str(tmp_path / "missing.json")}
    nlp.config["initialize"]["components"] = {DETECTOR: {"missing_rates": reader}}
    nlp.initialize(lambda: examples)
    assert pipe_of(nlp).cfg["missing_rates"] == {"author": 0.25}


def test_wrong_missing_rates(examples: List[Example]) -> None:
    nlp = build()
    with pytest.raises(ValueError, match=r"R362.*rere_detector.*never_seen.*\[initialize.components"):
        pipe_of(nlp).initialize(lambda: examples, nlp=nlp, missing_rates={"never_seen": 0.2})
    with pytest.raises(ValueError, match="R007.*author.*1.5"):
        pipe_of(nlp).initialize(lambda: examples, nlp=nlp, missing_rates={"author": 1.5})
    with pytest.raises(ValueError, match="R007.*missing_rate"):
        build(loss={"missing_rate": 1.0})


# Losses


def losses_with(nlp: Language, examples: List[Example], **settings: Any) -> float:
    pipe = pipe_of(nlp)
    pipe.cfg["loss"].update(settings)
    docs = list(nlp.pipe(example.predicted.copy() for example in examples))
    compared = [Example(doc, example.reference) for doc, example in zip(docs, examples)]
    outputs = pipe.model.predict(pipe.features(pipe.suggest_gold(compared)))
    return pipe.get_loss(compared, outputs)[0]


def test_every_loss_can_be_chosen(nlp: Language, examples: List[Example]) -> None:
    choices = [("bce", "hidden"), ("ssr_pu", "hidden"), ("collective", "hidden"), ("collective", "paper")]
    found = {losses_with(nlp, examples, kind=loss, mu=mu) for loss, mu in choices}
    assert len(found) == len(choices) and all(np.isfinite(list(found)))


@pytest.mark.parametrize("loss", ["collective", "ssr_pu"])
def test_learning_by_heart_with_losses_for_missing_labels(loss: str) -> None:
    nlp = build(loss={"kind": loss})
    examples = make_english_examples(nlp)
    train(nlp, examples, steps=60)
    assert nlp.evaluate(examples)["relations_ap"] > 0.9
