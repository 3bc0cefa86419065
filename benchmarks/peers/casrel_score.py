"""Micro precision, recall and F1 of triples, exact and partial, for the CasRel peer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from benchmarks.peers.casrel_data import Record, Triple, relations_of
from benchmarks.peers.casrel_decode import Candidate
from benchmarks.peers.training import rates

GRID = tuple(round(0.05 * k, 2) for k in range(1, 20))  # 0.05 … 0.95


def exact(triple: Triple) -> Triple:
    """The key of the exact match: whole strings, case-sensitive."""
    return triple


def partial(triple: Triple) -> Triple:
    """The key of the partial match: first whitespace token of subject and object."""
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
        gold = {key(t) for t in record.triples if relations is None or t[1] in relations}
        predicted = {
            key(c.triple)
            for c in candidates
            if c.low <= threshold < c.high and (relations is None or c.triple[1] in relations)
        }
        gold_count += len(gold)
        predicted_count += len(predicted)
        correct += len(gold & predicted)
    return rates(correct, gold=gold_count, predicted=predicted_count)


def best_threshold(records: Sequence[Record], predictions: Sequence[Sequence[Candidate]]) -> tuple[float, float]:
    """The threshold of the grid with the highest exact F1; of equal ones the nearest to 0.5."""
    scores = {t: _micro(records, predictions, threshold=t, key=exact)["f"] for t in GRID}
    best = max(GRID, key=lambda t: (scores[t], -abs(t - 0.5)))
    return best, scores[best]


def score_test(
    records: Sequence[Record],
    predictions: Sequence[Sequence[Candidate]],
    *,
    labels: Collection[str],
    tuned: float,
) -> dict[str, Any]:
    """All scores of one test set.

    With `all_relations` everything counts. With `shared_relations` only the relations that both the
    training set and this test set's gold use count, in prediction and gold: the fair figure where
    the test set has a label set of its own.

    tuned (float): threshold tuned on the development set.
    RETURNS (dict[str, Any]): scores by scope, threshold and match, and the lists of relations.
    """
    here = relations_of(records)
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
            for name, threshold in (("fixed", 0.5), ("tuned", tuned))
        }
    return result
