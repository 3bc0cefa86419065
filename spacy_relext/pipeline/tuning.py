"""Fit calibration and thresholds of a trained pipeline on held-out data."""

import copy
import warnings
from dataclasses import dataclass
from typing import Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.entities import has_entity_annotation
from ..annotations.store import get_records, has_triples
from ..errors import Errors, Warnings, check_range
from ..scoring.probabilities import (
    Bools,
    Floats,
    Platt,
    calibrate,
    expected_calibration_error,
    fit_platt,
    logit,
    sigmoid,
)
from ..scoring.relations import collect_cells, estimate_label_frequency
from ..scoring.thresholds import best_threshold, f_score, label_thresholds, precision_thresholds
from ..scoring.triples import Outcomes, TripleOutcomes, collect_outcomes
from .pipe import Instances, Outputs, RelationPipe
from .settings import Settings, as_saved, keep_settings

# Candidates with a lower score cannot become triples; the sweep sees all others.
_FLOOR = 0.1

# Gold triples that the values before tuning weigh as much as, and the number below which tuning warns.
PRIOR, FEW_TRIPLES = 100, 50

# Digits of fitted values, so that saving loses none.
_DIGITS = 6

_RAW: Settings = {"scale": 1.0, "shift": 0.0, "thresholds": {}}


@dataclass(frozen=True)
class Goal:
    """What thresholds are chosen for.

    beta (float): Weight of recall relative to precision in F_β, which is maximized; 1: F1.
    precision (Optional[float]): Minimum precision, under which recall is maximized instead of F_β.
    RAISES (ValueError): If a number is out of range.
    """

    beta: float = 1.0
    precision: Optional[float] = None

    def __post_init__(self) -> None:
        check_range("beta", self.beta, 0.01, 100.0)
        if self.precision is not None:
            check_range("precision", self.precision, 0.01, 1.0)

    def score(self, right: int, predicted: int, gold: int) -> float:
        """Compute F_β of counts."""
        return float(f_score(numpy.asarray(right), numpy.asarray(predicted), gold, beta=self.beta))


_F1 = Goal()


def tune_pipeline(
    nlp: Language,
    examples: Iterable[Example],
    *,
    min_positives: int = 10,
    per_label: bool = True,
    goal: Goal = _F1,
    components: Optional[Collection[str]] = None,
) -> Dict[str, Settings]:
    """Fit scale, shift and thresholds of every component of this package, and store them in its settings.

    Platt scaling maps scores to calibrated probabilities without changing their order. Then the thresholds with the
    best F1 are chosen: a common one, and one for each relation with enough correct predictions, shrunk towards the
    common one by cross-validation. All are shrunk towards what they were before, by half for 100 gold triples.
    Detectors come first, since their probabilities are part of a triple's score. If the exact F1 of triples gets worse
    on this data, the detectors are not recalibrated; if it still gets worse, the component keeps all its settings.

    Another goal replaces the F1 of triples; if it is a precision, the settings are kept in any case. Detectors are
    still fitted for F1, unless no component writes triples.

    nlp (Language): A trained pipeline; changed in place.
    examples (Iterable[Example]): Held-out data, not seen in training.
    min_positives (int): Correct predictions that a relation needs for its own threshold.
    goal (Goal): What thresholds are chosen for.
    components (Optional[Collection[str]]): Names of the components to fit; None: all.
    RETURNS (Dict[str, Settings]): For each component: `writes` ("triples" or "relations"), `before` and `after`
        (exact F of triples, micro F of relations), `precision` and `recall` (after), `threshold`, `thresholds`,
        `scale`, `shift`, `ece_before`, `ece_after`, `documents`, `gold`, `goal`; for components that write triples also
        `fitted` (what else was fitted); for detectors also `label_frequency` (overall c), `label_frequencies` (c_j),
        `missing_rates` (1 - c_j), `positives` (number of cells that each c_j is estimated from), `unbiased` (whether
        the detector's loss permits these estimates). For components that write something else: `writes`, `before` and
        `after` (their own score), `documents`, `fitted`, `goal`.
    RAISES (ValueError): If no component is of this package, or one of `components` is not, the data has no triples, or
        nothing sets the entities whose pairs a component classifies.
    """
    examples = list(examples)
    data = [example for example in examples if has_triples(example.reference)]
    found = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, RelationPipe)}
    if not found:
        raise ValueError(Errors.R010.format(found=", ".join(nlp.pipe_names) or "nothing"))
    for name in components or ():
        if name not in found:
            raise ValueError(Errors.R007.format(key="a component to fit", found=name, expected=", ".join(found)))
    found = {name: pipe for name, pipe in found.items() if components is None or name in components}
    pipes = {name: pipe for name, pipe in found.items() if pipe.writes in ("triples", "relations")}
    others = [name for name in found if name not in pipes]
    if pipes:
        _check_count(data)
    results = _tune_relations(nlp, data, pipes, min_positives, per_label, goal) if pipes else {}
    results.update({name: _tune_other(nlp, name, examples, goal) for name in others})
    return {name: results[name] for name in found}


