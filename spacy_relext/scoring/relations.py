"""Scores of relation detection: which relations does a sentence state? Also: how many of them are not labelled?

Gold relations of a sentence are those of the gold triples whose two arguments lie in it; predicted ones are in
`sent._.relations`. A cell is one sentence and one relation.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Union

import numpy
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.judged import get_judged
from ..annotations.sentences import is_inside, sentence_offsets
from ..annotations.store import char_span, get_relations, has_relations
from ..annotations.triple import CharSpan, Record
from ..errors import check_range
from .thresholds import DEFAULT_THRESHOLD, average_precision
from .triples import Outcomes, Scores, gold_records, mean, score_per_label

Threshold = Union[float, Mapping[str, float]]

RELATION_SCORE_WEIGHTS: Dict[str, Optional[float]] = {
    "relations_micro_f": 1.0,
    "relations_micro_p": None,
    "relations_micro_r": None,
    "relations_macro_f": None,
    "relations_ap": 0.0,
    "relations_per_type": None,
}

_LEAST_FREQUENCY = 0.1

_SHRINKAGE = 10.0  # number of labelled cells that the overall frequency counts as


@registry.scorers("spacy_relext.relation_scorer.v1")
@dataclass(frozen=True)
class RelationScorer:
    """Scorer of components that detect relations; a class, which `n_process` can pickle.

    threshold (Optional[float]): Minimum probability of a detected relation; None: the component's thresholds.
    """

    threshold: Optional[float] = None

    def __post_init__(self) -> None:
        """Check the threshold. RAISES (ValueError): If it is out of its range."""
        check_range("threshold", self.threshold or 0.0, 0.0, 1.0)

    def __call__(
        self,
        examples: Iterable[Example],
        *,
        threshold: Optional[Threshold] = None,
        thresholds: Optional[Mapping[str, float]] = None,
        **settings: object,
    ) -> Scores:
        """Return the scores of `score_relations`; of the component's settings only the thresholds are read."""
        if self.threshold is not None:
            threshold, thresholds = self.threshold, None
        return score_relations(examples, threshold=threshold, thresholds=thresholds)


@dataclass(frozen=True)
class LabelFrequency:
    """Share of the true relations that is labelled: c, and c_j of each relation (Elkan and Noto, KDD 2008).

    overall (float): c, mean probability of all labelled cells.
    per_label (Dict[str, float]): c_j, shrunk towards c.
    counts (Dict[str, int]): Number of labelled cells of each relation.
    """

    overall: float
    per_label: Dict[str, float]
    counts: Dict[str, int]

    @property
    def missing_rates(self) -> Dict[str, float]:
        """RETURNS (Dict[str, float]): τ_j = 1 - c_j."""
        return {label: round(1.0 - frequency, 6) for label, frequency in self.per_label.items()}


def score_relations(
    examples: Iterable[Example],
    *,
    threshold: Optional[Threshold] = None,
    thresholds: Optional[Mapping[str, float]] = None,
) -> Scores:
    """Compare each sentence's detected relations with those of its gold triples.

    A relation of gold triples across sentences counts as one miss per document. Keys, all fractions, None if no
    document is annotated or no detector ran: `relations_micro_p`, `relations_micro_r`, `relations_micro_f` (the default
    score), `relations_macro_f` (mean over the relations in gold), `relations_ap` (average precision over all cells),
    `relations_per_type`.

    threshold (Optional[Threshold]): Minimum probability of a detected relation, one or one per relation; 0.5 if None.
    thresholds (Optional[Mapping[str, float]]): Per relation; overrides `threshold`.
    """
    annotated = [example for example in examples if gold_records(example) is not None]
    if not any(has_relations(example.predicted) for example in annotated):
        return {key: None for key in RELATION_SCORE_WEIGHTS}
    per_label = {**(threshold if isinstance(threshold, Mapping) else {}), **(thresholds or {})}
    common = DEFAULT_THRESHOLD if threshold is None or isinstance(threshold, Mapping) else threshold
    cells = collect_cells(annotated)
    is_detected = cells.scores >= numpy.asarray([per_label.get(label, common) for label in cells.labels], "float64")
    detected = [label for label, is_accepted in zip(cells.labels, is_detected) if is_accepted]
    per_type = score_per_label(detected, cells.correct[is_detected], cells.gold_per_label)
    micro = sum(per_type.values(), PRFScore())
    return {
        "relations_micro_p": micro.precision,
        "relations_micro_r": micro.recall,
        "relations_micro_f": micro.fscore,
        "relations_macro_f": mean(per_type[label].fscore for label in cells.gold_per_label),
        "relations_ap": average_precision(cells.scores, cells.correct, n_gold=cells.n_gold),
        "relations_per_type": {label: prf.to_dict() for label, prf in per_type.items()},
    }


