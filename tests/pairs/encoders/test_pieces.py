"""Word pieces of pairs: each text once, the roles on the right pieces, nothing lost without being counted."""

from typing import Any, Iterable, List, NamedTuple, Sequence, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_relext.pairs.encoders.pieces import OBJECT, SUBJECT, PairPieces, cut_pairs
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import EntityPairs
from tests.pairs.builders import NLP, PIECES, make_doc, with_entities, wordpiece_tokenizer

TOKENIZER = wordpiece_tokenizer()
Spans = Sequence[Tuple[Tuple[int, int], Tuple[int, int]]]


class Read(NamedTuple):
    """What one pair reads: pieces of its text, of its subject and of its object."""

    text: str
    subject: str
    object: str


def pairs_of(docs: Sequence[Doc], spans: Iterable[Spans]) -> Pairs:
    """Pairs of token spans of each Doc, read in the whole Doc."""
    rows = [(number, (0, len(docs[number])), *pair) for number, pairs in enumerate(spans) for pair in pairs]
    text, subject, obj = (numpy.asarray([row[i] for row in rows], dtype="int64").reshape(-1, 2) for i in (1, 2, 3))
    doc = numpy.asarray([row[0] for row in rows], dtype="int64")
    return Pairs(docs, doc, text, subject, obj, [("", "")] * len(rows))


def rows_of(pieces: PairPieces) -> List[Any]:
    """Ids, roles and tokens of each pair, without padding, in the caller's order."""
    rows = []
    for ids, masks, row, roles, tokens in zip(pieces.ids, pieces.masks, pieces.rows, pieces.roles, pieces.tokens):
        kept = masks[row]
        rows += [(i[k], r[k], t[k]) for i, k, r, t in zip(ids[row], kept, roles, tokens)]
        assert not roles[~kept].any() and (tokens[~kept] == -1).all()
    return [rows[place] for place in numpy.argsort(pieces.order)]


def reads(pieces: PairPieces) -> List[Read]:
    return [
        Read(*(" ".join(PIECES[i] for i in ids[chosen]) for chosen in (roles >= 0, roles == SUBJECT, roles == OBJECT)))
        for ids, roles, _ in rows_of(pieces)
    ]


def cut(doc: Doc, spans: Spans, **options: Any) -> PairPieces:
    return cut_pairs(pairs_of([doc], [spans]), TOKENIZER, **{"max_pieces": 64, **options})


class Counting:
    """A tokenizer that remembers what it cut."""

    def __init__(self) -> None:
        self.texts: List[str] = []

    def encode(self, text: str, **options: Any) -> Any:
        return TOKENIZER.encode(text, **options)

    def encode_batch(self, texts: List[str], **options: Any) -> Any:
        self.texts += texts
        return TOKENIZER.encode_batch(texts, **options)


def test_each_text_is_cut_once_however_many_pairs_it_has() -> None:
    doc = make_doc("ada met charles in london . ada met .".split(), starts=[0, 6])
    with_entities(doc, [(0, 1, "P"), (2, 3, "P"), (4, 5, "L"), (6, 7, "P"), (7, 8, "X")])
    tokenizer = Counting()
    pieces = cut_pairs(EntityPairs()([doc]), tokenizer, max_pieces=64)
    assert tokenizer.texts == ["ada met charles in london .", "ada met ."]
    assert sum(map(len, pieces.ids)) == 2 and sum(map(len, pieces.roles)) == 8


def test_roles_are_on_the_pieces_of_the_arguments() -> None:
    doc = NLP.make_doc("Ada Lovelace met Charles in London.")
    pieces = cut(doc, [((0, 2), (5, 6)), ((3, 4), (0, 1))])
    text = "[CLS] ada love ##lace met charles in lon ##don . [SEP]"
    assert reads(pieces) == [Read(text, "ada love ##lace", "lon ##don"), Read(text, "charles", "ada")]
    assert pieces.shapes[0].tolist() == [[0, 2, 2, 2, 1, 2, 1, 2, 2, 6, 0]]
    assert pieces.tokens[0].tolist() == [[-1, 0, 1, 1, 2, 3, 4, 5, 5, 6, -1]] * 2 and pieces.lost == 0