def _tune_other(nlp: Language, name: str, examples: Sequence[Example], goal: Goal) -> Settings:
    """Fit a component that writes neither triples nor relations, as it says itself."""
    pipe: RelationPipe = nlp.get_pipe(name)  # type: ignore[assignment]
    pipe.require_initialized()
    with nlp.select_pipes(disable=nlp.pipe_names[nlp.pipe_names.index(name) :]):
        docs = list(nlp.pipe(example.predicted.copy() for example in examples))
    annotated = [Example(doc, example.reference) for doc, example in zip(docs, examples)]
    before, after = pipe.fit_documents(annotated, beta=goal.beta)
    keep_settings(nlp, name, as_saved({key: pipe.cfg[key] for key in pipe.fitted_first}))
    fitted = {key: pipe.cfg[key] for key in pipe.fitted_first}
    counts = {"documents": len(examples), "before": before, "after": after}
    return {**counts, "writes": pipe.writes, "fitted": fitted, "goal": goal}


def _tune_relations(
    nlp: Language,
    data: List[Example],
    pipes: Dict[str, RelationPipe],
    min_positives: int,
    per_label: bool,
    goal: Goal,
) -> Dict[str, Settings]:
    """Fit the components that write triples or the relations of sentences."""
    before = {name: _fitted_settings(pipe, per_label=per_label) for name, pipe in pipes.items()}
    extractors = [name for name, pipe in pipes.items() if pipe.writes != "relations"]
    goals = {name: goal if name in extractors or not extractors else _F1 for name in pipes}
    tuning = _Tuning(nlp, data, before, min_positives, per_label, goals)
    predictions = {name: _Predictions(nlp, name, data) for name in extractors}
    start = {name: _score(each.outcomes(), goal) for name, each in predictions.items()}
    results = tuning.tune_all(predictions)
    is_compared = goal.precision is None
    if (
        is_compared
        and len(predictions) < len(pipes)
        and any(results[name]["after"] < start[name] for name in predictions)
    ):
        results = tuning.tune_all(predictions, recalibrate=False)
    for name in predictions:
        if is_compared and results[name]["after"] < start[name]:
            keep_settings(nlp, name, before[name])
            results[name].update(copy.deepcopy(before[name]), after=start[name], ece_after=results[name]["ece_before"])
        results[name]["before"] = start[name]
        results[name].update(_precision_and_recall(predictions[name].outcomes()))
        results[name]["fitted"] = {key: pipes[name].cfg[key] for key in pipes[name].fitted_first}
    return {name: results[name] for name in pipes}


def _check_count(data: Sequence[Example]) -> None:
    """Check that there are gold triples, and warn if there are few."""
    count = sum(len(get_records(example.reference, source="") or ()) for example in data)
    if not count:
        raise ValueError(Errors.R011.format(count=len(data)))
    if count < FEW_TRIPLES:
        warnings.warn(Warnings.W012.format(count=count, least=FEW_TRIPLES), stacklevel=3)


