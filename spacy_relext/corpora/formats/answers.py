"""Answers of a person to the suggestions for each text: later lines of a file replace earlier ones of the same text."""

from itertools import chain
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple

from ...annotations.triple import Record
from ..report import Report
from .sources import Item, read_json

# What a person says about a record: DONE is gold, the others are not.
ANSWER_KEY, ANNOTATOR_KEY = "correction", "annotator"
OPEN, DONE, SKIPPED = ANSWERS = ("open", "done", "skipped")


def is_answer(value: object) -> bool:
    """Return True if a parsed value is an answer of `spacy relext correct`."""
    return isinstance(value, dict) and value.get(ANSWER_KEY) in ANSWERS


def read_answers(path: Path) -> Iterator[Item]:
    """Read JSON as `read_json` does; of a file that begins with an answer the last one for each text and annotator."""
    items = read_json(path)
    first = next(items, None)
    if first is None:
        return
    if not is_answer(first.value):
        yield first
        yield from items
        return
    latest: Dict[Tuple[object, ...], Item] = {}
    for item in chain([first], items):
        key = (item.value.get("text"), item.value.get(ANNOTATOR_KEY)) if is_answer(item.value) else ()
        # a text of another type is a malformed record of its own
        latest[key if key and isinstance(key[0], str) and isinstance(key[1], (str, type(None))) else (item.line,)] = (
            item
        )
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
