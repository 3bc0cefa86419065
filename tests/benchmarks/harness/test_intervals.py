"""Intervals of differences between systems that answered the same sentences."""

import random

import pytest

from benchmarks.harness.class_scores import OTHER, semeval2010_scores
from benchmarks.harness.intervals import difference, drawn_scores, interval_over_seeds

LABELS = ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Entity-Origin(e1,e2)", "Member-Collection(e2,e1)", OTHER]


def test_all_sentences_have_the_official_score() -> None:
    rng = random.Random(3)
    gold = [rng.choice(LABELS) for _ in range(60)]
    predicted = [label if rng.random() < 0.6 else rng.choice(LABELS) for label in gold]
    found = drawn_scores(gold, predicted, draws=20)
    assert found.shape == (21,)
    assert found[0] == pytest.approx(semeval2010_scores(gold, predicted)["semeval_macro_f"])
    assert len(set(found.tolist())) > 10


def test_the_same_draws_for_every_system() -> None:
    gold = LABELS * 40
    never = [OTHER if number % 2 else label for number, label in enumerate(gold)]
    once = [OTHER if number % 4 == 1 else label for number, label in enumerate(gold)]
    better, worse = drawn_scores(gold, once), drawn_scores(gold, never)
    same = difference(better, better, score="macro_f")
    assert set(same.values()) == {0.0}
    found = difference(better, worse, score="macro_f")
    # whatever is drawn, who is right wherever the other is cannot be worse
    assert 0 < found["macro_f_difference_low"] < found["macro_f_difference"] < found["macro_f_difference_high"] < 1


def test_the_interval_over_seeds_is_that_of_the_t_distribution() -> None:
    # with 2 degrees of freedom 4.303 standard errors, of 1 / √3 here
    assert interval_over_seeds([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.0 - 2.484, 2.0 + 2.484), abs=1e-3)
