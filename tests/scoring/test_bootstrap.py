import numpy as np
import pytest

from spacy_relext.scoring.bootstrap import SAMPLES, bootstrap_differences, bootstrap_f1, draw_documents


def test_bootstrap_interval():
    right, predicted, gold = np.array([1, 0, 1] * 50), np.array([1, 1, 1] * 50), np.array([1, 1, 2] * 50)
    low, high = bootstrap_f1(right, predicted, gold)
    f1 = 2 * right.sum() / (predicted.sum() + gold.sum())
    assert low < f1 < high and high - low < 0.25
    assert bootstrap_f1(right, predicted, gold) == (low, high)
    assert bootstrap_f1(right, right, right) == (1.0, 1.0)
    assert bootstrap_f1(np.zeros(0), np.zeros(0), np.zeros(0)) == (0.0, 0.0)


def micro_f(counts):
    right, predicted, gold = counts.sum(axis=1)
    return np.array([2 * right / max(predicted + gold, 1)])


def table(right, predicted, gold):
    return np.stack([right, predicted, gold])[:, :, None]


def test_differences_are_paired():
    rng = np.random.default_rng(3)
    gold = rng.integers(1, 5, 200)
    right = rng.binomial(gold, 0.5)
    better = np.minimum(gold, right + (np.arange(200) % 10 == 0))
    first, second = table(right, gold, gold), table(better, gold, gold)
    (low,), (high,) = bootstrap_differences(first, second, micro_f)
    difference = (micro_f(second.sum(axis=1)) - micro_f(first.sum(axis=1)))[0]
    assert 0 < low < difference < high
    (one_low, one_high), (two_low, _) = bootstrap_f1(right, gold, gold), bootstrap_f1(better, gold, gold)
    assert high - low < 0.75 * (one_high - one_low) and two_low < one_high, "unpaired intervals overlap"
    assert bootstrap_differences(first, second, micro_f) == ((low,), (high,))
    assert bootstrap_differences(first, second, micro_f, seed=1) != ((low,), (high,))
    swapped = bootstrap_differences(second, first, micro_f)
    assert swapped == (pytest.approx(-high), pytest.approx(-low))


def test_no_difference_and_no_documents():
    some = table(np.array([1, 0]), np.array([1, 2]), np.array([1, 1]))
    assert bootstrap_differences(some, some, micro_f) == ((0.0,), (0.0,))
    nothing = np.zeros((3, 0, 1), dtype="int64")
    assert bootstrap_differences(nothing, nothing, micro_f) == ((0.0,), (0.0,))
    nothing = np.zeros((3, 0, 2), dtype="int64")
    ends = bootstrap_differences(nothing, nothing, lambda counts: np.array(counts[0], dtype=float))
    assert [each.tolist() for each in ends] == [[0.0, 0.0], [0.0, 0.0]], "one for each label"


def test_draws():
    draws = list(draw_documents(7))
    assert len(draws) == SAMPLES and all(draw.sum() == 7 and len(draw) == 7 for draw in draws)
