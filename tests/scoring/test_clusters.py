"""Scores of clusters on worked numbers, and on labellings whose scores are known."""

import sys
from typing import List, Sequence

import numpy
import pytest

from spacy_relext.scoring.clusters import SCORES, contingency, score_clusters

GOLD = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2)


def scores(gold: Sequence[int], clusters: Sequence[int], before: str = "") -> List[float]:
    found = score_clusters(gold, clusters)
    return [found[before + name] or 0.0 for name in SCORES]


def test_contingency() -> None:
    counts = contingency(["b", "a", "b"], [7, 3, 3])
    assert counts.tolist() == [[1, 0], [1, 1]]
    assert contingency([], []).shape == (0, 0)
    with pytest.raises(ValueError, match="2 gold labels, but 1 clusters"):
        contingency([1, 2], [1])


@pytest.mark.parametrize(
    ("gold", "clusters", "expected"),
    [
        (
            (0, 0, 0, 1, 1, 1, 2, 2),
            (0, 0, 1, 1, 1, 2, 2, 2),
            (0.666667, 0.666667, 0.666667, 0.558873, 0.558873, 0.558873, 0.238095),
        ),
        (
            GOLD,
            (0, 0, 0, 1, 1, 1, 1, 1, 2, 0),
            (0.61, 0.66, 0.634016, 0.454729, 0.496331, 0.47462, 0.201774),  # tells homogeneity from completeness
        ),
    ],
)
def test_worked_numbers(gold: Sequence[int], clusters: Sequence[int], expected: Sequence[float]) -> None:
    assert scores(gold, clusters) == pytest.approx(expected, abs=1e-6)


def test_names_after_the_commonest_relation_hide_everything() -> None:
    clusters = (0, 0, 1, 1, 2, 3, 3, 3, 4, 4)
    found = score_clusters(GOLD, clusters)
    assert [found[name] for name in ("b3_p", "b3_r", "b3_f")] == pytest.approx([1, 0.68, 0.809524], abs=1e-6)
    assert [found["v"], found["ari"]] == pytest.approx([0.796093, 0.508197], abs=1e-6)
    assert scores(GOLD, clusters, "oracle_majority_") == pytest.approx([1.0] * 7) and found["clusters"] == 5


def test_every_item_alone() -> None:
    found = score_clusters([0] * 4 + [1] * 4, range(8))
    assert [found[name] for name in ("b3_p", "b3_r", "b3_f", "v", "ari")] == pytest.approx([1, 0.25, 0.4, 0.5, 0])
    assert scores([0] * 4 + [1] * 4, range(8), "oracle_majority_") == pytest.approx([1.0] * 7)


def test_equally_common_relations_are_mapped_to_the_last() -> None:
    found = score_clusters([0, 1, 1], [5, 5, 6])
    assert found["oracle_majority_b3_r"] == 1.0  # 5 becomes 1, as 6 does


def test_one_cluster_and_random_clusters_say_nothing() -> None:
    random = numpy.random.default_rng(0)
    gold = random.integers(10, size=2000).tolist()
    assert score_clusters(gold, [0] * 2000)["ari"] == score_clusters(gold, [0] * 2000)["v"] == 0.0
    for count in (10, 1000):
        found = score_clusters(gold, random.integers(count, size=2000).tolist())
        assert found["ari"] == pytest.approx(0.0, abs=0.005)
    assert found["oracle_majority_ari"] is not None and found["oracle_majority_ari"] > 0.1


def test_names_do_not_matter_and_nothing_is_scored_without_items() -> None:
    renamed = score_clusters(["x", "x", "y"], [None, None, 3])
    assert renamed == score_clusters([1, 1, 0], ["b", "b", "a"])
    assert set(score_clusters([], []).values()) == {None}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"R006.*scikit-learn.*spacy-relext\[cluster\]"):
        score_clusters([0], [0])
