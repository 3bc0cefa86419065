"""Tuning on a half-trained pipeline: it never gets worse, and what is saved is what was fitted."""

import pathlib
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.store import RELATIONS_KEY, get_records
from spacy_relext.pipeline import tuning
from spacy_relext.pipeline.tuning import Goal, tune_pipeline
from spacy_relext.scoring.probabilities import Platt, calibrate
from tests.contract.conftest import outcome

Found = Dict[str, Dict[str, Any]]
EXTRACTOR, DETECTOR = "rere_extractor", "rere_detector"


@pytest.fixture(autouse=True)
def enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few triples of these tests count as many."""
    monkeypatch.setattr(tuning, "PRIOR", 1e-9)


def cfg_of(nlp: Language, name: str = EXTRACTOR) -> Any:
    return nlp.get_pipe(name).cfg  # type: ignore[attr-defined]


def check(nlp: Language, examples: List[Example], found: Found, before: Dict[str, Any]) -> None:
    """The report is true, and nothing got worse."""
    after = nlp.evaluate(examples)
    assert found[EXTRACTOR]["before"] == pytest.approx(before["exact_f"])
    assert found[EXTRACTOR]["after"] == pytest.approx(after["exact_f"])
    assert found[DETECTOR]["after"] == pytest.approx(after["relations_micro_f"])
    assert after["exact_f"] >= before["exact_f"] and after["relations_micro_f"] >= before["relations_micro_f"]
    for name, result in found.items():
        for key in ("threshold", "thresholds", "scale", "shift"):
            assert cfg_of(nlp, name)[key] == result[key]


def test_tuning_helps_and_is_reported(nlp: Language, examples: List[Example]) -> None:
    before = nlp.evaluate(examples)
    assert 0.0 < before["exact_f"] < 1.0, "the fixture should leave something to tune"
    kept = {name: dict(cfg_of(nlp, name)) for name in (DETECTOR, EXTRACTOR)}
    found = tune_pipeline(nlp, examples, min_positives=1)
    check(nlp, examples, found, before)
    fitted = {"threshold", "thresholds", "scale", "shift", "missing_rates", "label_frequency"}
    for name, settings in kept.items():
        assert cfg_of(nlp, name).keys() == settings.keys()
        assert {key for key, value in settings.items() if cfg_of(nlp, name)[key] != value} <= fitted
    assert found[EXTRACTOR]["after"] > found[EXTRACTOR]["before"]
    assert [found[name]["writes"] for name in (DETECTOR, EXTRACTOR)] == ["relations", "triples"]
    assert found[EXTRACTOR]["ece_after"] < found[EXTRACTOR]["ece_before"]
    assert (cfg_of(nlp, DETECTOR)["scale"], cfg_of(nlp, DETECTOR)["shift"]) != (1.0, 0.0)


def test_before_is_with_the_detector_as_it_was(nlp: Language, examples: List[Example]) -> None:
    cfg_of(nlp, DETECTOR)["shift"] = -3.0  # few relations are asked for
    before = nlp.evaluate(examples)
    found = tune_pipeline(nlp, examples, min_positives=1)
    check(nlp, examples, found, before)
    assert found[EXTRACTOR]["before"] < found[EXTRACTOR]["after"]


def test_triples_of_other_components_do_not_count(nlp: Language, examples: List[Example]) -> None:
    @Language.component("nonsense")
    def nonsense(doc: Doc) -> Doc:
        set_triples(doc, [((0, len(doc[0])), "author", (doc[-1].idx, len(doc.text)))], source="nonsense")
        return doc

    before = nlp.evaluate(examples)["exact_f"]
    nlp.add_pipe("nonsense", before=DETECTOR)
    assert tune_pipeline(nlp, examples, min_positives=1)[EXTRACTOR]["before"] == pytest.approx(before)


def test_again_nothing_gets_worse(nlp: Language, examples: List[Example]) -> None:
    first = tune_pipeline(nlp, examples, min_positives=1)
    before = nlp.evaluate(examples)
    again = tune_pipeline(nlp, examples)  # no relation has ten right triples: its own fit is a single threshold
    check(nlp, examples, again, before)
    for was, now in (("after", "before"), ("ece_after", "ece_before")):
        assert again[DETECTOR][now] == pytest.approx(first[DETECTOR][was], abs=1e-6)
    assert again[DETECTOR]["missing_rates"] == first[DETECTOR]["missing_rates"], "from the detector's own probabilities"


def test_the_extractor_reads_each_batch_once_between_changes(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: List[int] = []
    extractor: Any = nlp.get_pipe(EXTRACTOR)
    features = extractor.features
    monkeypatch.setattr(extractor, "features", lambda each: batches.append(len(each)) or features(each))
    list(nlp.pipe(example.predicted.copy() for example in examples))
    once = len(batches)
    assert once
    tune_pipeline(nlp, examples, min_positives=1)
    # once as it was, and once or twice (where its detector is fitted again) with what it is fitted to
    assert len(batches) - once in (2 * once, 3 * once)


def test_good_thresholds_are_kept(nlp: Language, examples: List[Example]) -> None:
    tune_pipeline(nlp, examples, min_positives=1)
    best = nlp.evaluate(examples)["exact_f"]
    found = tune_pipeline(nlp, examples, min_positives=1000)
    after = nlp.evaluate(examples)["exact_f"]
    assert after >= best and after == pytest.approx(found[EXTRACTOR]["after"])


def test_earlier_thresholds_move_with_the_calibration(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp.remove_pipe(EXTRACTOR)
    first = tune_pipeline(nlp, examples, min_positives=1)[DETECTOR]
    cfg_of(nlp, DETECTOR)["thresholds"] = {"author": 0.4}
    other = Platt(0.5 * first["scale"], 0.5 * first["shift"] + 0.7)
    monkeypatch.setattr(tuning, "fit_platt", lambda *_: other)
    monkeypatch.setattr(tuning, "best_threshold", lambda *_, **__: (1.0, 0.0))  # new ones would accept nothing
    monkeypatch.setattr(tuning, "label_thresholds", lambda *_, **__: {})
    again = tune_pipeline(nlp, examples)[DETECTOR]
    assert again["threshold"] == pytest.approx(calibrated(first["threshold"], 0.5, 0.7), abs=1e-4)
    assert again["thresholds"] == pytest.approx({"author": calibrated(0.4, 0.5, 0.7)}, abs=1e-4)


def calibrated(score: float, scale: float, shift: float) -> float:
    return float(calibrate(np.asarray([score]), scale=scale, shift=shift)[0])


def test_a_threshold_that_accepts_all_is_halfway_to_the_least_possible_score(
    nlp: Language, examples: List[Example]
) -> None:
    nlp.remove_pipe(EXTRACTOR)
    found = tune_pipeline(nlp, examples, min_positives=1000, goal=Goal(precision=0.01))[DETECTOR]
    cfg_of(nlp, DETECTOR)["min_probability"] = 0.0
    docs = [nlp(example.text) for example in examples]
    least = min(min(record["relations"].values()) for doc in docs for record in doc.user_data[RELATIONS_KEY])
    floor = calibrated(0.0, found["scale"], found["shift"])
    assert found["recall"] == 1.0 and found["threshold"] == pytest.approx((least + floor) / 2, abs=2e-6)


def test_a_harmful_calibration_of_the_detector_is_not_kept(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = nlp.evaluate(examples)
    monkeypatch.setattr(tuning, "fit_platt", lambda scores, correct: Platt(1.0, -9.0))  # nothing would be asked for
    found = tune_pipeline(nlp, examples)
    check(nlp, examples, found, before)
    assert (found[DETECTOR]["scale"], found[DETECTOR]["shift"]) == (1.0, 0.0)
    assert found[EXTRACTOR]["shift"] == -9.0 and found[EXTRACTOR]["threshold"] < 1e-2


def test_the_saved_pipeline_is_the_tuned_one(nlp: Language, examples: List[Example], tmp_path: pathlib.Path) -> None:
    found = tune_pipeline(nlp, examples, min_positives=1)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for example in examples:
        assert outcome(loaded(example.text)) == outcome(nlp(example.text))
    for name in (DETECTOR, EXTRACTOR):
        assert loaded.config["components"][name]["threshold"] == found[name]["threshold"]
        for key in ("threshold", "scale", "shift"):
            assert cfg_of(loaded, name)[key] == found[name][key] == pytest.approx(round(found[name][key], 6), abs=1e-15)
        assert cfg_of(loaded, name)["thresholds"] == found[name]["thresholds"]
    assert cfg_of(loaded, DETECTOR)["missing_rates"] == pytest.approx(found[DETECTOR]["missing_rates"], abs=1e-15)
    assert cfg_of(loaded, DETECTOR)["label_frequency"] == pytest.approx(found[DETECTOR]["label_frequencies"], abs=1e-15)


def test_only_thresholds_that_differ_from_the_common_one_are_kept(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp.remove_pipe(EXTRACTOR)
    labels = nlp.get_pipe(DETECTOR).labels  # type: ignore[attr-defined]
    single = tune_pipeline(nlp, examples)[DETECTOR]["threshold"]
    # another one that accepts the same cells
    own = {**dict.fromkeys(labels, single), "author": single - 1e-5}
    monkeypatch.setattr(tuning, "best_threshold", lambda *_, **__: (single, 0.0))
    monkeypatch.setattr(tuning, "label_thresholds", lambda *_, **__: own)
    assert tune_pipeline(nlp, examples)[DETECTOR]["thresholds"] == pytest.approx({"author": single - 1e-5}, abs=1e-6)


def test_detectors_are_calibrated_if_nothing_gets_worse(nlp: Language, examples: List[Example]) -> None:
    perfect = [example for example in examples if nlp.evaluate([example])["exact_f"] == 1.0]
    found = tune_pipeline(nlp, perfect)
    assert found[EXTRACTOR]["before"] == found[EXTRACTOR]["after"] == 1.0
    for name in (DETECTOR, EXTRACTOR):
        assert (found[name]["scale"], found[name]["shift"]) != (1.0, 0.0)
    alone = [example for example in perfect if len(example.reference._.triples) == 1]
    found = tune_pipeline(nlp, alone[:1])
    for name in (DETECTOR, EXTRACTOR):
        assert (found[name]["gold"], found[name]["precision"], found[name]["recall"]) == (1, 1.0, 1.0)


@pytest.mark.parametrize(
    "options, asked",
    [
        ({}, {"beta": 1.0, "min_positives": 10}),
        ({"min_positives": 3, "goal": Goal(beta=2.0)}, {"beta": 2.0, "min_positives": 3}),
        ({"goal": Goal(precision=0.7)}, {"precision": 0.7, "min_positives": 10}),
    ],
)
def test_what_thresholds_are_asked_for(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch, options: Any, asked: Dict[str, float]
) -> None:
    calls: List[Dict[str, Any]] = []

    def listen(name: str) -> None:
        fit = getattr(tuning, name)
        monkeypatch.setattr(tuning, name, lambda *data, **given: calls.append(given) or fit(*data, **given))

    for name in ("best_threshold", "label_thresholds", "precision_thresholds"):
        listen(name)
    nlp.remove_pipe(DETECTOR)
    found = tune_pipeline(nlp, examples, **options)[EXTRACTOR]
    floor = calibrated(0.1, found["scale"], found["shift"])
    gold = sum(len(example.reference._.triples) for example in examples)
    assert calls
    for given in calls:
        assert given["floor"] == pytest.approx(floor)
        assert all(given[key] == value for key, value in asked.items() if key in given or key != "min_positives")
        n_gold = given.get("n_gold", gold)
        assert (n_gold if isinstance(n_gold, int) else sum(n_gold.values())) == gold
    assert calls[-1]["min_positives"] == asked["min_positives"]


def test_a_goal_of_precision_is_kept_in_any_case(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "fit_platt", lambda scores, correct: Platt(1.0, -9.0))  # nothing would be asked for
    found = tune_pipeline(nlp, examples, goal=Goal(precision=0.5))
    assert [found[name]["shift"] for name in (DETECTOR, EXTRACTOR)] == [-9.0, -9.0]


def test_a_threshold_for_all(nlp: Language, examples: List[Example]) -> None:
    tune_pipeline(nlp, examples, min_positives=1)
    keys = set(cfg_of(nlp))
    found = tune_pipeline(nlp, examples, min_positives=1, per_label=False)
    assert set(cfg_of(nlp)) == keys
    assert found[EXTRACTOR]["thresholds"] == found[DETECTOR]["thresholds"] == {}


def test_precision_first(nlp: Language, examples: List[Example]) -> None:
    (first, *others), reference = get_records(examples[0].reference) or [], examples[0].reference
    missed = {**first, "relation": next(label for label in cfg_of(nlp)["labels"] if label != first["relation"])}
    set_triples(reference, [first, *others, missed])  # which no threshold finds without errors
    found = tune_pipeline(nlp, examples, min_positives=1, goal=Goal(precision=1.0))[EXTRACTOR]
    after = nlp.evaluate(examples)
    assert found["precision"] == after["exact_p"] == 1.0 and found["recall"] == after["exact_r"]
    assert 0.0 < after["exact_r"] < 1.0
    lower = tune_pipeline(nlp, examples, min_positives=1, goal=Goal(precision=0.5))[EXTRACTOR]
    assert lower["recall"] >= found["recall"] and lower["precision"] >= 0.5
    assert nlp.evaluate(examples)["exact_r"] == lower["recall"]


def test_recall_first(nlp: Language, examples: List[Example]) -> None:
    balanced = tune_pipeline(nlp, examples, min_positives=1)[EXTRACTOR]
    found = tune_pipeline(nlp, examples, min_positives=1, goal=Goal(beta=4.0))
    assert found[EXTRACTOR]["recall"] >= balanced["recall"]
    assert found[EXTRACTOR]["after"] >= found[EXTRACTOR]["before"]
    assert found[DETECTOR]["goal"] == Goal(), "its own thresholds are those of the best F1"
    extractor = {key: cfg_of(nlp)[key] for key in ("threshold", "thresholds")}
    assert extractor == {key: found[EXTRACTOR][key] for key in extractor}


@pytest.mark.parametrize("wrong", [{"beta": 0.0}, {"beta": 101.0}, {"precision": 1.5}, {"precision": 0.0}])
def test_wrong_goals(wrong: Dict[str, float]) -> None:
    with pytest.raises(ValueError, match="R007"):
        Goal(**wrong)


def test_goals_at_the_limits() -> None:
    assert (Goal(beta=0.01).beta, Goal(beta=100.0).beta) == (0.01, 100.0)
    assert (Goal(precision=0.01).precision, Goal(precision=1.0).precision) == (0.01, 1.0)
    assert Goal(beta=2.0).score(1, 2, 4) == pytest.approx(5 * 1 / (2 + 4 * 4))
    assert Goal().score(1, 2, 4) == pytest.approx(2 / 6)


def test_documents_without_annotation_do_not_count(nlp: Language, examples: List[Example]) -> None:
    bare = Example(nlp.make_doc("Kari was born in Oslo."), nlp.make_doc("Kari was born in Oslo."))
    found = tune_pipeline(nlp, [bare, *examples, bare])
    assert found[EXTRACTOR]["documents"] == found[DETECTOR]["documents"] == len(examples)
    assert found[EXTRACTOR]["gold"] == sum(len(example.reference._.triples) for example in examples)


@pytest.mark.parametrize("name, score", [(DETECTOR, "relations_micro_f"), (EXTRACTOR, "exact_f")])
def test_one_component_alone(nlp: Language, examples: List[Example], name: str, score: str) -> None:
    nlp.remove_pipe(EXTRACTOR if name == DETECTOR else DETECTOR)
    before = nlp.evaluate(examples)[score]
    found = tune_pipeline(nlp, examples)
    assert list(found) == [name] and found[name]["after"] >= found[name]["before"]
    assert nlp.evaluate(examples)[score] >= before


def test_some_components(nlp: Language, examples: List[Example]) -> None:
    kept = dict(nlp.get_pipe(DETECTOR).cfg)  # type: ignore[attr-defined]
    assert list(tune_pipeline(nlp, examples, components=[EXTRACTOR])) == [EXTRACTOR]
    assert nlp.get_pipe(DETECTOR).cfg == kept  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=f"R007.*'sentencizer'; expected {DETECTOR}, {EXTRACTOR}"):
        tune_pipeline(nlp, examples, components=["sentencizer"])


def test_nothing_to_tune(nlp: Language, examples: List[Example]) -> None:
    with pytest.raises(ValueError, match="R011.*0 documents"):
        tune_pipeline(nlp, [])
    empty = nlp.make_doc("Nothing.")
    set_triples(empty, [])
    with pytest.raises(ValueError, match="R011"):
        tune_pipeline(nlp, [Example(nlp.make_doc("Nothing."), empty)])
    found = nlp.make_doc("Ada met Bob.")
    set_triples(found, [{"subject": [0, 3], "relation": "met", "object": [8, 11]}], source=EXTRACTOR)
    with pytest.raises(ValueError, match="R011.*those that a pipeline found"):
        tune_pipeline(nlp, [Example(nlp.make_doc("Ada met Bob."), found)])
    with pytest.raises(ValueError, match="R010.*sentencizer"):
        with nlp.select_pipes(enable="sentencizer"):
            tune_pipeline(nlp, examples)


def test_only_a_bce_detector_says_what_is_missing(nlp: Language, examples: List[Example]) -> None:
    cfg = cfg_of(nlp, DETECTOR)
    cfg["loss"]["kind"], cfg["missing_rates"] = "collective", {"author": 0.4}
    found = tune_pipeline(nlp, examples)[DETECTOR]
    assert not found["unbiased"] and cfg["missing_rates"] == {"author": 0.4}
    cfg["loss"]["kind"] = "bce"
    found = tune_pipeline(nlp, examples)[DETECTOR]
    assert found["unbiased"] and cfg["missing_rates"] == pytest.approx(found["missing_rates"])
    assert set(found["missing_rates"]) == set(nlp.get_pipe(DETECTOR).labels)  # type: ignore[attr-defined]


def test_the_estimate_is_of_stored_probabilities(nlp: Language, examples: List[Example]) -> None:
    cfg_of(nlp, DETECTOR)["min_probability"] = 0.0
    docs = [nlp(example.text) for example in examples]
    found = tune_pipeline(nlp, examples)[DETECTOR]
    probs = []
    for doc, example in zip(docs, examples):
        for relation in {t.relation for t in example.reference._.triples}:
            # both arguments of every triple of these texts stand in the sentence that says it best
            probs.append(max(record["relations"][relation] for record in doc.user_data[RELATIONS_KEY]))
    assert found["label_frequency"] == pytest.approx(np.mean(probs), abs=1e-3)
    assert sum(found["positives"].values()) == len(probs)
