"""Micro precision, recall and F1 of triples, exact and partial, for the peers that extract them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from benchmarks.peers.training import rates
from benchmarks.peers.triple_data import Record, Triple, relations_of
from benchmarks.peers.triple_model import Candidate

FIXED = 0.5  # threshold of a model that was not tuned


def exact(triple: Triple) -> Triple:
    """Return the key of the exact match: whole strings, case-sensitive."""
    return triple


def partial(triple: Triple) -> Triple:
    """Return the key of the partial match: first whitespace token of subject and object."""
    subject, relation, object_ = triple
    return (subject.split() or [""])[0], relation, (object_.split() or [""])[0]


def _micro(
    records: Sequence[Record],
    predictions: Sequence[Sequence[Candidate]],
    *,
    threshold: float,
    key: Callable[[Triple], Triple],
    relations: Collection[str] | None = None,
) -> dict[str, float]:
    """Compare the sets of triples sentence by sentence."""
    gold_count = predicted_count = correct = 0
    for record, candidates in zip(records, predictions, strict=True):
        gold, predicted = (
            {key(t) for t in triples if relations is None or t[1] in relations}
            for triples in (record.triples, triples_at(candidates, threshold))
        )
        gold_count += len(gold)
        predicted_count += len(predicted)
        correct += len(gold & predicted)
    return rates(correct, gold=gold_count, predicted=predicted_count)


def exact_f(records: Sequence[Record], predictions: Sequence[Sequence[Candidate]], *, threshold: float) -> float:
    """Compute exact F1 at a threshold."""
    return _micro(records, predictions, threshold=threshold, key=exact)["f"]


def best_threshold(
    records: Sequence[Record], predictions: Sequence[Sequence[Candidate]], *, grid: Sequence[float]
) -> tuple[float, float]:
    """Return the threshold of a grid with the highest exact F1, and that F1; of equal ones the nearest to 0.5."""
    scores = {t: exact_f(records, predictions, threshold=t) for t in grid}
    best = max(grid, key=lambda t: (scores[t], -abs(t - FIXED)))
    return best, scores[best]


def triples_at(candidates: Sequence[Candidate], threshold: float) -> set[Triple]:
    """Return the triples of a sentence that a threshold yields."""
    return {c.triple for c in candidates if c.low <= threshold < c.high}


def score_test(
    records: Sequence[Record],
    predictions: Sequence[Sequence[Candidate]],
    *,
    labels: Collection[str],
    tuned: float,
) -> dict[str, Any]:
    """Compute all scores of one test set.

    With `all_relations` everything counts. With `shared_relations` only the relations that both the
    training set and this test set's gold use count, in prediction and gold: the fair figure where
    the test set has a label set of its own.

    tuned (float): threshold tuned on the development set.
    RETURNS (dict[str, Any]): scores by scope, threshold and match, the lists of relations, and `predicted`: the triples
        of each sentence by threshold, for scores that need the training data.
    """
    here, thresholds = relations_of(records), {"fixed": FIXED, "tuned": tuned}
    shared = [r for r in here if r in labels]
    result: dict[str, Any] = {
        "sentences": len(records),
        "relations_shared": shared,
        "relations_only_in_training": sorted(set(labels) - set(here)),
        "relations_only_in_test": sorted(set(here) - set(labels)),
    }
    for scope, relations in (("all_relations", None), ("shared_relations", set(shared))):
        result[scope] = {
            name: {
                "threshold": threshold,
                **{
                    key.__name__: _micro(records, predictions, threshold=threshold, key=key, relations=relations)
                    for key in (exact, partial)
                },
            }
            for name, threshold in thresholds.items()
        }
    result["predicted"] = {
        name: [sorted(triples_at(candidates, threshold)) for candidates in predictions]
        for name, threshold in thresholds.items()
    }
    return result