class _Predictions:
    """A component's predictions: the model runs once per batch, and decoding can be repeated with other settings."""

    def __init__(self, nlp: Language, name: str, data: Sequence[Example]) -> None:
        """Run the components before this one on copies of the documents, then its model."""
        self.pipe: RelationPipe = nlp.get_pipe(name)  # type: ignore[assignment]
        self.pipe.require_initialized()
        self.data = data
        with nlp.select_pipes(disable=nlp.pipe_names[nlp.pipe_names.index(name) :]):
            docs = list(nlp.pipe(example.predicted.copy() for example in data))
        self.batches: List[Tuple[List[Doc], Instances, Optional[Outputs]]] = []
        for batch in minibatch(docs, nlp.batch_size):
            instances = self.pipe.suggest(batch)
            self.batches.append((batch, instances, self.pipe.run(instances)))

    def examples(self) -> List[Example]:
        """Decode with the current settings."""
        docs: List[Doc] = []
        for batch, instances, outputs in self.batches:
            self.pipe.set_annotations(batch, self.pipe.decode(instances, outputs))
            docs.extend(batch)
        return [Example(doc, example.reference) for doc, example in zip(docs, self.data)]

    def outcomes(self) -> TripleOutcomes:
        """Decode, and align triples with the gold."""
        return collect_outcomes(self.examples(), source=self.pipe.name)


@dataclass
class _Tuning:
    """Fits the components of a pipeline, and keeps what it fits in their settings."""

    nlp: Language
    data: List[Example]
    before: Mapping[str, Settings]  # what is fitted, by component, as it was
    min_positives: int
    per_label: bool
    goals: Mapping[str, Goal]

    def tune_all(self, predictions: Dict[str, _Predictions], *, recalibrate: bool = True) -> Dict[str, Settings]:
        """Fit detectors, with or without their calibration, then the extractors that read their relations."""
        detectors = [name for name in self.before if name not in predictions]
        results = {name: self._tune_detector(name, recalibrate) for name in detectors}
        for name in predictions:
            if detectors:
                predictions[name] = _Predictions(self.nlp, name, self.data)
            results[name] = self._tune_extractor(predictions[name])
        return results

    def _tune_detector(self, name: str, recalibrate: bool) -> Settings:
        """Fit a detector on cells (sentence, relation), and estimate how many true ones are not labelled."""
        predictions = _Predictions(self.nlp, name, self.data)
        cfg = predictions.pipe.cfg
        stored = cfg["min_probability"]
        cfg.update({**copy.deepcopy(_RAW), "min_probability": 0.0})
        raw = collect_cells(predictions.examples())
        cfg["min_probability"] = stored
        result = self._fit(name, raw, floor=0.0, recalibrate=recalibrate)
        frequency = estimate_label_frequency(raw, labels=predictions.pipe.labels)
        scores = calibrate(raw.scores, scale=result["scale"], shift=result["shift"])
        unbiased = cfg["loss"]["kind"] == "bce"
        cfg["label_frequency"] = as_saved(frequency.per_label)
        if unbiased:  # a collective loss is given the missing rates: its probabilities would only repeat them
            cfg["missing_rates"] = as_saved(frequency.missing_rates)
        return {
            **result,
            "writes": "relations",
            "after": _score_at(raw, scores, result, self.goals[name]),
            **_precision_and_recall_at(raw, scores, result),
            "documents": len(self.data),
            "label_frequency": frequency.overall,
            "label_frequencies": frequency.per_label,
            "missing_rates": frequency.missing_rates,
            "positives": frequency.counts,
            "unbiased": unbiased,
        }

    def _tune_extractor(self, predictions: _Predictions) -> Settings:
        pipe, count = predictions.pipe, len(self.data)
        if pipe.fitted_first:
            keep_settings(self.nlp, pipe.name, as_saved(pipe.fit_settings(predictions.examples())))
        pipe.cfg.update({**copy.deepcopy(_RAW), "threshold": _FLOOR})
        raw = predictions.outcomes()
        if not len(raw.scores) and hasattr(pipe, "suggester"):
            if not any(has_entity_annotation(example.predicted) for example in predictions.examples()):
                raise ValueError(Errors.R013.format(name=pipe.name, count=count))
        result = self._fit(pipe.name, raw, floor=_FLOOR)
        return {
            **result,
            "writes": "triples",
            "after": _score(predictions.outcomes(), self.goals[pipe.name]),
            "documents": count,
        }

    def _fit(self, name: str, raw: Outcomes, *, floor: float, recalibrate: bool = True) -> Settings:
        """Fit calibration and thresholds to raw scores, and keep them."""
        old, goal = self.before[name], self.goals[name]
        least = self.min_positives if self.per_label else None
        settings = fit_outcomes(raw, old, goal=goal, floor=floor, min_positives=least, recalibrate=recalibrate)
        keep_settings(self.nlp, name, settings)
        scores, old_scores = (calibrate(raw.scores, scale=one["scale"], shift=one["shift"]) for one in (settings, old))
        return {
            **copy.deepcopy(settings),
            "before": _score_at(raw, old_scores, old, goal),
            "ece_before": expected_calibration_error(old_scores, raw.correct),
            "ece_after": expected_calibration_error(scores, raw.correct),
            "gold": raw.n_gold,
            "goal": goal,
        }


