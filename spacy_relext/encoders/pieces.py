"""Word pieces of sentences for a Hugging Face encoder, in padded batches of similar length."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, TypedDict, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import IDX, LENGTH
from spacy.tokens import Doc, Span, Token
from thinc.api import Model

from ..annotations.sentences import sentence_bounds
from ..bridge.modules import device_of

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

IntArray = NDArray[numpy.int64]

# Cells of a padded batch in prediction on a CPU: larger ones waste padding and the processor's cache (MiniLM, one core,
# ms a sentence: 256: 8.6, 512: 8.2, 1024: 8.5, 2048: 10.3), smaller ones waste calls.
PIECES_PER_BATCH = 512

# Numbers of letter shapes, of slots that entity types are hashed into, and of the entity marks that result.
N_SHAPES = 8

_TYPE_SLOTS = 256

N_MARKS = 1 + 2 * _TYPE_SLOTS

_FIRST_IN_ENTITY = 3  # of spaCy's `ent_iob`

# Training adds up a gradient of all weights for every batch, and a GPU makes few calls per second: few, large batches.
_MOST_PIECES = 8192


@dataclass
class PieceBatches:
    """Word pieces of all sentences of some Docs, sorted by length, and where each token's pieces are."""

    ids: List[IntArray]  # vocabulary ids (b, L)
    shapes: List[IntArray]  # letter shapes and entity marks, see `_piece_look` (b, L)
    masks: List[NDArray[numpy.bool_]]  # True on pieces (b, L)
    first: IntArray  # cell of each token's first piece if all batches are flattened and concatenated (N,)
    last: IntArray  # cell of each token's last piece (N,)


class _Window(NamedTuple):
    """One sequence for the encoder: pieces, and the tokens that read their vectors from it."""

    ids: List[int]
    shapes: List[int]
    tokens: IntArray
    first: IntArray
    last: IntArray


class CutOptions(TypedDict):
    """How texts are cut: most pieces of a sequence, special ones included, and most cells of a padded batch."""

    max_pieces: int
    batch_pieces: int


def cut_options(model: Model, is_train: bool) -> CutOptions:
    """Choose how the texts of a model with the attribute `max_pieces` are cut: small batches to predict on a CPU."""
    is_small = not is_train and device_of(model).type == "cpu"
    return {"max_pieces": model.attrs["max_pieces"], "batch_pieces": PIECES_PER_BATCH if is_small else _MOST_PIECES}


@functools.lru_cache(maxsize=100_000)
def letter_shape(token: str) -> int:
    """Classify the letters of a token, for encoders whose vocabulary is lower-cased.

    RETURNS (int): 0 none of these (such as Chinese), 1 lower, 2 capitalised, 3 upper, 4 mixed, 5 with digits,
        6 without letters, 7 a single capital.
    """
    if any(character.isdigit() for character in token):
        return 5
    if not any(character.isalpha() for character in token):
        return 6
    if token.islower():
        return 1
    if token.isupper():
        return 3 if len(token) > 1 else 7
    if token[0].isupper() and token[1:].islower():
        return 2
    return 4 if any(character.isupper() for character in token) else 0


def entity_mark(token: Token) -> int:
    """Number the entity of a token.

    RETURNS (int): 0 outside of entities, else one of `N_MARKS` numbers for its type and for whether it is the first
        token; types that share a number are not distinguished, which happens in 6 % of sets of six types.
    """
    if not token.ent_type:
        return 0
    return 1 + 2 * (token.ent_type % _TYPE_SLOTS) + int(token.ent_iob == _FIRST_IN_ENTITY)


def _piece_look(token: Token, *, is_marked: bool) -> int:
    """Compute letter shape + N_SHAPES · entity mark of a token; the mark is 0 if tokens are not marked."""
    return letter_shape(token.text) + (N_SHAPES * entity_mark(token) if is_marked else 0)


def cut_docs(
    docs: Sequence[Doc],
    tokenizer: "Tokenizer",
    *,
    max_pieces: int,
    batch_pieces: int = PIECES_PER_BATCH,
    entity_marks: bool = False,
    whole_docs: bool = False,
) -> PieceBatches:
    """Cut Docs into word pieces, sentence by sentence.

    max_pieces (int): Longest sequence, special pieces included; longer sentences are cut into windows that overlap by
        half, and a token is read from the window in which it stands nearest to the middle.
    batch_pieces (int): Most cells of a padded batch.
    entity_marks (bool): Whether pieces are marked by the entities of the Docs.
    whole_docs (bool): Whether a Doc is read as if it were one sentence.
    RETURNS (PieceBatches): Its tokens are in document order.
    """
    spans, texts = [], []
    for doc in docs:
        text = doc.text  # built from the tokens at every access
        bounds = [(0, len(doc))] if whole_docs and len(doc) else sentence_bounds(doc)
        for start, end in bounds:
            spans.append((doc, start, end))
            texts.append(text[doc[start].idx : doc[end - 1].idx + len(doc[end - 1])])
    special = tokenizer.encode("", add_special_tokens=True).ids
    windows: List[_Window] = []
    token_number = 0
    for (doc, start, end), encoding in zip(spans, tokenizer.encode_batch(texts, add_special_tokens=False)):
        looks = [_piece_look(token, is_marked=entity_marks) for token in doc[start:end]]
        windows.extend(_windows(doc[start:end], looks, encoding, special, max_pieces, token_number))
        token_number += end - start
    return _pad(windows, token_number, batch_pieces)


