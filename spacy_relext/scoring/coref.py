"""Scores of coreference: B³ and LEA of the entities of documents, and which entity each pronoun stands for.

Entities are sets of mentions; those of the prediction are `doc._.entities` without dates and numbers, those of the gold
annotation its clusters, of which single mentions are some. A mention that only one side has counts as wrong there.

Sources: B³: Bagga and Baldwin, ACL 1998, for predicted mentions as in the scorer of CoNLL 2012; LEA: Moosavi and
Strube, ACL 2016.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from spacy.training import Example
from spacy.util import registry

from ..annotations.doc_entities import get_entities
from ..annotations.mentions import NAME
from ..annotations.names import VALUE, is_pronoun, kind_of, tidy
from ..annotations.store import COREF_KEY, get_coref, has_stored, is_incomplete
from ..annotations.triple import CharSpan
from .triples import Scores

COREF_WEIGHTS: Dict[str, Optional[float]] = {
    "coref_pronouns": 0.5,
    "coref_b3_f": 0.5,
    "coref_b3_p": None,
    "coref_b3_r": None,
    "coref_lea_f": 0.0,
    "coref_lea_p": None,
    "coref_lea_r": None,
}

Cluster = Set[CharSpan]


@registry.scorers("spacy_relext.coref_scorer.v1")
class CorefScorer:
    """Scorer of `relext_coref`; a class, which `n_process` can pickle."""

    def __call__(self, examples: Iterable[Example], **settings: object) -> Scores:
        """Return the scores of `score_coref`."""
        return score_coref(examples)


@dataclass
class _Sums:
    """Numerators and denominators of precision and recall."""

    values: Dict[str, List[float]] = field(default_factory=dict)

    def add(self, key: str, value: float, weight: float) -> None:
        """Add a value with its weight."""
        sums = self.values.setdefault(key, [0.0, 0.0])
        sums[0] += value * weight
        sums[1] += weight

    def mean(self, key: str) -> Optional[float]:
        """Return the weighted mean; None without weight."""
        total, weight = self.values.get(key, (0.0, 0.0))
        return total / weight if weight else None


def score_coref(examples: Iterable[Example]) -> Scores:
    """Compare the entities of predicted Docs with annotated clusters.

    Documents whose annotation has parts only (`incomplete`) count for pronouns alone.

    RETURNS (Scores): `coref_b3_p`, `_r`, `_f`, `coref_lea_p`, `_r`, `_f`, and `coref_pronouns`: the share of annotated
        pronouns whose entity is right, see `right_pronouns`. None where nothing is annotated.
    """
    sums = _Sums()
    for example in examples:
        if not has_stored(example.reference, COREF_KEY):
            continue
        gold = [set(cluster) for cluster in get_coref(example.reference)]
        entities = [each for each in get_entities(example.predicted) if kind_of(each.label) != VALUE]
        mentions = [{each.place: each.kind for each in entity.mentions} for entity in entities]
        for is_right in right_pronouns(gold, mentions, example.reference.text):
            sums.add("pronouns", float(is_right), 1.0)
        if not is_incomplete(example.reference):
            predicted = [set(each) for each in mentions]
            for side, one, other in (("p", predicted, gold), ("r", gold, predicted)):
                for share, weight in b3_shares(one, other):
                    sums.add(f"b3_{side}", share, weight)
                for share, weight in lea_shares(one, other):
                    sums.add(f"lea_{side}", share, weight)
    scores: Scores = {"coref_pronouns": sums.mean("pronouns")}
    for name in ("b3", "lea"):
        precision, recall = (sums.mean(f"{name}_{side}") for side in "pr")
        f1 = None if precision is None or recall is None else 2 * precision * recall / max(precision + recall, 1e-12)
        scores.update({f"coref_{name}_p": precision, f"coref_{name}_r": recall, f"coref_{name}_f": f1})
    return scores


def b3_shares(clusters: Sequence[Cluster], others: Sequence[Cluster]) -> List[Tuple[float, float]]:
    """List the share of its cluster that another cluster has too, for each mention of some clusters, and weight 1."""
    of = {mention: cluster for cluster in others for mention in cluster}
    return [
        (len(cluster & of.get(mention, set())) / len(cluster), 1.0)
        for cluster in clusters
        for mention in sorted(cluster)
    ]


def lea_shares(clusters: Sequence[Cluster], others: Sequence[Cluster]) -> List[Tuple[float, float]]:
    """List, for each cluster, the share of its links that others have too, and its size; a single one links itself."""
    of = {mention: number for number, cluster in enumerate(others) for mention in cluster}
    shares = []
    for cluster in clusters:
        shared = Counter(of[mention] for mention in cluster if mention in of)
        if len(cluster) == 1:
            found = sum(len(others[number]) == 1 for number in shared)
            shares.append((float(found), 1.0))
        else:
            links = sum(count * (count - 1) // 2 for count in shared.values())
            shares.append((links / (len(cluster) * (len(cluster) - 1) // 2), float(len(cluster))))
    return shares


def right_pronouns(gold: Sequence[Cluster], predicted: Sequence[Dict[CharSpan, str]], text: str) -> List[bool]:
    """Say of each annotated pronoun whether its entity is right.

    It is, if most names of the predicted entity belong to the pronoun's cluster; if that has no name, no name of the
    predicted entity may belong to another cluster.

    predicted (Sequence[Dict[CharSpan, str]]): Kind of each mention of each entity.
    """
    of = {mention: number for number, cluster in enumerate(gold) for mention in cluster}
    entity_of = {mention: entity for entity in predicted for mention in entity}
    found = []
    for number, cluster in enumerate(gold):
        pronouns = sorted(mention for mention in cluster if is_pronoun(tidy(text[slice(*mention)])))
        has_name = len(pronouns) < len(cluster)
        for pronoun in pronouns:
            entity = entity_of.get(pronoun, {})
            counts = Counter(of[each] for each, kind in entity.items() if kind == NAME and each in of)
            if not has_name:
                found.append(not counts.keys() - {number})
            else:
                found.append(bool(counts) and counts.most_common(1)[0][0] == number)
    return found
