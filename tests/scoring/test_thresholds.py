from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.thresholds import (
    average_precision,
    best_threshold,
    f_score,
    label_thresholds,
    precision_thresholds,
    recall_curve,
)
from tests.scoring.builders import SCORED, arrays

own_thresholds = partial(label_thresholds, shrink=False)


def f1_at(scores, correct, threshold, n_gold):
    chosen = scores >= threshold
    return 2 * (correct & chosen).sum() / max(chosen.sum() + n_gold, 1)


def test_average_precision_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    correct = np.array([True, False, True, False])
    assert average_precision(scores, correct, n_gold=2) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(scores, correct, n_gold=4) == pytest.approx((1 + 2 / 3) / 4)
    assert average_precision(scores, correct, n_gold=0 + 2) == average_precision(scores[::-1], correct[::-1], n_gold=2)
    assert average_precision(np.zeros(0), np.zeros(0, bool), n_gold=0) is None
    assert average_precision(np.zeros(0), np.zeros(0, bool), n_gold=3) == 0.0
    tied = average_precision(np.full(4, 0.5), correct, n_gold=2)
    assert tied == 0.5  # one step: equal scores stand together, whatever their order


def test_recall_curve_by_hand():
    scores, correct = np.array([0.5, 0.9, 0.5]), np.array([True, True, False])
    precision, recall, thresholds = recall_curve(scores, correct, n_gold=4)
    assert precision.tolist() == pytest.approx([1.0, 2 / 3])
    assert recall.tolist() == [0.25, 0.5]
    assert thresholds.tolist() == [0.9, 0.5]
    assert [recall_curve(scores[1:2], correct[1:2] & n, n_gold=n)[1].tolist() for n in (0, 1)] == [[0], [1]]


def test_best_threshold_by_hand():
    scores = np.array([0.9, 0.8, 0.3, 0.2])
    correct = np.array([True, True, False, False])
    threshold, f1 = best_threshold(scores, correct, n_gold=3)
    assert threshold == pytest.approx(0.55)
    assert f1 == pytest.approx(2 * 2 / (2 + 3))
    assert best_threshold(np.array([0.4, 0.6]), np.array([True, True]), n_gold=2) == (0.2, 1.0)
    assert best_threshold(np.array([0.4, 0.6]), np.array([True, True]), n_gold=2, floor=0.1) == (0.25, 1.0)
    assert best_threshold(np.array([0.4, 0.6]), np.array([True, True]), n_gold=2, floor=0.4) == (0.4, 1.0)
    assert best_threshold(scores, ~correct & False, n_gold=3, default=0.7) == (0.7, 0.0)
    assert best_threshold(np.zeros(0), np.zeros(0, bool), n_gold=0) == (0.5, 0.0)


def test_neighbouring_floats_keep_the_refused_one_out():
    high = np.nextafter(0.5, 1)
    scores, correct = np.array([high, 0.5]), np.array([True, False])
    threshold, _ = best_threshold(scores, correct, n_gold=1)
    assert (scores >= threshold).tolist() == [True, False]


@given(SCORED, st.integers(0, 5))
def test_best_threshold_is_the_best_of_all(scored, missed):
    scores, correct = arrays(scored)
    n_gold = int(correct.sum()) + missed
    threshold, f1 = best_threshold(scores, correct, n_gold=n_gold)
    assert f1 == pytest.approx(f1_at(scores, correct, threshold, n_gold) if correct.any() else 0.0)
    assert all(f1 >= f1_at(scores, correct, t, n_gold) - 1e-12 for t in np.unique(scores))


def test_f_score_by_hand():
    right, predicted = np.array([2, 0]), np.array([4, 0])
    assert f_score(right, predicted, 3).tolist() == pytest.approx([2 * 2 / (4 + 3), 0.0])
    assert f_score(right, predicted, 3, beta=2.0)[0] == pytest.approx(5 * 2 / (4 + 4 * 3))
    assert f_score(right[1:], predicted[1:], 0).tolist() == [0.0]
    assert f_score(np.array([1]), np.array([1]), 1, beta=0.5).tolist() == [1.0]


