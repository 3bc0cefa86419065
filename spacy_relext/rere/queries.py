"""Input sequences `[CLS] relation [SEP] sentence [SEP]` for encoders that read a sentence once per relation."""

from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

from ..encoders.pieces import PIECES_PER_BATCH, IntArray, align_pieces, letter_shape, pad_sequences
from .windows import SentenceWindows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Arguments of the module: lists with an array for each padded batch, or single arrays.
Arguments = Dict[str, Union[IntArray, List[IntArray]]]


def cut_queries(
    windows: SentenceWindows,
    window: IntArray,
    relation: Optional[IntArray],
    queries: Sequence[str],
    tokenizer: "Tokenizer",
    *,
    max_pieces: int,
    batch_pieces: int = PIECES_PER_BATCH,
) -> Tuple[Arguments, int]:
    """Tokenize rows (window, relation) into padded batches of word pieces.

    window (IntArray): Window of each row. Shape (M,)
    relation (Optional[IntArray]): Relation of each row, or None for plain `[CLS] sentence [SEP]`. Shape (M,)
    queries (Sequence[str]): Text of each relation.
    max_pieces (int): Longest sequence, special pieces included.
    batch_pieces (int): Most cells of a padded batch.
    RETURNS (Tuple[Arguments, int]): Arguments of the marked modules: lists `ids`, `shapes`, `masks`, `segments` of
        shapes (b, L); cells `first`, `last` of shape (N,) and `cls` of shape (M,); `index` of shape (M, T), -1 on
        padding. Then the number of truncated tokens, which are masked.
    """
    special = tokenizer.encode("", add_special_tokens=True).ids
    prefix, suffix = special[:1], special[1:]
    query_ids = [encoding.ids for encoding in tokenizer.encode_batch(list(queries), add_special_tokens=False)]
    contexts = _tokenize_windows(windows, tokenizer)
    lengths = (windows.end - windows.start)[window]
    first = numpy.full(int(lengths.sum()), -1, dtype="int64")
    last = first.copy()
    starts = numpy.cumsum([0, *lengths.tolist()])
    sequences: List[List[int]] = []
    shapes: List[List[int]] = []
    segments: List[List[int]] = []
    for row, number in enumerate(window.tolist()):
        head = prefix if relation is None else prefix + query_ids[int(relation[row])] + suffix
        context = contexts[number]
        room = max(1, max_pieces - len(head) - len(suffix))
        body = context.ids[:room] + suffix
        sequences.append(head + body)
        shapes.append([0] * len(head) + context.shapes[:room] + [0] * len(suffix))
        segments.append([0] * len(head) + [int(relation is not None)] * len(body))
        tokens = slice(int(starts[row]), int(starts[row + 1]))
        fits = context.last < room
        first[tokens] = numpy.where(fits, context.first + len(head), -1)
        last[tokens] = numpy.where(fits, context.last + len(head), -1)
    batches, offsets = pad_sequences(sequences, shapes, segments, batch_pieces=batch_pieces)
    owner = numpy.repeat(numpy.arange(len(window)), lengths)
    truncated = first < 0
    position = numpy.arange(lengths.max(initial=0))
    index = numpy.where(position < lengths[:, None], starts[:-1][:, None] + position, -1)
    index[numpy.append(truncated, True)[index]] = -1
    cells = {
        "first": numpy.where(truncated, 0, first + offsets[owner]),
        "last": numpy.where(truncated, 0, last + offsets[owner]),
        "cls": offsets,
        "index": index,
    }
    return {**batches, **cells}, int(truncated.sum())


class _Context(NamedTuple):
    """Word pieces of a window: ids, letter shapes, first and last piece of each word."""

    ids: List[int]
    shapes: List[int]
    first: IntArray
    last: IntArray


def _tokenize_windows(windows: SentenceWindows, tokenizer: "Tokenizer") -> List[_Context]:
    spans = [windows.span(number) for number in range(len(windows))]
    contexts = []
    encodings = tokenizer.encode_batch([span.text for span in spans], add_special_tokens=False)
    for number, (span, encoding) in enumerate(zip(spans, encodings)):
        first, last, owners = align_pieces(span, encoding.offsets)
        shapes = [letter_shape(span[int(owner)].text) for owner in owners]
        words = windows.tokens(number) - span.start
        contexts.append(_Context(encoding.ids, shapes, first[words], last[words]))
    return contexts
