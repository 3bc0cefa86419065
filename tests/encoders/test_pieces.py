"""Word pieces: every token reads its vector from pieces of its own."""

from typing import Any, List, Sequence, Tuple

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_relext.encoders.pieces import (
    N_MARKS,
    N_SHAPES,
    PIECES_PER_BATCH,
    PieceBatches,
    cut_docs,
    entity_mark,
    letter_shape,
)
from tests.pairs.builders import NLP, PIECES, make_doc, wordpiece_tokenizer

TOKENIZER = wordpiece_tokenizer()


def flat(batches: Sequence[Any]) -> numpy.ndarray:
    return numpy.concatenate([batch.ravel() for batch in batches]) if batches else numpy.zeros(0, dtype="int64")


def pieces_of_tokens(pieces: PieceBatches) -> List[Tuple[str, str]]:
    """First and last piece of each token."""
    ids = flat(pieces.ids)
    return [(PIECES[ids[first]], PIECES[ids[last]]) for first, last in zip(pieces.first, pieces.last)]


def sequences(pieces: PieceBatches) -> List[str]:
    rows = [(row, mask) for ids, masks in zip(pieces.ids, pieces.masks) for row, mask in zip(ids, masks)]
    return [" ".join(PIECES[piece] for piece in row[mask]) for row, mask in rows]


def test_tokens_and_pieces() -> None:
    pieces = cut_docs([NLP.make_doc("Ada Lovelace met Charles.")], TOKENIZER, max_pieces=16)
    assert sequences(pieces) == ["[CLS] ada love ##lace met charles . [SEP]"]
    assert pieces_of_tokens(pieces) == [
        ("ada", "ada"), ("love", "##lace"), ("met", "met"), ("charles", "charles"), (".", ".")
    ]  # fmt: skip
    assert pieces.shapes[0].tolist() == [[0, 2, 2, 2, 1, 2, 6, 0]]


def test_a_token_of_several_words_and_a_word_of_several_tokens() -> None:
    doc = make_doc(["Ada Lovelace", "lo", "ndon"], spaces=[True, False, False])
    pieces = cut_docs([doc], TOKENIZER, max_pieces=16)
    assert pieces_of_tokens(pieces) == [("ada", "##lace"), ("lon", "lon"), ("lon", "##don")]


def test_docs_keep_their_order_although_batches_are_sorted_by_length() -> None:
    docs = [NLP.make_doc("Ada met Charles in London."), NLP.make_doc("met"), NLP.make_doc(""), NLP.make_doc("Charles.")]
    pieces = cut_docs(docs, TOKENIZER, max_pieces=16)
    assert [first for first, _ in pieces_of_tokens(pieces)] == "ada met charles in lon . met charles .".split()
    assert sequences(pieces)[0] == "[CLS] met [SEP]"


def test_a_token_of_a_thousand_pieces_is_read_in_its_middle() -> None:
    """A rule of hyphens in a text must not be encoded from end to end."""
    doc = make_doc(["ada", "met", "." * 1000, "charles"], spaces=[True] * 3 + [False])
    pieces = cut_docs([doc], TOKENIZER, max_pieces=16)
    assert [first for first, _ in pieces_of_tokens(pieces)] == ["ada", "met", ".", "charles"]
    assert len(sequences(pieces)) == 3


def test_sentences_are_sequences() -> None:
    doc = make_doc("ada met . charles met .".split(), starts=[0, 3])
    assert sequences(cut_docs([doc], TOKENIZER, max_pieces=16)) == [
        "[CLS] ada met . [SEP]",
        "[CLS] charles met . [SEP]",
    ]


def test_whole_docs_are_sequences() -> None:
    docs = [make_doc("ada met . charles met .".split(), starts=[0, 3]), make_doc([])]
    whole = cut_docs(docs, TOKENIZER, max_pieces=64, whole_docs=True)
    assert len(whole.ids) == 1 and len(whole.ids[0]) == 1 and len(whole.first) == len(docs[0])
    windows = cut_docs(docs, TOKENIZER, max_pieces=6, whole_docs=True)
    assert sum(map(len, windows.ids)) > 1 and len(windows.first) == len(docs[0])


def test_whitespace_and_tokens_without_pieces() -> None:
    doc = make_doc(["ada", "\n\n", "met", "\u200b", "\ufffd"], spaces=[True, False, True, True, False])
    pieces = cut_docs([doc], TOKENIZER, max_pieces=16)
    found = pieces_of_tokens(pieces)
    assert found[0] == ("ada", "ada") and found[2] == ("met", "met")
    assert all(first in PIECES[4:] or first == "[UNK]" for first, _ in found)  # the nearest piece, no special one
    blank = cut_docs([make_doc(["\n", " "], spaces=[False, False])], TOKENIZER, max_pieces=16)
    assert pieces_of_tokens(blank) == [("[CLS]", "[CLS]")] * 2


@pytest.mark.parametrize("docs", [[], [NLP.make_doc("")]])
def test_nothing_to_cut(docs: Any) -> None:
    pieces = cut_docs(docs, TOKENIZER, max_pieces=16)
    assert pieces.ids == [] and len(pieces.first) == len(pieces.last) == 0


