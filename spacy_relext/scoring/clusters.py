"""Agreement of clusters with gold relations: do pairs with the same gold relation have the same cluster?

All scores compare raw clusters. Published figures of relation induction often first name every cluster after its most
frequent gold relation and score these names, which is perfect for as many clusters as items. Such scores have names
that begin with `oracle_majority_`, for comparison with those figures.

No score is meaningful alone: B³ of a single cluster is high if relations are few or imbalanced, and entity types alone
separate many relations. `baseline_scores` scores such trivial clusters.

Sources: B³: Bagga and Baldwin, ACL 1998; V-measure: Rosenberg and Hirschberg, EMNLP 2007; ARI: Hubert and Arabie, 1985.
"""

from collections import Counter
from typing import Dict, Hashable, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.training import Example
from spacy.util import registry

from ..annotations.triple import CharSpan, Record
from ..errors import require
from .probabilities import Counts
from .triples import Scores, gold_records, predicted_records

PREFIX = "oracle_majority_"

BASELINES = ("one_cluster", "random", "entity_types")

SCORES = ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari")


@registry.scorers("spacy_relext.cluster_scorer.v1")
class ClusterScorer:
    """Scorer of components that cluster pairs; a class, which `n_process` can pickle."""

    def __call__(
        self,
        examples: Iterable[Example],
        *,
        source: Optional[str] = None,
        history: Sequence[Mapping[str, object]] = (),
        **settings: object,
    ) -> Scores:
        """Return the scores of `score_predicted_clusters`, and `clusters_information`.

        That is the mutual information of a training pair's cluster and its neighbours' clusters, which needs no gold.
        """
        information = history[-1].get("information") if history else None
        return {**score_predicted_clusters(examples, source=source), "clusters_information": information}


class _Pair(NamedTuple):
    """Gold relation and cluster of a pair, and its entity types if the component's evidence has them."""

    relation: str
    cluster: str
    types: Optional[Tuple[str, ...]]


def score_predicted_clusters(examples: Iterable[Example], *, source: Optional[str] = None) -> Scores:
    """Compare clusters of pairs with their gold relations, over all examples at once.

    A pair counts if it has a gold relation, in either order, and a cluster; of several gold relations the first
    counts. Keys: those of `score_clusters` without the oracle's, which use gold and must not guide training, and
    `clusters_coverage`, the share of the gold pairs that have a cluster. None without gold.

    source (Optional[str]): Component whose triples are scored; None: all.
    """
    pairs, n_gold = _compare(examples, source)
    scores = score_clusters([pair.relation for pair in pairs], [pair.cluster for pair in pairs])
    raw = {key: scores[key] for key in (*SCORES, "clusters")}
    return {**raw, "clusters_coverage": len(pairs) / n_gold if n_gold else None}


def score_cluster_baselines(examples: Iterable[Example], *, source: Optional[str] = None) -> Scores:
    """Compute baselines and oracle scores for the pairs of `score_predicted_clusters`.

    RETURNS (Scores): `cluster_baselines`, as `baseline_scores`; the `oracle_majority_*` of `score_clusters`;
        `relations_per_cluster`: cluster → gold relation → pairs, the largest first.
    """
    pairs, _ = _compare(examples, source)
    gold, clusters, types = ([pair[column] for pair in pairs] for column in range(3))
    known = types if any(kinds is not None for kinds in types) else None
    scores = score_clusters(gold, clusters)
    counts: Dict[str, Counter[str]] = {}
    for pair in pairs:
        counts.setdefault(pair.cluster, Counter())[pair.relation] += 1
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return {
        "cluster_baselines": baseline_scores(gold, known, count=len(set(clusters))),
        **{key: value for key, value in scores.items() if key.startswith(PREFIX)},
        "relations_per_cluster": {cluster: dict(relations.most_common()) for cluster, relations in ordered},
    }


def clusters_source(nlp: Language) -> Optional[str]:
    """Find the component whose clusters are scored: the last one with a `ClusterScorer`."""
    names = [name for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "scorer", None), ClusterScorer)]
    return names[-1] if names else None


