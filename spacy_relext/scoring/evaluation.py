"""Run a pipeline over a corpus and gather every score, with speed and calibration."""

import time
from dataclasses import dataclass
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List, Optional, Sequence

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
from .triples import gold_records, score_triples

# What a component assigns that detects the relations of sentences.
RELATIONS = "span._.relations"

SHARED = "shared"


@dataclass
class EvaluationSettings:
    """What `evaluate_pipeline` shall do.

    batch_size (int): Documents to a batch.
    label_filter (Optional[Collection[str]]): Score these relations only.
    gold_relations (bool): Give the extractor the gold relations of each sentence instead of the detector's.
    look (Optional[Callable[[List[Example]], None]]): Is given what was compared: predictions and gold.
    """

    batch_size: int = 64
    label_filter: Optional[Collection[str]] = None
    gold_relations: bool = False
    look: Optional[Callable[[List[Example]], None]] = None


def evaluate_pipeline(nlp: Language, examples: Iterable[Example], *, settings: EvaluationSettings) -> Dict[str, Any]:
    """Predict the documents of some examples and score them.

    nlp (Language): The pipeline.
    examples (Iterable[Example]): Their references hold the gold triples; predictions are made on copies of their
        predicted Docs, which may already have what is given, such as sentences or entities.
    settings (EvaluationSettings): How.
    RETURNS (Dict[str, Any]): The keys of `score_triples` and `score_relations` (overall, whichever component wrote a
        triple), those of the pipeline's other scorers, calibration, counts and speed, and where relations are clusters
        what stands beside their scores; `docs/scores.md` lists them.
    """
    if settings.gold_relations and not detector_names(nlp):
        raise ValueError(Errors.R220.format(found=", ".join(nlp.pipe_names) or "empty"))
    references: List[Doc] = []
    started = time.perf_counter()
    predicted = list(_predict(nlp, _copies(examples, references), references, settings))
    seconds = time.perf_counter() - started
    compared = [Example(doc, reference) for doc, reference in zip(predicted, references)]
    metrics: Dict[str, Any] = Scorer(nlp=nlp).score(compared)
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


def score_confidence(outcomes: TripleOutcomes) -> Dict[str, Any]:
    """Say how far the triples' scores can be trusted, and how far F1 is from what another threshold would give.

    outcomes (TripleOutcomes): Scored triples.
    RETURNS (Dict[str, Any]): `ece` (bins of equal mass), `ece_width` (bins of equal width), `best_threshold` and
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
    """Settle which relations are scored.

    nlp (Language): The pipeline.
    examples (Sequence[Example]): The corpus.
    wanted (Optional[List[str]]): Relations; ["shared"]: those of the corpus that the pipeline knows; None: all.
    RETURNS (Optional[List[str]]): The relations, sorted; None: all.
    RAISES (ValueError): Where none is left.
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
    """Copy predicted Docs as the pipeline asks for them, and note their references."""
    for example in examples:
        references.append(example.reference)
        yield example.predicted.copy()


def _predict(
    nlp: Language, docs: Iterable[Doc], references: Sequence[Doc], settings: EvaluationSettings
) -> Iterator[Doc]:
    """Run the pipeline; gold relations replace the detector's right after it."""
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


def _counts(examples: Sequence[Example], seconds: float) -> Dict[str, Any]:
    """Count documents and measure speed; the tokenizer's time is not in it."""
    annotated = sum(get_records(example.reference) is not None for example in examples)
    words = sum(len(example.predicted) for example in examples)
    return {
        "n_documents": len(examples),
        "n_annotated": annotated,
        "seconds": seconds,
        "docs_per_second": len(examples) / max(seconds, 1e-9),
        "words_per_second": words / max(seconds, 1e-9),
    }