def fit_outcomes(
    raw: Outcomes,
    old: Settings,
    *,
    goal: Goal = _F1,
    floor: float = 0.0,
    min_positives: Optional[int] = 10,
    recalibrate: bool = True,
) -> Settings:
    """Fit calibration and thresholds to raw scores, and shrink them towards what they were.

    The fitted values have the weight n / (n + 100), for n gold items, on the scale of logits; thresholds for a
    precision are not shrunk. Earlier thresholds stay if they do better on this data.

    old (Settings): `scale`, `shift`, `threshold` and `thresholds`, as they were.
    floor (float): Lowest possible raw score.
    min_positives (Optional[int]): Correct predictions that a relation needs for its own threshold; None: it gets none.
    recalibrate (bool): False: keep scale and shift.
    RETURNS (Settings): The keys of `old`.
    """
    weight = raw.n_gold / (raw.n_gold + PRIOR)
    before = Platt(old["scale"], old["shift"])
    fitted = fit_platt(raw.scores, raw.correct) if recalibrate else before
    scale = before.scale * (fitted.scale / before.scale) ** weight
    shift = before.shift + weight * (fitted.shift - before.shift)
    platt = Platt(*as_saved([round(scale, _DIGITS), round(shift, _DIGITS)]))
    scores = calibrate(raw.scores, scale=platt.scale, shift=platt.shift)
    least = float(calibrate(numpy.asarray([floor]), scale=platt.scale, shift=platt.shift)[0])
    moved = _moved(old, platt)
    choices = _fit_thresholds(raw, scores, goal, floor=least, min_positives=min_positives)
    if goal.precision is None:
        choices = [*(_shrink(choice, moved, weight) for choice in choices), moved]
    chosen = max([_rounded(choice) for choice in choices], key=lambda each: _score_at(raw, scores, each, goal))
    return {**chosen, "scale": platt.scale, "shift": platt.shift}


