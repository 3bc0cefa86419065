"""Span decoding and pairing: the numbers of the specification, and what holds for any input."""

import time
from typing import Any, Dict, List, Tuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.rere.decode import (
    Candidate,
    ScoredSpan,
    decode_spans,
    non_max_suppression,
    overlap_in_both,
    pair_nearest,
)
from spacy_relext.rere.span_pairs import SpanLimits, propose_spans

Offsets = Tuple[int, int]


def probabilities(given: Dict[int, float], length: int = 6) -> List[float]:
    return [given.get(token, 0.0) for token in range(length)]


def spans_of(starts: Dict[int, float], ends: Dict[int, float], **options: Any) -> List[Offsets]:
    options = {"threshold": 0.5, "max_length": 10, **options}
    return [span[:2] for span in decode_spans(probabilities(starts), probabilities(ends), **options)]


def scored(*spans: Offsets) -> List[ScoredSpan]:
    return [(*span, 1.0) for span in spans]


def offsets(pairs: Any) -> List[Tuple[Offsets, Offsets]]:
    return [(subject[:2], obj[:2]) for subject, obj in pairs]


def test_start_with_nearest_end() -> None:
    assert spans_of({0: 0.9, 3: 0.7}, {1: 0.8, 4: 0.9}) == [(0, 1), (3, 4)]
    spans = decode_spans(probabilities({0: 0.9, 3: 0.7}), probabilities({1: 0.8, 4: 0.9}), threshold=0.5, max_length=10)
    assert [score for _, _, score in spans] == pytest.approx([0.72, 0.63])


def test_a_start_before_another_one_has_no_end_if_mutual() -> None:
    assert spans_of({0: 0.9, 3: 0.7}, {4: 0.9}) == [(3, 4)]
    assert spans_of({0: 0.9, 3: 0.7}, {4: 0.9}, mutual=False) == [(0, 4), (3, 4)]
    assert spans_of({0: 0.9, 1: 0.9}, {1: 0.9}) == [(1, 1)]


def test_span_length_is_limited() -> None:
    assert spans_of({0: 0.9}, {3: 0.9}, max_length=4) == [(0, 3)]
    assert spans_of({0: 0.9}, {3: 0.9}, max_length=3) == []
    assert spans_of({2: 0.9}, {1: 0.9}) == []
    assert decode_spans([], [], threshold=0.5, max_length=3) == []


def test_objects_belong_to_the_subject_before_them() -> None:
    pairs = pair_nearest(scored((0, 1), (7, 7)), scored((3, 3), (5, 5), (9, 9)))
    assert offsets(pairs) == [((0, 1), (3, 3)), ((0, 1), (5, 5)), ((7, 7), (9, 9))]


def test_a_subject_alone_takes_its_nearest_object() -> None:
    subjects, objects = scored((0, 1), (5, 6), (12, 12)), scored((3, 3), (8, 9), (10, 10))
    pairs = offsets(pair_nearest(subjects, objects))
    assert len(pairs) == 4 and pairs[-1] == ((12, 12), (10, 10))
    tie = pair_nearest(scored((0, 0), (2, 2), (5, 5)), scored((3, 3), (7, 7)))
    assert ((0, 0), (3, 3)) in offsets(tie)
    before_and_after = pair_nearest(scored((4, 4), (5, 5)), scored((2, 2), (6, 6)))
    assert ((4, 4), (2, 2)) in offsets(before_and_after)
    equally_near = pair_nearest(scored((4, 4), (5, 5)), scored((3, 3), (5, 5)))
    assert ((4, 4), (5, 5)) in offsets(equally_near)  # the following one


def test_objects_before_all_subjects_belong_to_the_nearest() -> None:
    assert offsets(pair_nearest(scored((6, 6)), scored((0, 0), (2, 2)))) == [((6, 6), (0, 0)), ((6, 6), (2, 2))]


def test_a_span_is_not_its_own_partner() -> None:
    assert pair_nearest(scored((3, 3)), scored((3, 3))) == []
    assert pair_nearest([], scored((1, 1))) == pair_nearest(scored((1, 1)), []) == []


# "A, B and C live in X, Y and Z respectively."
ABC, XYZ = scored((0, 0), (2, 2), (4, 4)), scored((8, 8), (10, 10), (12, 12))
RESPECTIVELY = {(0, 8), (2, 10), (4, 12)}


