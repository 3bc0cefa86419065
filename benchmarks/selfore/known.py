"""Half of the relations known, a fifth of their pairs labelled: what else is found, compared with no labels at all.

In a mixed corpus, three pairs in ten state nothing: known relations, others and none, as in raw text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacy.scorer import ROCAUCScore

from benchmarks.selfore.abstain import NONE, with_unrelated
from benchmarks.selfore.corpora import ClusterMaker, Marked, known_relations
from spacy_relext.scoring.clusters import score_clusters

LABELLED = 0.2


def labelled_pairs(pairs: Sequence[Marked], relations: Sequence[str]) -> set[int]:
    """RETURNS (set[int]): Numbers of a fifth of the pairs of each of these relations, the first ones."""
    numbers = defaultdict(list)
    for number, pair in enumerate(pairs):
        numbers[pair.relation].append(number)
    return {number for each in relations for number in numbers[each][: round(LABELLED * len(numbers[each]))]}


def partly_labelled(maker: ClusterMaker, name: str, *, mixed: bool = False) -> Path:
    """Write a corpus with the gold of some pairs only; the other texts are not annotated.

    mixed (bool): Add pairs that state nothing, three in ten of all.
    """

    def pairs() -> list[Marked]:
        stating = maker.pairs(name)
        labelled = labelled_pairs(stating, known_relations(stating))
        all_pairs = with_unrelated(stating) if mixed else stating
        return [each if n in labelled else replace(each, relation=None) for n, each in enumerate(all_pairs)]

    return maker.written(f"{name}-known-mixed" if mixed else f"{name}-known", pairs)


def score_known(
    evaluated: dict[str, Any], labelled: set[int], relations: Sequence[str], *, named: bool
) -> dict[str, float]:
    """Score the clusters of pairs without a label.

    evaluated (dict[str, Any]): From `evaluate_pairs`.
    named (bool): Whether clusters have names of relations; if not, each gets that of most of its labelled pairs.
    RETURNS (dict[str, float]): `unknown_b3_f`, `unknown_ari`: of pairs of the other relations; `known_b3_f`,
        `known_ari`: of the known ones; `known_accuracy`: share of these in a cluster with the name of their relation;
        `unknown_kept`: share of pairs of the other relations in a cluster with no such name. With pairs that state
        nothing, also `none_kept`, the same of these, and `stating_auc`: area under the ROC curve for telling pairs
        with a relation from those without by how well they fit their cluster.
    """
    gold, clusters = evaluated["gold"], evaluated["clusters"]
    names = dict(enumerate(evaluated["names"], 1)) if named else _name_by_labels(gold, clusters, labelled)
    rest = [number for number in range(len(gold)) if number not in labelled and gold[number] != NONE]
    scores_by_kind: dict[str, float] = {}
    for key, numbers in (
        ("known", [number for number in rest if gold[number] in relations]),
        ("unknown", [number for number in rest if gold[number] not in relations]),
    ):
        scores = score_clusters([gold[n] for n in numbers], [clusters[n] for n in numbers])
        scores_by_kind.update({f"{key}_b3_f": float(scores["b3_f"] or 0), f"{key}_ari": float(scores["ari"] or 0)})
        if key == "known":
            correct = [names.get(clusters[number]) == gold[number] for number in numbers]
        else:
            correct = [names.get(clusters[number]) not in relations for number in numbers]
        scores_by_kind["known_accuracy" if key == "known" else "unknown_kept"] = sum(correct) / len(correct)
    none = [number for number in range(len(gold)) if gold[number] == NONE]
    if none:
        ranking = ROCAUCScore()
        for number in (*none, *rest):
            ranking.score_set(evaluated["score"][number], int(gold[number] != NONE))
        kept = sum(names.get(clusters[number]) not in relations for number in none)
        scores_by_kind |= {"none_kept": kept / len(none), "stating_auc": float(ranking.score)}
    return scores_by_kind


def _name_by_labels(gold: Sequence[str], clusters: Sequence[int], labelled: set[int]) -> dict[int, str]:
    """RETURNS (dict[int, str]): The relation that most of a cluster's labelled pairs have, for each that has some."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for number in sorted(labelled):
        counts[clusters[number]][gold[number]] += 1
    return {cluster: count.most_common(1)[0][0] for cluster, count in counts.items()}
