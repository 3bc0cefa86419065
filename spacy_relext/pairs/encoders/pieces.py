"""Cut the texts of entity pairs into word pieces: each text once, however many pairs it has."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ...annotations.entities import Bounds
from ...encoders.pieces import PIECES_PER_BATCH, IntArray, align_pieces, letter_shape
from ..pairs import Pairs

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUBJECT, OBJECT = 1, 2


@dataclass
class PairPieces:
    """Word pieces of the texts of P pairs, in padded groups of similar length. Lists have one entry per group."""

    ids: List[IntArray] = field(default_factory=list)  # vocabulary ids of its texts (b, L)
    shapes: List[IntArray] = field(default_factory=list)  # letter shapes (b, L)
    masks: List[NDArray[numpy.bool_]] = field(default_factory=list)  # True on pieces (b, L)
    rows: List[IntArray] = field(default_factory=list)  # text of each of its pairs (p,)
    roles: List[IntArray] = field(default_factory=list)  # 1 on the subject's pieces, 2 on the object's, else 0 (p, L)
    tokens: List[IntArray] = field(default_factory=list)  # token of the Doc of each piece, -1 for none (p, L)
    order: IntArray = field(default_factory=lambda: numpy.zeros(0, dtype="int64"))  # pairs, group after group (P,)
    lost: int = 0  # pairs with an argument that is not read, as both are too far apart for one sequence
    # What each inserted cell of its texts is, see `markers.py`; 0 on other pieces, empty if none is. Shapes (b, L)
    inserted: List[IntArray] = field(default_factory=list)


class PieceSequence(NamedTuple):
    """One sequence for the encoder, and the pairs that are read in it."""

    ids: List[int]
    shapes: List[int]  # letter shapes
    tokens: List[int]  # token of the Doc that each piece belongs to, -1 for none
    pairs: List[int]
    inserted: Sequence[int] = ()  # what each inserted piece is, 0 for pieces of the text; empty if none is inserted


class CutText(NamedTuple):
    """The word pieces of a text; none if it is only whitespace."""

    ids: List[int]
    shapes: List[int]  # letter shapes
    first: IntArray  # first and last piece of each token of the text (T,)
    last: IntArray
    tokens: List[int]  # token of the Doc that each piece belongs to
    start: int  # first token of the text in its Doc
    pairs: List[int]  # numbers of the pairs that are read in it


def cut_pairs(
    pairs: Pairs, tokenizer: "Tokenizer", *, max_pieces: int, batch_pieces: int = PIECES_PER_BATCH
) -> PairPieces:
    """Cut the texts of pairs into word pieces.

    max_pieces (int): Longest sequence, special pieces included; of longer texts a pair reads a window around itself.
    batch_pieces (int): Most cells of a group, a text counting once per pair.
    """
    special: List[int] = tokenizer.encode("", add_special_tokens=True).ids
    before, after = special[:1], special[1:]
    sequences: List[PieceSequence] = []
    for text in cut_texts(pairs, tokenizer):
        for (left, right), inside in _windows(pairs, text, max_pieces - len(special)):
            ids = before + text.ids[left:right] + after
            shapes = [0] * len(before) + text.shapes[left:right] + [0] * len(after)
            tokens = [-1] * len(before) + text.tokens[left:right] + [-1] * len(after)
            sequences.append(PieceSequence(ids or [0], shapes or [0], tokens or [-1], inside))
    return group_sequences(sequences, pairs, batch_pieces=batch_pieces)


def group_sequences(sequences: Sequence[PieceSequence], pairs: Pairs, *, batch_pieces: int) -> PairPieces:
    """Arrange sequences in padded groups of similar length; each pair is read in one of them.

    batch_pieces (int): Most cells of a group, a text counting once per pair.
    """
    pieces = PairPieces()
    order: List[int] = []
    for group in _groups(sequences, batch_pieces):
        lengths = numpy.asarray([len(sequence.ids) for sequence in group])
        width = int(lengths.max())
        pieces.ids.append(_pad([sequence.ids for sequence in group], width))
        pieces.shapes.append(_pad([sequence.shapes for sequence in group], width))
        pieces.masks.append(numpy.arange(width) < lengths[:, None])
        if group[0].inserted:
            pieces.inserted.append(_pad([sequence.inserted for sequence in group], width))
        rows = numpy.repeat(numpy.arange(len(group)), [len(sequence.pairs) for sequence in group])
        chosen = [pair for sequence in group for pair in sequence.pairs]
        tokens = _pad([sequence.tokens for sequence in group], width, -1)[rows]  # (p, L)
        roles = _roles(tokens, pairs.subject[chosen], pairs.object[chosen])
        pieces.rows.append(rows)
        pieces.tokens.append(tokens)
        pieces.roles.append(roles)
        pieces.lost += int((~((roles == SUBJECT).any(1) & (roles == OBJECT).any(1))).sum())
        order.extend(chosen)
    pieces.order = numpy.asarray(order, dtype="int64")
    return pieces


def _roles(tokens: IntArray, subject: IntArray, obj: IntArray) -> IntArray:
    """Mark the pieces of both arguments; shared pieces are the shorter one's, else the subject's. Shape (p, L)"""
    in_subject = (tokens >= subject[:, :1]) & (tokens < subject[:, 1:])
    in_object = (tokens >= obj[:, :1]) & (tokens < obj[:, 1:])
    nested = in_subject & in_object
    # of two nested arguments the inner one gets the shared tokens, so that neither is lost
    inner_object = (obj[:, 1] - obj[:, 0] < subject[:, 1] - subject[:, 0])[:, None]
    in_subject &= ~(nested & inner_object)
    return numpy.where(in_subject, SUBJECT, numpy.where(in_object, OBJECT, 0))


def cut_texts(pairs: Pairs, tokenizer: "Tokenizer") -> Iterator[CutText]:
    """Cut each text of some pairs once."""
    texts: Dict[Tuple[int, int, int], List[int]] = {}
    for number, (doc, bounds) in enumerate(zip(pairs.doc.tolist(), pairs.text.tolist())):
        texts.setdefault((doc, *bounds), []).append(number)
    spans = [pairs.docs[doc][start:end] for doc, start, end in texts]
    encodings = tokenizer.encode_batch([span.text for span in spans], add_special_tokens=False)
    for span, members, encoding in zip(spans, texts.values(), encodings):
        first, last, owners = align_pieces(span, encoding.offsets)
        token_shapes = [letter_shape(token.text) for token in span]
        shapes = [token_shapes[owner] for owner in owners.tolist()]
        yield CutText(encoding.ids, shapes, first, last, (owners + span.start).tolist(), span.start, members)


def _windows(pairs: Pairs, text: CutText, body: int) -> List[Tuple[Bounds, List[int]]]:
    """Choose the pieces that each pair reads: all of them, or a window with the pair near its middle.

    Window starts are rounded to multiples of a quarter window unless that cuts the pair: pairs of one window share its
    lower layers.
    """
    n_pieces = int(text.last[-1]) + 1
    if n_pieces <= body:
        return [((0, n_pieces), text.pairs)]
    windows: Dict[int, List[int]] = {}
    for pair in text.pairs:
        tokens = numpy.stack([pairs.subject[pair], pairs.object[pair]]) - text.start
        low, high = int(text.first[tokens[:, 0].min()]), int(text.last[tokens[:, 1].max() - 1]) + 1
        middle = (low + high) // 2 if high - low <= body else low + body // 2
        left = _shared_start(middle - body // 2, max(1, body // 4), least=high - body, most=low)
        left = min(max(0, left), n_pieces - body)
        windows.setdefault(left, []).append(pair)
    return [((left, left + body), inside) for left, inside in windows.items()]


def _shared_start(left: int, step: int, *, least: int, most: int) -> int:
    """Round the start of a window to a multiple of `step`, unless that would cut the pair."""
    rounded = (left + step // 2) // step * step
    return rounded if least <= rounded <= most else left


def _groups(sequences: Sequence[PieceSequence], batch_pieces: int) -> List[List[PieceSequence]]:
    """Group sequences of similar length, up to `batch_pieces` cells; see `group_sequences`."""
    groups: List[List[PieceSequence]] = []
    cells = 0
    for sequence in sorted(sequences, key=lambda one: len(one.ids)):
        size = len(sequence.pairs)
        if groups and (cells + size) * len(sequence.ids) <= batch_pieces:
            groups[-1].append(sequence)
            cells += size
        else:
            groups.append([sequence])
            cells = size
    return groups


def _pad(rows: Sequence[Sequence[int]], width: int, value: int = 0) -> IntArray:
    """Arrange rows of different lengths in a padded table."""
    table = numpy.full((len(rows), width), value, dtype="int64")
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