def test_nearest_on_respectively() -> None:
    pairs = {(subject[0], obj[0]) for subject, obj in pair_nearest(ABC, XYZ)}
    assert pairs == {(0, 8), (2, 8), (4, 8), (4, 10), (4, 12)}
    hits = len(pairs & RESPECTIVELY)
    assert (hits / len(pairs), hits / 3) == (0.4, pytest.approx(0.666667, abs=6e-7))


PROBS = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.95]), st.floats(0, 1)), max_size=12)
SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)).map(lambda s: (s[0], s[0] + s[1], 1.0)), unique=True)


@given(PROBS, st.integers(1, 6), st.booleans())
def test_spans_lie_inside(probs: Any, max_length: int, mutual: bool) -> None:
    starts, ends = [p for p, _ in probs], [p for _, p in probs]
    spans = decode_spans(starts, ends, threshold=0.5, max_length=max_length, mutual=mutual)
    for first, last, score in spans:
        assert 0 <= first <= last < len(probs) and last - first < max_length
        assert starts[first] >= 0.5 and ends[last] >= 0.5 and score == starts[first] * ends[last]
    if mutual:  # spans do not overlap, and none is lost by asking for less
        assert all(one[1] < other[0] for one, other in zip(spans, spans[1:]))
        assert set(spans) <= set(decode_spans(starts, ends, threshold=0.5, max_length=max_length, mutual=False))


@given(SPANS, SPANS)
def test_every_span_with_a_possible_partner_has_one(subjects: Any, objects: Any) -> None:
    pairs = offsets(pair_nearest(subjects, objects))
    possible = {(s[:2], o[:2]) for s in subjects for o in objects if s[:2] != o[:2]}
    assert set(pairs) <= possible and len(set(pairs)) == len(pairs)
    for side in (0, 1):
        assert {pair[side] for pair in pairs} == {pair[side] for pair in possible}


def test_the_best_spans_of_each_row() -> None:
    starts, ends = torch.tensor([[0.9, 0.5, 0.0], [0.0, 0.0, 0.7]]), torch.tensor([[0.0, 0.5, 0.8], [0.0, 0.0, 0.6]])

    def spans(max_length: int, top_k: int, rows: int = 2) -> List[List[int]]:
        return propose_spans(starts[:rows], ends[:rows], SpanLimits(0.1, max_length, top_k))[0].tolist()

    assert spans(3, 9) == [[0, 1, 1], [0, 0, 1], [0, 1, 2], [0, 0, 2], [1, 2, 2]]
    assert spans(3, 1) == spans(1, 9) == [[0, 1, 1], [1, 2, 2]]
    assert spans(3, 1, rows=0) == []


def candidate(subject: Offsets, obj: Offsets, score: float, relation: str = "r") -> Candidate:
    return Candidate(subject, relation, obj, score, {})


def test_non_max_suppression() -> None:
    best, worse = candidate((0, 5), (10, 15), 0.9), candidate((2, 5), (10, 12), 0.8)
    other_object, other_relation = candidate((0, 5), (20, 25), 0.7), candidate((0, 5), (10, 15), 0.6, "s")
    reverse = candidate((10, 15), (0, 5), 0.5)
    shuffled = [reverse, worse, other_relation, best, other_object, best]
    assert non_max_suppression(shuffled) == [best, other_object, other_relation, reverse]
    assert non_max_suppression([]) == []
    touching = [candidate((5, 8), (10, 15), 0.5), candidate((0, 5), (15, 20), 0.4)]
    assert non_max_suppression([best, *touching]) == [best, *touching]


places = st.tuples(st.integers(0, 600), st.integers(1, 300)).map(lambda each: (each[0], sum(each)))


@given(st.lists(st.tuples(places, places, st.sampled_from([0.25, 0.5]), st.sampled_from("rs")), max_size=12))
def test_suppression_compares_with_every_better_one(values: List[Tuple[Offsets, Offsets, float, str]]) -> None:
    selected: List[Candidate] = []
    candidates = [candidate(*each) for each in values]
    for each in sorted(candidates, key=lambda c: (-c.score, c.subject, c.object, c.relation)):
        if not any(overlap_in_both(each, other) for other in selected):
            selected.append(each)
    assert non_max_suppression(candidates) == selected


def test_suppression_in_a_long_text() -> None:
    """Time is linear: comparisons with all of 40,000 would take minutes."""
    candidates = [candidate((40 * n, 40 * n + 5), (40 * n + 10, 40 * n + 15), 0.5) for n in range(40_000)]
    began = time.perf_counter()
    assert len(non_max_suppression(candidates)) == 40_000 and time.perf_counter() - began < 10
