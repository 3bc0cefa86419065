"""Word pieces of pairs with something put between them: markers where arguments start and end, or a prompt with a mask.
Each pair has a text of its own, where `cut_pairs` reads a text once for all of its pairs.

What is put there are ids and numbers, never text: a text that has "[E1]" in it stays as it is.
"""

from dataclasses import replace
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy
from numpy.typing import NDArray

from ...annotations.entities import Bounds
from ...encoders.pieces import PIECES_PER_BATCH
from ...errors import Errors
from ..pairs import Pairs
from .pieces import OBJECT, SUBJECT, CutText, PairPieces, PieceSequence, cut_texts, group_sequences

# What is put between pieces: markers, which have vectors of their own, and a mask, which is a piece of the vocabulary.
SUBJECT_START, SUBJECT_END, OBJECT_START, OBJECT_END, MASK = 1, 2, 3, 4, 5

MARKERS = 4

FORMS = ("means", "markers", "cloze")

MASKS = ("[MASK]", "<mask>")

# A prompt has no more than this part of the sequence for each argument.
PROMPT_SHARE = 8


class _Piece(NamedTuple):
    """A piece of a sequence; token and inserted as in `PieceSequence`."""

    id: int
    shape: int = 0
    token: int = -1
    inserted: int = 0


def mask_piece(tokenizer: Any) -> int:
    """Find the piece that stands for words that are not said.

    tokenizer (tokenizers.Tokenizer): Of an encoder.
    RETURNS (int): Its id.
    RAISES (ValueError): Where there is none.
    """
    ids = [tokenizer.token_to_id(mask) for mask in MASKS]
    found = next((each for each in ids if each is not None), None)
    if found is None:
        raise ValueError(Errors.R606.format(expected=" or ".join(MASKS)))
    return int(found)


def cut_marked_pairs(
    pairs: Pairs, tokenizer: Any, *, form: str, max_pieces: int, batch_pieces: int = PIECES_PER_BATCH
) -> PairPieces:
    """Cut the text of each pair into word pieces, with what the form puts between them.

    "markers": [CLS] … [E1] subject [/E1] … [E2] object [/E2] … [SEP]. "cloze": [CLS] text [SEP] subject [MASK] object
    [SEP]. Of a text that is too long, what stands around both arguments is kept; where that is too long itself, a
    [SEP] stands for what is between them, so that the starts of both are always read.

    pairs (Pairs): The pairs.
    tokenizer (tokenizers.Tokenizer): Gives pieces with character offsets.
    form (str): "markers" or "cloze".
    max_pieces (int): Longest sequence, special pieces and what is put between included.
    batch_pieces (int): Most cells of a group.
    RETURNS (PairPieces): The groups, each sequence with one pair.
    """
    special = [_Piece(each) for each in tokenizer.encode("", add_special_tokens=True).ids]
    mask = _Piece(mask_piece(tokenizer), inserted=MASK) if form == "cloze" else None
    sequences = []
    for text in cut_texts(pairs, tokenizer):
        for pair in text.pairs:
            pieces = special or [_Piece(0)]
            if text.ids and mask is None:
                pieces = _marked(text, _bounds(pairs, pair, text), special, max_pieces)
            elif text.ids and mask is not None:
                pieces = _prompted(text, _bounds(pairs, pair, text), special, mask, max_pieces)
            ids, shapes, tokens, inserted = (list(column) for column in zip(*pieces))
            sequences.append(PieceSequence(ids, shapes, numpy.asarray(tokens, dtype="int64"), [pair], inserted))
    return group_sequences(sequences, pairs, batch_pieces=batch_pieces)


