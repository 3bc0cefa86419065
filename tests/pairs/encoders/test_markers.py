"""What is put between word pieces: markers at the right places, and nothing else."""

from typing import Any, List, Sequence, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_relext.pairs.encoders.markers import cut_marked_pairs
from spacy_relext.pairs.encoders.pieces import OBJECT, SUBJECT, PairPieces
from tests.pairs.builders import PIECES, make_doc, wordpiece_tokenizer
from tests.pairs.encoders.test_pieces import pairs_of

TOKENIZER = wordpiece_tokenizer()
TOKENIZER.add_special_tokens(["[MASK]"])
TOKENIZER.add_tokens(["@", "#"])
NAMES = {0: "", 1: "<1", 2: "1>", 3: "<2", 4: "2>"}
Spans = Tuple[Tuple[int, int], Tuple[int, int]]


def sequences(pieces: PairPieces) -> List[Tuple[Any, ...]]:
    """Ids, inserted, roles and tokens of each pair, without padding, in the caller's order."""
    found = []
    for ids, masks, row, roles, tokens, inserted in zip(
        pieces.ids, pieces.masks, pieces.rows, pieces.roles, pieces.tokens, pieces.inserted or pieces.ids
    ):
        kept = masks[row]
        columns = (ids[row], inserted[row], roles, tokens)
        found += [tuple(column[number][kept[number]] for column in columns) for number in range(len(row))]
    return [found[place] for place in numpy.argsort(pieces.order)]


def name_of(piece: int, inserted: int) -> str:
    return NAMES.get(inserted) or ("[MASK]" if piece == TOKENIZER.token_to_id("[MASK]") else PIECES[piece])


def read(doc: Doc, spans: Sequence[Spans], form: str, *, max_pieces: int = 64) -> List[str]:
    pieces = cut_marked_pairs(pairs_of([doc], [spans]), TOKENIZER, form=form, max_pieces=max_pieces)
    return [" ".join(map(name_of, ids.tolist(), put.tolist())) for ids, put, *_ in sequences(pieces)]


WORDS = make_doc("ada met charles in london .".split())


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        (((0, 1), (2, 3)), "<1 ada 1> met <2 charles 2> in lon ##don ."),
        (((4, 5), (0, 1)), "<2 ada 2> met charles in <1 lon ##don 1> ."),
        (((0, 1), (1, 2)), "<1 ada 1> <2 met 2> charles in lon ##don ."),  # side by side
        (((2, 5), (4, 5)), "ada met <1 charles in <2 lon ##don 2> 1> ."),  # one in the other, the inner closes first
        (((4, 5), (2, 5)), "ada met <2 charles in <1 lon ##don 1> 2> ."),
        (((2, 3), (2, 5)), "ada met <2 <1 charles 1> in lon ##don 2> ."),  # from the same token on
        (((4, 6), (3, 5)), "ada met charles <2 in <1 lon ##don 2> . 1>"),  # crossing, and at the end
    ],
)
def test_markers(spans: Spans, expected: str) -> None:
    assert read(WORDS, [spans], "markers") == [f"[CLS] {expected} [SEP]"]


def test_each_pair_has_a_text_of_its_own_with_its_roles() -> None:
    pieces = cut_marked_pairs(
        pairs_of([WORDS], [[((0, 1), (4, 5)), ((4, 5), (2, 3))]]), TOKENIZER, form="markers", max_pieces=64
    )
    assert sum(map(len, pieces.ids)) == 2 and pieces.lost == 0
    for (ids, put, roles, tokens), (subject, obj) in zip(
        sequences(pieces), (("ada", "lon ##don"), ("lon ##don", "charles"))
    ):
        assert [" ".join(PIECES[i] for i in ids[roles == role]) for role in (SUBJECT, OBJECT)] == [subject, obj]
        assert (tokens[put > 0] == -1).all() and not ids[put > 0].any()


def test_what_looks_like_a_marker_in_the_text_stays_text() -> None:
    doc = make_doc("[E1] ada [MASK] met".split())
    (text,) = read(doc, [((1, 2), (3, 4))], "markers")
    assert text.split().count("<1") == 1 and "<1 ada 1>" in text and "e ##1" not in text
    (ids, put, _, tokens), *_ = sequences(
        cut_marked_pairs(pairs_of([doc], [[((1, 2), (3, 4))]]), TOKENIZER, form="markers", max_pieces=64)
    )
    assert sorted(put[put > 0].tolist()) == [1, 2, 3, 4] and (tokens[put == 0][1:-1] >= 0).all()


def test_markers_of_punctuation_stand_where_markers_do() -> None:
    pairs = pairs_of([WORDS], [[((0, 1), (4, 5)), ((4, 5), (2, 3))]])
    plain, punct = (cut_marked_pairs(pairs, TOKENIZER, form=form, max_pieces=64) for form in ("markers", "punct"))
    names = {TOKENIZER.token_to_id(mark): mark for mark in "@#"}
    for (ids, put, *others), (other_ids, other_put, *same) in zip(sequences(plain), sequences(punct)):
        assert [names[piece] for piece in other_ids[put > 0].tolist()] == ["@@##"[kind - 1] for kind in put[put > 0]]
        for one, two in zip([ids[put == 0], put, *others], [other_ids[put == 0], other_put, *same]):
            assert one.tolist() == two.tolist()


def test_a_vocabulary_without_the_punctuation_is_one_clear_line() -> None:
    with pytest.raises(ValueError, match=r"^\[R007\].*form.*punct.*@ and #"):
        cut_marked_pairs(pairs_of([WORDS], [[((0, 1), (2, 3))]]), wordpiece_tokenizer(), form="punct", max_pieces=64)


@given(st.data())
def test_both_starts_are_always_read(data: st.DataObject) -> None:
    length = data.draw(st.integers(2, 40))
    spans = []
    for _ in range(2):
        start = data.draw(st.integers(0, length - 1))
        spans.append((start, data.draw(st.integers(start + 1, length))))
    if spans[0] == spans[1]:
        return
    doc = make_doc(["abcdefghijklmnopqrstuvwxyz"[n % 26] for n in range(length)])
    size = data.draw(st.integers(14, 30))
    pieces = cut_marked_pairs(pairs_of([doc], [[tuple(spans)]]), TOKENIZER, form="markers", max_pieces=size)  # type: ignore[list-item]
    ((ids, put, _, tokens),) = sequences(pieces)
    assert len(ids) <= size and pieces.lost <= 1
    assert sorted(put[put > 0].tolist()) == [1, 2, 3, 4]
    for number, (start, _) in zip((1, 3), spans):
        opening = int(numpy.flatnonzero(put == number)[0])
        inside = tokens[opening:][tokens[opening:] >= 0]
        assert inside[0] == start, "right behind the marker"
        assert opening < int(numpy.flatnonzero(put == number + 1)[0])


def test_only_white_space_has_no_markers() -> None:
    doc = make_doc([" ", " "])
    assert read(doc, [((0, 1), (1, 2))], "markers") == ["[CLS] [SEP]"]
