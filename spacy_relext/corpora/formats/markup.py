"""Hand-annotated prose, written in a text editor: `[P1 Ada Holm] was born in [L2 Bergen]. || 1 place_of_birth 2`."""

import re
from typing import Dict, List, Tuple

from ...annotations.triple import Record
from .checks import make_entity

_ENTITY_LABELS = {"P": "PERSON", "O": "ORG", "L": "PLACE", "W": "WORK"}
# The start of a mention, a bracket, or text.
_PART = re.compile(r"\[([A-Z])(\d+) |[\[\]]|[^\[\]]+")
_TRIPLE = re.compile(r"^(\d+)\s+([^\s;]+)\s+(\d+)$")

# Number of the mention → start, end, label.
_Mentions = Dict[int, Tuple[int, int, str]]


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
            raise ValueError(f"'[' without a type and a number: {marked[part.start() : part.start() + 16]!r}")
        elif string == "]":
            if not stack:
                raise ValueError("']' without a '['")
            number, start, label = stack.pop()
            if number in mentions:
                raise ValueError(f"mention number {number} is used twice")
            if start == len(text):
                raise ValueError(f"mention {number} is empty")
            mentions[number] = (start, len(text), label)
        else:
            text += string
    if stack:
        raise ValueError(f"mention {stack[-1][0]} is never closed with ']'")
    return text, mentions


def _parse_triple(part: str, mentions: _Mentions) -> Record:
    """Parse `1 spouse 2`."""
    match = _TRIPLE.match(part)
    if not match:
        raise ValueError(f"triple {part!r} is not 'number relation number'")
    spans = []
    for number in (int(match.group(1)), int(match.group(3))):
        if number not in mentions:
            raise ValueError(f"triple {part!r} names mention {number}, which the text does not have")
        spans.append(list(mentions[number][:2]))
    if spans[0] == spans[1]:
        raise ValueError(f"triple {part!r} has the same span twice")
    return {"subject": spans[0], "relation": match.group(2), "object": spans[1]}