def test_beta_moves_the_threshold():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    correct = np.array([True, True, False, False, True, False])
    precise, _ = best_threshold(scores, correct, n_gold=3, beta=0.5)
    complete, value = best_threshold(scores, correct, n_gold=3, beta=2.0)
    assert precise == pytest.approx(0.75) and complete == pytest.approx(0.45)
    assert value == pytest.approx(5 * 3 / (5 + 4 * 3))


def test_beta_moves_the_threshold_of_a_label():
    """F1 is highest with two of a's, 4 / 5 against 6 / 8; F2 with five, 15 / 17 against 10 / 14."""
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    correct = np.array([True, True, False, False, True, False])
    for beta, expected in ((1.0, 0.75), (2.0, 0.45)):
        fitted = own_thresholds(scores, correct, ["a"] * 6, n_gold={"a": 3}, min_positives=1, beta=beta)
        assert fitted == {"a": pytest.approx(expected)}


@pytest.mark.parametrize("wrong, expected", [(0, 0.2), (1, 0.2), (2, 0.7)])
def test_a_label_below_the_single_threshold_gets_its_own_if_f_rises(wrong, expected):
    """The single threshold accepts four of a: F = 8 / (4 + 5). With b it is 10 / 10, 10 / 11 or 10 / 12."""
    scores = np.array([0.9] * 4 + [0.5] * 6 + [0.4] * (1 + wrong))
    correct = np.array([True] * 4 + [False] * 6 + [True] + [False] * wrong)
    labels = ["a"] * 10 + ["b"] * (1 + wrong)
    fitted = own_thresholds(scores, correct, labels, n_gold={"a": 4, "b": 1}, min_positives=1)
    assert fitted == {"a": pytest.approx(0.7), "b": pytest.approx(expected)}


def test_f1_and_ten_positives_by_default():
    generator = np.random.default_rng(0)
    scores, labels = generator.random(300).round(3), generator.choice(list("abc"), 300)
    correct = generator.random(300) < scores**2
    # c has ten right ones
    correct[np.flatnonzero(correct & (labels == "c"))[10:]] = False
    labels = labels.tolist()
    n_gold = {label: sum(c and each == label for c, each in zip(correct, labels)) + 5 for label in "abc"}
    assert n_gold["c"] == 15
    for fit in (own_thresholds, label_thresholds):
        usual = fit(scores, correct, labels, n_gold=n_gold)
        assert usual == fit(scores, correct, labels, n_gold=n_gold, beta=1.0, min_positives=10, floor=0.0)
        assert usual != fit(scores, correct, labels, n_gold=n_gold, beta=2.0)
    _, own = precision_thresholds(scores, correct, labels, precision=0.6)
    assert (
        set(own) == set("abc") != set(precision_thresholds(scores, correct, labels, precision=0.6, min_positives=11)[1])
    )
    usual = best_threshold(scores, correct, n_gold=99)
    assert usual == best_threshold(scores, correct, n_gold=99, beta=1.0, floor=0.0)
    assert usual != best_threshold(scores, correct, n_gold=99, beta=2.0)
    assert best_threshold(scores, correct & False, n_gold=99) == (0.5, 0.0)


@given(SCORED, st.sampled_from([0.3, 0.5, 0.9, 1.0]))
def test_precision_thresholds_have_the_highest_recall(scored, precision):
    scores, correct = arrays(scored)
    threshold, _ = precision_thresholds(scores, correct, ["a"] * len(scored), precision=precision)
    accepted = scores >= threshold
    matches = (accepted & correct).sum()
    assert matches >= precision * accepted.sum() or threshold == 1.0
    for cut in np.unique(scores):
        if (correct & (scores >= cut)).sum() >= precision * (scores >= cut).sum():
            assert (correct & (scores >= cut)).sum() <= matches


