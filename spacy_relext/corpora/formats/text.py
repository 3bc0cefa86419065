"""Plain text to annotate or to extract from: each line, paragraph or file is a document that is not annotated."""

from pathlib import Path
from typing import Iterator, List, Optional

from ...annotations.triple import Record
from ...errors import Errors
from ..texts import JSONL_SUFFIXES, TextLog, read_texts
from .checks import check_object, require_text
from .sources import Item

# Units, and their names for `read_texts`.
UNITS = {"line": "text", "paragraph": "paragraph", "file": "file"}

_NO_TEXT = (*JSONL_SUFFIXES, ".json", ".spacy")


def read_text(path: Path, *, unit: Optional[str] = None) -> Iterator[Item]:
    """Read the documents of a file, or of the .txt files of a folder.

    unit (Optional[str]): What a document is: `line`, `paragraph` (up to a blank line) or `file`; None: a line of a
        file, a file of a folder.
    RAISES (ValueError): If the unit is unknown, or the file is not plain text.
    """
    if unit not in (None, *UNITS):
        raise ValueError(Errors.R107.format(option="--unit", found=unit, expected=" or ".join(UNITS)))
    if path.suffix.lower() in _NO_TEXT:
        raise ValueError(Errors.R125.format(path=str(path)))
    chosen = unit or ("file" if path.is_dir() else "line")
    problems: List[str] = []
    for raw in read_texts(str(path), TextLog(report=problems.append), input_format=UNITS[chosen]):
        yield from _pop_problems(path, problems)
        yield Item(raw.path, raw.line, {"text": raw.text, **raw.extra})
    yield from _pop_problems(path, problems)


def parse_text(value: object) -> Record:
    """Parse a document: its text, and the name of its file if there are several."""
    record = check_object(value)
    require_text(record, "text")
    return record


def _pop_problems(path: Path, problems: List[str]) -> Iterator[Item]:
    """Make items of what could not be read."""
    while problems:
        yield Item(str(path), 1, error=problems.pop(0))