def _fit_thresholds(
    raw: Outcomes, scores: Floats, goal: Goal, *, floor: float, min_positives: Optional[int]
) -> List[Settings]:
    """Fit a common threshold and one for each relation; then also the common one alone, unless for a precision."""
    if goal.precision is not None:
        least = len(scores) + 1 if min_positives is None else min_positives  # more than any relation has
        single, own = precision_thresholds(
            scores, raw.correct, raw.labels, precision=goal.precision, min_positives=least, floor=floor
        )
        return [{"threshold": single, "thresholds": own}]
    single, _ = best_threshold(scores, raw.correct, n_gold=raw.n_gold, floor=floor, beta=goal.beta)
    choices: List[Settings] = [{"threshold": single, "thresholds": {}}]
    if min_positives is not None:
        own = label_thresholds(
            scores,
            raw.correct,
            raw.labels,
            n_gold=raw.gold_per_label,
            min_positives=min_positives,
            floor=floor,
            beta=goal.beta,
        )
        own = {label: value for label, value in own.items() if value != single}
        choices.insert(0, {"threshold": single, "thresholds": own})
    return choices


def _shrink(fitted: Settings, before: Settings, weight: float) -> Settings:
    """Average thresholds with those before, as logits, for each relation that has its own in either."""
    labels = [None, *sorted({*fitted["thresholds"], *before["thresholds"]})]
    new, old = (
        logit(numpy.asarray([each["thresholds"].get(label, each["threshold"]) for label in labels], dtype=float))
        for each in (fitted, before)
    )
    single, *own = sigmoid(weight * new + (1 - weight) * old).tolist()
    return {"threshold": single, "thresholds": {k: v for k, v in zip(labels[1:], own) if v != single}}


def _fitted_settings(pipe: RelationPipe, *, per_label: bool) -> Settings:
    """Copy the settings that tuning fits; without thresholds per label, those of an earlier run are dropped."""
    if not per_label:
        pipe.cfg["thresholds"] = {}
    fitted = ("threshold", "thresholds", "scale", "shift", *pipe.fitted_first)
    return {key: copy.deepcopy(pipe.cfg[key]) for key in fitted}


def _moved(old: Settings, platt: Platt) -> Settings:
    """Map thresholds on old scores to new ones that accept the same predictions."""

    def move(threshold: float) -> float:
        raw = calibrate(numpy.asarray([threshold]), scale=1.0 / old["scale"], shift=-old["shift"] / old["scale"])
        return float(calibrate(raw, scale=platt.scale, shift=platt.shift)[0])

    thresholds = {label: move(value) for label, value in old["thresholds"].items()}
    return {"threshold": move(old["threshold"]), "thresholds": thresholds}


def _rounded(choice: Settings) -> Settings:
    """Round thresholds to the digits that they are saved with."""
    thresholds = {label: round(value, _DIGITS) for label, value in choice["thresholds"].items()}
    return dict(as_saved({"threshold": round(choice["threshold"], _DIGITS), "thresholds": thresholds}))


def _accepted(raw: Outcomes, scores: Floats, settings: Settings) -> Bools:
    """Mark the predictions that some thresholds accept. Shape (N,)"""
    thresholds: Mapping[str, float] = settings["thresholds"]
    cuts = numpy.asarray([thresholds.get(label, settings["threshold"]) for label in raw.labels], dtype=numpy.float64)
    return numpy.asarray(scores >= cuts)


def _score_at(raw: Outcomes, scores: Floats, settings: Settings, goal: Goal) -> float:
    accepted = _accepted(raw, scores, settings)
    return goal.score(int((accepted & raw.correct).sum()), int(accepted.sum()), raw.n_gold)


def _score(outcomes: TripleOutcomes, goal: Goal) -> float:
    return goal.score(int(outcomes.correct.sum()), len(outcomes.scores), outcomes.n_gold)


def _precision_and_recall_at(raw: Outcomes, scores: Floats, settings: Settings) -> Settings:
    accepted = _accepted(raw, scores, settings)
    right = int((accepted & raw.correct).sum())
    return {"precision": right / max(1, int(accepted.sum())), "recall": right / max(1, raw.n_gold)}


def _precision_and_recall(outcomes: TripleOutcomes) -> Settings:
    right = int(outcomes.correct.sum())
    return {"precision": right / max(1, len(outcomes.scores)), "recall": right / max(1, outcomes.n_gold)}
