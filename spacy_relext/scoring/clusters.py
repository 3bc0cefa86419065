"""How well clusters agree with gold relations: pure functions of two labellings.

All scores compare raw clusters, as they come out. Published figures of relation induction often name every cluster
after its commonest gold relation first and score these names; with as many clusters as items that is perfect whatever
was clustered. Such scores are there to compare with those figures, under names that begin with `oracle_majority_`.

No score says much alone: B³ of one cluster of all items is high where relations are few or of unlike size, and entity
types alone tell many relations apart. `baseline_scores` gives what such clusters get.

Sources: B³: Bagga and Baldwin, ACL 1998; V-measure: Rosenberg and Hirschberg, EMNLP 2007; ARI: Hubert and Arabie, 1985.
"""

from typing import Dict, Hashable, Optional, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import require

Counts = npt.NDArray[np.int64]

PREFIX = "oracle_majority_"

BASELINES = ("one_cluster", "random", "entity_types")

SCORES = ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari")


def contingency(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Counts:
    """Count how often each gold relation and each cluster meet.

    gold (Sequence[Hashable]): Relation of each of N items.
    clusters (Sequence[Hashable]): Their clusters.
    RETURNS (Counts): Relations, in order, downwards and clusters, in order, to the right. Shape (G, C)
    """
    if len(gold) != len(clusters):
        raise ValueError(f"{len(gold)} gold labels, but {len(clusters)} clusters")
    rows, columns = _numbered(gold), _numbered(clusters)
    counts = np.zeros((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def b_cubed(counts: Counts) -> Dict[str, float]:
    """Precision, recall and F of B³: for an item, the share of its cluster that has its relation, and the reverse.

    counts (Counts): From `contingency`. Shape (G, C)
    RETURNS (Dict[str, float]): `b3_p`, `b3_r`, `b3_f`.
    """
    total = counts.sum()
    squares = counts.astype(np.float64) ** 2
    precision = float((squares / np.maximum(counts.sum(0, keepdims=True), 1)).sum() / total)
    recall = float((squares / np.maximum(counts.sum(1, keepdims=True), 1)).sum() / total)
    return {"b3_p": precision, "b3_r": recall, "b3_f": 2 * precision * recall / (precision + recall)}


def score_clusters(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, Optional[float]]:
    """Score raw clusters.

    gold (Sequence[Hashable]): Relation of each of N items.
    clusters (Sequence[Hashable]): Their clusters.
    RETURNS (Dict[str, Optional[float]]): `b3_p`, `b3_r`, `b3_f`, `homogeneity`, `completeness`, `v`, `ari`; how many
        clusters are used, `clusters`; and all but the last with `oracle_majority_` before it. None without items.
    RAISES (ImportError): Where scikit-learn is not installed.
    """
    names = [f"{before}{name}" for before in ("", PREFIX) for name in SCORES]
    if not len(gold):
        return dict.fromkeys([*names, "clusters"])
    counts = contingency(gold, clusters)
    best = len(counts) - 1 - counts[::-1].argmax(axis=0)  # of equally common relations the last, as in the paper's code
    mapped = best[_numbered(clusters)]
    found = {**_scores(gold, clusters), **{f"{PREFIX}{k}": v for k, v in _scores(gold, mapped.tolist()).items()}}
    return {**found, "clusters": float(counts.shape[1])}


def baseline_scores(
    gold: Sequence[Hashable], types: Optional[Sequence[Hashable]] = None, *, count: int, seed: int = 0
) -> Dict[str, Dict[str, Optional[float]]]:
    """Score raw clusters that nobody had to find, to stand beside those that were found.

    gold (Sequence[Hashable]): Relation of each of N items.
    types (Optional[Sequence[Hashable]]): Entity types of their arguments; None: not known.
    count (int): How many random clusters there are: as many as were found.
    seed (int): Of these.
    RETURNS (Dict[str, Dict[str, Optional[float]]]): `one_cluster` of all items, `random`, each item in any with the
        same probability, and `entity_types`, one cluster for each pair of types → `b3_p`, `b3_r`, `b3_f`,
        `homogeneity`, `completeness`, `v`, `ari`. None without items, and without types.
    RAISES (ImportError): Where scikit-learn is not installed.
    """
    found: Dict[str, Dict[str, Optional[float]]] = {name: dict.fromkeys(SCORES) for name in BASELINES}
    if not len(gold):
        return found
    drawn = np.random.default_rng(seed).integers(max(count, 1), size=len(gold))
    for name, clusters in zip(BASELINES, ([0] * len(gold), drawn.tolist(), types)):
        if clusters is not None:
            found[name] = {**_scores(gold, clusters)}
    return found


def _scores(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, float]:
    metrics = require("sklearn.metrics", purpose="scores of clusters", extra="cluster")
    rows, columns = _numbered(gold), _numbered(clusters)
    homogeneity, completeness, v = metrics.homogeneity_completeness_v_measure(rows, columns)
    found = b_cubed(contingency(gold, clusters))
    found.update(homogeneity=float(homogeneity), completeness=float(completeness), v=float(v))
    return {**found, "ari": float(metrics.adjusted_rand_score(rows, columns))}


def _numbered(labels: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """Number labels in their order; of different kinds, by how they are written."""
    distinct = sorted(set(labels), key=lambda label: (type(label).__name__, label))
    number = {label: index for index, label in enumerate(distinct)}
    return np.asarray([number[label] for label in labels], dtype=np.int64)
