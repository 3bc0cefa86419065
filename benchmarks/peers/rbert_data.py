"""Pairs of arguments, read for the R-BERT peer: files → records → pieces with markers."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Span = tuple[int, int]

MARKERS = ("[unused0]", "[unused1]", "[unused2]", "[unused3]")  # subject start and end, object start and end
TYPE_SIGNS = ("*", "^")  # around the subject's type, around the object's
MAX_TYPE_PIECES = 6  # of a type's name with its signs
MIN_PIECES = 32  # with the longest types there is still room for both arguments


@dataclass(frozen=True)
class Record:
    """One pair in a text; its arguments are characters of the text, end exclusive."""

    text: str
    subject: Span
    object: Span
    label: str
    subject_type: str = ""
    object_type: str = ""


@dataclass(frozen=True)
class Example:
    """One pair in pieces: `subject` and `object` are (first piece, last piece), both inclusive, without the markers."""

    ids: list[int]
    subject: Span
    object: Span
    cut: bool


@dataclass(frozen=True)
class Layout:
    """How a pair becomes pieces: ids of the special pieces, ids of the markers in the order of MARKERS, limits."""

    cls: int
    sep: int
    unknown: int
    markers: tuple[int, ...]
    types: bool
    max_pieces: int


def read_records(path: Path) -> list[Record]:
    """Read JSON lines of pairs; blank lines are skipped.

    RAISES (ValueError): naming file and line, if a line is not a pair.
    """
    records = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                records.append(_record(json.loads(line.decode("utf8"))))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from error
    return records


def _record(row: Any) -> Record:
    expected = 'expected {"text", "subject": [start, end], "object": [start, end], "label"}'
    if not isinstance(row, dict):
        raise ValueError(f"{expected}; found {type(row).__name__}")
    missing = [key for key in ("text", "subject", "object", "label") if key not in row]
    if missing:
        raise ValueError(f"{expected}; {', '.join(missing)} missing")
    text, label = row["text"], row["label"]
    names = [row.get(key) or "" for key in ("subject_type", "object_type")]
    if not all(isinstance(value, str) for value in (text, label, *names)) or not label:
        raise ValueError(f"{expected}; text, label or a type is not a string, or the label is empty")
    subject, object_ = _span(row, key="subject"), _span(row, key="object")
    if subject == object_:
        raise ValueError(f"subject and object are the same characters, {list(subject)}")
    return Record(text, subject, object_, label, *names)


def _span(row: dict[str, Any], *, key: str) -> Span:
    value, length = row[key], len(row["text"])
    if not isinstance(value, list) or [type(offset) for offset in value] != [int, int]:
        raise ValueError(f"{key}: expected [start, end] in characters; found {json.dumps(value)}")
    start, end = value
    if not 0 <= start < end <= length or not row["text"][start:end].strip():
        raise ValueError(f"{key}: [{start}, {end}] covers nothing of the text, which has {length} characters")
    return start, end


def encode_records(records: Sequence[Record], *, tokenizer: Any, layout: Layout) -> list[Example]:
    """Turn pairs into pieces with markers; a text that several pairs share is tokenised once."""
    if not records:
        return []
    texts = list(dict.fromkeys(record.text for record in records))
    encodings = dict(zip(texts, _tokenize(texts, tokenizer=tokenizer), strict=True))
    prefixes = _type_pieces(records, tokenizer=tokenizer) if layout.types else {}
    examples = []
    for record in records:
        encoding = encodings[record.text]
        starts, ends = [a for a, _ in encoding.offsets], [b for _, b in encoding.offsets]
        spans = [_locate(span, starts=starts, ends=ends) for span in (record.subject, record.object)]
        names = (record.subject_type, record.object_type)
        openings = [prefixes.get((sign, name), []) for sign, name in zip(TYPE_SIGNS, names, strict=True)]
        examples.append(mark(encoding.ids or [layout.unknown], spans=spans, openings=openings, layout=layout))
    return examples


def _tokenize(texts: Sequence[str], *, tokenizer: Any) -> list[Any]:
    options = {"add_special_tokens": False, "truncation": False, "padding": False, "verbose": False}
    return list(tokenizer(list(texts), **options).encodings)


def _type_pieces(records: Sequence[Record], *, tokenizer: Any) -> dict[tuple[str, str], list[int]]:
    named = [
        (sign, name)
        for sign, names in zip(
            TYPE_SIGNS, ({r.subject_type for r in records}, {r.object_type for r in records}), strict=True
        )
        for name in sorted(names - {""})
    ]
    if not named:
        return {}
    words = _tokenize([name.replace("_", " ").lower() for _, name in named], tokenizer=tokenizer)
    signs = {sign: _tokenize([sign], tokenizer=tokenizer)[0].ids[:1] for sign in TYPE_SIGNS}
    return {
        (sign, name): [*signs[sign], *word.ids[: MAX_TYPE_PIECES - 2], *signs[sign]]
        for (sign, name), word in zip(named, words, strict=True)
    }


def _locate(span: Span, *, starts: Sequence[int], ends: Sequence[int]) -> Span:
    """Find the pieces that an argument touches; the nearest one if the tokenizer dropped all its characters."""
    first, last = bisect_right(ends, span[0]), bisect_left(starts, span[1])
    if first < last:
        return first, last
    first = max(0, min(first, len(starts) - 1))
    return first, first + 1


def _kept_pieces(length: int, *, spans: Sequence[Span], budget: int) -> list[int]:
    """Choose the pieces of a text that is too long: those nearest to the arguments."""
    whole = min(start for start, _ in spans), max(end for _, end in spans)
    anchors = [whole] if whole[1] - whole[0] <= budget else list(spans)

    def rank(at: int) -> tuple[int, int]:
        return min((max(start - at, at - end + 1, 0), max(at - start, 0)) for start, end in anchors)

    return sorted(sorted(range(length), key=rank)[:budget])


def mark(ids: Sequence[int], *, spans: Sequence[Span], openings: Sequence[Sequence[int]], layout: Layout) -> Example:
    """Cut a text to the maximum length and put the markers around its arguments.

    Nested arguments get nested markers; the outer one then contains the markers of the inner one.

    ids (Sequence[int]): pieces of the text, without special ones.
    spans (Sequence[Span]): pieces of subject and object, end exclusive.
    openings (Sequence[Sequence[int]]): what follows the first marker of subject and object: their types, or nothing.
    """
    budget = layout.max_pieces - 2 - len(layout.markers) - sum(map(len, openings))
    cut = len(ids) > budget
    if cut:
        places = _kept_pieces(len(ids), spans=spans, budget=budget)
        spans = [(bisect_left(places, start), bisect_left(places, end)) for start, end in spans]
        ids = [ids[at] for at in places]
    # At the same position ends come before starts: of ends the inner argument's first, of starts the outer one's.
    ends = [(end, 0, -start, role) for role, (start, end) in enumerate(spans)]
    events = sorted(ends + [(start, 1, -end, role) for role, (start, end) in enumerate(spans)])
    pieces, at = [layout.cls], 0
    first, last = [0, 0], [0, 0]
    for place, opens, _, role in events:
        pieces += ids[at:place]
        at = place
        if opens:
            pieces += [layout.markers[2 * role], *openings[role]]
            first[role] = len(pieces)
        else:
            last[role] = len(pieces) - 1
            pieces.append(layout.markers[2 * role + 1])
    pieces += [*ids[at:], layout.sep]
    return Example(pieces, (first[0], last[0]), (first[1], last[1]), cut)