def contingency(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Counts:
    """Count the items of each gold relation in each cluster.

    RETURNS (Counts): A row per relation and a column per cluster, both sorted. Shape (G, C)
    RAISES (ValueError): If the lengths differ.
    """
    if len(gold) != len(clusters):
        raise ValueError(f"{len(gold)} gold labels, but {len(clusters)} clusters")
    rows, columns = _numbered(gold), _numbered(clusters)
    counts = numpy.zeros((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), dtype=numpy.int64)
    numpy.add.at(counts, (rows, columns), 1)
    return counts


def score_clusters(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, Optional[float]]:
    """Score raw clusters.

    gold (Sequence[Hashable]): Relation of each of N items.
    clusters (Sequence[Hashable]): Cluster of each.
    RETURNS (Dict[str, Optional[float]]): The keys of `SCORES`, also prefixed by `oracle_majority_`, and the number of
        `clusters`. None without items.
    RAISES (ImportError): If scikit-learn is not installed.
    """
    if not len(gold):
        return dict.fromkeys([*(f"{prefix}{name}" for prefix in ("", PREFIX) for name in SCORES), "clusters"])
    counts = contingency(gold, clusters)
    # of equally frequent relations the last, as in the paper's code
    best = len(counts) - 1 - counts[::-1].argmax(axis=0)
    oracle = _scores(gold, best[_numbered(clusters)].tolist())
    scores = {**_scores(gold, clusters), **{f"{PREFIX}{name}": value for name, value in oracle.items()}}
    return {**scores, "clusters": float(counts.shape[1])}


def baseline_scores(
    gold: Sequence[Hashable], types: Optional[Sequence[Hashable]] = None, *, count: int
) -> Dict[str, Dict[str, Optional[float]]]:
    """Score trivial clusters of the same items, to compare with a method's clusters.

    gold (Sequence[Hashable]): Relation of each of N items.
    types (Optional[Sequence[Hashable]]): Entity types of their arguments; None: unknown.
    count (int): Number of random clusters.
    RETURNS (Dict[str, Dict[str, Optional[float]]]): `one_cluster` of all items, `random`, drawn uniformly, and
        `entity_types`, one cluster for each pair of types → the keys of `SCORES`. None without items or types.
    RAISES (ImportError): If scikit-learn is not installed.
    """
    baselines: Dict[str, Dict[str, Optional[float]]] = {name: dict.fromkeys(SCORES) for name in BASELINES}
    if len(gold):
        drawn = numpy.random.default_rng(0).integers(count, size=len(gold))
        for name, clusters in zip(BASELINES, ([None] * len(gold), drawn.tolist(), types)):
            if clusters is not None:
                baselines[name] = {**_scores(gold, clusters)}
    return baselines


def _scores(gold: Sequence[Hashable], clusters: Sequence[Hashable]) -> Dict[str, float]:
    """Compute the keys of `SCORES`. B³ precision: share of an item's cluster with its relation; recall: the reverse."""
    metrics = require("sklearn.metrics", purpose="scores of clusters", extra="cluster")
    rows, columns, counts = _numbered(gold), _numbered(clusters), contingency(gold, clusters)
    squares = counts.astype(numpy.float64) ** 2
    precision = float((squares / counts.sum(0, keepdims=True)).sum() / counts.sum())
    recall = float((squares / counts.sum(1, keepdims=True)).sum() / counts.sum())
    b_cubed = (precision, recall, 2 * precision * recall / (precision + recall))
    entropies = metrics.homogeneity_completeness_v_measure(rows, columns)
    return dict(zip(SCORES, map(float, (*b_cubed, *entropies, metrics.adjusted_rand_score(rows, columns)))))


def _numbered(labels: Sequence[Hashable]) -> Counts:
    """Number labels in sorted order, by type first."""
    distinct = sorted(set(labels), key=lambda label: (type(label).__name__, label))
    number = {label: index for index, label in enumerate(distinct)}
    return numpy.asarray([number[label] for label in labels], dtype=numpy.int64)


def _compare(examples: Iterable[Example], source: Optional[str]) -> Tuple[List[_Pair], int]:
    """List the pairs that have both relation and cluster, and count the pairs that have a relation."""
    pairs: List[_Pair] = []
    n_gold = 0
    for example in examples:
        predicted = {_arguments(record): record for record in predicted_records(example, source=source)}
        relations: Dict[Tuple[CharSpan, ...], str] = {}
        for record in gold_records(example) or []:
            relations.setdefault(_arguments(record), record["relation"])
        n_gold += len(relations)
        for arguments, relation in relations.items():
            if arguments in predicted:
                record = predicted[arguments]
                types = (record["evidence"] or {}).get("entity_types")
                pairs.append(_Pair(relation, record["relation"], None if types is None else tuple(types)))
    return pairs, n_gold


def _arguments(record: Record) -> Tuple[CharSpan, ...]:
    """Return the offsets of both arguments, the same for both orders."""
    return tuple(sorted((record["subject"], record["object"])))