def hide_arguments(pieces: PairPieces, hidden: NDArray[numpy.bool_], mask: int) -> PairPieces:
    """Put a mask in the place of each piece of some arguments; a pair of which one is hidden reads a text of its own.

    pieces (PairPieces): Of P pairs.
    hidden (NDArray[numpy.bool_]): Whether subject and object of each pair are hidden. Shape (P, 2)
    mask (int): Id of the mask.
    RETURNS (PairPieces): The same pairs.
    """
    columns: Dict[str, Any] = {name: [] for name in ("ids", "shapes", "masks", "rows", "inserted")}
    begin = 0
    for group, (rows, roles) in enumerate(zip(pieces.rows, pieces.roles)):
        chosen = hidden[pieces.order[begin : begin + len(rows)]]  # (p, 2)
        begin += len(rows)
        covered = ((roles == SUBJECT) & chosen[:, :1]) | ((roles == OBJECT) & chosen[:, 1:])  # (p, L)
        own = numpy.flatnonzero(covered.any(1))
        shared, places = numpy.unique(numpy.delete(rows, own), return_inverse=True)
        texts = numpy.concatenate([shared, rows[own]])
        new_rows = numpy.empty_like(rows)
        new_rows[numpy.delete(numpy.arange(len(rows)), own)] = places
        new_rows[own] = len(shared) + numpy.arange(len(own))
        columns["rows"].append(new_rows)
        for name in ("ids", "shapes", "masks", "inserted"):
            parts = getattr(pieces, name)
            if parts:
                columns[name].append(parts[group][texts])
        for name, value in (("ids", mask), ("shapes", 0)):
            table = columns[name][-1]
            table[len(shared) :] = numpy.where(covered[own], value, table[len(shared) :])
    return replace(pieces, **columns)


def _bounds(pairs: Pairs, pair: int, text: CutText) -> Tuple[Bounds, Bounds]:
    """Pieces of the subject and of the object, ends exclusive."""
    found = []
    for start, end in (pairs.subject[pair].tolist(), pairs.object[pair].tolist()):
        found.append((int(text.first[start - text.start]), int(text.last[end - text.start - 1]) + 1))
    return found[0], found[1]


def _windows(bounds: Tuple[Bounds, Bounds], length: int, room: int) -> List[Bounds]:
    """Choose the pieces of a text that are read: one run of them, or two where a pair is wide, one for each start."""
    if length <= room:
        return [(0, length)]
    low, high = min(start for start, _ in bounds), max(end for _, end in bounds)
    if high - low <= room:
        left = min(max(0, (low + high) // 2 - room // 2), length - room)
        return [(left, left + room)]
    half = (room - 1) // 2  # of the room, a piece separates both
    start, end = max(bounds)
    if start < low + half:
        return [(low, min(low + room, length))]
    right = max(low + half, start if end - start > half else end - half)
    return [(low, low + half), (right, min(right + half, length))]


def _marked(text: CutText, bounds: Tuple[Bounds, Bounds], special: List[_Piece], max_pieces: int) -> List[_Piece]:
    """A text with markers around both arguments; of nested ones the inner has its markers inside."""
    windows = _windows(bounds, len(text.ids), max_pieces - len(special) - MARKERS)
    spans = []
    for (start, end), kinds in zip(bounds, ((SUBJECT_START, SUBJECT_END), (OBJECT_START, OBJECT_END))):
        window_end = next(right for left, right in windows if left <= start < right)
        spans.append((start, min(end, window_end), kinds))
    # of spans that start at the same piece the longer opens first, and the subject where they are equally long
    opening = sorted(spans, key=lambda span: -span[1])
    closing = sorted(reversed(spans), key=lambda span: -span[0])
    found = special[:1]
    for number, (left, right) in enumerate(windows):
        found = found + (special[1:2] if number else [])
        for place in range(left, right + 1):
            # a span that closes here opened before; what opens at the end of a run opens in the next one
            found += [_Piece(0, inserted=kinds[1]) for start, end, kinds in closing if left <= start < end == place]
            if place < right:
                found += [_Piece(0, inserted=kinds[0]) for start, _, kinds in opening if start == place]
                found.append(_piece(text, place))
    return found + special[1:]


def _prompted(
    text: CutText, bounds: Tuple[Bounds, Bounds], special: List[_Piece], mask: _Piece, max_pieces: int
) -> List[_Piece]:
    """A text, and then its arguments with a mask between them."""
    most = max(1, max_pieces // PROMPT_SHARE)
    subject, obj = ([_piece(text, place) for place in range(start, min(end, start + most))] for start, end in bounds)
    prompt = [*special[1:2], *subject, mask, *obj]
    found = special[:1]
    for number, (left, right) in enumerate(_windows(bounds, len(text.ids), max_pieces - len(special) - len(prompt))):
        found = found + (special[1:2] if number else [])
        found += [_piece(text, place) for place in range(left, right)]
    return found + prompt + special[1:]


def _piece(text: CutText, place: int) -> _Piece:
    """A piece of the text itself."""
    return _Piece(text.ids[place], text.shapes[place], int(text.tokens[place]))
