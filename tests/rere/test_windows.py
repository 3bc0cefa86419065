"""Sentence windows: every token is in one, and the edges say whether they cut."""

from typing import Any, List, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.sentences import sentence_bounds
from spacy_relext.rere.windows import SentenceWindows, make_windows
from tests.pairs.builders import NLP, make_doc


def test_windows_of_some_docs() -> None:
    docs = [make_doc(["a", "b"]), make_doc([]), make_doc(["c", "d", "e"]), make_doc(["f"])]
    windows = make_windows(docs, max_length=2, stride=1)
    kept = windows.of_docs([False, False, True, True])
    assert table(kept) == [(2, 0, 2), (2, 1, 3), (3, 0, 1)]
    assert kept.docs is windows.docs and kept.bounds == windows.bounds and kept.sentence.tolist() == [1, 1, 2]
    assert kept.token_index().tolist() == [[2, 3], [3, 4], [5, -1]]  # counted over all Docs
    assert len(windows.of_docs([False] * 4)) == 0 and len(make_windows([], max_length=2, stride=1).of_docs([])) == 0


def table(windows: SentenceWindows) -> List[Tuple[int, int, int]]:
    return list(zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist()))


def test_a_doc_without_sentences_is_one() -> None:
    assert sentence_bounds(make_doc("a b c".split())) == [(0, 3)]
    assert sentence_bounds(make_doc("a b c".split(), starts=[0, 2])) == [(0, 2), (2, 3)]
    assert sentence_bounds(NLP.make_doc("")) == []


def test_windows_of_several_docs() -> None:
    docs = [make_doc("a b c d e".split(), starts=[0, 3]), NLP.make_doc(""), make_doc(["x"])]
    windows = make_windows(docs, max_length=10, stride=5)
    assert table(windows) == [(0, 0, 3), (0, 3, 5), (2, 0, 1)]
    assert windows.sentence.tolist() == [0, 1, 2]
    assert windows.bounds == [(0, 0, 3), (0, 3, 5), (2, 0, 1)]
    assert windows.token_index().tolist() == [[0, 1, 2], [3, 4, -1], [5, -1, -1]]
    assert not windows.is_cut.any()


@pytest.mark.parametrize("docs", [[], [NLP.make_doc("")]])
def test_nothing_to_cut(docs: Any) -> None:
    windows = make_windows(docs, max_length=4, stride=2)
    assert len(windows) == 0 and windows.token_index().shape == (0, 0)


def test_long_sentences_are_cut_with_stride() -> None:
    windows = make_windows([make_doc([str(i) for i in range(10)])], max_length=4, stride=2)
    assert table(windows) == [(0, 0, 4), (0, 2, 6), (0, 4, 8), (0, 6, 10)]
    assert windows.sentence.tolist() == [0] * 4
    assert windows.is_cut.tolist() == [[False, True], [True, True], [True, True], [True, False]]
    assert windows.token_index()[-1].tolist() == [6, 7, 8, 9]


def test_the_last_window_is_full() -> None:
    doc = make_doc([str(i) for i in range(9)])
    assert table(make_windows([doc], max_length=4, stride=3)) == [(0, 0, 4), (0, 3, 7), (0, 5, 9)]
    assert table(make_windows([doc], max_length=9, stride=3)) == [(0, 0, 9)]


LENGTHS = st.lists(st.lists(st.integers(1, 12), max_size=3), max_size=3)


@given(LENGTHS, st.integers(1, 6), st.data())
def test_windows_cover_every_token_and_stay_inside_sentences(lengths: Any, max_length: int, data: Any) -> None:
    stride = data.draw(st.integers(1, max_length))
    docs = []
    for sentences in lengths:
        starts = numpy.cumsum([0, *sentences])
        docs.append(make_doc(["w"] * int(starts[-1]), starts=starts[:-1].tolist()))
    windows = make_windows(docs, max_length=max_length, stride=stride)
    index = windows.token_index()
    assert sorted(set(index[index >= 0].tolist())) == list(range(sum(map(len, docs))))
    for window, (doc, start, end) in enumerate(table(windows)):
        number, first, last = windows.bounds[windows.sentence[window]]
        assert number == doc and first <= start < end <= last and end - start <= max_length
        assert windows.is_cut[window].tolist() == [start > first, end < last]
    # two tokens at most max_length - stride apart share a window of their sentence
    for number, first, last in windows.bounds:
        for left in range(first, last):
            right = min(left + max_length - stride, last - 1)
            assert any(d == number and s <= left and right < e for d, s, e in table(windows))
