"""The benchmark of SelfORE: its corpora, and the vectors that its baselines cluster."""

import json
import pathlib
from typing import Any, Dict, List

import numpy
import pytest
import spacy

from spacy_relext.corpora.shards import iter_docs
from spacy_relext.instances.pairs import AnnotatedPairs


def facts(count: int) -> List[Dict[str, Any]]:
    evidence = {"masked_sentence": "Ada was born in [MASK] .", "obj_surface": "New York", "sub_surface": "Ada"}
    lost = {**evidence, "sub_surface": "Eve"}
    return [{"evidences": [lost, evidence]}] * count


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    import selfore_corpora

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
    from selfore_corpora import ClusterMaker

    maker = ClusterMaker(data, tmp_path / "corpora")
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
    from selfore_baselines import BASELINES, PARTS, _parts, cluster_baseline

    state = numpy.arange(12, dtype="float32").reshape(6, 2)
    found = _parts(state, numpy.asarray([-1, 0, 1, 1, 2, -1]), numpy.asarray([2, 3]), numpy.asarray([0, 1]))
    assert found["subject"].tolist() == [8, 9] and found["object"].tolist() == [2, 3]
    assert found["between"].tolist() == [5, 6] and found["sentence"].tolist() == [5, 6]
    assert found["subject_start"].tolist() == [8, 9] and set(found) == set(PARTS)
    vectors = {part: numpy.repeat(numpy.eye(2), 5, axis=0) for part in PARTS}
    for name in BASELINES:
        clusters = cluster_baseline(vectors, name, count=2, seed=0)
        assert clusters[0] != clusters[-1] and len(set(clusters[:5])) == len(set(clusters[5:])) == 1


def test_swapped_arguments_and_a_long_tail() -> None:
    from selfore_corpora import Marked, _swapped, _tailed

    texts = [Marked(["a", str(n), "x", "y", "b"], (3, 5), (0, 2), "r") for n in range(40)]
    for pair in _swapped(texts):
        assert pair.words[slice(*pair.subject)] == ["y", "b"] and pair.words[slice(*pair.object)][0] == "a"
        assert len(pair.words) == 5 and pair.words[2] == "x"
    assert len({tuple(pair.words) for pair in _swapped(texts)}) > 10
    tailed = [each.relation for each in _tailed([*texts, *(Marked(t.words, (0, 1), (1, 2), "s") for t in texts)])]
    assert (tailed.count("r"), tailed.count("s")) == (40, 2)
