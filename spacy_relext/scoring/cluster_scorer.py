"""Scores of pipelines that find relations themselves: do pairs with the same gold relation have the same cluster?"""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry

from .clusters import PREFIX, SCORES, baseline_scores, score_clusters
from .triples import gold_records, predicted_records

Place = Tuple[Tuple[int, int], ...]


class _Pair(NamedTuple):
    """A pair with a gold relation, its cluster, and its entity types where the component that found it says them."""

    relation: str
    cluster: str
    types: Optional[Tuple[str, ...]]


class ClusterScorer:
    """The callable behind `spacy_relext.cluster_scorer.v1`; a class so that it can be pickled for `n_process`."""

    def __call__(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score examples.

        examples (Iterable[Example]): Predicted and reference documents.
        **kwargs (Any): The component's settings: `source`, its name, and `history`.
        RETURNS (Dict[str, Any]): As `score_predicted_clusters`, and `clusters_information`, what a training pair's
            cluster says of its neighbours' clusters, which reads no gold.
        """
        history = kwargs.get("history") or [{}]
        found = score_predicted_clusters(examples, source=kwargs.get("source"))
        return {**found, "clusters_information": history[-1].get("information")}


@registry.scorers("spacy_relext.cluster_scorer.v1")
def make_cluster_scorer() -> Callable[..., Dict[str, Any]]:
    """Build the scorer of components that cluster pairs.

    RETURNS (Callable[..., Dict[str, Any]]): Takes (examples, **kwargs), gives raw scores of clusters.
    """
    return ClusterScorer()


def score_predicted_clusters(examples: Iterable[Example], *, source: Optional[str] = None) -> Dict[str, Any]:
    """Compare clusters of pairs with their gold relations, over all examples at once.

    A pair counts where gold states a relation of it, in whichever order, and a cluster was predicted; of several gold
    relations the first counts. `clusters_coverage` is the share of the gold pairs that have a cluster.

    examples (Iterable[Example]): Predicted and reference documents of the same text.
    source (Optional[str]): The component whose triples count; None: all.
    RETURNS (Dict[str, Any]): The keys of `score_clusters` without those for an oracle, which read gold to name the
        clusters: training shall neither show nor choose by them. None without gold.
    """
    found, stated = _compare(examples, source)
    scores = score_clusters([pair.relation for pair in found], [pair.cluster for pair in found])
    kept = {key: scores[key] for key in (*SCORES, "clusters")}
    return {**kept, "clusters_coverage": len(found) / stated if stated else None}


def score_beside_clusters(
    examples: Iterable[Example], *, source: Optional[str] = None, seed: int = 0
) -> Dict[str, Any]:
    """Say what stands beside the scores of clusters, of the same pairs.

    examples (Iterable[Example]): As for `score_predicted_clusters`.
    source (Optional[str]): As for `score_predicted_clusters`.
    seed (int): Of random clusters.
    RETURNS (Dict[str, Any]): `cluster_baselines`, as `baseline_scores`; the `oracle_majority_*` of `score_clusters`;
        `relations_per_cluster`: cluster → gold relation → pairs, the largest first.
    """
    found, _ = _compare(examples, source)
    gold, clusters = [pair.relation for pair in found], [pair.cluster for pair in found]
    types = [pair.types for pair in found]
    known = types if any(kinds is not None for kinds in types) else None
    scores = score_clusters(gold, clusters)
    return {
        "cluster_baselines": baseline_scores(gold, known, count=len(set(clusters)), seed=seed),
        **{key: value for key, value in scores.items() if key.startswith(PREFIX)},
        "relations_per_cluster": _count_relations(found),
    }


def clusters_source(nlp: Language) -> Optional[str]:
    """Find the component whose clusters the scores of a pipeline are about.

    nlp (Language): The pipeline.
    RETURNS (Optional[str]): Name of the last one that has this module's scorer; None where none has.
    """
    names = [name for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "scorer", None), ClusterScorer)]
    return names[-1] if names else None


def _count_relations(found: Iterable[_Pair]) -> Dict[str, Dict[str, int]]:
    """Count which gold relations the pairs of each cluster have."""
    counts: Dict[str, Counter[str]] = {}
    for pair in found:
        counts.setdefault(pair.cluster, Counter())[pair.relation] += 1
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return {cluster: dict(found.most_common()) for cluster, found in ordered}


def _compare(examples: Iterable[Example], source: Optional[str]) -> Tuple[List[_Pair], int]:
    """List the pairs that have both relation and cluster, and count the pairs that have a relation."""
    found: List[_Pair] = []
    stated = 0
    for example in examples:
        records = gold_records(example)
        if records is None:
            continue
        predicted = {_place(record): record for record in predicted_records(example, source=source)}
        relations: Dict[Place, str] = {}
        for record in records:
            relations.setdefault(_place(record), record["relation"])
        stated += len(relations)
        for place, relation in relations.items():
            if place in predicted:
                found.append(_Pair(relation, predicted[place]["relation"], _types(predicted[place])))
    return found, stated


def _types(record: Dict[str, Any]) -> Optional[Tuple[str, ...]]:
    """The entity types that a component has read, in the order of its evidence."""
    kinds = (record["evidence"] or {}).get("entity_types")
    return None if kinds is None else tuple(kinds)


def _place(record: Dict[str, Any]) -> Place:
    """Where a pair stands, in whichever order."""
    return tuple(sorted((tuple(record["subject"]), tuple(record["object"]))))