def test_tokens_are_counted_in_the_doc_and_the_text_is_one_sentence() -> None:
    doc = with_entities(make_doc("ada met . charles met ada .".split(), starts=[0, 3]), [(3, 4, "P"), (5, 6, "P")])
    pieces = cut_pairs(EntityPairs()([doc]), TOKENIZER, max_pieces=64)
    assert reads(pieces)[0] == Read("[CLS] charles met ada . [SEP]", "charles", "ada")
    assert pieces.tokens[0].tolist() == [[-1, 3, 4, 5, 6, -1]] * 2


@pytest.mark.parametrize(
    ("subject", "obj", "expected"),
    [
        ((0, 3), (1, 2), ("ada met", "love ##lace")),
        ((1, 2), (0, 3), ("love ##lace", "ada met")),
        ((0, 2), (1, 2), ("ada", "love ##lace")),
        ((0, 2), (1, 3), ("ada love ##lace", "met")),
    ],
)
def test_of_nested_arguments_the_inner_one_keeps_its_pieces(subject: Any, obj: Any, expected: Any) -> None:
    pieces = cut(make_doc("ada lovelace met".split()), [(subject, obj)])
    assert reads(pieces)[0][1:] == expected and pieces.lost == 0


def test_in_a_long_text_a_pair_reads_a_window_around_itself() -> None:
    words = ["ada" if number in (20, 22, 38) else "met" for number in range(40)]
    pieces = cut(make_doc(words), [((20, 21), (22, 23)), ((22, 23), (20, 21)), ((38, 39), (39, 40))], max_pieces=10)
    assert [read.text.split().index("ada") for read in reads(pieces)] == [3, 3, 7]  # windows begin at 18 and 32
    assert all(len(read.text.split()) == 10 and read.subject and read.object for read in reads(pieces))
    assert all(read.text.startswith("[CLS] ") and read.text.endswith(" [SEP]") for read in reads(pieces))
    assert sum(map(len, pieces.ids)) == 2  # pairs near each other share their window
    assert pieces.lost == 0


def test_windows_begin_a_quarter_of_their_length_apart() -> None:
    doc = make_doc([str(number % 10) for number in range(200)])
    pieces = cut(doc, [((number, number + 1), (number + 3, number + 4)) for number in range(196)], max_pieces=42)
    begins = sorted(int(row[1]) for part in pieces.tokens for row in part)
    assert set(begins) == set(range(0, 161, 10)) and begins.count(80) == 10
    assert sum(map(len, pieces.ids)) == len(set(begins))
    for tokens, roles in zip(pieces.tokens, pieces.roles):
        for places, role in zip(tokens, roles):
            first, last = places[role > 0].min(), places[role > 0].max()
            assert places[1] <= max(0, first - 13) and places[-2] >= min(199, last + 13)  # the pair is near the middle


@pytest.mark.parametrize("body", [5, 6, 7, 8])
def test_a_window_holds_every_pair_that_fits(body: int) -> None:
    doc = make_doc([str(number % 10) for number in range(12)])
    spans = [((i, i + 1), (j, j + 1)) for i in range(12) for j in range(12) if i != j]
    pieces = cut(doc, spans, max_pieces=body + 2)
    both = [bool(read.subject and read.object) for read in reads(pieces)]
    assert both == [abs(i - j) < body for (i, _), (j, _) in spans]
    assert pieces.lost == both.count(False)


def test_a_pair_too_far_apart_reads_its_first_argument() -> None:
    words = ["ada", *["met"] * 30, "charles"]
    pieces = cut(make_doc(words), [((0, 1), (31, 32)), ((31, 32), (0, 1)), ((0, 1), (1, 2))], max_pieces=10)
    assert [read[1:] for read in reads(pieces)] == [("ada", ""), ("", "ada"), ("ada", "met")]
    assert pieces.lost == 2


