import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.probabilities import (
    SAMPLES,
    bootstrap_interval,
    calibrate,
    expected_calibration_error,
    fit_platt,
    fit_temperature,
    log_softmax,
    logit,
    sigmoid,
    softmax,
)
from spacy_relext.scoring.thresholds import f_score
from tests.scoring.builders import SCORED, arrays, f1_interval


def drawn(scale, shift, n=20000):
    generator = numpy.random.default_rng(0)
    scores = generator.uniform(0.02, 0.98, n)
    truth = calibrate(scores, scale=scale, shift=shift)
    return scores, generator.random(n) < truth


@pytest.mark.parametrize("scale, shift", [(1.0, 0.0), (0.4, 0.0), (2.0, -0.7), (0.6, 1.2)])
def test_recovers_the_line_that_made_the_data(scale, shift):
    scores, correct = drawn(scale, shift)
    platt = fit_platt(scores, correct)
    assert platt.scale == pytest.approx(scale, rel=0.1)
    assert platt.shift == pytest.approx(shift, abs=0.1)
    assert expected_calibration_error(calibrate(scores, scale=platt.scale, shift=platt.shift), correct) < 0.015


def test_temperature_alone():
    scores, correct = drawn(0.5, 0.0)
    platt = fit_platt(scores, correct, fit_shift=False)
    assert platt.shift == 0.0
    assert 1 / platt.scale == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("rights", [(1, 1, 0, 0), (1, 1, 1, 1), (0, 0, 0, 1), (1, 0, 1, 1)])
def test_the_penalized_likelihood_is_largest_at_the_fit(rights):
    """Its gradient is 0, with the targets (n + 1) / (n + 2) and 1 / (n + 2), and the penalty 0.05 ((a - 1)² + b²)."""
    scores, correct = numpy.array([0.99, 0.9, 0.4, 0.2]), numpy.array(rights, bool)
    n_right, n_wrong = correct.sum(), (~correct).sum()
    targets = numpy.where(correct, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    for fit_shift in (True, False):
        scale, shift = fit_platt(scores, correct, fit_shift=fit_shift)
        odds = scores / (1 - scores)
        errors = 1 / (1 + numpy.exp(-shift) * odds**-scale) - targets
        slopes = (errors @ numpy.log(odds) + 0.1 * (scale - 1), errors.sum() + 0.1 * shift)
        if scale > 0.05:  # else the scores say the contrary, and this is the least scale
            assert slopes[0] == pytest.approx(0.0, abs=1e-7)
        assert slopes[1] == pytest.approx(0.0, abs=1e-7) if fit_shift else shift == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30), st.booleans())
def test_order_stays_and_nothing_runs_away(rows, fit_shift):
    scores, correct = numpy.array([r[0] for r in rows]), numpy.array([r[1] for r in rows], dtype=bool)
    platt = fit_platt(scores, correct, fit_shift=fit_shift)
    assert platt.scale > 0 and numpy.isfinite(platt).all()
    mapped = calibrate(numpy.sort(scores), scale=platt.scale, shift=platt.shift)
    assert (numpy.diff(mapped) >= 0).all() and ((mapped >= 0) & (mapped <= 1)).all()


def test_nothing_to_fit_and_scores_that_say_the_contrary():
    assert fit_platt(numpy.zeros(0), numpy.zeros(0, bool)) == (1.0, 0.0)
    scores, correct = drawn(1.0, 0.0, n=2000)
    platt = fit_platt(scores, ~correct)
    assert platt.scale == 0.05
    assert calibrate(numpy.array([0.5]), scale=platt.scale, shift=platt.shift)[0] == pytest.approx(
        (~correct).mean(), abs=0.05
    )


def test_calibration_keeps_order_and_range():
    scores = numpy.asarray([0.0, 0.2, 0.5, 1.0])
    assert calibrate(scores, scale=1.0, shift=0.0) is scores
    moved = calibrate(scores, scale=2.0, shift=1.0)
    assert moved[2] == pytest.approx(1 / (1 + numpy.exp(-1)))
    assert (numpy.diff(moved) > 0).all() and moved.min() >= 0 and moved.max() <= 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_that_made_logits_overconfident_is_recovered(temperature):
    random = numpy.random.default_rng(0)
    logits = random.normal(size=(4000, 5)) * 2
    targets = numpy.stack([random.multinomial(1, row) for row in softmax(logits)])
    assert fit_temperature(logits * temperature, targets) == pytest.approx(temperature, rel=0.05)
    assert fit_temperature(logits * temperature, targets, grid=(0.5, 1.0, 3.0)) == temperature


