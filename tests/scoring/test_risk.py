"""Risk and coverage: a worked example, and ties."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.risk import score_risk


def test_a_worked_example() -> None:
    scores = numpy.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    correct = numpy.array([1, 1, 1, 1, 0, 1, 0, 0, 1, 0], dtype=bool)
    found = score_risk(scores, correct)
    risks = [0, 0, 0, 0, 1 / 5, 1 / 6, 2 / 7, 3 / 8, 3 / 9, 4 / 10]
    assert found["aurc"] == pytest.approx(sum(risks) / 10)
    assert [found[f"precision_at_coverage_{each}"] for each in (10, 25, 50)] == [1, 1, pytest.approx(4 / 5)]
    assert found["threshold_at_precision_80"] == 0.4 and found["threshold_at_precision_95"] == 0.6


def test_ties_are_in_no_order() -> None:
    correct = numpy.array([True, False, True, False])
    found = score_risk(numpy.full(4, 0.5), correct)
    assert found["aurc"] == pytest.approx(0.5) and found["precision_at_coverage_10"] == 0.5
    assert found["threshold_at_precision_80"] is None


def test_nothing() -> None:
    assert set(score_risk(numpy.array([]), numpy.array([], dtype=bool)).values()) == {None}


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans()), min_size=1))
def test_thresholds_keep_their_promise(pairs: list) -> None:
    scores, correct = numpy.array([score for score, _ in pairs]), numpy.array([is_right for _, is_right in pairs])
    for each in (80, 90, 95):
        threshold = score_risk(scores, correct)[f"threshold_at_precision_{each}"]
        if threshold is None:
            assert all(correct[scores >= score].mean() < each / 100 for score in scores)
        else:
            assert correct[scores >= threshold].mean() >= each / 100 - 1e-9
