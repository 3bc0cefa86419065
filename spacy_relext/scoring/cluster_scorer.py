"""Scores of pipelines that find relations themselves: do pairs with the same gold relation have the same cluster?"""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from spacy.training import Example
from spacy.util import registry

from .clusters import SCORES, score_clusters
from .triples import gold_records, predicted_records

Place = Tuple[Tuple[int, int], ...]


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
    RETURNS (Dict[str, Any]): The keys of `score_clusters` without those for an oracle; None without gold.
    """
    found, stated = _compare(examples, source)
    scores = score_clusters([relation for relation, _ in found], [cluster for _, cluster in found])
    kept = {key: scores[key] for key in (*SCORES, "clusters")}
    return {**kept, "clusters_coverage": len(found) / stated if stated else None}


def relations_of_clusters(examples: Iterable[Example], *, source: Optional[str] = None) -> Dict[str, Dict[str, int]]:
    """Count which gold relations the pairs of each cluster have.

    examples (Iterable[Example]): As for `score_predicted_clusters`.
    source (Optional[str]): As for `score_predicted_clusters`.
    RETURNS (Dict[str, Dict[str, int]]): Cluster → relation → pairs, the largest first.
    """
    counts: Dict[str, Counter[str]] = {}
    for relation, cluster in _compare(examples, source)[0]:
        counts.setdefault(cluster, Counter())[relation] += 1
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return {cluster: dict(found.most_common()) for cluster, found in ordered}


def _compare(examples: Iterable[Example], source: Optional[str]) -> Tuple[List[Tuple[str, str]], int]:
    """List relation and cluster of the pairs that have both, and count the pairs that have a relation."""
    found: List[Tuple[str, str]] = []
    stated = 0
    for example in examples:
        records = gold_records(example)
        if records is None:
            continue
        predicted = {_place(record): record["relation"] for record in predicted_records(example, source=source)}
        relations: Dict[Place, str] = {}
        for record in records:
            relations.setdefault(_place(record), record["relation"])
        stated += len(relations)
        found += [(relation, predicted[place]) for place, relation in relations.items() if place in predicted]
    return found, stated


def _place(record: Dict[str, Any]) -> Place:
    """Where a pair stands, in whichever order."""
    return tuple(sorted((tuple(record["subject"]), tuple(record["object"]))))
