"""Cut the texts of entity pairs into word pieces: each text once, however many pairs it has."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from .pairs import Bounds, Pairs
from .pieces import PIECES_PER_BATCH, align_pieces, letter_shape

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
    """

    ids: List[IntArray] = field(default_factory=list)
    shapes: List[IntArray] = field(default_factory=list)
    masks: List[NDArray[numpy.bool_]] = field(default_factory=list)
    rows: List[IntArray] = field(default_factory=list)
    roles: List[IntArray] = field(default_factory=list)
    tokens: List[IntArray] = field(default_factory=list)
    order: IntArray = field(default_factory=lambda: numpy.zeros(0, dtype="int64"))
    lost: int = 0


@dataclass
class _Sequence:
    """One sequence for the encoder, and the pairs that are read in it."""

    ids: List[int]
    shapes: List[int]
    tokens: IntArray
    pairs: List[int] = field(default_factory=list)


def cut_pairs(pairs: Pairs, tokenizer: Any, *, max_pieces: int, batch_pieces: int = PIECES_PER_BATCH) -> PairPieces:
    """Cut the texts of pairs into word pieces.

    pairs (Pairs): The pairs.
    tokenizer (tokenizers.Tokenizer): Gives pieces with character offsets.
    max_pieces (int): Longest sequence, special pieces included; of longer texts a pair reads a window around itself.
    batch_pieces (int): Most cells of a group, counted by pairs.
    RETURNS (PairPieces): The groups.
    """
    sequences = _sequences(pairs, tokenizer, max_pieces)
    found = PairPieces()
    order: List[int] = []
    for group in _groups(sequences, batch_pieces):
        width = max(len(sequence.ids) for sequence in group)
        found.ids.append(_pad([sequence.ids for sequence in group], width, 0))
        found.shapes.append(_pad([sequence.shapes for sequence in group], width, 0))
        found.masks.append(_pad([[1] * len(sequence.ids) for sequence in group], width, 0).astype(bool))
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


def _sequences(pairs: Pairs, tokenizer: Any, max_pieces: int) -> List[_Sequence]:
    """Cut each text once; texts that are too long, once for each place that a pair wants to see."""
    texts: Dict[Tuple[int, int, int], List[int]] = {}
    for number, (doc, bounds) in enumerate(zip(pairs.doc.tolist(), pairs.text.tolist())):
        texts.setdefault((doc, *bounds), []).append(number)
    strings = [pairs.docs[doc][start:end].text for doc, start, end in texts]
    special = tokenizer.encode("", add_special_tokens=True).ids
    found: List[_Sequence] = []
    for ((doc, start, end), members), encoding in zip(
        texts.items(), tokenizer.encode_batch(strings, add_special_tokens=False)
    ):
        span = pairs.docs[doc][start:end]
        if not encoding.ids:  # only white space
            found.append(_Sequence(list(special) or [0], [0] * max(1, len(special)), _outside(special), members))
            continue
        first, last, owners = align_pieces(span, encoding.offsets)
        token_shapes = [letter_shape(token.text) for token in span]
        shapes = [token_shapes[owner] for owner in owners.tolist()]
        for (left, right), inside in _windows(pairs, members, start, first, last, max_pieces - len(special)):
            found.append(
                _Sequence(
                    special[:1] + encoding.ids[left:right] + special[1:],
                    [0] * len(special[:1]) + shapes[left:right] + [0] * len(special[1:]),
                    numpy.concatenate([_outside(special[:1]), owners[left:right] + start, _outside(special[1:])]),
                    inside,
                )
            )
    return found


def _outside(special: Sequence[int]) -> IntArray:
    """Special pieces belong to no token."""
    return numpy.full(len(special), -1, dtype="int64")


def _windows(
    pairs: Pairs, members: List[int], start: int, first: IntArray, last: IntArray, body: int
) -> List[Tuple[Bounds, List[int]]]:
    """Choose the pieces that each pair reads: all of them, or a window with the pair in its middle."""
    n_pieces = int(last[-1]) + 1
    if n_pieces <= body:
        return [((0, n_pieces), members)]
    windows: Dict[int, List[int]] = {}
    for pair in members:
        tokens = numpy.concatenate([pairs.subject[pair], pairs.object[pair]]).reshape(2, 2) - start
        low, high = int(first[tokens[:, 0].min()]), int(last[tokens[:, 1].max() - 1]) + 1
        middle = (low + high) // 2 if high - low <= body else low + body // 2
        left = min(max(0, middle - body // 2), n_pieces - body)
        windows.setdefault(left, []).append(pair)
    return [((left, left + body), inside) for left, inside in windows.items()]


def _groups(sequences: List[_Sequence], batch_pieces: int) -> List[List[_Sequence]]:
    """Put sequences of similar length together, as many as their pairs allow."""
    groups: List[List[_Sequence]] = []
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
