import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.calibration import expected_calibration_error
from spacy_relext.scoring.probabilities import Platt, apply_platt, fit_platt


def drawn(slope, bias, n=20000):
    generator = np.random.default_rng(0)
    scores = generator.uniform(0.02, 0.98, n)
    truth = apply_platt(scores, Platt(slope, bias))
    return scores, generator.random(n) < truth


@pytest.mark.parametrize("slope, bias", [(1.0, 0.0), (0.4, 0.0), (2.0, -0.7), (0.6, 1.2)])
def test_recovers_the_line_that_made_the_data(slope, bias):
    scores, correct = drawn(slope, bias)
    platt = fit_platt(scores, correct)
    assert platt.slope == pytest.approx(slope, rel=0.1)
    assert platt.bias == pytest.approx(bias, abs=0.1)
    assert expected_calibration_error(apply_platt(scores, platt), correct) < 0.015


def test_temperature_alone():
    scores, correct = drawn(0.5, 0.0)
    platt = fit_platt(scores, correct, fit_bias=False)
    assert platt.bias == 0.0
    assert platt.temperature == pytest.approx(2.0, rel=0.1)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30), st.booleans())
def test_order_stays_and_nothing_runs_away(rows, fit_bias):
    scores, correct = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=bool)
    platt = fit_platt(scores, correct, fit_bias=fit_bias)
    assert platt.slope > 0 and np.isfinite(platt).all()
    mapped = apply_platt(np.sort(scores), platt)
    assert (np.diff(mapped) >= 0).all() and ((mapped >= 0) & (mapped <= 1)).all()


def test_nothing_to_fit_and_scores_that_say_the_contrary():
    assert fit_platt(np.zeros(0), np.zeros(0, bool)) == (1.0, 0.0)
    scores, correct = drawn(1.0, 0.0, n=2000)
    platt = fit_platt(scores, ~correct)
    assert platt.slope == 0.05
    assert apply_platt(np.array([0.5]), platt)[0] == pytest.approx((~correct).mean(), abs=0.05)
