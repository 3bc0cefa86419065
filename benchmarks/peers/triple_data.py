"""Sentences with triples, read for the baselines that extract them: files → records → piece indices."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy_relext.encoders.pieces import letter_shape

Triple = tuple[str, str, str]
Span = tuple[int, int]


@dataclass(frozen=True)
class Record:
    """One sentence as the data set gives it, with every gold triple, whether its arguments are found or not."""

    text: str
    triples: frozenset[Triple]


@dataclass(frozen=True)
class Example:
    """One training sentence in pieces: `subjects` maps a span to its (relation, object) pairs.

    Spans are (first piece, last piece), both inclusive; `shapes` are letter shapes, for encoders that read them.
    """

    ids: list[int]
    shapes: list[int]
    subjects: dict[Span, list[tuple[int, Span]]]


@dataclass(frozen=True)
class Pieces:
    """One sentence to predict: ids, letter shapes, character offsets, and which pieces open and close a word."""

    ids: list[int]
    shapes: list[int]
    offsets: list[Span]
    opens: list[bool]
    closes: list[bool]


def read_records(path: Path) -> list[Record]:
    """Read JSON lines of {"text", "triple_list": [[subject, relation, object], …]}."""
    with path.open(encoding="utf8") as stream:
        rows = [json.loads(line) for line in stream]
    return [Record(row["text"], frozenset((s, r, o) for s, r, o in row["triple_list"])) for row in rows]


def relations_of(records: Sequence[Record]) -> list[str]:
    """Sort the names of the relations in the gold triples."""
    return sorted({relation for record in records for _, relation, _ in record.triples})


def _occurrences(string: str, *, text: str) -> list[Span]:
    """Find the character spans of a string in the text, at word boundaries."""
    if not string.strip():
        return []
    left = r"(?<!\w)" if re.match(r"\w", string) else ""
    right = r"(?!\w)" if re.search(r"\w\Z", string) else ""
    return [m.span() for m in re.finditer(left + re.escape(string) + right, text)]


def _locate(record: Record) -> dict[str, Span]:
    """Choose one place for each entity string of a sentence."""
    strings = {string for s, _, o in record.triples for string in (s, o)}
    spans_of = {string: _occurrences(string, text=record.text) for string in strings}
    taken = [span for spans in spans_of.values() for span in spans]
    places: dict[str, Span] = {}
    for string, spans in spans_of.items():
        free = [(a, b) for a, b in spans if not any(c <= a and b <= d and d - c > b - a for c, d in taken)]
        if spans:
            places[string] = (free or spans)[0]
    return places


def encode_examples(
    records: Sequence[Record], *, tokenizer: Any, labels: Sequence[str], max_pieces: int
) -> tuple[list[Example], int]:
    """Turn sentences into training examples; sentences with triples of which none is found are left out.

    labels (Sequence[str]): relations, in the order of the model's.
    max_pieces (int): longest sentence, in pieces with the special ones.
    RETURNS (tuple[list[Example], int]): examples, and how many gold triples were not found.
    """
    index = {label: i for i, label in enumerate(labels)}
    encoded = tokenizer([r.text for r in records], truncation=True, max_length=max_pieces)
    examples, lost = [], 0
    for record, encoding in zip(records, encoded.encodings, strict=True):
        first = {a: k for k, (a, b) in enumerate(encoding.offsets) if b > a}
        last = {b: k for k, (a, b) in enumerate(encoding.offsets) if b > a}
        spans = {string: (first[a], last[b]) for string, (a, b) in _locate(record).items() if a in first and b in last}
        subjects: dict[Span, list[tuple[int, Span]]] = {}
        for s, relation, o in sorted(record.triples):
            if s in spans and o in spans:
                subjects.setdefault(spans[s], []).append((index[relation], spans[o]))
            else:
                lost += 1
        if subjects or not record.triples:
            examples.append(Example(encoding.ids, _piece_shapes(encoding, record.text), subjects))
    return examples, lost


def encode_texts(texts: Sequence[str], *, tokenizer: Any, max_pieces: int) -> list[Pieces]:
    """Tokenise sentences for prediction.

    max_pieces (int): longest sentence, in pieces with the special ones.
    """
    encoded = tokenizer(list(texts), truncation=True, max_length=max_pieces)
    pieces = []
    for text, encoding in zip(texts, encoded.encodings, strict=True):
        words = [None, *encoding.word_ids, None]
        inner = words[1:-1]
        opens = [w is not None and w != before for w, before in zip(inner, words, strict=False)]
        closes = [w is not None and w != after for w, after in zip(inner, words[2:], strict=True)]
        shapes = _piece_shapes(encoding, text)
        pieces.append(Pieces(encoding.ids, shapes, encoding.offsets, opens, closes))
    return pieces


def _piece_shapes(encoding: Any, text: str) -> list[int]:
    """Classify the letters of each piece's word, as the project's encoder reads them; 0 for special pieces."""
    bounds: dict[int, Span] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is not None:
            bounds[word] = (bounds.get(word, (start, end))[0], end)
    shapes = {word: letter_shape(text[start:end]) for word, (start, end) in bounds.items()}
    return [0 if word is None else shapes[word] for word in encoding.word_ids]
