"""Tune a trained pipeline on held-out data and score it on test corpora."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.training import Example

from benchmarks.harness.datasets import DataSet
from benchmarks.rere.unseen import Judged, read_facts, score_by_training
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.pipeline.tuning import tune_pipeline
from spacy_relext.scoring.evaluation import SHARED, TrainingFacts, choose_labels, evaluate_pipeline
from spacy_relext.scoring.triples import collect_outcomes, compare_documents, gold_records

METRICS = (
    *("exact_p", "exact_r", "exact_f", "unseen_p", "unseen_r", "unseen_f", "span_f", "partial_f", "macro_f"),
    *("direction_accuracy", "ece", "relations_micro_f", "relations_macro_f", "relations_ap", "empty_error_rate"),
    "best_threshold_f",
)
POINTER_GRID = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
EXTRACTOR, DETECTOR = "rere_extractor", "rere_detector"
# Low enough that every candidate is on the precision-recall curve.
FLOOR = 0.001
CURVE_POINTS = 200


def evaluate(
    pipeline: Path, data: DataSet, *, threads: int, pairing: str = "scored", extras: bool = False
) -> dict[str, Any]:
    """Score a pipeline tuned on the tuning corpus.

    pipeline (Path): A trained pipeline; it is not changed.
    pairing (str): How subjects and objects are paired; for "nearest" the threshold of the pointers is tuned too.
    extras (bool): Also score the pipeline before tuning, and the extractor with gold relations given, on "test".
    RETURNS (dict[str, Any]): `tests` (split → "tuned", "untuned", "gold-relations" → metrics; splits without the
        sentences of training are splits of their own), `labels` (split → which relations are shared, only in the split,
        only in training), `tuning`.
    """
    torch.set_num_threads(threads)
    nlp = spacy.load(pipeline)
    dev = _read_examples(nlp, data.dev)
    tests = {split: _read_examples(nlp, path) for split, path in data.tests.items()}
    result: dict[str, Any] = {
        "tests": {split: {} for split in tests},
        "labels": {split: _compare_labels(nlp, examples) for split, examples in tests.items()},
    }
    training = read_facts(data.train)

    def score(split: str, kind: str, **options: Any) -> None:
        for addition, metrics in _score(nlp, tests[split], training, **options).items():
            result["tests"].setdefault(f"{split}{addition}", {})[kind] = metrics

    if extras:
        score("test", "untuned")
    result["tuning"] = _tune(nlp, dev, pairing=pairing)
    for split, examples in tests.items():
        labels = choose_labels(nlp, examples, [SHARED]) if split in data.foreign else None
        score(split, "tuned", labels=labels)
    if extras:
        score("test", "gold-relations", gold_relations=True)
    return result


def compare_thresholds(
    pipeline: Path, thinned: DataSet, *, complete: Path, labelled: float, threads: int
) -> dict[str, Any]:
    """Score a pipeline on "test" with each way of choosing thresholds where labels are missing.

    thinned (DataSet): Its training and tuning sentences lack labels.
    complete (Path): The tuning sentences with all of them.
    labelled (float): Share of the facts that are labelled, c. If p is the probability that a triple is labelled, p / c
        is the probability that it is true (Elkan and Noto, KDD 2008, lemma 1): it is more often true than not from
        p = c / 2 on.
    RETURNS (dict[str, Any]): `thresholds` (way → metrics), `curve`.
    """
    torch.set_num_threads(threads)
    training = read_facts(thinned.train)
    nlp = spacy.load(pipeline)
    dev, test = (_read_examples(nlp, path) for path in (thinned.dev, thinned.tests["test"]))
    scores = {"at 0.5": _score(nlp, test, training)[""]}
    _tune(nlp, dev, pairing="scored")
    scores["tuned"] = _score(nlp, test, training)[""]
    nlp.get_pipe(EXTRACTOR).cfg.update(threshold=labelled / 2, thresholds={})  # type: ignore[attr-defined]
    scores["at c/2"] = _score(nlp, test, training)[""]
    curve = _trace_curve(nlp, test)
    nlp = load_tuned(pipeline, complete, threads=threads)
    scores["tuned on complete sentences"] = _score(nlp, test, training)[""]
    return {"thresholds": scores, "curve": curve}


def load_tuned(pipeline: Path, dev: Path, *, threads: int) -> Language:
    """Load a pipeline, calibrated and with thresholds for the tuning corpus."""
    torch.set_num_threads(threads)
    nlp = spacy.load(pipeline)
    _tune(nlp, _read_examples(nlp, dev), pairing="scored")
    return nlp


def _read_examples(nlp: Language, corpus: Path) -> list[Example]:
    """Read a corpus with its sentence bounds."""
    return list(TripleCorpus(corpus, gold_sents=True)(nlp))


def _score(
    nlp: Language,
    examples: Sequence[Example],
    training: TrainingFacts,
    *,
    labels: list[str] | None = None,
    gold_relations: bool = False,
) -> dict[str, dict[str, float]]:
    """Evaluate, and keep what a table may show. RETURNS: Suffix of the split's name → metric → fraction."""
    compared: list[Example] = []
    options: dict[str, Any] = {"label_filter": labels, "give_relations": gold_relations}
    scores = evaluate_pipeline(nlp, examples, on_predictions=compared.extend, **options)
    if labels is not None:  # the scorer of the detector counts all relations
        scores = {key: value for key, value in scores.items() if not key.startswith("relations_")}
    documents = compare_documents(compared, label_filter=labels)
    judged = [Judged(each.example.reference.text, each.gold_keys, each.scores) for each in documents]
    by_training = score_by_training(judged, training)
    by_training[""] = {**scores, **by_training[""]}
    return {
        addition: {key: float(values[key]) for key in METRICS if values.get(key) is not None}
        for addition, values in by_training.items()
    }