def gold_relations(example: Example) -> Optional[List[Tuple[CharSpan, Set[str]]]]:
    """Read character offsets and gold relations of each sentence; None if the reference is not annotated."""
    gold = gold_records(example)
    if gold is None:
        return None
    return [
        (sentence, {record["relation"] for record in gold if _is_stated(record, sentence)})
        for sentence in sentence_offsets(example)
    ]


def collect_cells(examples: Iterable[Example]) -> Outcomes:
    """Collect the stored relation probabilities of sentences as predictions, in the order of the documents.

    examples (Iterable[Example]): Predicted and reference documents; those without annotation are skipped.
    RETURNS (Outcomes): The cells; gold has the sentences that state each relation, and the documents in which it
        crosses sentences.
    """
    cells: List[Tuple[float, bool, str]] = []
    gold_counts = Counter[str]()
    for example in examples:
        sentences, judged = gold_relations(example) or [], get_judged(example.reference)
        for sentence, gold in sentences:
            span = char_span(example.predicted, sentence)
            probs = get_relations(span) if span is not None else {}
            known = [label for label in probs if judged is None or label in judged or label in gold]
            cells += [(probs[label], label in gold, label) for label in known]
            gold_counts.update(gold)
        crossing = [
            record["relation"]
            for record in gold_records(example) or []
            if not any(_is_stated(record, sentence) for sentence, _ in sentences)
        ]
        gold_counts.update(set(crossing))
    return Outcomes(
        scores=numpy.asarray([probability for probability, _, _ in cells], dtype="float64"),
        correct=numpy.asarray([is_correct for _, is_correct, _ in cells], dtype=bool),
        labels=[label for _, _, label in cells],
        gold_per_label=dict(sorted(gold_counts.items())),
    )


def estimate_label_frequency(cells: Outcomes, *, labels: Sequence[str]) -> LabelFrequency:
    """Estimate the share of the true relations that is labelled: the mean probability of labelled held-out cells.

    A detector trained on labels with random gaps gives a true relation the probability that it is labelled. Other
    uncertainty lowers the estimate as well, so 1 - c is an upper bound of the missing share. The estimate is at least
    0.1, and 1 if nothing is labelled.

    cells (Outcomes): Held-out sentences, labelled like the training data, with uncalibrated probabilities.
    """
    names = numpy.asarray(cells.labels, dtype=object)[cells.correct]
    scores = cells.scores[cells.correct]
    overall = _bounded(float(scores.mean()) if len(scores) else 1.0)
    own = {label: scores[names == label] for label in labels}
    per_label = {
        label: _bounded((float(each.sum()) + _SHRINKAGE * overall) / (len(each) + _SHRINKAGE))
        for label, each in own.items()
    }
    return LabelFrequency(overall, per_label, {label: len(each) for label, each in own.items()})


def _bounded(frequency: float) -> float:
    return round(min(1.0, max(_LEAST_FREQUENCY, frequency)), 6)


def _is_stated(record: Record, sentence: CharSpan) -> bool:
    return is_inside(record["subject"], sentence) and is_inside(record["object"], sentence)
