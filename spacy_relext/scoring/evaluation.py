"""Evaluation of a pipeline on a corpus: all scores, calibration and speed."""

import time
from dataclasses import dataclass
from typing import Callable, Collection, Iterable, Iterator, List, Optional, Sequence

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.store import get_records, set_relations
from ..errors import Errors
from .calibration import best_threshold, bootstrap_f1, expected_calibration_error
from .cluster_scorer import clusters_source, score_beside_clusters
from .outcomes import TripleOutcomes, collect_outcomes
from .relations import RELATION_SCORE_WEIGHTS, gold_relations, score_relations
from .triples import Scores, gold_records, score_triples

# Assigned by components that detect the relations of sentences.
RELATIONS = "span._.relations"

SHARED = "shared"


@dataclass
class EvaluationSettings:
    """Settings of `evaluate_pipeline`.

    batch_size (int): Documents per batch.
    label_filter (Optional[Collection[str]]): Score these relations only.
    gold_relations (bool): Replace the detector's relations of each sentence by gold ones.
    look (Optional[Callable[[List[Example]], None]]): Called with the predictions and their gold.
    """

    batch_size: int = 64
    label_filter: Optional[Collection[str]] = None
    gold_relations: bool = False
    look: Optional[Callable[[List[Example]], None]] = None


def evaluate_pipeline(nlp: Language, examples: Iterable[Example], *, settings: EvaluationSettings) -> Scores:
    """Predict the documents of some examples and score them.

    nlp (Language): The pipeline.
    examples (Iterable[Example]): References with gold triples; predictions are made on copies of the predicted Docs,
        which may have given annotation, such as sentences or entities.
    settings (EvaluationSettings): How to evaluate.
    RETURNS (Scores): The keys of `score_triples` (of all components) and `score_relations`, those of the pipeline's
        other scorers, calibration, counts and speed, and those of `score_beside_clusters` if relations are clusters;
        `docs/scores.md` lists them.
    """
    if settings.gold_relations and not detector_names(nlp):
        raise ValueError(Errors.R220.format(found=", ".join(nlp.pipe_names) or "empty"))
    references: List[Doc] = []
    started = time.perf_counter()
    predicted = list(_predict(nlp, _copies(examples, references), references, settings))
    seconds = time.perf_counter() - started
    compared = [Example(doc, reference) for doc, reference in zip(predicted, references)]
    metrics: Scores = Scorer(nlp=nlp).score(compared)
    if metrics.get("relations_micro_f") is None:
        metrics.update(score_relations(compared))
    if settings.gold_relations:  # they would score themselves
        metrics.update({key: None for key in RELATION_SCORE_WEIGHTS})
    source = clusters_source(nlp)
    if source is not None:
        metrics.update(score_beside_clusters(compared, source=source))
    metrics.update(score_triples(compared, label_filter=settings.label_filter))
    metrics.update(score_confidence(collect_outcomes(compared, label_filter=settings.label_filter)))
    metrics.update(_counts(compared, seconds))
    if settings.look is not None:
        settings.look(compared)
    return metrics


def score_confidence(outcomes: TripleOutcomes) -> Scores:
    """Score the calibration of triples, and compare F1 with that of the best threshold.

    outcomes (TripleOutcomes): Scored triples.
    RETURNS (Scores): `ece` (bins of equal mass), `ece_width` (bins of equal width), `best_threshold` and
        `best_threshold_f` over the triples that were emitted, `exact_f_low` and `exact_f_high` (95 % bootstrap
        interval over documents), `n_gold`, `n_predicted`, `support_per_type`.
    """
    scores, correct = outcomes.scores, outcomes.correct
    threshold, best_f = best_threshold(scores, correct, n_gold=outcomes.n_gold)
    right, predicted = outcomes.per_document(correct), outcomes.per_document()
    low, high = bootstrap_f1(right, predicted, outcomes.gold_per_document)
    known = len(outcomes.gold_per_document) > 0
    return {
        "ece": expected_calibration_error(scores, correct),
        "ece_width": expected_calibration_error(scores, correct, bins="width"),
        "best_threshold": threshold if correct.any() else None,
        "best_threshold_f": best_f if known else None,
        "exact_f_low": low if known else None,
        "exact_f_high": high if known else None,
        "n_gold": outcomes.n_gold,
        "n_predicted": len(scores),
        "support_per_type": outcomes.gold_per_label,
    }


def choose_labels(nlp: Language, examples: Sequence[Example], wanted: Optional[List[str]]) -> Optional[List[str]]:
    """Choose the relations to score.

    nlp (Language): The pipeline.
    examples (Sequence[Example]): The corpus.
    wanted (Optional[List[str]]): Relations; ["shared"]: those of the corpus that the pipeline knows; None: all.
    RETURNS (Optional[List[str]]): The relations, sorted; None: all.
    RAISES (ValueError): If no relation is left.
    """
    if wanted is None:
        return None
    known = {label for labels in nlp.pipe_labels.values() for label in labels}
    gold = {record["relation"] for example in examples for record in gold_records(example) or []}
    chosen = sorted(gold & known) if wanted == [SHARED] else sorted(set(wanted) & (gold | known))
    if not chosen:
        listed = [", ".join(sorted(labels)) or "none" for labels in (gold, known)]
        raise ValueError(Errors.R210.format(gold=listed[0], known=listed[1]))
    return chosen


def detector_names(nlp: Language) -> List[str]:
    """List the components that detect relations.

    nlp (Language): The pipeline.
    RETURNS (List[str]): Their names in the pipeline.
    """
    return [name for name in nlp.pipe_names if RELATIONS in nlp.get_pipe_meta(name).assigns]


def _copies(examples: Iterable[Example], references: List[Doc]) -> Iterator[Doc]:
    """Yield copies of the predicted Docs, and append their references to a list."""
    for example in examples:
        references.append(example.reference)
        yield example.predicted.copy()


def _predict(
    nlp: Language, docs: Iterable[Doc], references: Sequence[Doc], settings: EvaluationSettings
) -> Iterator[Doc]:
    """Run the pipeline; gold relations replace the detector's after it."""
    if not settings.gold_relations:
        yield from nlp.pipe(docs, batch_size=settings.batch_size)
        return
    last = nlp.pipe_names.index(detector_names(nlp)[-1])
    before, after = nlp.pipe_names[: last + 1], nlp.pipe_names[last + 1 :]
    with nlp.select_pipes(enable=before):
        detected = list(nlp.pipe(docs, batch_size=settings.batch_size))
    for doc, reference in zip(detected, references):
        stated = gold_relations(Example(doc, reference)) or []
        set_relations(doc, [(sentence, {label: 1.0 for label in labels}) for sentence, labels in stated])
    with nlp.select_pipes(enable=after):
        yield from nlp.pipe(detected, batch_size=settings.batch_size)


def _counts(examples: Sequence[Example], seconds: float) -> Scores:
    """Count documents and compute speed, without the tokenizer's time."""
    annotated = sum(get_records(example.reference) is not None for example in examples)
    words = sum(len(example.predicted) for example in examples)
    return {
        "n_documents": len(examples),
        "n_annotated": annotated,
        "seconds": seconds,
        "docs_per_second": len(examples) / max(seconds, 1e-9),
        "words_per_second": words / max(seconds, 1e-9),
    }