def _tune(nlp: Language, dev: Sequence[Example], *, pairing: str) -> dict[str, Any]:
    """Fit calibration and thresholds, in place."""
    extractor = nlp.get_pipe(EXTRACTOR).cfg  # type: ignore[attr-defined]
    decoding = extractor["decoding"]
    best: dict[str, Any] = {"after": -1.0}
    settings: dict[str, Any] = {}
    for threshold in (decoding["span_threshold"],) if pairing == "scored" else POINTER_GRID:
        extractor["decoding"] = {**decoding, "pairing": pairing, "span_threshold": threshold}
        tuned = tune_pipeline(nlp, dev)[EXTRACTOR]
        tuned.pop("goal", None)  # the F1 goal, which is not JSON
        if tuned["after"] > best["after"]:
            best, settings = {**tuned, "span_threshold": threshold}, dict(extractor)
    extractor.update(settings)
    best["relation_threshold"] = nlp.get_pipe(DETECTOR).cfg["threshold"]  # type: ignore[attr-defined]
    return best


def _compare_labels(nlp: Language, examples: Sequence[Example]) -> dict[str, list[str]]:
    """List the relations that pipeline and test corpus share, and those that only one has."""
    known = set(nlp.pipe_labels[EXTRACTOR])
    gold = {record["relation"] for example in examples for record in gold_records(example) or []}
    return {
        "shared": sorted(gold & known),
        "only_in_split": sorted(gold - known),
        "only_in_training": sorted(known - gold),
    }


def _trace_curve(nlp: Language, examples: Sequence[Example]) -> dict[str, list[float]]:
    """Trace precision and recall over the triples, from the highest score to the lowest."""
    nlp.get_pipe(EXTRACTOR).cfg.update(threshold=FLOOR, thresholds={})  # type: ignore[attr-defined]
    outcomes = collect_outcomes(_predict(nlp, examples))
    order = numpy.argsort(-outcomes.scores, kind="stable")
    correct = numpy.cumsum(outcomes.correct[order])
    indices = numpy.unique(numpy.linspace(0, len(correct) - 1, CURVE_POINTS).astype(int)) if len(correct) else []
    return {
        "precision": [float(correct[at] / (at + 1)) for at in indices],
        "recall": [float(correct[at] / outcomes.n_gold) for at in indices],
    }


def _predict(nlp: Language, examples: Sequence[Example]) -> list[Example]:
    docs = nlp.pipe((example.predicted.copy() for example in examples), batch_size=64)
    return [Example(doc, example.reference) for doc, example in zip(docs, examples)]
