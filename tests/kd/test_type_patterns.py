import json
from typing import List, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.kd.type_patterns import TypePatterns, count_patterns

# The published counts of two patterns; classes as in the worked numbers, then two of dates.
NA, RESIDENCE, DEATH, BIRTH, DATE_OF_DEATH, DATE_OF_BIRTH = range(6)
CITY, DATE = ("PERSON", "CITY"), ("PERSON", "DATE")
TACRED = TypePatterns(
    {CITY: {NA: 500, RESIDENCE: 298, DEATH: 73, BIRTH: 62}, DATE: {NA: 700, DATE_OF_DEATH: 134, DATE_OF_BIRTH: 63}},
    n_classes=6,
)

# Worked by hand below: 8 instances, 3 classes.
SMALL_TYPES: List[Tuple[str, str]] = [("P", "C")] * 4 + [("P", "D")] * 2 + [("Q", "C")] * 2
SMALL_CLASSES = [0, 0, 1, 1, 0, 2, 0, 0]
SMALL = count_patterns(SMALL_TYPES, SMALL_CLASSES, n_classes=3)


def test_the_printed_form_gives_the_worked_numbers() -> None:
    (city, date) = TACRED.prior([CITY, DATE], form="printed")
    assert city.dtype == np.float32
    assert city == pytest.approx([0.2, 0.688222, 0.168591, 0.143187, 0, 0], abs=5e-7)
    assert date == pytest.approx([0.2, 0, 0, 0, 0.680203, 0.319797], abs=5e-7)
    assert city.sum() == pytest.approx(1.2)
    assert TACRED.prior([CITY], form="printed", na_constant=0.5).sum() == pytest.approx(1.5)


def test_the_printed_form_leaves_one_out() -> None:
    birth, none = TACRED.prior([CITY, CITY], leave_out=[BIRTH, NA], form="printed")
    assert birth[BIRTH] == pytest.approx(0.141204, abs=5e-7)  # (62 - 1) / (433 - 1)
    assert birth[RESIDENCE] == pytest.approx(298 / 432)
    assert none[BIRTH] == pytest.approx(62 / 433)  # no relation is not among what this form counts


def test_the_printed_form_of_an_unknown_pattern() -> None:
    assert TACRED.prior([("PERSON", "URL")], form="printed")[0].tolist() == pytest.approx([0.2, 0, 0, 0, 0, 0])
    single = count_patterns([("A", "B")], [1], n_classes=2)
    assert single.prior([("A", "B")], leave_out=[1], form="printed")[0] == pytest.approx([0.2, 0.0])


def test_the_smoothed_form_by_hand() -> None:
    # All classes: counts (5, 2, 1) of 8, and one instance spread over three classes.
    overall = np.array([16 / 27, 7 / 27, 4 / 27])  # (5 + 1/3) / 9, (2 + 1/3) / 9, (1 + 1/3) / 9
    # P is the subject of (3, 2, 1), C the object of (4, 2, 0); each takes one instance of all classes.
    subject = (np.array([3, 2, 1]) + overall) / 7
    obj = (np.array([4, 2, 0]) + overall) / 7
    backoff = subject * obj / overall
    backoff /= backoff.sum()
    expected = (np.array([2, 2, 0]) + 1.5 * backoff) / 5.5
    assert SMALL.prior([("P", "C")], smoothing=1.5)[0] == pytest.approx(expected, abs=1e-6)
    log_odds = np.log(expected) - np.log(overall)
    assert SMALL.log_odds([("P", "C")], smoothing=1.5)[0] == pytest.approx(log_odds, abs=1e-6)


def test_the_smoothed_form_leaves_one_out_everywhere() -> None:
    # Without the instance itself there is nothing that it could have been counted in.
    for kinds, number in zip(SMALL_TYPES, SMALL_CLASSES):
        others = list(zip(SMALL_TYPES, SMALL_CLASSES))
        others.remove((kinds, number))
        rest = count_patterns([o[0] for o in others], [o[1] for o in others], n_classes=3)
        for method in ("prior", "log_odds"):
            left, expected = getattr(SMALL, method)([kinds], leave_out=[number]), getattr(rest, method)([kinds])
            assert left == pytest.approx(expected, abs=1e-6)