def test_unknown_words_and_other_scripts() -> None:
    doc = spacy.blank("zh").make_doc("张三在北京")
    pieces = cut_docs([doc], TOKENIZER, max_pieces=16)
    assert pieces_of_tokens(pieces) == [("[UNK]", "[UNK]")] * 5
    assert len(set(pieces.first.tolist())) == 5 and set(pieces.shapes[0].ravel().tolist()) == {0}


def test_long_sentences_are_read_in_windows_near_their_middle() -> None:
    words = ["ada" if i % 2 else "met" for i in range(40)]
    pieces = cut_docs([make_doc(words)], TOKENIZER, max_pieces=10)
    assert all(row.startswith("[CLS] ") and row.endswith(" [SEP]") for row in sequences(pieces))
    assert max(len(row.split()) for row in sequences(pieces)) == 10
    assert [first for first, _ in pieces_of_tokens(pieces)] == words
    columns = [cell % 10 for cell in pieces.first.tolist()]
    inner = columns[4:-4]
    assert 3 <= min(inner) and max(inner) <= 7  # at least two neighbours on either side


def test_a_token_longer_than_a_window() -> None:
    pieces = cut_docs([make_doc(["a", "b" * 40, "c"])], TOKENIZER, max_pieces=8)
    assert pieces_of_tokens(pieces)[0] == ("a", "a") and pieces_of_tokens(pieces)[2] == ("c", "c")
    assert pieces.first.max() < sum(batch.size for batch in pieces.ids)


def test_batches_are_limited() -> None:
    docs = [make_doc(["ada"] * (1 + number % 30)) for number in range(200)]
    pieces = cut_docs(docs, TOKENIZER, max_pieces=64)
    assert max(batch.size for batch in pieces.ids) <= PIECES_PER_BATCH
    assert sum(len(batch) for batch in pieces.ids) == 200
    widths = [batch.shape[1] for batch in pieces.ids]
    assert widths == sorted(widths)


@pytest.mark.parametrize(
    "token, shape",
    [("張", 0), ("ada", 1), ("Ada", 2), ("UN", 3), ("McAda", 4), ("iPhone", 4), ("b2", 5), ("1990", 5), ("--", 6)]
    + [("A", 7), ("", 6), ("O'Neill", 4), ("Anna-lena", 2)],
)
def test_letter_shapes(token: str, shape: int) -> None:
    assert letter_shape(token) == shape


WORDS = st.lists(st.text(alphabet="abzLA9 -,.\n\u200b張é", min_size=1, max_size=6), min_size=1, max_size=12)


@given(st.lists(WORDS, max_size=3), st.integers(5, 12), st.randoms(use_true_random=False))
def test_every_token_has_a_cell_with_a_piece_of_its_own(words: Any, max_pieces: int, random: Any) -> None:
    docs = [make_doc(row, spaces=[random.random() < 0.5 for _ in row], starts=[0, len(row) // 2]) for row in words]
    pieces = cut_docs(docs, TOKENIZER, max_pieces=max_pieces)
    ids, shapes, masks = flat(pieces.ids), flat(pieces.shapes), flat(pieces.masks)
    assert len(pieces.first) == len(pieces.last) == sum(map(len, docs))
    if not len(ids):
        return
    assert max(batch.shape[1] for batch in pieces.ids) <= max_pieces
    assert (pieces.first <= pieces.last).all() and masks[pieces.first].all() and masks[pieces.last].all()
    assert (ids[~masks.astype(bool)] == 0).all() and (shapes[~masks.astype(bool)] == 0).all()
    for token, first, last in zip([token for doc in docs for token in doc], pieces.first, pieces.last):
        expected = own_pieces(token)
        if expected and len(expected) <= max_pieces - 2:
            assert PIECES[ids[first]] in expected and PIECES[ids[last]] in expected


def own_pieces(token: Any) -> List[str]:
    """Pieces of the sentence that share a character with the token."""
    doc: Doc = token.doc
    sentence = next(sent for sent in doc.sents if sent.start <= token.i < sent.end)
    encoding = TOKENIZER.encode(sentence.text, add_special_tokens=False)
    start = token.idx - sentence.start_char
    return [p for p, (a, b) in zip(encoding.tokens, encoding.offsets) if a < start + len(token) and b > start]


def test_entity_marks() -> None:
    doc = make_doc(["Ada", "King", "saw", "Oslo", "."])
    doc.set_ents([Span(doc, 0, 2, label="PER"), Span(doc, 3, 4, label="LOC")])
    marks = [entity_mark(token) for token in doc]
    assert marks[2] == marks[4] == 0 and marks[0] == marks[1] + 1 and len(set(marks)) == 4
    assert all(0 <= mark < N_MARKS for mark in marks)
    plain, marked = (cut_docs([doc], TOKENIZER, max_pieces=16, entity_marks=wanted) for wanted in (False, True))
    assert plain.ids[0].tolist() == marked.ids[0].tolist()
    assert (plain.shapes[0] == marked.shapes[0] % N_SHAPES).all() and plain.shapes[0].max() < N_SHAPES
    assert set((marked.shapes[0] // N_SHAPES)[0].tolist()) == set(marks)
