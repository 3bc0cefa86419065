import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.class_scores import micro_without, semeval2010_scores

CE12, CE21, MT12, MT21 = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Message-Topic(e1,e2)", "Message-Topic(e2,e1)"
PP12, OTHER = "Product-Producer(e1,e2)", "Other"


def test_semeval_counts_directions_and_leaves_other_out() -> None:
    gold = [CE12, CE12, CE21, MT12, MT12, OTHER, OTHER, PP12]
    predicted = [CE12, CE21, CE21, MT12, OTHER, OTHER, CE12, MT12]
    scores = semeval2010_scores(gold, predicted)
    # Cause-Effect: predicted 4 times (one in the wrong direction, one where gold is Other), correct twice, gold 3.
    assert scores["semeval_per_relation"] == {
        "Cause-Effect": pytest.approx({"p": 2 / 4, "r": 2 / 3, "f": 4 / 7}),
        "Message-Topic": pytest.approx({"p": 1 / 2, "r": 1 / 2, "f": 1 / 2}),
        "Product-Producer": pytest.approx({"p": 0.0, "r": 0.0, "f": 0.0}),
    }
    assert scores["semeval_macro_p"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert scores["semeval_macro_r"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # The mean of the F of each relation, 0.357143; the F of the two means would be 0.358974.
    assert scores["semeval_macro_f"] == pytest.approx((4 / 7 + 1 / 2 + 0) / 3)


def test_semeval_relations_that_gold_lacks_are_not_in_the_mean() -> None:
    scores = semeval2010_scores([CE12, OTHER], [CE12, PP12])
    assert scores["semeval_macro_f"] == pytest.approx(1.0)  # as the official scorer: the mean is over gold's relations
    assert scores["semeval_per_relation"]["Product-Producer"] == pytest.approx({"p": 0.0, "r": 0.0, "f": 0.0})


def test_semeval_with_nothing_to_find() -> None:
    for gold, predicted in (([], []), ([OTHER], [OTHER]), ([OTHER], [CE12])):
        assert [semeval2010_scores(gold, predicted)[f"semeval_macro_{key}"] for key in "prf"] == [0.0, 0.0, 0.0]


LABELS = st.sampled_from([CE12, CE21, MT12, MT21, PP12, OTHER])


@given(gold=st.lists(LABELS, max_size=12))
def test_gold_is_right(gold: list) -> None:
    expected = 1.0 if set(gold) - {OTHER} else 0.0
    assert semeval2010_scores(gold, gold)["semeval_macro_f"] == pytest.approx(expected)
    assert micro_without(gold, gold, no_relation=OTHER)["micro_f"] == pytest.approx(expected)


def test_micro_without_no_relation() -> None:
    gold = ["a", "a", "b", "none", "none", "b"]
    predicted = ["a", "b", "none", "none", "a", "b"]
    # Said 4 relations, 2 of them right, of 4 in gold; the right "none" counts nowhere.
    assert micro_without(gold, predicted, no_relation="none") == pytest.approx(
        {"micro_p": 0.5, "micro_r": 0.5, "micro_f": 0.5}
    )
    # Without a "none" it is accuracy: "none" is a class like others.
    assert micro_without(gold, predicted, no_relation="-")["micro_f"] == pytest.approx(3 / 6)


@pytest.mark.parametrize(
    "gold, predicted, expected",
    [
        (["a"], ["none"], (1.0, 0.0, 0.0)),  # nothing predicted
        (["none"], ["a"], (0.0, 0.0, 0.0)),  # nothing in gold
        (["none"], ["none"], (1.0, 0.0, 0.0)),
        ([], [], (1.0, 0.0, 0.0)),
    ],
)
def test_micro_conventions(gold: list, predicted: list, expected: tuple) -> None:
    assert tuple(micro_without(gold, predicted, no_relation="none").values()) == expected


def test_lengths_must_agree() -> None:
    for score in (semeval2010_scores, lambda gold, predicted: micro_without(gold, predicted, no_relation="none")):
        with pytest.raises(ValueError, match="2 gold labels for 1 predicted ones; expected as many of both"):
            score(["a", "b"], ["a"])
