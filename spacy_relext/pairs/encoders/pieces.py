"""Cut the texts of entity pairs into word pieces: each text once, however many pairs it has."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ...annotations.entities import Bounds
from ...encoders.pieces import PIECES_PER_BATCH, align_pieces, letter_shape
from ..pairs import Pairs

IntArray = NDArray[numpy.int64]

SUBJECT, OBJECT = 1, 2


@dataclass
class PairPieces:
    """Word pieces of the texts of P pairs, in padded groups of similar length. Lists have one entry per group.

    ids (List[IntArray]): Vocabulary ids of its texts. Shapes (b, L)
    shapes (List[IntArray]): Letter shapes. Shapes (b, L)
    masks (List[NDArray[numpy.bool_]]): True on pieces. Shapes (b, L)
    rows (List[IntArray]): Text of each of its pairs. Shapes (p,)
    roles (List[IntArray]): 1 on the subject's pieces, 2 on the object's, else 0. Shapes (p, L)
    tokens (List[IntArray]): Token of the Doc that each piece belongs to, -1 for special pieces and padding. (p, L)
    order (IntArray): Number of each pair in the caller's order, the groups one after the other. Shape (P,)
    lost (int): Pairs too far apart for one sequence, of which one argument is not read.
    inserted (List[IntArray]): What was put between the pieces of its texts, see `pair_marks`; empty where nothing was.
        Shapes (b, L)
    """

    ids: List[IntArray] = field(default_factory=list)
    shapes: List[IntArray] = field(default_factory=list)
    masks: List[NDArray[numpy.bool_]] = field(default_factory=list)
    rows: List[IntArray] = field(default_factory=list)
    roles: List[IntArray] = field(default_factory=list)
    tokens: List[IntArray] = field(default_factory=list)
    order: IntArray = field(default_factory=lambda: numpy.zeros(0, dtype="int64"))
    lost: int = 0
    inserted: List[IntArray] = field(default_factory=list)


@dataclass
class PieceSequence:
    """One sequence for the encoder, and the pairs that are read in it.

    ids (List[int]): Vocabulary ids.
    shapes (List[int]): Letter shapes.
    tokens (IntArray): Token of the Doc that each piece belongs to, -1 for none. Shape (L,)
    pairs (List[int]): Numbers of the pairs.
    inserted (Optional[List[int]]): What each piece is that was put between those of the text, 0 for a piece of it.
    """

    ids: List[int]
    shapes: List[int]
    tokens: IntArray
    pairs: List[int] = field(default_factory=list)
    inserted: Optional[List[int]] = None


class CutText(NamedTuple):
    """The word pieces of a text.

    ids (List[int]): Vocabulary ids.
    shapes (List[int]): Letter shapes.
    first (IntArray): First piece of each token of the text. Shape (T,)
    last (IntArray): Last one. Shape (T,)
    tokens (IntArray): Token of the Doc that each piece belongs to. Shape (L,)
    start (int): First token of the text in its Doc.
    pairs (List[int]): Numbers of the pairs that are read in it.
    """

    ids: List[int]
    shapes: List[int]
    first: IntArray
    last: IntArray
    tokens: IntArray
    start: int
    pairs: List[int]


def cut_pairs(pairs: Pairs, tokenizer: Any, *, max_pieces: int, batch_pieces: int = PIECES_PER_BATCH) -> PairPieces:
    """Cut the texts of pairs into word pieces.

    pairs (Pairs): The pairs.
    tokenizer (tokenizers.Tokenizer): Gives pieces with character offsets.
    max_pieces (int): Longest sequence, special pieces included; of longer texts a pair reads a window around itself.
    batch_pieces (int): Most cells of a group, counted by pairs.
    RETURNS (PairPieces): The groups.
    """
    special: List[int] = tokenizer.encode("", add_special_tokens=True).ids
    sequences: List[PieceSequence] = []
    for text in cut_texts(pairs, tokenizer):
        if not text.ids:  # only white space
            sequences.append(
                PieceSequence(list(special) or [0], [0] * max(1, len(special)), outside(special), text.pairs)
            )
            continue
        for (left, right), inside in _windows(pairs, text, max_pieces - len(special)):
            sequences.append(
                PieceSequence(
                    special[:1] + text.ids[left:right] + special[1:],
                    [0] * len(special[:1]) + text.shapes[left:right] + [0] * len(special[1:]),
                    numpy.concatenate([outside(special[:1]), text.tokens[left:right], outside(special[1:])]),
                    inside,
                )
            )
    return group_sequences(sequences, pairs, batch_pieces=batch_pieces)


def group_sequences(sequences: Sequence[PieceSequence], pairs: Pairs, *, batch_pieces: int) -> PairPieces:
    """Lay sequences out in padded groups of similar length.

    sequences (Sequence[PieceSequence]): Each pair stands in one of them.
    pairs (Pairs): The pairs.
    batch_pieces (int): Most cells of a group, counted by pairs.
    RETURNS (PairPieces): The groups.
    """
    found = PairPieces()
    order: List[int] = []
    for group in _groups(sequences, batch_pieces):
        width = max(len(sequence.ids) for sequence in group)
        found.ids.append(_pad([sequence.ids for sequence in group], width, 0))
        found.shapes.append(_pad([sequence.shapes for sequence in group], width, 0))
        found.masks.append(_pad([[1] * len(sequence.ids) for sequence in group], width, 0).astype(bool))
        if group[0].inserted is not None:
            found.inserted.append(_pad([sequence.inserted or [] for sequence in group], width, 0))
        members = [(row, pair) for row, sequence in enumerate(group) for pair in sequence.pairs]
        rows = numpy.asarray([row for row, _ in members], dtype="int64")
        chosen = numpy.asarray([pair for _, pair in members], dtype="int64")
        tokens = _pad([sequence.tokens for sequence in group], width, -1)[rows]  # (p, L)
        found.rows.append(rows)
        found.tokens.append(tokens)
        found.roles.append(_roles(tokens, pairs.subject[chosen], pairs.object[chosen]))
        order.extend(chosen.tolist())
    found.order = numpy.asarray(order, dtype="int64")
    found.lost = sum(int((~((roles == SUBJECT).any(1) & (roles == OBJECT).any(1))).sum()) for roles in found.roles)
    return found


def _roles(tokens: IntArray, subject: IntArray, obj: IntArray) -> IntArray:
    """Mark the pieces of both arguments; where they overlap, the subject's. Shape (p, L)"""
    in_subject = (tokens >= subject[:, :1]) & (tokens < subject[:, 1:])
    in_object = (tokens >= obj[:, :1]) & (tokens < obj[:, 1:])
    nested = in_subject & in_object
    # of two nested arguments the inner one keeps the tokens that both have, so that neither is lost
    inner_object = (obj[:, 1] - obj[:, 0] < subject[:, 1] - subject[:, 0])[:, None]
    in_subject &= ~(nested & inner_object)
    return numpy.where(in_subject, SUBJECT, numpy.where(in_object, OBJECT, 0))


