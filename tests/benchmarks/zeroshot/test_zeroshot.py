"""The benchmark of relations by description: its splits, and its scores."""

import json
import pathlib
from collections import Counter
from typing import Any, Dict, List, Sequence

import numpy
import pytest
import spacy

from benchmarks.selfore import corpora as clusters
from benchmarks.zeroshot import corpora
from benchmarks.zeroshot.experiments import class_scores, cosines, rejection_auc
from spacy_relext.corpora.shards import iter_docs
from tests.contract.tiny_bert import save_tiny_bert


def lines(relation: str, count: int) -> List[Dict[str, Any]]:
    return [
        {"token": ["a", "b", str(n)], "h": {"pos": [2, 3]}, "t": {"pos": [0, 1]}, "relation": relation}
        for n in range(count)
    ]


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("fewrel", "wiki80"):
        (tmp_path / name).mkdir()
    names = {"P1": ["owner", "who owns it"], "P2": ["part", "No description defined"], "P3": ["author", "who wrote it"]}
    (tmp_path / "fewrel" / "pid2name.json").write_text(json.dumps(names))
    (tmp_path / "fewrel" / "val_wiki.json").write_text(json.dumps({"P3": []}))
    for file, count in (("train_0.1.txt", 6), ("dev.txt", 3)):
        text = "\n".join(json.dumps(line) for name, _ in names.values() for line in lines(name, count))
        (tmp_path / "wiki80" / file).write_text(text)
    return tmp_path


def test_relations_are_held_out(data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "HELD_OUT", 1)
    maker = corpora.HeldOutMaker(data, tmp_path / "corpora", models=data)
    split = maker.held_out("fewrel")
    assert split.unseen == {"author": "author: who wrote it"}
    assert split.seen == {"owner": "owner: who owns it", "part": "part"}
    found = {}
    for part, path in {"train": split.train, "dev": split.dev, **split.tests}.items():
        found[part] = [doc._.triples[0].relation for doc in iter_docs(path, spacy.blank("en").vocab)]
    assert sorted(found["train"]) == ["owner"] * 9 + ["part"] * 9
    assert found["dev"] == []
    assert found["test"] == ["author"] * 9
    drawn = maker.held_out("drawn-1")
    assert len(drawn.unseen) == 1 and set(drawn.seen).isdisjoint(drawn.unseen)


def test_other_data_sets_are_trained_on(
    data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = {"obj_surface": "Z", "sub_surface": "Y", "masked_sentence": "Y by [MASK] ."}
    for relation in ("P1", "P3"):  # P3 is held out
        (data / "trex_lama" / relation).mkdir(parents=True)
        (data / "trex_lama" / relation / "test.jsonl").write_text(json.dumps({"evidences": [fact]}) + "\n")
    triples = [["A B", "birthPlace", "C"], ["A B", "authorName", "C"], ["not there", "birthPlace", "C"]]
    (data / "webnlg" / "full_span").mkdir(parents=True)
    records = [{"text": "A B of C .", "triple_list": triples}]
    (data / "webnlg" / "full_span" / "train_triples.json").write_text(json.dumps(records))
    monkeypatch.setattr(clusters, "TREX_TEXTS", 1)

    def alike(names: Sequence[str], others: Sequence[str]) -> List[List[float]]:
        assert (names, others) == (["author name", "birth place"], ["author"])
        return [[0.9], [0.1]]

    split = corpora.HeldOutMaker(data, tmp_path / "corpora", models=data).held_out("fewrel", alike)
    assert split.seen == {"birth place": "birth place", "owner": "owner: who owns it", "part": "part"}
    docs = list(iter_docs(split.train, spacy.blank("en").vocab))
    found = Counter((doc._.triples[0].relation, doc._.triples[0].subject.text) for doc in docs)
    assert found[("owner", "Y")] == 1 and found[("birth place", "A B")] == 1 and found.total() == 20


def test_names_are_compared(tmp_path: pathlib.Path) -> None:
    save_tiny_bert(tmp_path)
    (row,) = cosines(tmp_path, ["birth place"], ["birth place", "author"])
    assert row[0] == pytest.approx(1.0, abs=1e-5) and row[1] < row[0]


def test_scores() -> None:
    scores = class_scores(["a", "a", "b", "c"], ["a", "b", "b", "b"])
    # F of a: 2/3, of b: 2/4, of c: 0
    assert scores == {"macro_f": pytest.approx((2 / 3 + 1 / 2) / 3), "accuracy": 0.5}


def test_rejection() -> None:
    # a and c are offered first: their pairs score 2 and 1, that of b 1.5; then b is: its pair scores 3, theirs 1 and 0
    scores = numpy.asarray([[2.0, 1.0, 0.0], [0.5, 0.0, 1.0], [0.0, 3.0, 1.5]])
    assert rejection_auc(["a", "c", "b"], scores, ["a", "b", "c"]) == pytest.approx((0.5 + 1.0) / 2)
