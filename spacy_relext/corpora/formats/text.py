"""Texts: documents that are not annotated, and prose with marks: `[P1 Ada] left [L2 Rome]. || 1 left 2`."""

import re
from itertools import chain
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from ...annotations.assertion import ASSERTION
from ...annotations.triple import Record
from ...errors import Errors
from ..raw_text import TextLog
from ..texts import JSONL_SUFFIXES, TEXT_SUFFIXES, list_sources
from .checks import check_object, make_entity, require_text
from .sources import Item

# Units, and their names for `list_sources`.
UNITS = {"line": "text", "paragraph": "paragraph", "file": "file"}

_NO_TEXT = (*JSONL_SUFFIXES, ".json", ".spacy")

_ENTITY_LABELS = {"P": "PERSON", "O": "ORG", "L": "PLACE", "W": "WORK", "T": "TIME", "N": "NUMBER", "M": "MISC"}
# The start of a mention, a bracket, or text.
_PART = re.compile(r"\[([A-Z])(\d+) |\\?[\[\]]|[^\[\]\\]+|\\")
_TRIPLE = re.compile(r"^(\d+)\s+([^\s;]+)\s+(\d+)(?:\s+(denied|reported|hypothetical))?$")

# Number of the mention → start, end, label.
_Mentions = Dict[int, Tuple[int, int, str]]


def read_text(path: Path, *, unit: Optional[str] = None) -> Iterator[Item]:
    """Read the documents of a file, or of the texts of a folder.

    unit (Optional[str]): What a document is: `line`, `paragraph` (up to a blank line) or `file`; None: a line of a text
        file, a whole file of a folder or with markup or pages. Markup is read as such only if a document is a file.
    RAISES (ValueError): If the unit is unknown, or the file is not plain text.
    """
    if unit not in (None, *UNITS):
        raise ValueError(Errors.R107.format(option="--unit", found=unit, expected=" or ".join(UNITS)))
    if path.suffix.lower() in _NO_TEXT:
        raise ValueError(Errors.R125.format(path=str(path)))
    problems: List[str] = []
    input_format = UNITS[unit] if unit else None
    sources = list_sources(path, input_format=input_format, suffixes=TEXT_SUFFIXES)
    log = TextLog(report=problems.append)
    for raw in chain.from_iterable(source.read(log) for source in sources):
        yield from _pop_problems(path, problems)
        file = {"file": Path(raw.path).relative_to(path).as_posix()} if path.is_dir() else {}
        yield Item(raw.path, raw.line, {"text": raw.text, **file, **raw.extra})
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


def parse_markup_line(line: str) -> Record:
    """Parse a line: marked text, `||`, then triples separated by `;`."""
    marked, separator, tail = line.rstrip("\n").partition("||")
    if not separator:
        raise ValueError("no '||' between the text and its triples")
    text, mentions = _strip_marks(marked.strip())
    triples = [_parse_triple(part.strip(), mentions) for part in tail.split(";") if part.strip()]
    ordered = sorted(mentions.values(), key=lambda mention: (mention[0], -mention[1]))
    return {"text": text, "entities": [make_entity(*mention) for mention in ordered], "triples": triples}


def _strip_marks(marked: str) -> Tuple[str, _Mentions]:
    """Remove the marks; return the text and the place of each mention."""
    text = ""
    stack: List[Tuple[int, int, str]] = []
    mentions: _Mentions = {}
    for part in _PART.finditer(marked):
        code, string = part.group(1), part.group()
        if code:
            if code not in _ENTITY_LABELS:
                raise ValueError(f"entity type {code!r} is none of {', '.join(_ENTITY_LABELS)}")
            stack.append((int(part.group(2)), len(text), _ENTITY_LABELS[code]))
        elif string == "[":
            found = marked[part.start() : part.start() + 16]
            raise ValueError(f"'[' without a type and a number: {found!r}. Write '\\[' for a bracket of the text")
        elif string == "]":
            if not stack:
                raise ValueError("']' without a '['. Write '\\]' for a bracket of the text")
            number, start, label = stack.pop()
            if number in mentions:
                raise ValueError(f"mention number {number} is used twice")
            if start == len(text):
                raise ValueError(f"mention {number} is empty")
            mentions[number] = (start, len(text), label)
        else:
            text += string[1:] if string in (r"\[", r"\]") else string
    if stack:
        raise ValueError(f"mention {stack[-1][0]} is never closed with ']'")
    return text, mentions


def _parse_triple(part: str, mentions: _Mentions) -> Record:
    match = _TRIPLE.match(part)
    if not match:
        raise ValueError(f"triple {part!r} is not 'number relation number', with or without an assertion")
    spans = []
    for number in (int(match.group(1)), int(match.group(3))):
        if number not in mentions:
            raise ValueError(f"triple {part!r} names mention {number}, which the text does not have")
        spans.append(list(mentions[number][:2]))
    if spans[0] == spans[1]:
        raise ValueError(f"triple {part!r} has the same span twice")
    triple = {"subject": spans[0], "relation": match.group(2), "object": spans[1]}
    return {**triple, "attributes": {ASSERTION: match.group(4)}} if match.group(4) else triple
