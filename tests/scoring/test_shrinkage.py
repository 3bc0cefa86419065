"""Thresholds of labels between their own best and the best for all."""

from functools import partial
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.thresholds import best_threshold, label_thresholds

own_thresholds = partial(label_thresholds, shrink=False)

Data = Tuple[Any, Any, List[str], Dict[str, int]]


def draw(generator: Any, *, size: int, offsets: Any, times: int = 1) -> Data:
    """Right and wrong predictions whose scores overlap, each label moved by an offset of its own."""
    logits, correct, labels, n_gold = [], [], [], {}
    for number, offset in enumerate(offsets):
        right, wrong = size * times, (1 + number % 3) * size * times
        logits += [generator.normal(1.2 + offset, 1.5, right), generator.normal(-1.2 + offset, 1.5, wrong)]
        correct += [np.ones(right, bool), np.zeros(wrong, bool)]
        labels += [str(number)] * (right + wrong)
        n_gold[str(number)] = right + right // 5
    return 1 / (1 + np.exp(-np.concatenate(logits))), np.concatenate(correct), labels, n_gold


def f1_of(data: Data, thresholds: Dict[str, float]) -> float:
    scores, correct, labels, n_gold = data
    accepted = scores >= np.array([thresholds[label] for label in labels])
    return float(2 * (accepted & correct).sum() / max(accepted.sum() + sum(n_gold.values()), 1))


def by_definition(data: Data, *, min_positives: int, **options: float) -> Tuple[Dict[str, float], Optional[float]]:
    """Leave out each fifth in turn, fit on the others with 4 / 5 of the missed gold items, and try five weights.

    RETURNS: The thresholds, and the weight of the labels' own; None if one threshold for all is better.
    """
    scores, correct, labels, n_gold = data
    shares, weight = (0.0, 0.25, 0.5, 0.75, 1.0), options["beta"] ** 2
    fewer = {1: 1, 2: 2, 5: 4, 10: 8}[min_positives]
    part = np.random.default_rng(0).integers(5, size=len(scores))
    right, accepted = dict.fromkeys(shares, 0), dict.fromkeys(shares, 0)

    def between(own: float, single: float, share: float) -> float:
        if share in (0.0, 1.0) or own == single:
            return own if share else single  # without rounding, which a score of this size would notice
        odds = (own / (1 - own)) ** share * (single / (1 - single)) ** (1 - share)
        return odds / (1 + odds)

    for fold in range(5):
        seen = [place for place in range(len(scores)) if part[place] != fold]
        gold = {}
        for label, count in n_gold.items():
            all_right = [place for place in range(len(scores)) if labels[place] == label and correct[place]]
            gold[label] = len(set(all_right) & set(seen)) + round((count - len(all_right)) * 4 / 5)
        single, _ = best_threshold(scores[seen], correct[seen], n_gold=sum(gold.values()), **options)
        names = [labels[place] for place in seen]
        own = own_thresholds(scores[seen], correct[seen], names, n_gold=gold, min_positives=fewer, **options)
        for place in sorted(set(range(len(scores))) - set(seen)):
            for share in shares:
                if scores[place] >= between(own[labels[place]], single, share):
                    right[share] += int(correct[place])
                    accepted[share] += 1
    f = {share: (1 + weight) * right[share] / (accepted[share] + weight * sum(n_gold.values())) for share in shares}
    best = max(shares, key=lambda share: f[share])
    single, single_f = best_threshold(scores, correct, n_gold=sum(n_gold.values()), **options)
    own = own_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=min_positives, **options)
    found = {label: between(value, single, best) for label, value in own.items()}
    chosen = np.array([score >= found[label] for score, label in zip(scores, labels)])
    reached = (1 + weight) * (chosen & correct).sum() / (chosen.sum() + weight * sum(n_gold.values()))
    return (found, best) if reached >= single_f else (dict.fromkeys(own, single), None)


@pytest.mark.parametrize(
    "floor, beta, min_positives", [(0.0, 1.0, 5), (0.3, 1.0, 5), (0.3, 2.0, 5), (0.3, 1.0, 1), (0.3, 1.0, 2)]
)
def test_cross_validation_by_its_definition(floor: float, beta: float, min_positives: int) -> None:
    """Scores near the floor, which matters: a threshold that accepts all is halfway to it."""
    options: Dict[str, Any] = {"floor": floor, "beta": beta, "min_positives": min_positives}
    different = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        scores, labels = generator.integers(31, 40, 30) / 100, generator.choice(list("aab"), 30).tolist()
        correct = generator.random(30) < np.where(np.array(labels) == "a", 0.3, 0.8)
        n_gold = {label: 3 + sum(c and each == label for c, each in zip(correct, labels)) for label in "ab"}
        fitted = label_thresholds(scores, correct, labels, n_gold=n_gold, **options)
        assert fitted == pytest.approx(by_definition((scores, correct, labels, n_gold), **options)[0])
        different.append(fitted["a"] != fitted["b"])
    assert any(different) and not all(different)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from("abc")), max_size=40), st.integers(0, 3))
def test_never_worse_than_one_threshold_on_the_same_data(rows: List[Any], missed: int) -> None:
    scores, correct = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows], dtype=bool)
    labels = [row[2] for row in rows]
    n_gold = {label: missed + sum(row[1] for row in rows if row[2] == label) for label in "abc"}
    fitted = label_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=2)
    assert set(fitted) == set("abc") and all(0.0 <= value <= 1.0 for value in fitted.values())
    _, single = best_threshold(scores, correct, n_gold=sum(n_gold.values()))
    assert f1_of((scores, correct, labels, n_gold), fitted) >= single - 1e-12
    assert label_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=2) == fitted


@pytest.mark.parametrize(("floor", "beta"), [(0.0, 1.0), (0.05, 2.0)])
def test_the_weight_has_the_best_held_out_f(floor: float, beta: float) -> None:
    chosen, options = set(), {"floor": floor, "beta": beta}
    for seed in range(12):
        generator = np.random.default_rng(seed)
        data = draw(generator, size=12, offsets=generator.normal(0, 0.7, 5))
        scores, correct, labels, n_gold = data
        single, _ = best_threshold(scores, correct, n_gold=sum(n_gold.values()), **options)
        fitted = label_thresholds(scores, correct, labels, n_gold=n_gold, **options)
        few = label_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=13, **options)
        assert few == dict.fromkeys(n_gold, single), "no label has 13 right ones"
        expected, share = by_definition(data, min_positives=10, **options)
        assert fitted == pytest.approx(expected, abs=1e-9)
        own = own_thresholds(scores, correct, labels, n_gold=n_gold, **options)
        assert share != 1 or fitted == own, "without rounding: a score may be as large as its threshold"
        chosen.add(share)
    assert len(chosen - {None}) > 2


def test_labels_without_enough_right_predictions_take_the_common_threshold() -> None:
    scores, correct, labels, n_gold = draw(np.random.default_rng(0), size=30, offsets=[-2.0, 0.0, 2.0])
    kept = np.array([label != "2" or number % 10 == 0 for number, label in enumerate(labels)])
    labels = [label for label, keep in zip(labels, kept) if keep]
    fitted = label_thresholds(scores[kept], correct[kept], labels, n_gold={**n_gold, "unseen": 3})
    single, _ = best_threshold(scores[kept], correct[kept], n_gold=sum(n_gold.values()) + 3)
    assert fitted["2"] == fitted["unseen"] == single
    assert fitted["0"] < fitted["1"]
