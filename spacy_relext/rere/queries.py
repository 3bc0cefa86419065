"""Sequences `[CLS] relation [SEP] sentence [SEP]` for encoders that read the relation with the sentence."""

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..encoders.pieces import PIECES_PER_BATCH, IntArray, align_pieces, letter_shape, pad_sequences
from .windows import SentenceWindows

_BOUNDARY = re.compile(r"[/_.:\-\s]+|(?<=[a-z0-9])(?=[A-Z])")


def readable_label(label: str) -> str:
    """Turn a label into words: `/people/person/place_of_birth` becomes "people person place of birth".

    label (str): The label.
    RETURNS (str): Split at / _ . : - and before capitals, lower-cased; the label itself where nothing is left.
    """
    words = [word for word in _BOUNDARY.split(label) if word]
    return " ".join(words).lower() or label


def cut_queries(
    windows: SentenceWindows,
    window: IntArray,
    relation: Optional[IntArray],
    queries: Sequence[str],
    tokenizer: Any,
    *,
    max_pieces: int,
    batch_pieces: int = PIECES_PER_BATCH,
) -> Tuple[Dict[str, Any], int]:
    """Cut rows (sentence window, relation) into padded batches of word pieces.

    windows (SentenceWindows): The sentence windows.
    window (IntArray): Window of each row. Shape (M,)
    relation (Optional[IntArray]): Relation of each row, or None for plain `[CLS] sentence [SEP]`. Shape (M,)
    queries (Sequence[str]): Text of each relation.
    tokenizer (tokenizers.Tokenizer): Gives pieces with character offsets.
    max_pieces (int): Longest sequence, special pieces included.
    batch_pieces (int): Most cells of a padded batch.
    RETURNS (Tuple[Dict[str, Any], int]): Arguments of the marked modules: lists `ids`, `shapes`, `masks`, `segments` of
        shapes (b, L); cells `first`, `last` of shape (N,) and `cls` of shape (M,); `index` of shape (M, T), -1 on
        padding. And the number of tokens that did not fit and are masked.
    """
    special = tokenizer.encode("", add_special_tokens=True).ids
    prefix, suffix = special[:1], special[1:]
    query_ids = [encoding.ids for encoding in tokenizer.encode_batch(list(queries), add_special_tokens=False)]
    contexts = _contexts(windows, tokenizer)
    lengths = (windows.end - windows.start)[window] if len(window) else window
    first = numpy.full(int(lengths.sum()), -1, dtype="int64")
    last = first.copy()
    heads, bodies, starts = [], [], numpy.cumsum([0, *lengths.tolist()])
    for row, number in enumerate(window.tolist()):
        head = list(prefix)
        if relation is not None:
            head += query_ids[int(relation[row])] + suffix
        ids, shapes, first_piece, last_piece = contexts[number]
        room = max(1, max_pieces - len(head) - len(suffix))
        heads.append(head)
        bodies.append((ids[:room] + suffix, shapes[:room] + [0] * len(suffix)))
        tokens = slice(int(starts[row]), int(starts[row + 1]))
        fits = last_piece < room
        first[tokens] = numpy.where(fits, first_piece + len(head), -1)
        last[tokens] = numpy.where(fits, last_piece + len(head), -1)
    sequences = [head + body for head, (body, _) in zip(heads, bodies)]
    shape_rows = [[0] * len(head) + shapes for head, (_, shapes) in zip(heads, bodies)]
    segment_rows = [[0] * len(head) + [int(relation is not None)] * len(body) for head, (body, _) in zip(heads, bodies)]
    batches, offsets = pad_sequences(sequences, shape_rows, segment_rows, batch_pieces=batch_pieces)
    owner = numpy.repeat(numpy.arange(len(window)), lengths)
    lost = first < 0
    position = numpy.arange(int(lengths.max()) if len(window) else 0)
    index = numpy.where(position < lengths[:, None], starts[:-1][:, None] + position, -1)
    index = numpy.where((index >= 0) & ~lost[index.clip(min=0)], index, -1) if len(first) else index
    cells = {
        "first": numpy.where(lost, 0, first + offsets[owner]),
        "last": numpy.where(lost, 0, last + offsets[owner]),
        "cls": offsets,
        "index": index,
    }
    return {**batches, **cells}, int(lost.sum())


def _contexts(
    windows: SentenceWindows, tokenizer: Any
) -> List[Tuple[List[int], List[int], NDArray[Any], NDArray[Any]]]:
    """Cut each window's text once: ids, letter shapes, first and last piece of each token."""
    spans = [
        windows.docs[d][s:e] for d, s, e in zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist())
    ]
    found = []
    for span, encoding in zip(spans, tokenizer.encode_batch([span.text for span in spans], add_special_tokens=False)):
        first, last, owners = align_pieces(span, encoding.offsets)
        shapes = [letter_shape(span[int(owner)].text) for owner in owners]
        found.append((encoding.ids, shapes, first, last))
    return found
