"""Answers of annotators to suggestions: the last line of a file for a text and annotator replaces earlier ones."""

from itertools import chain
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple

from ...annotations.triple import Record
from ..report import Report
from .sources import Item, read_json

# Keys of a record's answer and annotator; of the answers, only DONE makes it gold.
ANSWER_KEY, ANNOTATOR_KEY = "correction", "annotator"
OPEN, DONE, SKIPPED = ANSWERS = ("open", "done", "skipped")


def is_answer(value: object) -> bool:
    """Return True if a parsed value is an answer of `spacy relext correct`."""
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


def leave_out_unfinished(record: Record, report: Report, *, occurrences: str = "nearest") -> Optional[Record]:
    """Count and leave out records that a person has skipped or not finished.

    occurrences (str): Not used, since all arguments have offsets.
    """
    if is_finished(record):
        return record
    report.losses["documents skipped" if record[ANSWER_KEY] == SKIPPED else "documents not finished"] += 1
    return None
