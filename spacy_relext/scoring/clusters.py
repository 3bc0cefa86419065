"""Agreement of clusters with gold relations: functions of two labellings.

All scores compare raw clusters. Published figures of relation induction often first name every cluster after its most
frequent gold relation and score these names, which is perfect for as many clusters as items. Such scores have names
that begin with `oracle_majority_`, for comparison with those figures.

No score is meaningful alone: B³ of one cluster of all items is high if relations are few or imbalanced, and entity
types alone separate many relations. `baseline_scores` scores such clusters.

Sources: B³: Bagga and Baldwin, ACL 1998; V-measure: Rosenberg and Hirschberg, EMNLP 2007; ARI: Hubert and Arabie, 1985.
"""

from typing import Dict, Hashable, Optional, Sequence

import numpy

from ..errors import require
from .probabilities import Counts

PREFIX = "oracle_majority_"

BASELINES = ("one_cluster", "random", "entity_types")

SCORES = ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari")


def contingency(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Counts:
    """Count the items of each gold relation in each cluster.

    gold (Sequence[Hashable]): Relation of each of N items.
    clusters (Sequence[Hashable]): Cluster of each.
    RETURNS (Counts): A row per relation and a column per cluster, both sorted. Shape (G, C)
    RAISES (ValueError): If the lengths differ.
    """
    if len(gold) != len(clusters):
        raise ValueError(f"{len(gold)} gold labels, but {len(clusters)} clusters")
    rows, columns = _numbered(gold), _numbered(clusters)
    counts = numpy.zeros((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), dtype=numpy.int64)
    numpy.add.at(counts, (rows, columns), 1)
    return counts


def b_cubed(counts: Counts) -> Dict[str, float]:
    """Compute B³: for an item, the share of its cluster that has its relation, and the reverse.

    counts (Counts): From `contingency`. Shape (G, C)
    RETURNS (Dict[str, float]): `b3_p`, `b3_r`, `b3_f`.
    """
    total = counts.sum()
    squares = counts.astype(numpy.float64) ** 2
    precision = float((squares / numpy.maximum(counts.sum(0, keepdims=True), 1)).sum() / total)
    recall = float((squares / numpy.maximum(counts.sum(1, keepdims=True), 1)).sum() / total)
    return {"b3_p": precision, "b3_r": recall, "b3_f": 2 * precision * recall / (precision + recall)}


def score_clusters(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, Optional[float]]:
    """Score raw clusters.

    gold (Sequence[Hashable]): Relation of each of N items.
    clusters (Sequence[Hashable]): Cluster of each.
    RETURNS (Dict[str, Optional[float]]): The keys of `SCORES`, also prefixed by `oracle_majority_`, and the number of
        `clusters`. None without items.
    RAISES (ImportError): If scikit-learn is not installed.
    """
    names = [f"{prefix}{name}" for prefix in ("", PREFIX) for name in SCORES]
    if not len(gold):
        return dict.fromkeys([*names, "clusters"])
    counts = contingency(gold, clusters)
    # of equally frequent relations the last, as in the paper's code
    best = len(counts) - 1 - counts[::-1].argmax(axis=0)
    oracle = _scores(gold, best[_numbered(clusters)].tolist())
    scores = {**_scores(gold, clusters), **{f"{PREFIX}{name}": value for name, value in oracle.items()}}
    return {**scores, "clusters": float(counts.shape[1])}


def baseline_scores(
    gold: Sequence[Hashable], types: Optional[Sequence[Hashable]] = None, *, count: int, seed: int = 0
) -> Dict[str, Dict[str, Optional[float]]]:
    """Score trivial clusters of the same items, to compare with a method's clusters.

    gold (Sequence[Hashable]): Relation of each of N items.
    types (Optional[Sequence[Hashable]]): Entity types of their arguments; None: unknown.
    count (int): Number of random clusters.
    seed (int): Seed of these.
    RETURNS (Dict[str, Dict[str, Optional[float]]]): `one_cluster` of all items, `random`, drawn uniformly, and
        `entity_types`, one cluster for each pair of types → the keys of `SCORES`. None without items, and without
        types.
    RAISES (ImportError): If scikit-learn is not installed.
    """
    baselines: Dict[str, Dict[str, Optional[float]]] = {name: dict.fromkeys(SCORES) for name in BASELINES}
    if not len(gold):
        return baselines
    drawn = numpy.random.default_rng(seed).integers(max(count, 1), size=len(gold))
    for name, clusters in zip(BASELINES, ([0] * len(gold), drawn.tolist(), types)):
        if clusters is not None:
            baselines[name] = {**_scores(gold, clusters)}
    return baselines


def _scores(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, float]:
    metrics = require("sklearn.metrics", purpose="scores of clusters", extra="cluster")
    rows, columns = _numbered(gold), _numbered(clusters)
    homogeneity, completeness, v = metrics.homogeneity_completeness_v_measure(rows, columns)
    scores = b_cubed(contingency(gold, clusters))
    scores.update(homogeneity=float(homogeneity), completeness=float(completeness), v=float(v))
    scores["ari"] = float(metrics.adjusted_rand_score(rows, columns))
    return scores


def _numbered(labels: Sequence[Hashable]) -> Counts:
    """Number labels in sorted order, by type first."""
    distinct = sorted(set(labels), key=lambda label: (type(label).__name__, label))
    number = {label: index for index, label in enumerate(distinct)}
    return numpy.asarray([number[label] for label in labels], dtype=numpy.int64)