def _windows(
    span: Span, looks: List[int], encoding: "Encoding", special: List[int], max_pieces: int, token_number: int
) -> List[_Window]:
    """Align one sentence's tokens with its pieces and cut it into windows."""
    n_pieces = len(encoding.ids)
    tokens = numpy.arange(token_number, token_number + len(span))
    if not n_pieces:  # only whitespace: every token reads the first special piece
        zeros = numpy.zeros(len(tokens), dtype="int64")
        return [_Window(special or [0], [0] * max(len(special), 1), tokens, zeros, zeros)]
    first, last, owners = align_pieces(span, encoding.offsets)
    shapes = [looks[owner] for owner in owners.tolist()]
    prefix, suffix = special[:1], special[1:]
    body = max_pieces - len(special)
    begins = [*range(0, n_pieces - body, max(1, body // 2)), max(0, n_pieces - body)]
    middles = numpy.asarray([b + min(body, n_pieces) / 2 for b in begins])
    home = numpy.abs((first + last)[:, None] / 2 - middles[None]).argmin(axis=1)
    windows = []
    for number, left in enumerate(begins):
        is_own = home == number
        if not is_own.any():  # inside a token of thousands of pieces, such as a rule of hyphens
            continue
        right = min(left + body, n_pieces)
        shift = len(prefix) - left
        windows.append(
            _Window(
                prefix + encoding.ids[left:right] + suffix,
                [0] * len(prefix) + shapes[left:right] + [0] * len(suffix),
                tokens[is_own],
                first[is_own].clip(min=left, max=right - 1) + shift,
                last[is_own].clip(min=left, max=right - 1) + shift,
            )
        )
    return windows


def _pad(windows: List[_Window], n_tokens: int, batch_pieces: int) -> PieceBatches:
    """Arrange windows of similar length in padded batches, and compute every token's cells."""
    ids, shapes = [window.ids for window in windows], [window.shapes for window in windows]
    batches, offsets = pad_sequences(ids, shapes, None, batch_pieces=batch_pieces)
    first, last = numpy.zeros(n_tokens, "int64"), numpy.zeros(n_tokens, "int64")
    for window, offset in zip(windows, offsets.tolist()):
        first[window.tokens] = window.first + offset
        last[window.tokens] = window.last + offset
    return PieceBatches(batches["ids"], batches["shapes"], batches["masks"], first, last)


def pad_sequences(
    ids: Sequence[List[int]],
    shapes: Sequence[List[int]],
    segments: Optional[Sequence[List[int]]],
    *,
    batch_pieces: int = PIECES_PER_BATCH,
) -> Tuple[Dict[str, List[numpy.ndarray]], IntArray]:
    """Arrange sequences of similar length in padded batches.

    ids (Sequence[List[int]]): Vocabulary ids of each sequence.
    shapes (Sequence[List[int]]): Letter shapes.
    segments (Optional[Sequence[List[int]]]): Segment numbers, if the encoder reads them.
    batch_pieces (int): Most cells of a padded batch.
    RETURNS (Tuple[Dict[str, List[numpy.ndarray]], IntArray]): `ids`, `shapes`, `masks` (and `segments`), lists of
        shapes (b, L), by length; and the cell of each sequence's first piece if all batches are flattened and
        concatenated. Shape (B,)
    """
    columns = {"ids": ids, "shapes": shapes}
    if segments is not None:
        columns["segments"] = segments
    batches: Dict[str, List[numpy.ndarray]] = {key: [] for key in ("masks", *columns)}
    offsets = numpy.zeros(len(ids), dtype="int64")
    offset = 0
    for group in _groups(ids, batch_pieces):
        width = len(ids[group[-1]])
        lengths = numpy.asarray([len(ids[member]) for member in group])
        mask = numpy.arange(width) < lengths[:, None]
        for key, rows in columns.items():
            padded = numpy.zeros(mask.shape, dtype="int64")
            padded[mask] = numpy.concatenate([rows[member] for member in group])
            batches[key].append(padded)
        batches["masks"].append(mask)
        offsets[group] = offset + width * numpy.arange(len(group))
        offset += mask.size
    return batches, offsets


def align_pieces(span: Span, offsets: Sequence[Tuple[int, int]]) -> Tuple[IntArray, IntArray, IntArray]:
    """Align the tokens of a span with pieces.

    offsets (Sequence[Tuple[int, int]]): Characters of each piece, counted from the span's start.
    RETURNS (Tuple[IntArray, IntArray, IntArray]): First and last piece of each token, token of each piece. A token
        without a piece of its own takes the nearest. Shapes (T,), (T,), (L,)
    """
    columns = cast(Any, span).to_array([IDX, LENGTH]).astype("int64")
    token_starts = columns[:, 0] - columns[0, 0]
    token_ends = token_starts + columns[:, 1]
    piece_starts, piece_ends = numpy.asarray(offsets, dtype="int64").reshape(-1, 2).T
    top = max(0, len(piece_starts) - 1)
    first = numpy.searchsorted(piece_ends, token_starts, side="right").clip(max=top)
    last = (numpy.searchsorted(piece_starts, token_ends, side="left") - 1).clip(min=first)
    owners = (numpy.searchsorted(token_starts, piece_starts, side="right") - 1).clip(min=0)
    return first, last, owners


def _groups(sequences: Sequence[List[int]], batch_pieces: int) -> List[List[int]]:
    """Split sequences, sorted by length, into groups of at most `batch_pieces` cells; longer ones stand alone."""
    groups: List[List[int]] = []
    for member in sorted(range(len(sequences)), key=lambda number: len(sequences[number])):
        if groups and (len(groups[-1]) + 1) * len(sequences[member]) <= batch_pieces:
            groups[-1].append(member)
        else:
            groups.append([member])
    return groups