def test_precision_thresholds_pool_rare_labels():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    correct = np.array([True, True, False, True, False, False])
    single, own = precision_thresholds(scores, correct, list("aaabbc"), precision=1.0, min_positives=2)
    assert own == {"a": pytest.approx(0.75)}
    assert single == pytest.approx(0.75), "b and c are too few even together: all labels are pooled"
    single, own = precision_thresholds(scores, correct, list("aaabbc"), precision=1.0, min_positives=1)
    assert own == {"a": pytest.approx(0.75), "b": pytest.approx(0.55)}
    single, own = precision_thresholds(scores, correct, list("aaabbc"), precision=1.0, min_positives=9)
    assert own == {} and single == pytest.approx(0.75)


def test_the_other_labels_are_a_pool_if_they_have_just_enough_right_ones():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    correct = np.array([True, True, False, True, True, False])
    single, own = precision_thresholds(scores, correct, list("aaabcb"), precision=1.0, min_positives=2)
    assert (single, own) == (pytest.approx(0.45), {"a": pytest.approx(0.75)})


def test_thresholds_that_accept_all_are_halfway_to_the_floor():
    scores, correct, labels = np.array([0.8, 0.6, 0.4]), np.ones(3, bool), list("aab")
    for options, a, b in (({}, 0.3, 0.2), ({"floor": 0.1}, 0.35, 0.25)):
        single, own = precision_thresholds(scores, correct, labels, precision=0.5, min_positives=1, **options)
        assert (single, own) == (pytest.approx(b), {"a": pytest.approx(a), "b": pytest.approx(b)})
        options = {"n_gold": {"a": 2, "b": 1}, "min_positives": 1, **options}
        assert own_thresholds(scores, correct, labels, **options) == dict.fromkeys("ab", pytest.approx(b))
        assert label_thresholds(scores, correct, labels, **options) == dict.fromkeys("ab", pytest.approx(b))


def test_label_thresholds_need_positives():
    scores = np.array([0.9] * 12 + [0.6] * 12 + [0.6, 0.4])
    correct = np.array([True] * 12 + [False] * 12 + [True, True])
    labels = ["many"] * 24 + ["few"] * 2
    n_gold = {"many": 12, "few": 2, "unseen": 1}
    fitted = own_thresholds(scores, correct, labels, n_gold=n_gold)
    single, _ = best_threshold(scores, correct, n_gold=15)
    assert fitted["few"] == fitted["unseen"] == single
    assert 0.6 < fitted["many"] <= 0.9
    lower = own_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=2)
    assert lower["few"] == 0.2  # all accepted: halfway to 0
    above = own_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=2, floor=0.3)
    assert above["few"] == pytest.approx(0.35)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.3, 0.8]), st.booleans(), st.sampled_from("ab")), max_size=40))
def test_joint_thresholds_never_do_worse_than_one(rows):
    scores, correct = arrays([row[:2] for row in rows])
    labels = [row[2] for row in rows]
    n_gold = {label: 1 + sum(row[1] for row in rows if row[2] == label) for label in "ab"}
    fitted = own_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=1)
    total = sum(n_gold.values())
    cuts = np.array([fitted[label] for label in labels])
    _, single = best_threshold(scores, correct, n_gold=total)
    assert f1_at(scores - cuts if len(rows) else scores, correct, 0.0, total) >= single - 1e-12


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="R209"):
        best_threshold(np.ones(2), np.ones(3, bool), n_gold=3)
    with pytest.raises(ValueError, match="NaN"):
        best_threshold(np.array([np.nan]), np.ones(1, bool), n_gold=3)
    with pytest.raises(ValueError, match="n_gold"):
        best_threshold(np.ones(2), np.ones(2, bool), n_gold=1)
