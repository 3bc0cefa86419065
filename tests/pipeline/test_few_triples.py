"""Tuning on few documents: many draws from distributions of scores, and the F on other documents."""

from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from spacy_relext.pipeline.tuning import PRIOR, fit_outcomes
from spacy_relext.scoring.probabilities import calibrate
from spacy_relext.scoring.triples import Outcomes

OLD: Dict[str, Any] = {"threshold": 0.5, "thresholds": {}, "scale": 1.0, "shift": 0.0}
LABELS = 5


def draw(random: Any, *, documents: int, distance: float, shift: float, offsets: Any) -> Outcomes:
    """One to four gold triples a document, most found, and wrong candidates; scores below .1 are cut."""
    gold = random.integers(LABELS, size=int(random.integers(1, 5, size=documents).sum()))
    found = gold[random.random(len(gold)) < 0.93]
    wrong = random.integers(LABELS, size=random.poisson(1.5 * len(gold)))
    correct = np.arange(len(found) + len(wrong)) < len(found)
    labels = np.concatenate([found, wrong])
    logits = random.normal(np.where(correct, distance, -distance), 1.6) + shift + offsets[labels]
    scores = 1 / (1 + np.exp(-logits))
    kept = scores >= 0.1
    counts = {str(label): int((gold == label).sum()) for label in range(LABELS)}
    return Outcomes(scores[kept], correct[kept], [str(label) for label in labels[kept]], counts)


def f1_of(data: Outcomes, settings: Dict[str, Any]) -> float:
    scores = calibrate(data.scores, scale=settings["scale"], shift=settings["shift"])
    cuts = np.array([settings["thresholds"].get(label, settings["threshold"]) for label in data.labels])
    accepted = scores >= cuts
    return float(2 * (accepted & data.correct).sum() / (accepted.sum() + data.n_gold))


def held_out(documents: int, draws: int, **world: float) -> Tuple[float, float]:
    """Mean F on other documents without tuning, and with it."""
    found: List[Tuple[float, float]] = []
    for seed in range(draws):
        random = np.random.default_rng(seed)
        offsets = random.normal(0, 0.3, LABELS)
        dev, test = (draw(random, documents=size, offsets=offsets, **world) for size in (documents, 200))
        found.append((f1_of(test, OLD), f1_of(test, fit_outcomes(dev, OLD, floor=0.1))))
    before, after = np.mean(found, axis=0)
    return float(before), float(after)


@pytest.mark.parametrize("distance", [1.5, 3.0])
@pytest.mark.parametrize("documents", [2, 8, 20])
def test_few_documents_do_no_harm(documents: int, distance: float) -> None:
    """Where 0.5 is the best threshold by construction nothing is lost, and elsewhere something is won."""
    before, after = held_out(documents, 60, distance=distance, shift=0.0)
    assert after > before - 0.0015
    gains = []
    for shift in (-1.0, 1.0):
        before, after = held_out(documents, 30, distance=distance, shift=shift)
        gains.append(after - before)
    assert np.mean(gains) > 0.001 and min(gains) > 0.0


def test_many_documents_count_for_themselves() -> None:
    before, after = held_out(300, 4, distance=3.0, shift=1.0)
    assert after > before + 0.03


def test_half_for_a_hundred_triples() -> None:
    """One relation, and scores that overlap: what is fitted is halfway between 0.5 and the best, as logits."""
    correct = np.arange(2 * PRIOR) < PRIOR
    data = Outcomes(np.where(correct, 0.95, 0.7), correct, ["r"] * len(correct), {"r": PRIOR})
    settings = fit_outcomes(data, OLD, recalibrate=False, min_positives=None)
    assert (settings["scale"], settings["shift"], settings["thresholds"]) == (1.0, 0.0, {})
    best = (0.95 + 0.7) / 2
    assert settings["threshold"] == pytest.approx(1 / (1 + ((1 - best) / best) ** 0.5), abs=1e-5)
    assert f1_of(data, settings) < 1.0 == f1_of(data, {**OLD, "threshold": best})
    own = fit_outcomes(data, {**OLD, "thresholds": {"r": 0.9}}, recalibrate=False)
    assert own["thresholds"]["r"] == pytest.approx(1 / (1 + ((1 - best) / best / 9) ** 0.5), abs=1e-5)
