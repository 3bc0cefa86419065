"""Read hand-annotated prose: `[P1 Ada Holm] was born in [L2 Bergen]. || 1 place_of_birth 2`.

The form is meant for people who write or correct training data in a text editor; `docs/formats.md` describes it.
"""

import re
from typing import Dict, List, Tuple

from ...annotations.triple import Record

_ENTITY_LABELS = {"P": "PERSON", "O": "ORG", "L": "PLACE", "W": "WORK"}
_OPEN = re.compile(r"\[([A-Z])(\d+) ")
_TRIPLE = re.compile(r"^(\d+)\s+([^\s;]+)\s+(\d+)$")

# Number of the mention → start, end, label.
_Mentions = Dict[int, Tuple[int, int, str]]


def parse_markup_line(line: str) -> Record:
    """Parse a line.

    line (str): Marked text, `||`, then triples separated by `;`.
    RETURNS (Record): `text`, `entities` and `triples` with character offsets.
    RAISES (ValueError): If a bracket, a number or a triple is malformed; the message says which.
    """
    marked, separator, tail = line.rstrip("\n").partition("||")
    if not separator:
        raise ValueError("no '||' between the text and its triples")
    text, mentions = _strip_marks(marked.strip())
    triples = [_parse_triple(part.strip(), mentions) for part in tail.split(";") if part.strip()]
    entities = [
        {"start": start, "end": end, "label": label}
        for start, end, label in sorted(mentions.values(), key=lambda m: (m[0], -m[1]))
    ]
    return {"text": text, "entities": entities, "triples": triples}


def _strip_marks(marked: str) -> Tuple[str, _Mentions]:
    """Remove the brackets; RETURNS also where each mention stands."""
    text = ""
    stack: List[Tuple[int, int, str]] = []
    mentions: _Mentions = {}
    position = 0
    while position < len(marked):
        opening = _OPEN.match(marked, position)
        if opening:
            code, number = opening.group(1), int(opening.group(2))
            if code not in _ENTITY_LABELS:
                raise ValueError(f"entity type {code!r} is none of {', '.join(_ENTITY_LABELS)}")
            stack.append((number, len(text), _ENTITY_LABELS[code]))
            position = opening.end()
            continue
        character = marked[position]
        position += 1
        if character == "[":
            raise ValueError(f"'[' without a type and a number: {marked[position - 1 : position + 15]!r}")
        if character == "]":
            _close(stack, mentions, len(text))
            continue
        text += character
    if stack:
        raise ValueError(f"mention {stack[-1][0]} is never closed with ']'")
    return text, mentions


def _close(stack: List[Tuple[int, int, str]], mentions: _Mentions, end: int) -> None:
    """End the innermost open mention."""
    if not stack:
        raise ValueError("']' without a '['")
    number, start, label = stack.pop()
    if number in mentions:
        raise ValueError(f"mention number {number} is used twice")
    if start == end:
        raise ValueError(f"mention {number} is empty")
    mentions[number] = (start, end, label)


def _parse_triple(part: str, mentions: _Mentions) -> Record:
    """Parse `1 spouse 2`."""
    match = _TRIPLE.match(part)
    if not match:
        raise ValueError(f"triple {part!r} is not 'number relation number'")
    subject, relation, obj = int(match.group(1)), match.group(2), int(match.group(3))
    for number in (subject, obj):
        if number not in mentions:
            raise ValueError(f"triple {part!r} names mention {number}, which the text does not have")
    if mentions[subject][:2] == mentions[obj][:2]:
        raise ValueError(f"triple {part!r} has the same span twice")
    return {"subject": list(mentions[subject][:2]), "relation": relation, "object": list(mentions[obj][:2])}
