"""The benchmark of knowledge bases on data of a few lines."""

import io
import pathlib
import tarfile
from typing import List

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.harness.rows import read_rows
from benchmarks.kb import align as kb_align
from benchmarks.kb import load as kb_load
from benchmarks.kb.data import LinkMaker

FACTS = [(f"p{n}", "lives_in", f"t{n % 2}") for n in range(8)]
FILES = {"train": FACTS, "valid": [("p1", "knows", "p3")], "test": [("p3", "lives_in", "t1"), ("p9", "lives_in", "t0")]}


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "data" / "wn18rr"
    folder.mkdir(parents=True)
    with tarfile.open(folder / "WN18RR.tar.gz", "w:gz") as packed:
        for split, facts in FILES.items():
            text = "".join("\t".join(fact) + "\r\n" for fact in facts).encode()
            member = tarfile.TarInfo(f"./{split}.txt")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text))
    return folder.parent


def run(arguments: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "kb", *arguments])
    result = CliRunner().invoke(app, ["kb", *arguments])
    assert result.exit_code == 0, (result.output, result.exception)


def test_link_prediction(data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "kb.json"
    options = ["--data", str(data), "--runs", str(tmp_path / "runs"), "--results", str(results)]
    run(["wn18rr", "--only", "same", "--passes", "2", *options], monkeypatch)
    rows = {(row["split"], row["metric"]): row["mean"] for row in read_rows(results)}
    assert all(row["seeds"] == [0, 1, 2] for row in read_rows(results))
    assert 0 < rows["test", "entities_mrr"] <= 1 and 0 < rows["test", "relations_mrr"] <= 1
    assert {split for split, _ in rows} == {"test", "test, entities of training"}
    folders = sorted((tmp_path / "runs").glob("wn18rr-*"))
    before = [path.stat().st_mtime_ns for folder in folders for path in folder.iterdir()]
    run(["wn18rr", "--only", "same", "--passes", "2", *options], monkeypatch)
    assert before == [path.stat().st_mtime_ns for folder in folders for path in folder.iterdir()], "found again"


def test_facts_of_the_splits(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    links = LinkMaker(data, tmp_path / "corpora").links("wn18rr")
    assert len(links.store) == 8 and len(links.store.entities) == 11
    assert [len(facts) for facts in links.tests().values()] == [2, 1]


def test_alignment_and_reading(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ENTITIES", 50), ("FACTS", 200), ("WORDS", 20), ("SHARD", 20)):
        monkeypatch.setattr(kb_align, name, value)
    folder = tmp_path / "drawn"
    kb_align.draw_corpus(folder, kb_align.draw_store(), count=30)
    found = kb_align.measure_alignment(folder, count=30)
    parts = [value for name, value in found.items() if name.endswith("_us_per_sentence")]
    assert len(parts) == 3 and sum(parts) == pytest.approx(1e6 / found["sentences_per_second"])
    assert kb_align.measure_docs(folder, count=30)["sentences_per_second"] > 0
    kb_load.draw(tmp_path / "facts.tsv", 1000)
    lines = (tmp_path / "facts.tsv").read_text().splitlines()
    assert len(lines) == 1000 and all(len(line.split("\t")) == 3 for line in lines)
