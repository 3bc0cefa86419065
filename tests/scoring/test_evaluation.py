"""Evaluation of pipelines whose predictions are known beforehand."""

from types import SimpleNamespace
from typing import Any, Dict, Iterable, Iterator, List, Set

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext.annotations.store import get_triples, set_triples
from spacy_relext.scoring import evaluation
from spacy_relext.scoring.clusters import ClusterScorer, baseline_scores
from spacy_relext.scoring.evaluation import (
    TrainingFacts,
    choose_labels,
    evaluate_pipeline,
    read_training,
    score_sets,
    score_unseen,
)
from spacy_relext.scoring.relations import RELATION_SCORE_WEIGHTS
from spacy_relext.scoring.triples import TextKey, compare_documents
from tests.cli.fake_pipeline import make_pipeline
from tests.scoring.builders import f1_interval, locate, make_example

MET, SAW, KNEW = ("Ada", "met", "Bo"), ("Cy", "saw", "Di"), ("Hal", "knew", "Ida")
# A text, its gold triples, and what is predicted.
ROWS: Any = [
    ("Ada met Bo . Cy saw Di .", [MET, SAW], [(*MET, 0.92), (*SAW, 0.4)]),
    ("Ed met Flo . Gus slept .", [], [("Ed", "met", "Flo", 0.98)]),
    ("Hal knew Ida .", [KNEW], []),
    ("Jo met Kim .", None, [("Jo", "met", "Kim", 0.9)]),
]


