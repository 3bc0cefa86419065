"""Folders of shards: what is in them, going on after a stop, several processes."""

import gzip
import json
from pathlib import Path
from typing import Any, Callable, List
from uuid import uuid4

import pytest
from filelock import FileLock

from spacy_relext.annotations.triple import Record
from spacy_relext.extraction import shards
from spacy_relext.extraction.manifest import ERRORS, MANIFEST, WORK
from tests.extraction.conftest import read_shards

Extract = Callable[..., Any]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("".join(f"Ada{number} met Bo{number}.\n" for number in range(35)), encoding="utf8")
    return path


def contents(folder: Path) -> List[Any]:
    """Read all files of a finished folder, in their order."""
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]


def manifest(folder: Path) -> Record:
    value: Record = json.loads((folder / MANIFEST).read_text(encoding="utf8"))
    return value


def test_shards_manifest_and_counts(extract: Extract, texts: Path, tmp_path: Path) -> None:
    report = extract(texts, tmp_path / "out")
    assert (report.documents, report.triples, report.failures, report.shards, report.before) == (35, 35, 0, 4, 0)
    records = read_shards(tmp_path / "out")
    assert [record["doc_id"] for record in records] == [f"in.txt:{number}" for number in range(1, 36)]
    assert [record["text"] for record in records] == texts.read_text(encoding="utf8").splitlines()
    found = manifest(tmp_path / "out")
    assert found["complete"] and found["counts"] == {
        "documents": 35,
        "triples": 35,
        "failures": 0,
        "blank": 0,
        "markup": 0,
    }
    assert [each["documents"] for each in found["shards"].values()] == [10, 10, 10, 5]
    assert found["inputs"][0]["size"] == texts.stat().st_size
    assert not (tmp_path / "out" / ERRORS).exists()


def test_a_second_run_does_nothing(extract: Extract, texts: Path, tmp_path: Path) -> None:
    extract(texts, tmp_path / "out")
    before = contents(tmp_path / "out")
    report = extract(texts, tmp_path / "out")
    assert report.before == 4 and report.documents == 35 and contents(tmp_path / "out") == before


