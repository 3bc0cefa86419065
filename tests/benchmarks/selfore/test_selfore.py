"""The benchmark of SelfORE: its corpora, and the vectors that its baselines cluster."""

import json
import pathlib
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import spacy

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import Maker
from benchmarks.harness.runs import Settings
from benchmarks.selfore import corpora as selfore_corpora
from benchmarks.selfore import scale as selfore_scale
from benchmarks.selfore.abstain import capitalised, mixed_corpus, unrelated
from benchmarks.selfore.baselines import BASELINES, PARTS, _parts
from benchmarks.selfore.corpora import ClusterMaker, Marked, _tailed, known_relations
from benchmarks.selfore.known import labelled_pairs, partly_labelled, score_known
from benchmarks.selfore.peers import PEERS
from benchmarks.selfore.systems import ABLATIONS, CLUSTERING, FORMS
from benchmarks.selfore.taught import other_relations
from benchmarks.selfore.vectors import Vectors, cluster_vectors
from spacy_relext.annotations.store import has_triples
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.pairs.suggesters import AnnotatedPairs
from spacy_relext.scoring.clusters import score_clusters
from spacy_relext.selfore.settings import SelforeClustering


def facts(count: int) -> List[Dict[str, Any]]:
    evidence = {"masked_sentence": "Ada was born in [MASK] .", "obj_surface": "New York", "sub_surface": "Ada"}
    lost = {**evidence, "sub_surface": "Eve"}
    return [{"evidences": [lost, evidence]}] * count


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(selfore_corpora, "TREX_TEXTS", 5)
    record = {"tokens": ["Ada", "left", "Rome"], "h": ["Ada", "Q1", [[0]]], "t": ["Rome", "Q2", [[2]]]}
    line = {"token": ["a", "b", "c"], "h": {"pos": [2, 3]}, "t": {"pos": [0, 1]}, "relation": "r"}
    for name in ("fewrel", "wiki80", "trex_lama/P1", "trex_lama/P2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "fewrel" / "val_wiki.json").write_text(json.dumps({"P1": [record] * 6, "P2": [record] * 4}))
    (tmp_path / "wiki80" / "dev.txt").write_text("\n".join([json.dumps(line)] * 5) + "\n")
    for name, count in (("P1", 7), ("P2", 4)):
        lines = "\n".join(map(json.dumps, facts(count)))
        (tmp_path / "trex_lama" / name / "test.jsonl").write_text(lines)
    return tmp_path


def test_corpora(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    maker = ClusterMaker(data, tmp_path / "corpora", models=data)
    found = maker.fewrel()
    docs = {part: list(iter_docs(getattr(found, part), spacy.blank("en").vocab)) for part in ("whole", "kept", "held")}
    assert (found.relations, *map(len, docs.values())) == (2, 10, 8, 2) and "10 pairs" in found.name
    (triple,) = docs["whole"][0]._.triples
    assert (triple.subject.text, triple.object.text) == ("Ada", "Rome") and triple.relation in ("P1", "P2")
    assert len(AnnotatedPairs()(docs["whole"])) == 10
    trex = maker.trex()
    (doc, *_) = iter_docs(trex.whole, spacy.blank("en").vocab)
    assert trex.relations == 1 and "5 pairs" in trex.name, "of the other relation there are too few"
    assert [(t.subject.text, t.object.text) for t in doc._.triples] == [("Ada", "New York")]
    (doc, *_) = iter_docs(maker.wiki80().whole, spacy.blank("en").vocab)
    assert [(t.subject.text, t.object.text) for t in doc._.triples] == [("c", "a")]


def test_parts_of_a_text() -> None:
    state = numpy.arange(12, dtype="float32").reshape(6, 2)
    found = _parts(state, numpy.asarray([-1, 0, 1, 1, 2, -1]), numpy.asarray([2, 3]), numpy.asarray([0, 1]))
    assert found["subject"].tolist() == [8, 9] and found["object"].tolist() == [2, 3]
    assert found["between"].tolist() == [5, 6] and found["sentence"].tolist() == [5, 6]
    assert found["subject_start"].tolist() == [8, 9] and set(found) == set(PARTS)
    assert set(sum(BASELINES.values(), ())) == set(PARTS)


@pytest.mark.parametrize("name", ["k-means", "tied Gaussian mixture", "average linkage"])
def test_groups_that_lie_apart(name: str) -> None:
    dice = numpy.random.default_rng(0)
    gold = numpy.repeat(numpy.arange(3), 60)
    vectors = (numpy.eye(3, 24)[gold] + 0.05 * dice.normal(size=(180, 24))).astype("float32")
    found = PEERS[name](vectors, 3, 0)
    assert score_clusters(gold.tolist(), found.tolist())["ari"] > 0.99


def test_a_long_tail() -> None:
    texts = [Marked(["a", str(n), "x", "y", "b"], (3, 5), (0, 2), "r") for n in range(40)]
    tailed = [each.relation for each in _tailed([*texts, *(Marked(t.words, (0, 1), (1, 2), "s") for t in texts)])]
    assert (tailed.count("r"), tailed.count("s")) == (40, 2)


def test_pairs_without_a_relation(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    words = "The Big Apple is where Ada met Bo Li and A again".split()
    assert capitalised(words, [(5, 6)]) == [(0, 3), (7, 9)], "no argument, no single letter"
    assert capitalised(["Ada", "left"], []) == [], "not the first token alone"
    pair = Marked(words, (5, 6), (7, 9), "P1")
    for seed in range(5):
        (found,) = unrelated([pair], seed=seed)
        assert found.relation == "" and (0, 3) in (found.subject, found.object)
        assert pair.subject == found.subject or pair.object == found.object
    other = Marked(words, (0, 3), (7, 9), "P2")
    made = [each for seed in range(9) for each in unrelated([pair, other], seed=seed)]
    assert {frozenset((each.subject, each.object)) for each in made} == {frozenset(((0, 3), (5, 6)))}, "nobody has it"
    maker = ClusterMaker(data, tmp_path / "corpora", models=data)
    assert len(list(iter_docs(mixed_corpus(maker, "fewrel"), spacy.blank("en").vocab))) == 10, "no text has a third"


def test_known_relations(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    maker = ClusterMaker(data, tmp_path / "corpora", models=data)
    pairs = maker.pairs("fewrel")
    (known,) = known_relations(pairs)
    labelled = labelled_pairs(pairs, [known])
    docs = list(iter_docs(partly_labelled(maker, "fewrel"), spacy.blank("en").vocab))
    said = {number for number, doc in enumerate(docs) if has_triples(doc)}
    assert said == labelled and len(said) == 1 and len(AnnotatedPairs()(docs)) == 10
    evaluated = {"gold": ["a", "a", "a", "b", "b", "b"], "clusters": [1, 1, 2, 2, 2, 1], "names": ["a", "new"]}
    found = score_known(evaluated, {0}, ["a"], named=True)
    assert found["known_accuracy"] == 0.5 and found["unknown_kept"] == pytest.approx(2 / 3)
    assert score_known(evaluated, {0}, ["a"], named=False) == found


def test_known_relations_others_and_none(
    data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = ClusterMaker(data, tmp_path / "corpora", models=data)
    words = tuple("In May , Ada left Rome .".split())
    pairs = [Marked((*words, str(number)), (3, 4), (5, 6), "ab"[number % 2]) for number in range(20)]
    monkeypatch.setattr(maker, "pairs", lambda name: pairs)
    alone, mixed = (
        list(iter_docs(partly_labelled(maker, "fewrel", mixed=each), spacy.blank("en").vocab)) for each in (False, True)
    )
    assert len(alone) == 20 and len(mixed) == 29  # nine of 29 are three in ten
    assert sum(map(has_triples, mixed)) == sum(map(has_triples, alone)) == 2
    evaluated = {"gold": ["a", "a", "b", "", ""], "clusters": [1, 1, 2, 2, 1], "names": ["a", "new"]}
    found = score_known({**evaluated, "score": [0.1, 0.9, 0.5, 0.7, 0.2]}, {0}, ["a"], named=True)
    assert found["known_accuracy"] == found["unknown_kept"] == 1.0
    assert found["none_kept"] == 0.5 and found["stating_auc"] == pytest.approx(3 / 4)


def test_what_an_encoder_learns_is_not_what_is_to_be_found(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    def line(words: str, relation: str) -> str:
        return json.dumps({"token": words.split(), "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}, "relation": relation})

    named = {"P1": ["birthplace", ""], "P2": ["author", ""]}
    (data / "fewrel" / "pid2name.json").write_text(json.dumps(named))
    rows = [line("a b c", "birthplace"), line("a b d", "spouse"), line("Ada left Rome", "spouse")]
    (data / "wiki80" / "train_0.1.txt").write_text("\n".join(rows) + "\n")
    maker = ClusterMaker(data, tmp_path / "corpora", models=data)
    found = other_relations(maker, "fewrel")
    assert [pair.words[-1] for pair in found if pair.relation == "spouse"] == ["d"], "not a relation nor a text of it"
    assert {pair.relation for pair in found} == {"spouse", "r"}
    assert "r" not in {pair.relation for pair in other_relations(maker, "wiki80")}


def test_other_ways_on_the_same_vectors() -> None:
    dice = numpy.random.default_rng(0)
    gold = ["a"] * 40 + ["b"] * 40
    pairs = (dice.normal(size=(80, 6)) + 9.0 * numpy.eye(6)[[0] * 40 + [1] * 40]).astype("float16")
    vectors = Vectors(pairs, gold, numpy.arange(1, 80), SelforeClustering())
    for changes in [{}, *ABLATIONS.values(), *FORMS.values()]:
        settings = {key.removeprefix(CLUSTERING): value for key, value in changes.items() if key.startswith(CLUSTERING)}
        found = cluster_vectors(vectors, 2, settings, seed=1)
        assert found["ari"] == 1.0 and found["cluster_seconds"] > 0, settings


def test_all_of_a_loop_after_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfore_scale, "CLUSTERS", 4)
    seconds, pipe = selfore_scale.time_all(300, starts=2)
    assert 0.0 < seconds < 600.0 and pipe.clustering.restarts == 2
    assert sum(each["size"] for each in pipe.clusters.records) == 300 and len(pipe.clusters.quantiles) > 1
    assert len(pipe.labels) == 4 and pipe.clusters.history[0]["pairs"] == 300
    table = selfore_scale.draw_table(50)
    gaps = [context.words for context in table.contexts]
    assert len(set(table.keys)) == len(gaps) == len(table.types) == 50 and table.vectors.dtype == "float16"
    assert {len(words) for words in gaps} >= {0, 1} and max(map(len, gaps)) <= 10
    assert gaps == selfore_scale.draw_gaps(50)


def test_rows_of_time_and_memory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: List[Any] = []

    def measure(*given: int) -> Tuple[float, float]:
        asked.append(given)
        return 60.0, 700.0

    monkeypatch.setattr(selfore_scale, "measure", measure)
    settings = Settings(runs=tmp_path, encoder=tmp_path, passes=0, threads=1, precision="fp32")
    maker = Maker(tmp_path, tmp_path, limit_train=100_000)
    options: Dict[str, Any] = {"results": tmp_path / "rows.json", "figures": tmp_path, "command": "python toy.py"}
    call = Call(settings, maker, (0,), tell=lambda message: None, **options)
    selfore_scale.scale(call)
    assert asked == [(10_000,), (10_000, 20), (100_000,), (100_000, 20)], "a million is above the limit"
    rows = {(row["split"], row["metric"]): row["mean"] for row in json.loads((tmp_path / "rows.json").read_text())}
    assert rows["all of a loop after reading, 20 starts", "start_seconds"] == 3.0
    assert ("one start", "start_seconds") not in rows and rows["one start", "peak_mib"] == 700.0
