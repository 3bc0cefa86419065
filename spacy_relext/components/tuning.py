"""Fit calibration and thresholds of a trained pipeline on held-out data."""

from typing import Any, Dict, Iterable, List

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from ..scoring.calibration import best_threshold, expected_calibration_error, label_thresholds
from ..scoring.outcomes import TripleOutcomes, collect_outcomes
from ..scoring.probabilities import apply_platt, fit_platt
from .base import RelationPipe

# What is below cannot become a triple; above it the sweep sees every candidate.
_FLOOR = 0.001


def tune_pipeline(
    nlp: Language, examples: Iterable[Example], *, min_positives: int = 10, per_label: bool = True
) -> Dict[str, Any]:
    """Fit scale, shift and thresholds of every component that writes triples, and keep them in its settings.

    Scores are mapped to calibrated probabilities by a logistic curve (Platt), which leaves their order as it is; then
    the threshold with the best exact F1 is chosen, one for each relation with enough right predictions.

    nlp (Language): A trained pipeline; changed in place.
    examples (Iterable[Example]): Held-out data, not seen in training.
    min_positives (int): Right predictions a relation needs for a threshold of its own.
    per_label (bool): Whether to fit thresholds per relation at all.
    RETURNS (Dict[str, Any]): For each component: `before` and `after` (exact F1 on this data), `threshold`,
        `thresholds`, `scale`, `shift`, `ece_before`, `ece_after`, `documents`, `gold`.
    RAISES (ValueError): Where no component writes triples or the data holds none.
    """
    data = list(examples)
    names = [name for name, pipe in nlp.pipeline if isinstance(pipe, RelationPipe) and "threshold" in pipe.cfg]
    if not names:
        raise ValueError(Errors.R010.format(found=", ".join(nlp.pipe_names) or "nothing"))
    return {name: _tune(nlp, name, data, min_positives, per_label) for name in names}


def _tune(nlp: Language, name: str, data: List[Example], min_positives: int, per_label: bool) -> Dict[str, Any]:
    """Fit one component."""
    settings = nlp.get_pipe(name).cfg  # type: ignore[attr-defined]
    before = _f1(_outcomes(nlp, name, data))
    settings.update(threshold=_FLOOR, thresholds={}, scale=1.0, shift=0.0)
    raw = _outcomes(nlp, name, data)
    if not raw.n_gold:
        raise ValueError(Errors.R011.format(count=len(data)))
    platt = fit_platt(raw.scores, raw.correct)
    scores = apply_platt(raw.scores, platt)
    threshold, _ = best_threshold(scores, raw.correct, n_gold=raw.n_gold)
    thresholds: Dict[str, float] = {}
    if per_label:
        fitted = label_thresholds(
            scores, raw.correct, raw.labels, n_gold=raw.gold_per_label, min_positives=min_positives
        )
        thresholds = {label: value for label, value in fitted.items() if value != threshold}
    settings.update(threshold=threshold, thresholds=thresholds, scale=platt.slope, shift=platt.bias)
    after = _outcomes(nlp, name, data)
    return {
        "before": before,
        "after": _f1(after),
        "threshold": threshold,
        "thresholds": thresholds,
        "scale": platt.slope,
        "shift": platt.bias,
        "ece_before": expected_calibration_error(raw.scores, raw.correct),
        "ece_after": expected_calibration_error(scores, raw.correct),
        "documents": len(data),
        "gold": raw.n_gold,
    }


def _outcomes(nlp: Language, name: str, data: List[Example]) -> TripleOutcomes:
    """Run the pipeline on copies and line its triples up with the gold."""
    docs = nlp.pipe(example.predicted.copy() for example in data)
    compared = [Example(doc, example.reference) for doc, example in zip(docs, data)]
    return collect_outcomes(compared, source=name)


def _f1(outcomes: TripleOutcomes) -> float:
    """Exact F1 of what was predicted."""
    return 2.0 * float(outcomes.correct.sum()) / max(1, len(outcomes.scores) + outcomes.n_gold)
