"""Scores of clusters on worked numbers, and on labellings whose scores are known."""

import sys
from typing import List, Sequence

import numpy
import numpy.typing
import pytest
from spacy.util import registry

from spacy_relext.annotations.store import set_triples
from spacy_relext.scoring.clusters import (
    BASELINES,
    SCORES,
    baseline_scores,
    contingency,
    score_cluster_baselines,
    score_clusters,
    score_predicted_clusters,
)
from tests.scoring.builders import make_example

GOLD = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2)
# 5,000 items of ten relations of unlike size.
SIZES = (1621, 1110, 756, 519, 349, 241, 166, 111, 75, 52)
MANY = numpy.repeat(range(10), SIZES).tolist()


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


def test_equally_common_relations_are_mapped_to_the_last() -> None:
    found = score_clusters([0, 1, 1], [5, 5, 6])
    assert found["oracle_majority_b3_r"] == 1.0  # 5 becomes 1, as 6 does


def test_one_cluster_says_nothing() -> None:
    expected = {"b3_p": 0.197149, "b3_r": 1.0, "b3_f": 0.329365, "v": 0.0, "ari": 0.0}
    for found in (score_clusters(MANY, [0] * len(MANY)), baseline_scores(MANY, count=1)["one_cluster"]):
        assert {key: found[key] for key in expected} == pytest.approx(expected, abs=1e-6) and found["b3_r"] == 1.0


def test_baselines() -> None:
    types = ["a", "a", "a", "a", "a", "b", "b", "b", "b", "b"]
    found = baseline_scores(GOLD, types, count=4)
    assert tuple(found) == BASELINES and all(tuple(each) == SCORES for each in found.values())
    # sizes 5, 3 and 2 of 10: P = (25 + 9 + 4) / 100
    assert list(found["one_cluster"].values()) == pytest.approx([0.38, 1.0, 0.550725, 0.0, 1.0, 0.0, 0.0], abs=1e-6)
    assert list(found["entity_types"].values()) == pytest.approx(scores(GOLD, [kind == "b" for kind in types]))
    assert found == baseline_scores(GOLD, types, count=4)
    many = baseline_scores(list(range(10)) * 200, count=50)
    assert many["random"]["ari"] == pytest.approx(0.0, abs=0.01) and many["random"]["b3_p"] == pytest.approx(
        0.12, abs=0.02
    )
    assert set(many["entity_types"].values()) == {None}, "nobody says the types"
    assert all(set(each.values()) == {None} for each in baseline_scores([], [], count=0).values())


def test_baselines_are_of_the_pairs_that_have_a_cluster() -> None:
    text = "Ada met Bo . Cy saw Di . Ed knew Flo ."
    gold = [("Ada", "met", "Bo"), ("Cy", "saw", "Di"), ("Ed", "knew", "Flo")]
    example = make_example(text, gold, [("Bo", "one", "Ada"), ("Cy", "two", "Di"), ("Ada", "three", "Flo")])
    other = {"subject": (0, 3), "relation": "four", "object": (8, 10), "evidence": {"entity_types": ["A", "B"]}}
    set_triples(example.predicted, [other], source="other")
    found = score_cluster_baselines([example], source="fake")
    assert found["relations_per_cluster"] == {"one": {"met": 1}, "two": {"saw": 1}}
    assert found["cluster_baselines"] == baseline_scores(["met", "saw"], count=2)
    assert found["oracle_majority_b3_f"] == 1.0 and score_predicted_clusters([example], source="fake")["b3_f"] == 1.0
    scorer = registry.scorers.get("spacy_relext.cluster_scorer.v1")()
    for name in ("fake", "other"):
        scores_of = scorer([example], source=name, history=[{"information": 0.1}, {"information": 0.2}], other=1)
        assert scores_of == {**score_predicted_clusters([example], source=name), "clusters_information": 0.2}
    assert scorer([example], source="fake") != scorer([example], source="other")
    assert scorer([example])["clusters_information"] is None
    other = score_cluster_baselines([example], source="other")
    assert other["cluster_baselines"] == baseline_scores(["met"], [("A", "B")], count=1)
    nothing = score_cluster_baselines([make_example(text, None)])
    assert nothing["relations_per_cluster"] == {} and nothing["oracle_majority_ari"] is None


def test_clusters_are_listed_by_size_and_all_documents_count() -> None:
    text = "Ada met Bo . Cy saw Di . Ed knew Flo . Gus met Hal ."
    pairs = [("Ada", "Bo"), ("Cy", "Di"), ("Ed", "Flo"), ("Gus", "Hal")]
    gold = [(s, label, o) for (s, o), label in zip(pairs, ("met", "saw", "met", "met"))]
    predicted = [(s, label, o) for (s, o), label in zip(pairs, ("small", "big", "big", "big"))]
    other = make_example(text, [*gold[:1], ("Bo", "other", "Ada"), *gold[1:2]], [("Ada", "less", "Bo")])
    examples = [make_example(text, gold, predicted), other]
    listed = score_cluster_baselines(examples)["relations_per_cluster"]
    assert [(cluster, list(relations.items())) for cluster, relations in listed.items()] == [
        ("big", [("met", 2), ("saw", 1)]),
        ("less", [("met", 1)]),  # the first of the relations of Ada and Bo
        ("small", [("met", 1)]),
    ]
    found = score_predicted_clusters(examples)
    assert (found["clusters"], found["clusters_coverage"]) == (3, 5 / 6)
    assert score_predicted_clusters([make_example(text, [])])["clusters_coverage"] is None


def test_names_do_not_matter_and_nothing_is_scored_without_items() -> None:
    renamed = score_clusters(["x", "x", "y"], [None, None, 3])
    assert renamed == score_clusters([1, 1, 0], ["b", "b", "a"])
    assert set(score_clusters([], []).values()) == {None} and score_clusters([], []).keys() == renamed.keys()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"R006.*scikit-learn.*spacy-relext\[cluster\]"):
        score_clusters([0], [0])
