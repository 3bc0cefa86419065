"""The benchmark of NERO: thresholds without and with labels, labelled corpora, invented rules, systems."""

import pathlib
from typing import Any, List, Optional

import numpy
import pytest
import spacy
from spacy.tokens import DocBin

from benchmarks.harness.corpora import PairData, PairMaker
from benchmarks.harness.pairs import read_pairs
from benchmarks.harness.rows import SYSTEM
from benchmarks.harness.training_config import read_config
from benchmarks.nero.evaluation import NO_LABELS, best_threshold, evaluate, fixed_answers, label_of, named_auc
from benchmarks.nero.experiments import OTHER_TEXTS, _class_of, with_others
from benchmarks.nero.labels import by_rules, match, write_labels
from benchmarks.nero.speed import LENGTH, make_pairs, make_rules, match_stream
from benchmarks.nero.systems import COMPONENT, PARTS, row_name
from benchmarks.selfore.corpora import ClusterMaker, Marked
from spacy_relext import set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.store import get_records, has_triples
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.nero.rules.rules import from_records
from spacy_relext.nero.settings import RuleLearning
from spacy_relext.pairs.gold import PairClass

ROWS = [
    ("the storm caused the flood", "storm", "flood", PairClass("Cause-Effect")),
    ("the flood came from the storm", "flood", "storm", PairClass("Cause-Effect", True)),
    ("the lid of the box", "lid", "box", PairClass("Component-Whole")),
    ("the lid beside the box", "lid", "box", None),
]
RULES = [
    {"relation": "Cause-Effect", "pattern": "SUBJ-* caused the OBJ-*"},
    {"relation": "Cause-Effect", "pattern": "OBJ-* came from the SUBJ-*"},
]


@pytest.fixture
def corpus(tmp_path: pathlib.Path) -> pathlib.Path:
    nlp, made = spacy.blank("en"), DocBin(store_user_data=True)
    for text, first, second, answer in ROWS:
        doc = nlp.make_doc(text)
        places = [(text.index(name), text.index(name) + len(name)) for name in (first, second)]
        doc.user_data[PAIRS_KEY] = [{"subject": list(places[0]), "object": list(places[1])}]
        ordered = places[::-1] if answer and answer.backwards else places
        set_triples(doc, [(ordered[0], answer.relation, ordered[1])] if answer else [])
        made.add(doc)
    made.to_disk(tmp_path / "corpus.spacy")
    return tmp_path / "corpus.spacy"


def test_rules_label_a_corpus(corpus: pathlib.Path) -> None:
    ruled = match(corpus, from_records(RULES))
    labels: List[Optional[PairClass]] = by_rules(ruled)
    assert labels == [PairClass("Cause-Effect"), PairClass("Cause-Effect", True), None, None]
    docs = list(iter_docs(write_labels(corpus, corpus.with_name("labelled.spacy"), labels), spacy.blank("en").vocab))
    assert [has_triples(doc) for doc in docs] == [True, True, False, False], "no label is not no relation"
    said = [
        (doc.text[slice(*r["subject"])], doc.text[slice(*r["object"])]) for doc in docs for r in get_records(doc) or ()
    ]
    assert said == [("storm", "flood")] * 2
    with pytest.raises(ValueError, match="strict|argument|pair"):
        write_labels(corpus, corpus.with_name("short.spacy"), labels[:3])


def test_thresholds_and_scores(corpus: pathlib.Path) -> None:
    pairs = read_pairs(corpus, marked=True)
    labels = [answer or PairClass("Cause-Effect") for *_, answer in ROWS]
    answers = fixed_answers(labels, numpy.asarray([0.9, 0.8, 0.6, 0.4]))
    assert answers.labels[:2] == ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"]
    assert answers.above(0.7) == [*answers.labels[:2], "Other", "Other"]
    assert best_threshold(answers, pairs, 0) == NO_LABELS == 0.5
    assert 0.4 < best_threshold(answers, pairs, 4) <= 0.6, "without the wrong answer, and no more than that"
    found = evaluate(answers, answers, tuning=pairs, gold=pairs)
    assert found["no labels"]["micro_f"] == found["800 labels"]["micro_f"] == 1.0
    worse = fixed_answers(labels)
    assert evaluate(worse, worse, tuning=pairs, gold=pairs)["no labels"]["micro_p"] == 0.75
    assert named_auc(answers, pairs) == found["no labels"]["named_auc"] == 1.0 and named_auc(worse, pairs) == 0.5
    assert named_auc(fixed_answers(labels, numpy.asarray([0.9, 0.3, 0.6, 0.4])), pairs) == pytest.approx(2 / 3)


def test_labels_are_read_as_they_are_written() -> None:
    for answer in (PairClass("Message-Topic"), PairClass("Message-Topic", True), None):
        assert _class_of(label_of(answer)) == answer


def test_every_system_fits_the_config(project_root: pathlib.Path) -> None:
    config = read_config(project_root / "configs" / "nero.cfg")
    names = [name for systems in PARTS.values() for name in systems]
    assert len(set(names)) == len(names) and all(SYSTEM.fullmatch(row_name(name)) for name in names)
    learning = config["components"][COMPONENT]["learning"]

    for systems in PARTS.values():
        for system in systems.values():
            changed: Any = dict(learning)
            for key, value in system.changes.items():
                *section, last = key.split(".")
                assert section[:2] == ["components", COMPONENT]
                changed.update({last: value} if section[2:] == ["learning"] else {})
            RuleLearning(**{**{k: v for k, v in changed.items() if k[0] != "@"}, "seed": 0})


def test_invented_rules_match_invented_sentences() -> None:
    rules = make_rules(200, seed=0)
    assert len({str(rule.pattern) for rule in rules}) == 200
    batches = list(make_pairs(1500, seed=0))
    assert [len(batch) for batch in batches] == [1000, 500]
    assert all(len(doc) == LENGTH for doc in batches[0].docs) and (batches[0].subject < batches[0].object).all()
    seconds, fired = match_stream(rules, total=1500, seed=0, max_gap=0)
    assert seconds > 0.0 and fired > 0


def test_texts_of_other_sets_are_added_without_labels(
    corpus: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Marked(["Lisbon", "lies", "in", "Portugal"], (0, 1), (3, 4), "located_in")
    monkeypatch.setattr(ClusterMaker, "pairs", lambda self, key: [pair])
    data = PairData("Toy", train=corpus, dev=corpus, tests={})
    joined = with_others(PairMaker(tmp_path, tmp_path / "corpora"), data)
    docs = list(iter_docs(joined.train, spacy.blank("en").vocab))
    texts = [row[0] for row in ROWS] + ["Lisbon lies in Portugal"] * len(OTHER_TEXTS)
    assert [doc.text.strip() for doc in docs] == texts
    assert not any(has_triples(doc) for doc in docs[len(ROWS) :]), "nobody says what they state"
    assert all(doc.user_data[PAIRS_KEY] for doc in docs)
