"""How many clusters there are."""

import numpy
import pytest

from spacy_relext.selfore.clustering import count
from spacy_relext.selfore.clustering.count import choose_count, count_grid

DICE = numpy.random.default_rng(0)
GOLD = numpy.repeat(numpy.arange(6), 40)
VECTORS = (4.0 * DICE.normal(size=(6, 10)))[GOLD] + 0.5 * DICE.normal(size=(240, 10))


def test_the_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = choose_count(VECTORS, range(2, 13), seed=0)
    assert found.number == 6 and [each for each, _ in found.tried] == list(range(2, 13))
    monkeypatch.setattr(count, "MAX_PAIRS", 150)
    assert choose_count(VECTORS, [3, 6, 9], seed=0).number == 6


def test_broad_groups_do_not_win() -> None:
    # two groups far apart, each of six that neighbours respect nearly always
    centers = numpy.concatenate([3.0 * DICE.normal(size=(6, 10)) + 15.0 * side for side in (-1, 1)])
    vectors = centers[numpy.repeat(numpy.arange(12), 40)] + 1.2 * DICE.normal(size=(480, 10))
    assert choose_count(vectors, [2, 3, 4, 6, 9, 12, 15, 20], seed=0).number >= 9


def test_few_pairs() -> None:
    assert choose_count(VECTORS[:8], [2, 5, 9], seed=0).number == 2


def test_grid() -> None:
    assert count_grid(2, 2) == [2] and count_grid(2, 8) == [2, 3, 4, 5, 6, 7, 8]
    found = count_grid(4, 60)
    assert found[0] == 4 and found[-1] == 60 and found == sorted(set(found)) and len(found) < 20


def test_scores_are_smoothed() -> None:
    assert count.smooth_scores([2, 4, 8], [1.0, 0.0, 4.0]) == [1.0, 0.0, 4.0], "too far apart"
    near = 1 - numpy.log(1.2) / 0.3
    assert count.smooth_scores([10, 12], [1.0, 0.0]) == pytest.approx([1 / (1 + near), near / (1 + near)])
