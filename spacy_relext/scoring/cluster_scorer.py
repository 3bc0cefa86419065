"""Scores of pipelines that cluster pairs: do pairs with the same gold relation have the same cluster?"""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry

from ..annotations.triple import CharSpan, Record
from .clusters import PREFIX, SCORES, baseline_scores, score_clusters
from .triples import Scores, gold_records, predicted_records


class _Pair(NamedTuple):
    """Gold relation and cluster of a pair, and its entity types if the component's evidence has them."""

    relation: str
    cluster: str
    types: Optional[Tuple[str, ...]]


class ClusterScorer:
    """The scorer `spacy_relext.cluster_scorer.v1`; a class, which `n_process` can pickle."""

    def __call__(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """Score examples.

        examples (Iterable[Example]): Predicted and reference documents.
        **kwargs: The component's settings: `source`, its name, and `history`.
        RETURNS (Scores): As `score_predicted_clusters`, and `clusters_information`, the mutual information of a
            training pair's cluster and its neighbours' clusters, which needs no gold.
        """
        history = kwargs.get("history") or [{}]
        scores = score_predicted_clusters(examples, source=kwargs.get("source"))
        return {**scores, "clusters_information": history[-1].get("information")}


@registry.scorers("spacy_relext.cluster_scorer.v1")
def make_cluster_scorer() -> Callable[..., Scores]:
    """Build the scorer of components that cluster pairs.

    RETURNS (Callable[..., Scores]): Takes (examples, **kwargs), returns scores of raw clusters.
    """
    return ClusterScorer()


def score_predicted_clusters(examples: Iterable[Example], *, source: Optional[str] = None) -> Scores:
    """Compare clusters of pairs with their gold relations, over all examples at once.

    A pair counts if it has a gold relation, in either order, and a cluster; of several gold relations the first
    counts. `clusters_coverage` is the share of the gold pairs that have a cluster.

    examples (Iterable[Example]): Predicted and reference documents of the same text.
    source (Optional[str]): Component whose triples count; None: all.
    RETURNS (Scores): The keys of `score_clusters` without those of an oracle, which use gold and must not guide
        training. None without gold.
    """
    pairs, n_gold = _compare(examples, source)
    scores = score_clusters([pair.relation for pair in pairs], [pair.cluster for pair in pairs])
    raw = {key: scores[key] for key in (*SCORES, "clusters")}
    return {**raw, "clusters_coverage": len(pairs) / n_gold if n_gold else None}


def score_beside_clusters(examples: Iterable[Example], *, source: Optional[str] = None, seed: int = 0) -> Scores:
    """Compute baselines and oracle scores for the pairs of `score_predicted_clusters`.

    examples (Iterable[Example]): As for `score_predicted_clusters`.
    source (Optional[str]): As for `score_predicted_clusters`.
    seed (int): Seed of random clusters.
    RETURNS (Scores): `cluster_baselines`, as `baseline_scores`; the `oracle_majority_*` of `score_clusters`;
        `relations_per_cluster`: cluster → gold relation → pairs, the largest first.
    """
    pairs, _ = _compare(examples, source)
    gold, clusters = [pair.relation for pair in pairs], [pair.cluster for pair in pairs]
    types = [pair.types for pair in pairs]
    known = types if any(kinds is not None for kinds in types) else None
    scores = score_clusters(gold, clusters)
    return {
        "cluster_baselines": baseline_scores(gold, known, count=len(set(clusters)), seed=seed),
        **{key: value for key, value in scores.items() if key.startswith(PREFIX)},
        "relations_per_cluster": _count_relations(pairs),
    }


def clusters_source(nlp: Language) -> Optional[str]:
    """Find the component whose clusters are scored.

    nlp (Language): The pipeline.
    RETURNS (Optional[str]): Name of the last component with a `ClusterScorer`; None if there is none.
    """
    names = [name for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "scorer", None), ClusterScorer)]
    return names[-1] if names else None


def _count_relations(pairs: Sequence[_Pair]) -> Dict[str, Dict[str, int]]:
    """Count the gold relations of the pairs of each cluster, the largest cluster first."""
    counts: Dict[str, Counter[str]] = {}
    for pair in pairs:
        counts.setdefault(pair.cluster, Counter())[pair.relation] += 1
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return {cluster: dict(relations.most_common()) for cluster, relations in ordered}


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
    """Offsets of both arguments, the same for both orders."""
    return tuple(sorted((record["subject"], record["object"])))
