"""Read hand-annotated prose: `[P1 Ada Holm] was born in [L2 Bergen]. || 1 place_of_birth 2`.

The form is meant for people who write or correct training data in a text editor; `docs/formats.md` describes it.
"""

import re
from typing import Any, Dict, List, Tuple

ENTITY_LABELS = {"P": "PERSON", "O": "ORG", "L": "PLACE", "W": "WORK"}

_OPEN = re.compile(r"\[([A-Z])(\d+) ")

_TRIPLE = re.compile(r"^(\d+)\s+([^\s;]+)\s+(\d+)$")


def parse_markup_line(line: str) -> Dict[str, Any]:
    """Turn one marked line into a canonical record.

    line (str): Marked text, `||`, then triples separated by `;`.
    RETURNS (Dict[str, Any]): `text`, `entities` and `triples` with character offsets.
    RAISES (ValueError): Where a bracket, a number or a triple is malformed; the message says which.
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


def _strip_marks(marked: str) -> Tuple[str, Dict[int, Tuple[int, int, str]]]:
    """Remove the brackets and note where each marked mention stands."""
    text: List[str] = []
    length = 0
    stack: List[Tuple[int, int, str]] = []
    mentions: Dict[int, Tuple[int, int, str]] = {}
    position = 0
    while position < len(marked):
        opening = _OPEN.match(marked, position)
        if opening:
            code, number = opening.group(1), int(opening.group(2))
            if code not in ENTITY_LABELS:
                raise ValueError(f"entity type {code!r} is none of {', '.join(ENTITY_LABELS)}")
            stack.append((number, length, ENTITY_LABELS[code]))
            position = opening.end()
            continue
        character = marked[position]
        position += 1
        if character == "[":
            raise ValueError(f"'[' without a type and a number: {marked[position - 1 : position + 15]!r}")
        if character == "]":
            _close(stack, mentions, length)
            continue
        text.append(character)
        length += 1
    if stack:
        raise ValueError(f"mention {stack[-1][0]} is never closed with ']'")
    return "".join(text), mentions


def _close(stack: List[Tuple[int, int, str]], mentions: Dict[int, Tuple[int, int, str]], end: int) -> None:
    """End the innermost open mention."""
    if not stack:
        raise ValueError("']' without a '['")
    number, start, label = stack.pop()
    if number in mentions:
        raise ValueError(f"mention number {number} is used twice")
    if start == end:
        raise ValueError(f"mention {number} is empty")
    mentions[number] = (start, end, label)


def _parse_triple(part: str, mentions: Dict[int, Tuple[int, int, str]]) -> Dict[str, Any]:
    """Turn `1 spouse 2` into a canonical triple."""
    match = _TRIPLE.match(part)
    if not match:
        raise ValueError(f"triple {part!r} is not 'number relation number'")
    subject, relation, obj = int(match.group(1)), match.group(2), int(match.group(3))
    for number in (subject, obj):
        if number not in mentions:
            raise ValueError(f"triple {part!r} names mention {number}, which the text does not have")
    if mentions[subject][:2] == mentions[obj][:2]:
        raise ValueError(f"triple {part!r} has the same span twice")
    return {
        "subject": list(mentions[subject][:2]),
        "relation": relation,
        "object": list(mentions[obj][:2]),
    }
