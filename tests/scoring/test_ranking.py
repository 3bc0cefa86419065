import random
from itertools import permutations
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.ranking import (
    Cell,
    Ranking,
    precision_at,
    precision_at_recall,
    precision_at_share,
    rank_cells,
    score_ranking,
)

KEYS = {
    "ap",
    *("p_at_100", "p_at_200", "p_at_300"),
    *("p_at_recall_10", "p_at_recall_30", "p_at_recall_50"),
    *("p_at_share_10", "p_at_share_30", "p_at_share_50"),
    *("positives", "unscored"),
}
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
GOLD = [1, 1, 0, 1, 0, 0, 1, 0, 0, 0]

# Few different scores, so that many are equal.
CELLS = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30)


def ranking(scores: Any, gold: Any, *, unscored: int = 0, unit: str = "bag") -> Ranking:
    return Ranking(unit, np.asarray(scores, dtype=float), np.asarray(gold, dtype=bool), unscored=unscored)


def rounded(scores: Dict[str, Any]) -> Dict[str, Any]:
    return {key: None if value is None else round(value, 9) for key, value in scores.items()}


def test_worked_numbers() -> None:
    worked = ranking(SCORES, GOLD)
    assert score_ranking(worked)["bag_ap"] == pytest.approx(0.830357, abs=5e-7)
    # Both go by the name "precision at 100 %".
    assert precision_at_share(worked, 100) == 0.75
    assert precision_at_recall(worked.curve(), 100) == pytest.approx(0.571429, abs=5e-7)


def test_places_and_shares() -> None:
    worked = ranking(SCORES, GOLD)
    assert [precision_at(worked, k) for k in (1, 2, 3, 7, 10)] == [1, 1, 2 / 3, 4 / 7, 0.4]
    assert precision_at(worked, 20) == 4 / 20, "places that hold nothing are wrong"
    assert precision_at_share(worked, 10) == precision_at(worked, 1), "at least one place"
    assert precision_at_share(ranking([0.9, 0.8], [1, 0]), 10) == 1, "not two"
    assert precision_at_share(worked, 75) == precision_at(worked, 3)
    curve = worked.curve()
    assert [precision_at_recall(curve, r) for r in (10, 25, 26, 50, 75, 76)] == [1, 1, 1, 1, 0.75, 4 / 7]


@pytest.mark.parametrize("unit", ["bag", "mention"])
def test_every_key_names_its_unit(unit: str) -> None:
    assert set(score_ranking(ranking(SCORES, GOLD, unit=unit))) == {f"{unit}_{key}" for key in KEYS}


@pytest.mark.parametrize("scores, gold", [([], []), ([0.5, 0.1], [0, 0])])
def test_nothing_known_to_be_true_gives_none(scores: List[float], gold: List[int]) -> None:
    assert score_ranking(ranking(scores, gold)) == {f"bag_{key}": None for key in KEYS}
    assert len(ranking([], []).curve().recall) == 0


def test_positives_that_were_never_scored_count_in_recall() -> None:
    half = score_ranking(ranking(SCORES, GOLD, unscored=4))
    assert half["bag_ap"] == pytest.approx(0.830357 / 2, abs=5e-7)
    assert (half["bag_positives"], half["bag_unscored"]) == (8, 4)
    assert half["bag_p_at_recall_50"] == pytest.approx(4 / 7), "all four of eight"
    assert precision_at_recall(ranking(SCORES, GOLD, unscored=4).curve(), 51) == 0, "never reached"
    none = score_ranking(ranking([], [], unscored=3))
    assert none["bag_ap"] == none["bag_p_at_100"] == none["bag_p_at_recall_10"] == none["bag_p_at_share_10"] == 0


def test_equal_scores() -> None:
    tied = ranking([0.9, 0.5, 0.5, 0.5, 0.1], [1, 1, 0, 0, 1])
    assert [precision_at(tied, k) for k in (1, 2, 4)] == [1, pytest.approx((1 + 1 / 3) / 2), 0.5]
    curve = tied.curve()
    assert curve.recall.tolist() == pytest.approx([1 / 3, 2 / 3, 1]) and curve.precision.tolist() == [1, 0.5, 0.6]
    assert score_ranking(tied)["bag_ap"] == pytest.approx((1 + 0.5 + 0.6) / 3)
    same = ranking([0.5] * 8, [1, 0, 0, 0, 0, 0, 0, 1])
    assert score_ranking(same)["bag_ap"] == 0.25, "all alike: as good as chance"


@given(CELLS, st.integers(0, 3), st.integers(0, 99))
def test_the_order_of_cells_means_nothing(cells: List[Tuple[float, bool]], unscored: int, seed: int) -> None:
    mixed = random.Random(seed).sample(cells, len(cells))
    first, second = (score_ranking(ranking(*zip(*some), unscored=unscored)) for some in (cells, mixed))
    assert rounded(first) == rounded(second)
    for k in range(1, len(cells) + 2):
        pair = [precision_at(ranking(*zip(*some)), k) for some in (cells, mixed)]
        assert pair[0] == pytest.approx(pair[1])


@given(CELLS)
def test_ties_are_the_mean_over_all_orders(cells: List[Tuple[float, bool]]) -> None:
    cells = cells[:5]
    scores, gold = zip(*cells)
    orders = [sorted(order, key=lambda cell: -cell[0]) for order in permutations(cells)]
    for k in range(1, len(cells) + 1):
        expected = np.mean([sum(is_gold for _, is_gold in order[:k]) / k for order in orders])
        assert precision_at(ranking(scores, gold), k) == pytest.approx(expected)


def test_cells_are_gathered_and_facts_remembered() -> None:
    cells = [Cell(("Q1", "Q2"), "born_in", 0.9, True), Cell(("Q2", "Q1"), "born_in", 0.4, False)]
    facts = [(("Q1", "Q2"), "born_in"), (("Q1", "Q3"), "born_in"), (("Q1", "Q2"), "died_in")]
    gathered = rank_cells(cells, unit="bag", facts=facts)
    assert gathered.unscored == 2 and gathered.positives == 3
    assert (gathered.scores.tolist(), gathered.gold.tolist()) == ([0.9, 0.4], [True, False])
    assert score_ranking(gathered)["bag_ap"] == pytest.approx(1 / 3)
    assert rank_cells(cells, unit="mention").positives == 1
