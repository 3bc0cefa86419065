"""Scores of relation detection: which relations does a sentence state?

Gold relations of a sentence are those of the gold triples whose two arguments lie in it; predicted ones are in
`sent._.relations`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Callable, DefaultDict, Dict, Iterable, List, Mapping, Optional, Set, Tuple, Union

import numpy
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.sentences import is_inside, sentence_offsets
from ..annotations.store import char_span, get_relations, has_relations
from ..annotations.triple import CharSpan, Record
from .calibration import DEFAULT_THRESHOLD, average_precision
from .triples import Scores, gold_records

Threshold = Union[float, Mapping[str, float]]

RELATION_SCORE_WEIGHTS: Dict[str, Optional[float]] = {
    "relations_micro_f": 1.0,
    "relations_micro_p": 0.0,
    "relations_micro_r": 0.0,
    "relations_macro_f": 0.0,
    "relations_ap": 0.0,
    "relations_per_type": None,
}


@dataclass(frozen=True)
class RelationScorer:
    """The scorer `spacy_relext.relation_scorer.v1`; a class, which `n_process` can pickle.

    threshold (Optional[Threshold]): Overrides the component's setting; None: the component's.
    """

    threshold: Optional[Threshold] = None

    def __call__(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """Score examples.

        examples (Iterable[Example]): Predicted and reference documents.
        **kwargs: The component's settings; `threshold` (one number, or relation → number) and `thresholds` (relation →
            number) are read.
        RETURNS (Scores): As `score_relations`.
        """
        threshold = kwargs.get("threshold") if self.threshold is None else self.threshold
        per_label = kwargs.get("thresholds") if self.threshold is None else None
        return score_relations(examples, threshold=threshold, thresholds=per_label)


@registry.scorers("spacy_relext.relation_scorer.v1")
def make_relation_scorer(threshold: Optional[float] = None) -> Callable[..., Scores]:
    """Build the scorer of components that detect relations.

    threshold (Optional[float]): Least probability of a detected relation; None: the component's thresholds.
    RETURNS (Callable[..., Scores]): Takes (examples, **kwargs), returns the scores of `score_relations`.
    """
    return RelationScorer(threshold=threshold)


def score_relations(
    examples: Iterable[Example],
    *,
    threshold: Optional[Threshold] = None,
    thresholds: Optional[Mapping[str, float]] = None,
) -> Scores:
    """Compare each sentence's detected relations with those of its gold triples.

    A relation of a gold triple that crosses sentences counts as a miss. Keys, all fractions, None if no document is
    annotated or no detector ran: `relations_micro_p`, `relations_micro_r`, `relations_micro_f` (the default score),
    `relations_macro_f` (mean over the relations in gold), `relations_ap` (average precision over all pairs of sentence
    and relation), `relations_per_type`.

    examples (Iterable[Example]): Predicted and reference documents of the same text.
    threshold (Optional[Threshold]): Least probability of a detected relation, one or one per relation; 0.5 if None.
    thresholds (Optional[Mapping[str, float]]): Per relation; overrides `threshold`.
    RETURNS (Scores): By key.
    """
    per_label = {**(threshold if isinstance(threshold, Mapping) else {}), **(thresholds or {})}
    common = DEFAULT_THRESHOLD if threshold is None or isinstance(threshold, Mapping) else threshold
    tally = _Tally(per_label, common)
    for example in examples:
        tally.count(example)
    return tally.scores()


def gold_relations(example: Example) -> Optional[List[Tuple[CharSpan, Set[str]]]]:
    """Read the gold relations of each sentence of an example.

    example (Example): The example.
    RETURNS (Optional[List[Tuple[CharSpan, Set[str]]]]): Sentence offsets and relations; None if not annotated.
    """
    gold = gold_records(example)
    if gold is None:
        return None
    return [
        (sentence, {record["relation"] for record in gold if _lies_in(record, sentence)})
        for sentence in sentence_offsets(example)
    ]


def crossing_relations(example: Example, sentences: List[CharSpan]) -> Set[str]:
    """List the relations of gold triples that cross sentences.

    example (Example): The example.
    sentences (List[CharSpan]): Its sentences.
    RETURNS (Set[str]): Relations.
    """
    return {
        record["relation"]
        for record in gold_records(example) or []
        if not any(_lies_in(record, sentence) for sentence in sentences)
    }


@dataclass
class _Tally:
    """Counts over the sentences seen so far."""

    thresholds: Mapping[str, float]
    threshold: float
    annotated: bool = False
    detected: bool = False
    micro: PRFScore = field(default_factory=PRFScore)
    per_type: DefaultDict[str, PRFScore] = field(default_factory=lambda: defaultdict(PRFScore))
    gold_labels: Set[str] = field(default_factory=set)
    probs: List[float] = field(default_factory=list)
    correct: List[bool] = field(default_factory=list)
    n_gold: int = 0

    def count(self, example: Example) -> None:
        """Add the sentences of one document."""
        sentences = gold_relations(example)
        if sentences is None:
            return
        self.annotated = True
        self.detected = self.detected or has_relations(example.predicted)
        for sentence, gold in sentences:
            span = char_span(example.predicted, sentence)
            self._count_sentence(gold, get_relations(span) if span is not None else {})
        self._count_sentence(crossing_relations(example, [sentence for sentence, _ in sentences]), {})

    def _count_sentence(self, gold: Set[str], probs: Dict[str, float]) -> None:
        detected = {label for label, p in probs.items() if p >= self.thresholds.get(label, self.threshold)}
        self.micro.score_set(detected, gold)
        for label in detected | gold:
            self.per_type[label].score_set(detected & {label}, gold & {label})
        self.gold_labels |= gold
        self.n_gold += len(gold)
        self.probs.extend(probs.values())
        self.correct.extend(label in gold for label in probs)

    def scores(self) -> Scores:
        """Compute the scores from the counts."""
        if not (self.annotated and self.detected):
            return {key: None for key in RELATION_SCORE_WEIGHTS}
        of_gold = [self.per_type[label].fscore for label in sorted(self.gold_labels)]
        ap = average_precision(numpy.asarray(self.probs), numpy.asarray(self.correct, dtype=bool), n_gold=self.n_gold)
        return {
            "relations_micro_p": self.micro.precision,
            "relations_micro_r": self.micro.recall,
            "relations_micro_f": self.micro.fscore,
            "relations_macro_f": sum(of_gold) / len(of_gold) if of_gold else None,
            "relations_ap": ap,
            "relations_per_type": {label: prf.to_dict() for label, prf in sorted(self.per_type.items())},
        }


def _lies_in(record: Record, sentence: CharSpan) -> bool:
    return is_inside(record["subject"], sentence) and is_inside(record["object"], sentence)
