"""The benchmarks of graphs: scores worked out by hand, small runs of each experiment."""

import json
from pathlib import Path
from typing import Any, Dict, List

import numpy
import pyarrow
import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.graph.data import Grouped, read_grouped
from benchmarks.graph.facts import Judged, compare
from benchmarks.graph.grouping import by_name, merge_precision, read_judged, score
from benchmarks.graph.scale import draw
from spacy_relext.annotations.grouping import Mention
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.conflicts import Conflict
from spacy_relext.graph.documents import read_documents
from spacy_relext.graph.probability import FactSentences


def grouped(*names: str, gold: List[int]) -> Grouped:
    mentions = [Mention(20 * at, 20 * at + len(name), name, "PER") for at, name in enumerate(names)]
    return Grouped("Title", "", mentions, gold)


def test_worked_numbers() -> None:
    document = grouped("Ada Lovelace", "Lovelace", "Babbage", "Babbage", gold=[0, 0, 1, 1])
    scores = score([document], by_name(lambda mention: mention.text))
    assert (scores["b3_p"], scores["b3_r"]) == (1.0, pytest.approx((0.5 + 0.5 + 1 + 1) / 4))
    assert (scores["pairs_p"], scores["pairs_r"]) == (1.0, 0.5)
    all_one = score([document], lambda each: [0] * 4)
    assert (all_one["pairs_p"], all_one["b3_p"], all_one["b3_r"]) == (pytest.approx(2 / 6), 0.5, 1.0)


def test_joins_that_the_gold_lacks_count_as_they_were_read() -> None:
    document = grouped("Ada Lovelace", "Lovelace", gold=[0, 1])
    assert merge_precision([document], {})["merge_precision_of_gold"] == 0
    key = ("Title", "Ada Lovelace", "Lovelace", "person")
    assert merge_precision([document], {key: True})["merge_precision_as_read"] == 1
    assert "merge_precision_as_read" not in merge_precision([document], {("other",): True})
    assert len(read_judged()) > 50


def test_mentions_of_docred() -> None:
    vertex = [{"name": "New York", "pos": [1, 3], "sent_id": 0, "type": "LOC"}] * 2
    value = {"title": "T", "sents": [["In", "New", "York", "."]], "vertexSet": [vertex]}
    read = read_grouped(value)
    assert read.mentions == [Mention(3, 11, "New York", "LOC")] and read.gold == [0]


def test_ways_to_add_sentences_up() -> None:
    rng = numpy.random.default_rng(0)
    halves = []
    for _ in range(2):
        scores = rng.uniform(0.1, 0.9, size=600)
        facts = numpy.sort(rng.integers(0, 300, size=600))
        _, facts = numpy.unique(facts, return_inverse=True)
        count = int(facts.max()) + 1
        denials = [Conflict("denied", "r", fact, None, "no", 0.9) for fact in range(0, count, 3)]
        sentences, correct = FactSentences(facts.astype("int64"), scores), rng.random(count) < 0.5
        correct[::3] = rng.random(len(correct[::3])) < 0.1
        halves.append(Judged(sentences, correct, pyarrow.array(range(count)), denials))
    result: Dict[str, Dict[str, float]] = compare(halves)
    assert result["default"]["ece"] < result["peer:noisy-or"]["ece"]
    assert result["default"]["brier"] < result["ablation:denials ignored"]["brier"]
    assert result["default"]["denied_found"] > 150
    assert {"ece", "brier", "ece_one", "ece_two_to_five"} <= result["peer:best sentence"].keys()


def test_drawn_documents_make_a_graph(tmp_path: Path) -> None:
    draw(tmp_path / "drawn.jsonl", 200)
    tables = build_graph(read_documents([tmp_path / "drawn.jsonl"])).tables
    assert (tables.documents.num_rows, tables.support.num_rows) == (20, 200)


def test_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vertex(*names: Any) -> list:
        return [{"name": name, "pos": [at, at + 1], "sent_id": 0, "type": "PER"} for name, at in names]

    document = {"title": "T", "sents": [["Ada", "and", "Ada"]], "vertexSet": [vertex(("Ada", 0), ("Ada", 2))]}
    folder = tmp_path / "docred_unlabelled"
    folder.mkdir()
    (folder / "test.json").write_text(json.dumps([document, document]))
    arguments = ["grouping", "--data", str(tmp_path), "--results", str(tmp_path / "graph.json")]
    monkeypatch.setattr("sys.argv", ["benchmarks", "graph", *arguments])
    result = CliRunner().invoke(app, ["graph", *arguments])
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "graph.json").read_text())
    assert {row["system"] for row in rows} >= {"default", "peer:exact names"}
    assert all(row["command"] == "python -m benchmarks graph grouping" for row in rows)
