"""Files and folders that are written whole or, after an error, not at all."""

import subprocess
import sys
import threading
from io import TextIOWrapper
from pathlib import Path
from typing import Any, List

import pytest
import spacy

from spacy_relext.corpora.records import write_jsonl
from spacy_relext.corpora.whole import (
    new_folder,
    remove_unfinished,
    save_pipeline,
    whole_file,
    whole_folder,
    write_json,
    write_whole,
)


def names(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.iterdir())


def fail(path: Path) -> None:
    with whole_file(path) as stream:
        stream.write(b"half")
        raise OSError("the disk is full")


def test_what_was_there_survives_an_error(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_whole(path, "old\r\n")
    with pytest.raises(OSError, match="full"):
        fail(path)
    assert path.read_bytes() == b"old\r\n" and names(path.parent) == ["a.txt"]
    with pytest.raises(OSError, match="full"):
        fail(tmp_path / "new" / "b.txt")
    assert names(path.parent) == ["a.txt"]

    def records() -> Any:
        yield {"text": "one"}
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_jsonl(path, records())
    assert path.read_bytes() == b"old\r\n" and names(path.parent) == ["a.txt"]
    with whole_file(path) as stream, TextIOWrapper(stream, encoding="utf8") as file:
        file.write("é")
    assert path.read_text(encoding="utf8") == "é"
    write_json(path, {"é": [1]})
    assert path.read_text(encoding="utf8") == '{\n  "\\u00e9":[\n    1\n  ]\n}\n'


def test_a_folder_keeps_its_files_until_all_is_there(tmp_path: Path) -> None:
    (tmp_path / "out" / "part").mkdir(parents=True)
    for name in ("part/old", "kept"):
        (tmp_path / "out" / name).write_text("old")

    def write(*, broken: bool) -> None:
        with whole_folder(tmp_path / "out") as new:
            (new / "part").mkdir()
            (new / "part" / "new").write_text("new")
            if broken:
                raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write(broken=True)
    assert names(tmp_path / "out" / "part") == ["old"] and names(tmp_path) == ["out"]
    write(broken=False)
    assert names(tmp_path / "out" / "part") == ["new"] and names(tmp_path / "out") == ["kept", "part"]
    with pytest.raises(ValueError, match="R121"), new_folder(tmp_path / "out"):
        pass
    with pytest.raises(ValueError, match="R801"), whole_folder(tmp_path / "out" / "kept"):
        pass


def test_a_pipeline_replaces_one_in_its_own_folder(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    save_pipeline(nlp, tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    loaded.add_pipe("relext_sentencizer")
    save_pipeline(loaded, tmp_path / "nlp")
    assert spacy.load(tmp_path / "nlp").pipe_names == ["sentencizer", "relext_sentencizer"]
    assert names(tmp_path) == ["nlp"]


def test_many_writers_of_one_file(tmp_path: Path) -> None:
    """Each write is whole; the last one counts."""
    path = tmp_path / "a.txt"
    errors: List[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(8):
                write_whole(path, str(number) * 5000)
                content = path.read_text()
                assert len(content) == 5000 and len(set(content)) == 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and names(tmp_path) == ["a.txt"]


def test_left_overs_of_a_killed_process(tmp_path: Path) -> None:
    drawn = "0123456789abcdef" * 2
    others = [f".a.txt.gz.{drawn}.new", f".ab.txt.{drawn}.new", "a.txt"]
    for name in (f".a.txt.{drawn}.new", f".a.txt.{drawn[::-1]}.new", *others):
        (tmp_path / name).write_text("half")
    remove_unfinished(tmp_path / "a.txt")
    assert names(tmp_path) == others


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """One line, and the results of before are still there. A limit on the size of files stands for the disk."""
    resource = pytest.importorskip("resource")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "nlp")
    (tmp_path / "in.txt").write_text("Ada met Bo in the harbour.\n" * 2000)
    (tmp_path / "out.jsonl").write_text("old")
    arguments = ["extract", "nlp", "in.txt", "out.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "spacy_relext", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Reading ")]
    assert done.returncode == 1 and len(lines) == 1 and "[R216]" in lines[0], done.stderr
    assert (tmp_path / "out.jsonl").read_text() == "old"