def test_white_space_has_no_pieces() -> None:
    blank = make_doc(["\n", " "], spaces=[False, False])
    docs = [blank, make_doc(["ada", "met"])]
    pieces = cut_pairs(pairs_of(docs, [[((0, 1), (1, 2))], [((0, 1), (1, 2))]]), TOKENIZER, max_pieces=16)
    assert reads(pieces) == [Read("[CLS] [SEP]", "", ""), Read("[CLS] ada met [SEP]", "ada", "met")]
    assert pieces.lost == 1


def test_texts_keep_their_pairs_although_they_are_sorted_by_length() -> None:
    docs = [make_doc("ada met charles in london .".split()), NLP.make_doc(""), make_doc(["ada", "met"])]
    pieces = cut_pairs(pairs_of(docs, [[((2, 3), (0, 1))], [], [((1, 2), (0, 1))]]), TOKENIZER, max_pieces=16)
    assert pieces.order.tolist() == [1, 0]
    assert reads(pieces)[0] == Read("[CLS] ada met charles in lon ##don . [SEP]", "charles", "ada")
    assert reads(pieces)[1] == Read("[CLS] ada met [SEP]", "met", "ada")


@pytest.mark.parametrize("docs", [[], [NLP.make_doc("")], [make_doc(["ada"])]])
def test_nothing_to_cut(docs: Any) -> None:
    pieces = cut_pairs(pairs_of(docs, [[]] * len(docs)), TOKENIZER, max_pieces=16)
    assert pieces.ids == pieces.rows == pieces.roles == [] and pieces.order.shape == (0,) and pieces.lost == 0


def test_groups_are_limited_by_the_cells_of_their_pairs() -> None:
    docs = [make_doc(["ada"] * (2 + number % 30)) for number in range(100)]
    spans = [[((0, 1), (1, 2)), ((1, 2), (0, 1))]] * 100
    pieces = cut_pairs(pairs_of(docs, spans), TOKENIZER, max_pieces=64, batch_pieces=200)
    assert max(tokens.size for tokens in pieces.tokens) <= 200 and len(pieces.ids) < 100
    widths = [ids.shape[1] for ids in pieces.ids]
    assert widths == sorted(widths) and sum(map(len, pieces.ids)) == 100


WORDS = st.lists(st.text(alphabet="abzA9 -,.\n\u200b張", min_size=1, max_size=4), min_size=2, max_size=10)


@st.composite
def texts(draw: Any) -> Pairs:
    """Docs of any words, with pairs of different spans that may overlap."""
    docs, pairs = [], []
    for words in draw(st.lists(WORDS, max_size=4)):
        doc = make_doc(words, spaces=draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words))))
        places = [(i, j) for i in range(len(doc)) for j in range(i + 1, min(i + 3, len(doc)) + 1)]
        spans = st.sampled_from(places)
        pairs.append(draw(st.lists(st.tuples(spans, spans).filter(lambda pair: pair[0] != pair[1]), max_size=5)))
        docs.append(doc)
    return pairs_of(docs, pairs)


@given(texts(), st.integers(8, 14), st.integers(10, 200))
def test_every_pair_is_read_once_and_its_roles_are_its_own(pairs: Pairs, max_pieces: int, batch_pieces: int) -> None:
    pieces = cut_pairs(pairs, TOKENIZER, max_pieces=max_pieces, batch_pieces=batch_pieces)
    assert sorted(pieces.order.tolist()) == list(range(len(pairs)))
    rows, lost = rows_of(pieces), 0
    for (ids, roles, tokens), subject, obj in zip(rows, pairs.subject.tolist(), pairs.object.tolist()):
        assert len(ids) <= max_pieces and (ids[0], ids[-1]) == (2, 3)
        in_subject, in_object = (set(tokens[roles == role].tolist()) for role in (SUBJECT, OBJECT))
        assert in_subject <= set(range(*subject)) and in_object <= set(range(*obj))
        unmarked = set(tokens[roles == 0].tolist())
        assert not unmarked & {*range(*subject), *range(*obj)}
        lost += not (in_subject and in_object)
    assert len(rows) == len(pairs) and pieces.lost == lost
