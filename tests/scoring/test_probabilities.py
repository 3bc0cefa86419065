import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.calibration import expected_calibration_error
from spacy_relext.scoring.probabilities import (
    calibrate,
    fit_platt,
    fit_temperature,
    log_softmax,
    logit,
    sigmoid,
    softmax,
)


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