def test_a_singleton_does_not_see_its_label() -> None:
    prior = SMALL.prior([("P", "D")] * 2, leave_out=[2, 0])
    seen = SMALL.prior([("P", "D")])[0]
    assert prior[0, 2] < seen[2] / 4
    assert np.isfinite(SMALL.log_odds([("P", "D")], leave_out=[2])).all()


def test_no_relation_varies_by_pattern() -> None:
    (pc,), (qc,) = SMALL.prior([("P", "C")]), SMALL.prior([("Q", "C")])
    assert qc[0] > pc[0]


def test_an_instance_that_was_not_counted_loses_nothing() -> None:
    kinds = [("P", "C"), ("Q", "D"), ("X", "Y")]
    for form in ("smoothed", "printed"):
        assert (SMALL.prior(kinds, leave_out=[2, 1, 0], form=form) == SMALL.prior(kinds, form=form)).all()


def test_unseen_types_fall_back_on_the_other_one() -> None:
    rows = SMALL.prior([("P", "X"), ("X", "C"), ("Q", "D"), ("X", "Y")])
    assert rows.sum(axis=1) == pytest.approx(np.ones(4)) and (rows > 0).all()
    # C as object is never class 2; P as subject is once.
    assert rows[0, 2] > rows[1, 2]
    nothing = count_patterns([], [], n_classes=4)
    assert nothing.prior([("P", "C")])[0] == pytest.approx([0.25] * 4)
    assert nothing.log_odds([("P", "C")])[0] == pytest.approx([0.0] * 4)


KINDS = st.tuples(st.sampled_from(["", "A", "B"]), st.sampled_from(["A", "C", "D"]))


@given(data=st.lists(st.tuples(KINDS, st.integers(0, 3)), max_size=12), ask=st.lists(KINDS, max_size=5))
def test_properties(data: List[Tuple[Tuple[str, str], int]], ask: List[Tuple[str, str]]) -> None:
    patterns = count_patterns([row[0] for row in data], [row[1] for row in data], n_classes=4)
    prior, log_odds = patterns.prior(ask), patterns.log_odds(ask)
    assert prior.shape == log_odds.shape == (len(ask), 4)
    assert prior.sum(axis=1) == pytest.approx(np.ones(len(ask))) and np.isfinite(log_odds).all()
    for row, kinds in enumerate(ask):  # together or alone
        assert (patterns.prior([kinds])[0] == prior[row]).all()
    own = patterns.prior([row[0] for row in data], leave_out=[row[1] for row in data])
    assert own.sum(axis=1) == pytest.approx(np.ones(len(data))) and (own > 0).all()


def test_round_trip_through_json() -> None:
    values = json.loads(json.dumps(TACRED.to_dict()))
    again = TypePatterns.from_dict(values)
    assert again.to_dict() == TACRED.to_dict() and again.pairs == (CITY, DATE)
    assert (again.prior([CITY, DATE]) == TACRED.prior([CITY, DATE])).all()
    # A DocBin gives tuples back.
    assert (
        TypePatterns.from_dict({**values, "counts": tuple(map(tuple, values["counts"]))}).counts_of(CITY)[BIRTH] == 62
    )
    assert TypePatterns.from_dict({"n_classes": 2, "counts": [["A", "B", [[1, 0]]]]}).pairs == ()


def test_unusable_values() -> None:
    with pytest.raises(ValueError, match="2 type pairs for 1 classes"):
        count_patterns([("A", "B")] * 2, [0], n_classes=2)
    with pytest.raises(ValueError, match=r"class 2 1 times; expected classes 0 to 1"):
        count_patterns([("A", "B")], [2], n_classes=2)
    with pytest.raises(ValueError, match="n_classes is 0"):
        TypePatterns({}, n_classes=0)
    with pytest.raises(ValueError, match="form is 'paper'"):
        SMALL.prior([("P", "C")], form="paper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="smoothing is 0"):
        SMALL.prior([("P", "C")], smoothing=0.0)
    for leave_out in ([], [3], [-2], [0, 0]):
        with pytest.raises(ValueError, match="leave_out"):
            SMALL.prior([("P", "C")], leave_out=leave_out)
    for values in ({}, {"n_classes": 2, "counts": [["A", "B"]]}, {"n_classes": "x", "counts": []}):
        with pytest.raises(ValueError, match="stored type patterns"):
            TypePatterns.from_dict(values)
