"""Answers of annotators to suggestions: the last line of a file for a text and annotator replaces earlier ones.

Each answer is on disk before the next, and a new run resumes where the last stopped.
"""

from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Dict, Iterator, Optional, Tuple

from ...annotations.triple import Record
from ...errors import Errors
from ..canonical import check_record
from ..report import Report
from ..whole import append_line, read_lines
from .sources import Item, parse_json, read_json, to_json

# Keys of a record's answer and annotator; of the answers, only DONE makes it gold.
ANSWER_KEY, ANNOTATOR_KEY = "correction", "annotator"
OPEN, DONE, SKIPPED = ANSWERS = ("open", "done", "skipped")


def is_answer(value: object) -> bool:
    """Return True if a parsed value is an answer of `spacy relext annotate correct`."""
    return isinstance(value, dict) and value.get(ANSWER_KEY) in ANSWERS


def read_answers(path: Path) -> Iterator[Item]:
    """Read JSON like `read_json`; from a file that starts with an answer, only the last for each text and annotator."""
    items = read_json(path)
    first = next(items, None)
    if first is None:
        return
    if not is_answer(first.value):
        yield first
        yield from items
        return
    latest: Dict[Tuple[object, ...], Item] = {}
    for number, item in enumerate(chain([first], items)):
        key: Tuple[object, ...] = (number,)
        if is_answer(item.value):
            text, annotator = item.value.get("text"), item.value.get(ANNOTATOR_KEY)
            # a text or annotator of another type makes a malformed record of its own
            if isinstance(text, str) and isinstance(annotator, (str, type(None))):
                key = (text, annotator)
        latest[key] = item
    yield from latest.values()


def is_finished(record: Record) -> bool:
    """Return True unless a record is an answer that is open or skipped."""
    return record.get(ANSWER_KEY) not in (OPEN, SKIPPED)


def leave_out_unfinished(record: Record, report: Report) -> Optional[Record]:
    """Count and leave out records that a person has skipped or not finished."""
    if is_finished(record):
        return record
    report.losses["documents skipped" if record[ANSWER_KEY] == SKIPPED else "documents not finished"] += 1
    return None


class AnswerFile:
    """Answers of one annotator, by text, in an append-only file of JSON lines.

    path (Path): The file; it may exist, and an incomplete last line is removed.
    annotator (str): Name of the person; "" if unknown.
    RAISES (ValueError): If the file has records that are not answers, or answers of another annotator.
    """

    def __init__(self, path: Path, *, annotator: str = "") -> None:
        self.path, self.annotator = path, annotator
        # The last answer to each text, by text.
        self.answers: Dict[str, Record] = {}
        self._lock = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._read()

    def append(self, record: Record, *, answer: str) -> Record:
        """Append an answer to the file on disk. RETURNS (Record): The record with answer and annotator."""
        record = {**record, ANSWER_KEY: answer}
        if self.annotator:
            record[ANNOTATOR_KEY] = self.annotator
        with self._lock:
            append_line(self.path, to_json(record))
            self.answers[record["text"]] = record
        return record

    def _read(self) -> None:
        """Read the answers of earlier runs."""
        for number, line in enumerate(read_lines(self.path, first='{"text"'), start=1):
            if not line.strip():
                continue
            try:
                value = parse_json(line.decode("utf8"))
                value = check_record(value) if is_answer(value) else None
            except ValueError:
                value = None
            if value is None:
                raise ValueError(Errors.R250.format(path=str(self.path), line=number))
            if (annotator := value.get(ANNOTATOR_KEY, "")) != self.annotator:
                found, expected = annotator or "no name", self.annotator or "none"
                raise ValueError(Errors.R251.format(path=str(self.path), found=found, expected=expected))
            self.answers[value["text"]] = value