@pytest.mark.parametrize("right, bound", [(0, 0.1), (1, 10.0)])
def test_temperatures_have_bounds(right, bound):
    """Scores that are always right should be surer; those that are always wrong should say nothing."""
    found = fit_temperature(numpy.array([[1.0, -1.0]]), numpy.eye(2)[[right]])
    assert found == pytest.approx(bound, rel=1e-6)


def test_extreme_logits():
    logits = numpy.asarray([[-1e4, 0.0, 1e4], [-numpy.inf, 0.0, 0.0]])
    assert softmax(logits).tolist() == [[0.0, 0.0, 1.0], [0.0, 0.5, 0.5]]
    numpy.testing.assert_allclose(numpy.exp(log_softmax(logits)), softmax(logits))
    assert sigmoid(numpy.asarray([-1e4, -numpy.inf, 0.0, 1e4])).tolist() == [0.0, 0.0, 0.5, 1.0]
    assert numpy.isfinite(logit(numpy.asarray([0.0, 1.0]))).all()
    assert softmax(numpy.zeros((1, 2), dtype="float32")).dtype == "float32"


def test_calibration_error_by_hand():
    scores = numpy.array([0.25, 0.25, 0.75, 0.75])
    correct = numpy.array([False, False, True, True])
    assert expected_calibration_error(scores, correct, n_bins=2) == pytest.approx(0.25)
    assert expected_calibration_error(numpy.zeros(0), numpy.zeros(0, bool)) is None
    assert expected_calibration_error(numpy.ones(3), numpy.ones(3, bool)) == 0.0


@given(SCORED, st.randoms())
def test_calibration_error_does_not_depend_on_order(scored, random):
    shuffled = list(scored)
    random.shuffle(shuffled)
    first, second = (expected_calibration_error(*arrays(rows)) for rows in (scored, shuffled))
    assert first == (second if second is None else pytest.approx(second))


def difference_interval(first, second, **settings):
    """Correct predictions, predictions and gold triples by document. Shape (3, D)"""

    def difference(drawn):
        return numpy.array([f_score(*(drawn @ second.T)) - f_score(*(drawn @ first.T))])

    (low,), (high,) = bootstrap_interval(difference, first.shape[1], **settings)
    return low, high


def test_bootstrap_interval():
    right, predicted, gold = numpy.array([1, 0, 1] * 50), numpy.array([1, 1, 1] * 50), numpy.array([1, 1, 2] * 50)
    low, high = f1_interval(right, predicted, gold)
    f1 = 2 * right.sum() / (predicted.sum() + gold.sum())
    assert low < f1 < high and high - low < 0.25
    assert f1_interval(right, predicted, gold) == (low, high)
    assert f1_interval(right, right, right) == (1.0, 1.0)
    assert f1_interval(numpy.zeros(0), numpy.zeros(0), numpy.zeros(0)) == (0.0, 0.0)


def test_differences_are_paired():
    rng = numpy.random.default_rng(3)
    gold = rng.integers(1, 5, 200)
    right = rng.binomial(gold, 0.5)
    better = numpy.minimum(gold, right + (numpy.arange(200) % 10 == 0))
    first, second = numpy.stack([right, gold, gold]), numpy.stack([better, gold, gold])
    low, high = difference_interval(first, second)
    difference = f_score(*second.sum(axis=1)) - f_score(*first.sum(axis=1))
    assert 0 < low < difference < high
    (one_low, one_high), (two_low, _) = f1_interval(right, gold, gold), f1_interval(better, gold, gold)
    assert high - low < 0.75 * (one_high - one_low) and two_low < one_high, "unpaired intervals overlap"
    assert difference_interval(first, second) == (low, high)
    assert difference_interval(first, second, seed=1) != (low, high)
    assert difference_interval(second, first) == (pytest.approx(-high), pytest.approx(-low))
    assert difference_interval(first, first) == (0.0, 0.0)


def test_draws():
    draws = []
    bootstrap_interval(lambda drawn: draws.append(drawn) or numpy.zeros(1), 7)
    assert len(draws) == SAMPLES and all(draw.sum() == 7 and len(draw) == 7 for draw in draws)
    ends = bootstrap_interval(lambda drawn: drawn @ numpy.ones((0, 2)), 0)
    assert [each.tolist() for each in ends] == [[0.0, 0.0], [0.0, 0.0]], "one for each label"