def cut_texts(pairs: Pairs, tokenizer: Any) -> Iterator[CutText]:
    """Cut each text of some pairs once.

    pairs (Pairs): The pairs.
    tokenizer (tokenizers.Tokenizer): Gives pieces with character offsets.
    YIELDS (CutText): One for each text, without pieces where it is only white space.
    """
    texts: Dict[Tuple[int, int, int], List[int]] = {}
    for number, (doc, bounds) in enumerate(zip(pairs.doc.tolist(), pairs.text.tolist())):
        texts.setdefault((doc, *bounds), []).append(number)
    strings = [pairs.docs[doc][start:end].text for doc, start, end in texts]
    encodings = tokenizer.encode_batch(strings, add_special_tokens=False)
    for ((doc, start, end), members), encoding in zip(texts.items(), encodings):
        if not encoding.ids:
            nothing = outside([])
            yield CutText([], [], nothing, nothing, nothing, start, members)
            continue
        span = pairs.docs[doc][start:end]
        first, last, owners = align_pieces(span, encoding.offsets)
        token_shapes = [letter_shape(token.text) for token in span]
        shapes = [token_shapes[owner] for owner in owners.tolist()]
        yield CutText(encoding.ids, shapes, first, last, owners + start, start, members)


def outside(special: Sequence[int]) -> IntArray:
    """Say that special pieces belong to no token.

    special (Sequence[int]): The pieces.
    RETURNS (IntArray): -1 for each.
    """
    return numpy.full(len(special), -1, dtype="int64")


def _windows(pairs: Pairs, text: CutText, body: int) -> List[Tuple[Bounds, List[int]]]:
    """Choose the pieces that each pair reads: all of them, or a window with the pair in its middle."""
    n_pieces = int(text.last[-1]) + 1
    if n_pieces <= body:
        return [((0, n_pieces), text.pairs)]
    windows: Dict[int, List[int]] = {}
    for pair in text.pairs:
        tokens = numpy.concatenate([pairs.subject[pair], pairs.object[pair]]).reshape(2, 2) - text.start
        low, high = int(text.first[tokens[:, 0].min()]), int(text.last[tokens[:, 1].max() - 1]) + 1
        middle = (low + high) // 2 if high - low <= body else low + body // 2
        left = min(max(0, middle - body // 2), n_pieces - body)
        windows.setdefault(left, []).append(pair)
    return [((left, left + body), inside) for left, inside in windows.items()]


def _groups(sequences: Sequence[PieceSequence], batch_pieces: int) -> List[List[PieceSequence]]:
    """Put sequences of similar length together, as many as their pairs allow."""
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


def _pad(rows: Sequence[Any], width: int, value: int) -> IntArray:
    """Make a rectangle of rows of different length."""
    table = numpy.full((len(rows), width), value, dtype="int64")
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
