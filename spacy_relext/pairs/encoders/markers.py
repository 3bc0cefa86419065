"""Word pieces of pairs with markers inserted where arguments start and end.

Each pair has its own copy of the text. Only ids and numbers are inserted, so "[E1]" or "@" in a text stays text.
"""

from typing import TYPE_CHECKING, Dict, List, NamedTuple, Tuple

from ...annotations.entities import Bounds
from ...encoders.pieces import PIECES_PER_BATCH
from ...errors import Errors
from ..pairs import Pairs
from .pieces import CutText, PairPieces, PieceSequence, cut_texts, group_sequences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# What is inserted between pieces.
SUBJECT_START, SUBJECT_END, OBJECT_START, OBJECT_END = 1, 2, 3, 4

MARKERS = 4

FORMS = ("means", "markers", "punct")

# Markers that are pieces of the vocabulary, around subject and object.
PUNCT = ("@", "#")


class _Piece(NamedTuple):
    """A piece of a sequence; token and inserted as in `PieceSequence`."""

    id: int
    shape: int = 0
    token: int = -1
    inserted: int = 0


def marker_pieces(tokenizer: "Tokenizer", form: str) -> Dict[int, int]:
    """Return the id of each marker: a piece of the vocabulary for "punct"; 0 for "markers", with learned vectors.

    RAISES (ValueError): If the vocabulary has no such piece.
    """
    if form == "markers":
        return dict.fromkeys((SUBJECT_START, SUBJECT_END, OBJECT_START, OBJECT_END), 0)
    ids = [tokenizer.token_to_id(mark) for mark in PUNCT]
    if None in ids:
        expected = f"a form without {' and '.join(PUNCT)}, which the encoder's vocabulary does not have"
        raise ValueError(Errors.R007.format(key="form", found=form, expected=expected))
    return {SUBJECT_START: ids[0], SUBJECT_END: ids[0], OBJECT_START: ids[1], OBJECT_END: ids[1]}


def cut_marked_pairs(
    pairs: Pairs, tokenizer: "Tokenizer", *, form: str, max_pieces: int, batch_pieces: int = PIECES_PER_BATCH
) -> PairPieces:
    """Cut the text of each pair into word pieces, with the markers of the form between them.

    "markers": [CLS] … [E1] subject [/E1] … [E2] object [/E2] … [SEP]. "punct": [CLS] … @ subject @ … # object # …
    [SEP]. A text that is too long is cut to a window around both arguments; if the arguments are too far apart for one
    window, a [SEP] replaces part of the text between them, so that the starts of both are always read.

    form (str): "markers" or "punct".
    max_pieces (int): Longest sequence, special and inserted pieces included.
    batch_pieces (int): Most cells of a group.
    """
    special = [_Piece(each) for each in tokenizer.encode("", add_special_tokens=True).ids]
    marks = {kind: _Piece(each, inserted=kind) for kind, each in marker_pieces(tokenizer, form).items()}
    sequences = []
    for text in cut_texts(pairs, tokenizer):
        body = [_Piece(*piece) for piece in zip(text.ids, text.shapes, text.tokens)]
        for pair in text.pairs:
            if not body:
                pieces = special or [_Piece(0)]
            else:
                pieces = _insert_markers(body, _bounds(pairs, pair, text), special, marks, max_pieces)
            ids, shapes, tokens, inserted = (list(column) for column in zip(*pieces))
            sequences.append(PieceSequence(ids, shapes, tokens, [pair], inserted))
    return group_sequences(sequences, pairs, batch_pieces=batch_pieces)


def _bounds(pairs: Pairs, pair: int, text: CutText) -> Tuple[Bounds, Bounds]:
    """Return the pieces of the subject and of the object, ends exclusive."""
    subject, obj = (
        (int(text.first[start - text.start]), int(text.last[end - text.start - 1]) + 1)
        for start, end in (pairs.subject[pair].tolist(), pairs.object[pair].tolist())
    )
    return subject, obj


def _windows(bounds: Tuple[Bounds, Bounds], length: int, room: int) -> List[Bounds]:
    """Choose the pieces of a text that are read: one window, or one per argument if the arguments are far apart."""
    if length <= room:
        return [(0, length)]
    low, high = min(start for start, _ in bounds), max(end for _, end in bounds)
    if high - low <= room:
        left = min(max(0, (low + high) // 2 - room // 2), length - room)
        return [(left, left + room)]
    half = (room - 1) // 2  # one piece of the room separates both windows
    start, end = max(bounds)
    if start < low + half:
        return [(low, min(low + room, length))]
    right = max(low + half, start if end - start > half else end - half)
    return [(low, low + half), (right, min(right + half, length))]


def _insert_markers(
    body: List[_Piece],
    bounds: Tuple[Bounds, Bounds],
    special: List[_Piece],
    marks: Dict[int, _Piece],
    max_pieces: int,
) -> List[_Piece]:
    """Put markers around both arguments; if they are nested, the markers are nested too."""
    kinds = ((SUBJECT_START, SUBJECT_END), (OBJECT_START, OBJECT_END))
    pieces = special[:1]
    for number, (left, right) in enumerate(_windows(bounds, len(body), max_pieces - len(special) - MARKERS)):
        pieces += special[1:2] if number else []
        spans = [(start, min(end, right), *kind) for (start, end), kind in zip(bounds, kinds) if left <= start < right]
        # of spans that start at the same piece, the longer one opens first, or the subject if both are equally long
        opening = sorted(spans, key=lambda span: -span[1])
        closing = sorted(reversed(spans), key=lambda span: -span[0])
        places = sorted({left, right, *(place for span in spans for place in span[:2])})
        for place, following in zip(places, [*places[1:], right]):
            pieces += [marks[kind] for _, end, _, kind in closing if end == place]
            pieces += [marks[kind] for start, _, kind, _ in opening if start == place]
            pieces += body[place:following]
    return pieces + special[1:]
