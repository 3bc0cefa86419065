"""Scores of the detector: which relations does a sentence state?

Gold relations of a sentence are those of the gold triples whose two arguments lie in it; what the detector says
stands under `sent._.relations`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Callable, DefaultDict, Dict, Iterable, List, Mapping, Optional, Set, Tuple, Union

import numpy as np
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.store import RELATIONS_KEY, char_span, get_relations
from ..annotations.triple import CharSpan
from .calibration import average_precision
from .sentences import inside, sentence_offsets
from .triples import gold_records

Threshold = Union[float, Mapping[str, float]]

DEFAULT_THRESHOLD = 0.5

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
    """The callable behind `spacy_relext.relation_scorer.v1`; a class so that it can be pickled for `n_process`.

    threshold (Optional[Threshold]): Overrides the component's own setting; None: take the component's.
    """

    threshold: Optional[Threshold] = None

    def __call__(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score examples.

        examples (Iterable[Example]): Predicted and reference documents.
        **kwargs (Any): The component's settings, of which `threshold` (one number, or relation → number) and
            `thresholds` (relation → number) are read.
        RETURNS (Dict[str, Any]): As `score_relations`.
        """
        threshold = kwargs.get("threshold") if self.threshold is None else self.threshold
        per_label = kwargs.get("thresholds") if self.threshold is None else None
        return score_relations(examples, threshold=threshold, thresholds=per_label)


@registry.scorers("spacy_relext.relation_scorer.v1")
def make_relation_scorer(threshold: Optional[float] = None) -> Callable[..., Dict[str, Any]]:
    """Build the scorer of components that detect relations.

    threshold (Optional[float]): Least probability of a detected relation; None: the component's own thresholds.
    RETURNS (Callable[..., Dict[str, Any]]): Takes (examples, **kwargs), gives what `score_relations` gives.
    """
    return RelationScorer(threshold=threshold)


def score_relations(
    examples: Iterable[Example],
    *,
    threshold: Optional[Threshold] = None,
    thresholds: Optional[Mapping[str, float]] = None,
) -> Dict[str, Any]:
    """Compare each sentence's detected relations with those of its gold triples.

    A relation of a gold triple that no single sentence holds counts as a miss. Keys, all fractions, None where no
    document is annotated or no detector wrote anything: `relations_micro_p`, `relations_micro_r`,
    `relations_micro_f` (the default score), `relations_macro_f` (mean over the relations in gold), `relations_ap`
    (average precision over all pairs of sentence and relation, whatever the threshold), `relations_per_type`.

    examples (Iterable[Example]): Predicted and reference documents of the same text.
    threshold (Optional[Threshold]): Least probability of a detected relation, one or one per relation; 0.5 if None.
    thresholds (Optional[Mapping[str, float]]): Per relation, going before `threshold`.
    RETURNS (Dict[str, Any]): The scores.
    """
    tally = _Tally(_merged(threshold, thresholds))
    for example in examples:
        tally.count(example)
    return tally.scores()


def gold_relations(example: Example) -> Optional[List[Tuple[CharSpan, Set[str]]]]:
    """Read which relations each sentence of an example states.

    example (Example): The example.
    RETURNS (Optional[List[Tuple[CharSpan, Set[str]]]]): Sentence offsets and relations; None where not annotated.
    """
    gold = gold_records(example)
    if gold is None:
        return None
    return [
        (sentence, {r["relation"] for r in gold if inside(r["subject"], sentence) and inside(r["object"], sentence)})
        for sentence in sentence_offsets(example)
    ]


def crossing_relations(example: Example, sentences: List[CharSpan]) -> Set[str]:
    """List the relations of gold triples that no single sentence holds.

    example (Example): The example.
    sentences (List[CharSpan]): Its sentences.
    RETURNS (Set[str]): Relations.
    """
    return {
        record["relation"]
        for record in gold_records(example) or []
        if not any(inside(record["subject"], s) and inside(record["object"], s) for s in sentences)
    }


@dataclass
class _Tally:
    """Counts over the sentences seen so far."""

    thresholds: Callable[[str], float]
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
        self.detected = self.detected or RELATIONS_KEY in example.predicted.user_data
        for sentence, gold in sentences:
            span = char_span(example.predicted, sentence)
            self._count_sentence(gold, get_relations(span) if span is not None else {})
        self._count_sentence(crossing_relations(example, [sentence for sentence, _ in sentences]), {})

    def _count_sentence(self, gold: Set[str], probs: Dict[str, float]) -> None:
        found = {label for label, probability in probs.items() if probability >= self.thresholds(label)}
        self.micro.score_set(found, gold)
        for label in found | gold:
            self.per_type[label].score_set(found & {label}, gold & {label})
        self.gold_labels |= gold
        self.n_gold += len(gold)
        self.probs.extend(probs.values())
        self.correct.extend(label in gold for label in probs)

    def scores(self) -> Dict[str, Any]:
        """Turn the counts into fractions."""
        if not (self.annotated and self.detected):
            return {key: None for key in RELATION_SCORE_WEIGHTS}
        of_gold = [self.per_type[label].fscore for label in sorted(self.gold_labels)]
        ap = average_precision(np.asarray(self.probs), np.asarray(self.correct, dtype=bool), n_gold=self.n_gold)
        return {
            "relations_micro_p": self.micro.precision,
            "relations_micro_r": self.micro.recall,
            "relations_micro_f": self.micro.fscore,
            "relations_macro_f": sum(of_gold) / len(of_gold) if of_gold else None,
            "relations_ap": ap,
            "relations_per_type": {label: prf.to_dict() for label, prf in sorted(self.per_type.items())},
        }


def _merged(threshold: Optional[Threshold], thresholds: Optional[Mapping[str, float]]) -> Callable[[str], float]:
    """Make the look-up of a relation's threshold."""
    per_label = dict(threshold) if isinstance(threshold, Mapping) else {}
    per_label.update(thresholds or {})
    default = DEFAULT_THRESHOLD if threshold is None or isinstance(threshold, Mapping) else threshold
    return lambda label: per_label.get(label, default)