@pytest.mark.parametrize("stop", [0, 1, 9, 10, 11, 30, 34])
def test_a_run_that_was_stopped_goes_on(
    extract: Extract, texts: Path, tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(texts, tmp_path / "whole")
    add, seen = shards.Folder._add, []

    def add_or_stop(self: Any, *arguments: Any) -> None:
        if len(seen) == stop:
            raise KeyboardInterrupt
        seen.append(1)
        add(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shards.Folder, "_add", add_or_stop)
        extract(texts, tmp_path / "out")
    assert not manifest(tmp_path / "out")["complete"]
    report = extract(texts, tmp_path / "out")
    assert report.before == stop // 10 and report.documents == 35
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_what_a_killed_process_has_left_is_removed(extract: Extract, texts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    extract(texts, folder)
    expected = contents(folder)
    (folder / "part-0000-000001.jsonl").unlink()
    (folder / f".part-0000-000001.jsonl.{uuid4().hex}.new").write_text('{"half')
    found = manifest(folder)
    (folder / MANIFEST).write_text(json.dumps({**found, "complete": False}))
    (folder / WORK / "part-0000-000001.lock").touch()  # of a process that has ended
    assert extract(texts, folder).before == 3
    assert contents(folder) == expected


def test_shards_of_other_processes_are_left_to_them(extract: Extract, texts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / WORK).mkdir(parents=True)
    with FileLock(folder / WORK / "part-0000-000002.lock"):
        with pytest.raises(ValueError, match=r"R813.*_work"):
            extract(texts, folder)
        (folder / WORK).rename(tmp_path / "aside")
        extract(texts, tmp_path / "other")
        (folder / MANIFEST).write_text(json.dumps({**manifest(tmp_path / "other"), "complete": False}))
        (tmp_path / "aside").rename(folder / WORK)
        report = extract(texts, folder)
        assert report.elsewhere == 1 and not report.is_complete and not manifest(folder)["complete"]
        assert len(list(folder.glob("part-*.jsonl"))) == 3
    assert extract(texts, folder).documents == 35 and manifest(folder)["complete"]


def test_another_run_is_refused(extract: Extract, failing: str, texts: Path, tmp_path: Path) -> None:
    extract(texts, tmp_path / "out")
    with pytest.raises(ValueError, match=r"R814.*another pipeline.*--force"):
        extract(texts, tmp_path / "out", path=failing)
    with pytest.raises(ValueError, match=r"R814.*shard_size = 10, now 20"):
        extract(texts, tmp_path / "out", size=20)
    with texts.open("a") as file:
        file.write("Cy saw Di.\n")
    with pytest.raises(ValueError, match=r"R814.*an input that has changed since: in.txt"):
        extract(texts, tmp_path / "out")
    assert extract(texts, tmp_path / "out", overwrite=True).documents == 36
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.md").write_text("x")
    with pytest.raises(ValueError, match=r"R813.*notes.md"):
        extract(texts, tmp_path / "more")
    (tmp_path / "out" / MANIFEST).write_text("{")
    with pytest.raises(ValueError, match=r"R801.*no JSON"):
        extract(texts, tmp_path / "out")


def test_texts_that_fail_become_rows(extract: Extract, failing: str, tmp_path: Path) -> None:
    lines = ["Ada met Bo.", "this will fail", "\xff", "", "Cy saw Di."] * 3
    (tmp_path / "in.txt").write_bytes("\n".join(lines).encode("latin1"))
    messages: List[str] = []
    report = extract(tmp_path / "in.txt", tmp_path / "out", path=failing, report=messages.append)
    assert (report.documents, report.failures, report.blank) == (6, 6, 3)
    rows = [json.loads(line) for line in (tmp_path / "out" / ERRORS).read_text(encoding="utf8").splitlines()]
    assert len(rows) == 6 == len(messages)
    (first, *_) = (row for row in rows if "where" in row)
    expected = {"where": f"{tmp_path / 'in.txt'}, line 2", "reason": "RuntimeError: this text is"}
    assert first == {"shard": "part-0000-000000", **expected}
    assert any("line 3: not UTF-8" in row["reason"] for row in rows)
    with pytest.raises(ValueError, match=r"R203.*line 3"):
        extract(tmp_path / "in.txt", tmp_path / "strict", path=failing, strict=True)
    (tmp_path / "in.txt").write_text("Ada met Bo.\nfail\n")
    with pytest.raises(ValueError, match=r"R815.*line 2"):
        extract(tmp_path / "in.txt", tmp_path / "strict two", path=failing, strict=True)


@pytest.mark.parametrize("format", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_formats_are_the_same_bytes_again(extract: Extract, texts: Path, tmp_path: Path, format: str) -> None:
    for name in ("one", "two"):
        extract(texts, tmp_path / name, format=format)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(list((tmp_path / "one").glob(f"part-*.{format}"))) == 4
    if format == "jsonl.gz":
        with gzip.open(tmp_path / "one" / "part-0000-000000.jsonl.gz", "rt") as file:
            assert json.loads(file.readline())["text"] == "Ada0 met Bo0."


def test_input_without_a_text(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\n\n")
    report = extract(tmp_path / "in.txt", tmp_path / "out")
    assert (report.documents, report.blank, report.shards) == (0, 2, 1)
    (tmp_path / "nothing.txt").write_text("")
    assert extract(tmp_path / "nothing.txt", tmp_path / "none").shards == 0


@pytest.mark.long
def test_two_processes_write_the_same(extract: Extract, texts: Path, tmp_path: Path) -> None:
    extract(texts, tmp_path / "one")
    extract(texts, tmp_path / "two", n_process=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
