"""Pairs of arguments, read for R-BERT: files → records → pieces with markers."""

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
    """Read JSON lines of pairs."""
    with path.open(encoding="utf8") as stream:
        rows = [json.loads(line) for line in stream]
    ends = ("subject", "object")
    return [
        Record(row["text"], *(tuple(row[end]) for end in ends), row["label"], *(row[f"{end}_type"] for end in ends))
        for row in rows
    ]


def encode_records(records: Sequence[Record], *, tokenizer: Any, layout: Layout) -> list[Example]:
    """Turn pairs into pieces with markers; a text that several pairs share is tokenised once."""
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
