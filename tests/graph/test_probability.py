"""How sentences of a fact add up, against numbers worked out by hand, and the fit."""

from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.graph.facts import distinct_sentences
from spacy_relext.graph.probability import (
    Discount,
    FactSentences,
    best_scores,
    combine_scores,
    fit_discount,
    read_discount,
    write_discount,
)
from spacy_relext.scoring.probabilities import fit_platt


def sentences(*scores: list) -> FactSentences:
    facts = [number for number, each in enumerate(scores) for _ in each]
    return FactSentences(
        numpy.array(facts, dtype="int64"), numpy.array([s for each in scores for s in each], dtype=float)
    )


def test_worked_numbers() -> None:
    two = sentences([0.6, 0.5], [0.9])
    assert combine_scores(two, Discount(1.0)) == pytest.approx([1 - 0.4 * 0.5, 0.9])
    assert combine_scores(two, Discount(0.0)) == pytest.approx([0.6, 0.9])
    assert combine_scores(two, Discount(0.5)) == pytest.approx([1 - 0.4 * 0.5**0.5, 0.9])
    assert combine_scores(two, Discount(0.0, scale=2.0)) == pytest.approx([0.36 / (0.36 + 0.16), 0.81 / (0.81 + 0.01)])
    assert best_scores(two).tolist() == [0.6, 0.9]
    assert combine_scores(sentences(), Discount()).shape == (0,)
    (certain,) = combine_scores(sentences([1.0]), Discount())
    assert certain == pytest.approx(1 - 1e-6, abs=1e-9), "nothing is certain whatever else is known"


def test_repeated_sentences_count_once_with_their_best_score() -> None:
    facts, texts = numpy.array([1, 0, 0, 0, 1]), numpy.array([7, 3, 3, 4, 7])
    distinct = distinct_sentences(facts, texts, numpy.array([0.2, 0.5, 0.9, 0.4, 0.1]))
    assert distinct.facts.tolist() == [0, 0, 1] and distinct.scores.tolist() == [0.9, 0.4, 0.2]


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=1, max_size=5), st.floats(0, 1))
def test_more_sentences_never_lower_a_probability(scores: list, exponent: float) -> None:
    more = [[*each, 0.3] for each in scores]
    before, after = (combine_scores(sentences(*each), Discount(exponent)) for each in (scores, more))
    assert (after >= before - 1e-9).all() and (0 <= after).all() and (after <= 1).all()
    assert (before >= best_scores(sentences(*scores)) - 1e-5).all()


def test_the_fit_has_the_least_loss_of_all_exponents() -> None:
    rng = numpy.random.default_rng(4)
    drawn = sentences(*[list(rng.uniform(0.05, 0.9, size=rng.integers(1, 6))) for _ in range(40)])
    correct = rng.random(40) < combine_scores(drawn, Discount(0.3))

    def loss(discount: Discount) -> float:
        chances = combine_scores(drawn, discount)
        return -float(numpy.log(numpy.where(correct, chances, 1 - chances)).sum())

    tried = [Discount(step / 20, *fit_platt(combine_scores(drawn, Discount(step / 20)), correct)) for step in range(21)]
    assert loss(fit_discount(drawn, correct)) == pytest.approx(min(map(loss, tried)), abs=1e-8)
    assert len({round(loss(each), 3) for each in tried}) > 10 and max(map(loss, tried)) - min(map(loss, tried)) < 1


def test_of_equally_good_exponents_the_first_is_taken() -> None:
    alone = sentences(*[[score] for score in (0.2, 0.4, 0.6, 0.8)])
    assert fit_discount(alone, numpy.array([False, True, False, True])).exponent == 0.0


def test_the_exponent_is_one_at_most() -> None:
    rng = numpy.random.default_rng(0)
    drawn = sentences(*[list(rng.uniform(0.05, 0.5, size=rng.integers(1, 6))) for _ in range(2_000)])
    assert fit_discount(drawn, rng.random(2_000) < combine_scores(drawn, Discount(3.0))).exponent == 1.0


@pytest.mark.parametrize("correct", [[], [True], [False, False]])
def test_a_fit_needs_right_and_wrong_facts(correct: list) -> None:
    with pytest.raises(ValueError, match="R834"):
        fit_discount(sentences(*[[0.5]] * len(correct)), numpy.array(correct, dtype=bool))


def test_discounts_are_kept_in_files(tmp_path: Path) -> None:
    for discount in (Discount(0.4, 1.2, -0.3), Discount(0.0, 0.5), Discount(1.0)):
        write_discount(discount, tmp_path / "c.json")
        assert read_discount(tmp_path / "c.json") == discount
    assert (tmp_path / "c.json").read_text() == '{\n "exponent": 1.0,\n "scale": 1.0,\n "shift": 0.0\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"exponent": 2}',
        '{"exponent": -0.1}',
        '{"scale": 0}',
        '{"x": 1}',
        '{"shift": "a"}',
        '{"shift": NaN}',
        '{"scale": 1' + "0" * 400 + "}",
    ],
)
def test_malformed_discounts(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ValueError, match=r"R835.*c\.json"):
        read_discount(tmp_path / "c.json")