class Scripted:
    """Writes the triples of ROWS, notes the sizes of its batches, and reports scores as trained components do."""

    def __init__(self) -> None:
        self.batch_sizes: List[int] = []
        self.reported: Dict[str, Any] = {}

    def __call__(self, doc: Doc) -> Doc:
        triples = next(predicted for text, _, predicted in ROWS if text == doc.text)
        set_triples(doc, locate(doc.text, triples), source="scripted")
        return doc

    def pipe(self, docs: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
        self.batch_sizes.append(batch_size)
        yield from map(self, docs)

    def score(self, examples: Iterable[Example], **settings: Any) -> Dict[str, Any]:
        return self.reported


@Language.factory("scripted_extractor")
def make_scripted(nlp: Language, name: str) -> Scripted:
    return Scripted()


def make_examples() -> List[Example]:
    return [make_example(text, gold, None) for text, gold, _ in ROWS]


@pytest.fixture
def nlp() -> Language:
    made = spacy.blank("en")
    made.add_pipe("scripted_extractor", "scripted")
    return made


def test_every_score_by_hand(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three predictions in annotated texts two are right; one of three gold triples is missed."""
    clock = iter([10.0, 10.5])
    monkeypatch.setattr(evaluation, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    seen: List[Example] = []
    training = TrainingFacts({("saw", "Cy", "Di")}, set(), {})
    found = evaluate_pipeline(nlp, make_examples(), training=training, on_predictions=seen.extend)
    low, high = f1_interval(np.array([2, 0, 0]), np.array([2, 1, 0]), np.array([2, 0, 1]))
    assert {key: found.pop(key) for key in ("token_acc", "token_p", "token_r", "token_f")}, "of spaCy's own scorer"
    assert found.pop("triples_per_type") == {
        "knew": {"p": 0.0, "r": 0.0, "f": 0.0},
        "met": {"p": 0.5, "r": 1.0, "f": pytest.approx(2 / 3)},
        "saw": {"p": 1.0, "r": 1.0, "f": 1.0},
    }
    assert found.pop("support_per_type") == {"knew": 1, "met": 1, "saw": 1}
    assert found == pytest.approx({
        **{f"{name}_{key}": 2 / 3 for name in ("exact", "span", "partial") for key in "prf"},
        "macro_p": 0.5, "macro_r": 2 / 3, "macro_f": 5 / 9,
        "exact_ap": None, "empty_error_rate": 0.5, "direction_accuracy": 1.0,
        # without what training holds: one right, one wrong, one missed
        "unseen_p": 0.5, "unseen_r": 0.5, "unseen_f": 0.5, "n_gold_unseen": 2,
        **dict.fromkeys(RELATION_SCORE_WEIGHTS),
        # alone, each prediction is a bin of equal mass; of one width are 0.92, which is right, and 0.98, which is wrong
        "ece": (0.6 + 0.08 + 0.98) / 3,
        # right are the second and the third
        "aurc": (1 + 1 / 2 + 1 / 3) / 3,
        **dict(zip([f"precision_at_coverage_{each}" for each in (10, 25, 50, 75)], (0, 0, 0.5, 0.5))),
        **dict.fromkeys([f"threshold_at_precision_{each}" for each in (80, 90, 95)]),
        "best_threshold": 0.2, "best_threshold_f": 2 / 3, "exact_f_low": low, "exact_f_high": high,
        "n_documents": 4, "n_annotated": 3, "n_gold": 3, "n_predicted": 3,
        # 23 words
        "seconds": 0.5, "docs_per_second": 8.0, "words_per_second": 46.0,
    })  # fmt: skip
    assert [(each.text, len(get_triples(each.predicted))) for each in seen] == [
        (text, len(predicted)) for text, _, predicted in ROWS
    ]


def test_relations_to_score(nlp: Language) -> None:
    found = evaluate_pipeline(nlp, make_examples(), label_filter=["met"], training=TrainingFacts(set(), set(), {}))
    counts = [found[key] for key in ("n_gold", "n_gold_unseen", "n_predicted")]
    assert (found["exact_p"], found["unseen_p"], counts) == (0.5, 0.5, [1, 1, 2])
    assert found["support_per_type"] == {"met": 1} and found["best_threshold_f"] == pytest.approx(2 / 3)


def test_what_components_report_is_kept(nlp: Language) -> None:
    """Only they know their candidates and thresholds; the relations that they were given are not theirs."""
    scripted: Any = nlp.get_pipe("scripted")
    scripted.reported = {"exact_ap": 0.25, "relations_micro_f": 0.125, "relations_ap": 0.5, "exact_f": 0.0, "own": 1.0}
    found = evaluate_pipeline(nlp, make_examples())
    kept = {"exact_ap": 0.25, "relations_micro_f": 0.125, "relations_ap": 0.5, "own": 1.0}
    assert found.items() >= kept.items() and found["exact_f"] == pytest.approx(2 / 3)
    assert evaluate_pipeline(nlp, make_examples(), label_filter=["met"])["exact_ap"] is None
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("fake_detector", before="scripted")
    given = evaluate_pipeline(nlp, make_examples(), give_relations=True)
    assert {given[key] for key in RELATION_SCORE_WEIGHTS} == {None} and given["own"] == 1.0


def test_clusters_are_scored_beside_baselines(nlp: Language) -> None:
    scripted: Any = nlp.get_pipe("scripted")
    scripted.scorer = ClusterScorer()
    found = evaluate_pipeline(nlp, make_examples())
    assert found["relations_per_cluster"] == {"met": {"met": 1}, "saw": {"saw": 1}}
    assert found["cluster_baselines"] == baseline_scores(["met", "saw"], count=2)

    @Language.component("other_finder")
    def other_finder(doc: Doc) -> Doc:
        set_triples(doc, locate(doc.text, [(*KNEW, 0.9)]) if "Hal" in doc.text else [], source="other_finder")
        return doc

    nlp.add_pipe("other_finder", first=True)
    again = evaluate_pipeline(nlp, make_examples())
    assert again["relations_per_cluster"] == found["relations_per_cluster"], "its triples are no clusters"


def test_gold_relations_replace_those_of_the_last_detector() -> None:
    """The fake detector finds `met` in every sentence; the fake extractor writes what is detected."""
    nlp = make_pipeline(detector=True)
    nlp.add_pipe("fake_detector", "second_detector", before="fake_extractor")
    found = evaluate_pipeline(nlp, make_examples())
    assert (found["exact_p"], found["exact_r"]) == (0.5, pytest.approx(1 / 3))
    given = evaluate_pipeline(nlp, make_examples(), give_relations=True)
    assert (given["exact_p"], given["exact_r"]) == (1.0, pytest.approx(2 / 3))
    assert (given["relations_micro_f"], given["n_predicted"]) == (None, 2)
    with pytest.raises(ValueError, match="R220.*sentencizer, fake_extractor"):
        evaluate_pipeline(make_pipeline(), make_examples(), give_relations=True)


@pytest.mark.parametrize("give_relations", [False, True])
def test_documents_go_through_in_batches(nlp: Language, give_relations: bool) -> None:
    for name in ("sentencizer", "fake_detector"):
        nlp.add_pipe(name)
    nlp.add_pipe("scripted_extractor", "last")
    evaluate_pipeline(nlp, make_examples(), batch_size=3, give_relations=give_relations)
    parts: Any = [nlp.get_pipe(name) for name in ("scripted", "last")]
    assert [part.batch_sizes for part in parts] == [[3], [3]]


def test_without_annotation_nothing_is_scored(nlp: Language) -> None:
    found = evaluate_pipeline(nlp, make_examples()[3:])
    names = ("ece", "best_threshold", "best_threshold_f", "exact_f_low", "exact_f_high", "exact_f")
    assert {found[name] for name in names} == {None}
    assert [found[name] for name in ("n_documents", "n_annotated", "n_gold", "n_predicted")] == [1, 0, 0, 0]
    wrong = evaluate_pipeline(nlp, make_examples()[1:2])
    assert (wrong["best_threshold"], wrong["best_threshold_f"], wrong["exact_f_high"]) == (None, 0.0, 0.0)


def test_chosen_relations_are_those_of_corpus_or_pipeline() -> None:
    nlp, examples = spacy.blank("en"), make_examples()
    with pytest.raises(ValueError, match="In the corpus: knew, met, saw. Known to the pipeline: none"):
        choose_labels(nlp, examples, ["shared"])
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": "x"} for label in ("saw", "met", "other")])
    assert choose_labels(nlp, examples, None) is None
    assert choose_labels(nlp, examples, ["shared"]) == ["met", "saw"]
    assert choose_labels(nlp, examples, ["other", "knew", "absent"]) == ["knew", "other"]
    with pytest.raises(ValueError, match="In the corpus: none. Known to the pipeline: met, other, saw"):
        choose_labels(nlp, examples[3:], ["shared"])


# Training states born_in(Ada, London); the test repeats it, states two new triples, and has one other prediction.
OLD = ("born_in", "Ada", "London")
NEW = ("born_in", "Ada", "Oslo")
LIVES = ("lives_in", "Ada", "London")  # another relation of a known pair
TURNED = ("born_in", "London", "Ada")


def test_known_triples_are_left_out_of_both_sides() -> None:
    gold: List[Set[TextKey]] = [{OLD, NEW}, {LIVES}, set()]
    predicted: List[Set[TextKey]] = [{OLD, NEW, TURNED}, {OLD}, {OLD}]
    everything = score_sets(gold, predicted)
    assert (everything.tp, everything.fp, everything.fn) == (2, 3, 1)
    unseen = score_sets(gold, predicted, known={OLD})
    # NEW is right and TURNED wrong; LIVES is missed; the two wrong predictions of OLD do not count
    assert (unseen.tp, unseen.fp, unseen.fn) == (1, 1, 1)
    assert unseen.fscore == pytest.approx(0.5) and everything.fscore == pytest.approx(4 / 8)
    assert score_sets(gold, predicted, known={OLD, NEW, LIVES, TURNED}).fscore == 0.0


def test_scores_of_documents_and_what_training_holds() -> None:
    nlp = spacy.blank("en")

    def doc(text: str, *triples: Any, source: str = "") -> Any:
        made = nlp(text)
        set_triples(made, [(made[s : s + 1], label, made[o : o + 1]) for s, label, o in triples], source=source)
        return made

    training = read_training([doc("Ada of London", (0, "born_in", 2), (0, "born_in", 2)), nlp("Nothing annotated")])
    assert training == TrainingFacts({OLD}, {"Ada of London", "Nothing annotated"}, {"born_in": 1})
    gold = doc("Ada of London and Oslo", (0, "born_in", 2), (0, "born_in", 4))
    found = doc("Ada of London and Oslo", (0, "born_in", 2), (0, "lives_in", 2), source="extractor")
    documents = list(compare_documents([Example(found, gold)]))
    scores: Dict[str, Any] = score_unseen(documents, training)
    assert scores == {"unseen_p": 0.0, "unseen_r": 0.0, "unseen_f": 0.0, "n_gold_unseen": 1}
    assert score_unseen(documents, None) == {}
