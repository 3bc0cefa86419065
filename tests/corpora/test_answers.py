"""Answers in a file that only grows: the last one counts, what a kill leaves is cut, and nothing else is touched."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.answers import AnswerFile
from spacy_relext.corpora.records import read_jsonl, write_jsonl
from tests.visuals.correcting import read_lines

ADA = {"text": "Ada met Bo.", "triples": [{"subject": [0, 3], "relation": "met", "object": [8, 10]}]}
CY = {"text": "Cy saw Di.", "triples": []}


def test_the_last_answer_counts(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    answers = AnswerFile(path, annotator="ada")
    answers.append({**ADA, "triples": []}, answer="open")
    answers.append(CY, answer="skipped")
    answers.append(ADA, answer="done")
    assert len(read_lines(path)) == 3
    assert AnswerFile(path, annotator="ada").answers[ADA["text"]]["triples"] == ADA["triples"]
    assert list(read_jsonl(path)) == [{**ADA, "correction": "done", "annotator": "ada"}]
    report = convert("jsonl", [path], tmp_path / "out.spacy")
    assert report.docs == 1 and report.losses == {"documents skipped": 1}


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_half_a_line_is_cut(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out.jsonl"
    AnswerFile(path).append(ADA, answer="done")
    whole = path.stat().st_size
    AnswerFile(path).append(CY, answer="done")
    os.truncate(path, path.stat().st_size - cut)
    answers = AnswerFile(path)
    assert len(answers.answers) == (2 if cut == 1 else 1)  # only the end of the line was lost
    assert cut == 1 or path.stat().st_size == whole
    answers.append(CY, answer="skipped")
    assert [line["correction"] for line in read_lines(path)] == ["done", *(["done"] if cut == 1 else []), "skipped"]


def test_a_file_that_is_only_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"text": "Ada')
    assert AnswerFile(path).answers == {} and path.read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "a b"}\n',
        "Some notes\n",
        "Some notes",
        "[1]\n",
        '{"text": "Ada met\n{}',
        '{"text": 5, "correction": "done"}\n',
    ],
)
def test_files_of_others_are_not_touched(tmp_path: Path, content: str) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match="R250.*line 1"):
        AnswerFile(path)
    assert path.read_text() == content


def test_another_annotator_needs_another_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    AnswerFile(path, annotator="ada").append(ADA, answer="done")
    with pytest.raises(ValueError, match="R251.*ada.*bo"):
        AnswerFile(path, annotator="bo")


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.jsonl"
    answers = AnswerFile(path)
    answers.append(ADA, answer="done")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError):
            answers.append(CY, answer="done")
    answers.append(CY, answer="skipped")
    assert [line["correction"] for line in read_lines(path)] == ["done", "skipped"]


def test_answers_to_no_text(tmp_path: Path) -> None:
    """A text of another type is a malformed record, which is named, not one of several answers to a text."""
    path = tmp_path / "answers.jsonl"
    write_jsonl(path, [{**ADA, "correction": "done"}, {"text": [], "correction": "done"}])
    with pytest.raises(ValueError, match="text is"):
        list(read_jsonl(path))


def test_other_records_are_read_as_before(tmp_path: Path) -> None:
    """A record may have a key of that name; only answers replace each other."""
    path = tmp_path / "records.jsonl"
    write_jsonl(path, [{**ADA, "correction": "of a proof"}, ADA, CY])
    assert len(list(read_jsonl(path))) == 3
    path.write_text(json.dumps([ADA, ADA]))
    assert len(list(read_jsonl(path))) == 2


def test_records_of_one_line_do_not_replace_each_other(tmp_path: Path) -> None:
    """In an array on one line, what is no answer is neither an answer to the same text nor another record."""
    path = tmp_path / "answers.json"
    path.write_text(json.dumps([{**ADA, "correction": "done"}, ADA, CY]))
    assert len(list(read_jsonl(path))) == 3
