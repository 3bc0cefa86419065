"""Evaluation of a pipeline on a corpus: all scores, those of triples that training data lack, calibration and speed."""

import time
from collections import Counter
from typing import Callable, Collection, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.scorer import PRFScore, Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.store import get_records, has_triples, set_relations
from ..errors import Errors
from .clusters import clusters_source, score_cluster_baselines
from .probabilities import bootstrap_interval, expected_calibration_error
from .relations import RELATION_SCORE_WEIGHTS, gold_relations, score_relations
from .risk import score_risk
from .thresholds import best_threshold, f_score
from .triples import (
    ComparedDocument,
    Scores,
    TextKey,
    TripleOutcomes,
    collect_outcomes,
    compare_documents,
    gold_records,
    score_triples,
    text_key,
)

# Assigned by components that detect the relations of sentences.
RELATIONS = "span._.relations"

SHARED = "shared"


class TrainingFacts(NamedTuple):
    """Content of training data: `triples`, as exact match compares them, `texts`, and the triples of each relation."""

    triples: Set[TextKey]
    texts: Set[str]
    counts: Mapping[str, int]


def evaluate_pipeline(
    nlp: Language,
    examples: Iterable[Example],
    *,
    batch_size: int = 64,
    label_filter: Optional[Collection[str]] = None,
    give_relations: bool = False,
    training: Optional[TrainingFacts] = None,
    on_predictions: Optional[Callable[[List[Example]], None]] = None,
) -> Scores:
    """Predict the documents of some examples and score them.

    examples (Iterable[Example]): References with gold triples; predictions are made on copies of the predicted Docs,
        which may have given annotation, such as sentences or entities.
    batch_size (int): Documents per batch.
    label_filter (Optional[Collection[str]]): Score these relations only.
    give_relations (bool): Replace the detector's relations of each sentence by gold ones.
    training (Optional[TrainingFacts]): Facts of the training data: triples not among them are also scored separately.
    on_predictions (Optional[Callable[[List[Example]], None]]): Called with the predictions and their gold.
    RETURNS (Scores): The keys of `score_triples` (of all components), `score_unseen`, `score_relations`, of the
        pipeline's other scorers, calibration, counts, speed, and, for clusters, of `score_cluster_baselines`;
        `docs/reference/scores.md` lists them.
    """
    started = time.perf_counter()
    pairs = _predict(nlp, examples, batch_size=batch_size, give_relations=give_relations)
    seconds = max(time.perf_counter() - started, 1e-9)
    compared = [Example(doc, reference) for doc, reference in pairs]
    metrics: Scores = Scorer(nlp=nlp).score(compared)
    if metrics.get("relations_micro_f") is None:
        metrics.update(score_relations(compared))
    if give_relations:  # gold would be scored against itself
        metrics.update({key: None for key in RELATION_SCORE_WEIGHTS})
    source = clusters_source(nlp)
    if source is not None:
        metrics.update(score_cluster_baselines(compared, source=source))
    ranked = metrics.get("exact_ap")  # of all candidates, which Docs do not carry
    metrics.update(score_triples(compared, label_filter=label_filter))
    metrics["exact_ap"] = ranked if label_filter is None else None
    metrics.update(score_unseen(list(compare_documents(compared, label_filter=label_filter)), training))
    metrics.update(_score_confidence(collect_outcomes(compared, label_filter=label_filter)))
    metrics["n_documents"] = len(pairs)
    metrics["n_annotated"] = sum(has_triples(reference) for _, reference in pairs)
    metrics["seconds"] = seconds
    metrics["docs_per_second"] = len(pairs) / seconds
    metrics["words_per_second"] = sum(len(doc) for doc, _ in pairs) / seconds
    if on_predictions is not None:
        on_predictions(compared)
    return metrics


def choose_labels(nlp: Language, examples: Sequence[Example], wanted: Optional[List[str]]) -> Optional[List[str]]:
    """Choose the relations to score.

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


def read_training(docs: Iterable[Doc]) -> TrainingFacts:
    """Collect the gold triples and the texts of training documents."""
    triples: Set[TextKey] = set()
    texts: Set[str] = set()
    counts = Counter[str]()
    for doc in docs:
        text = doc.text
        texts.add(text)
        keys = {text_key(record, text) for record in get_records(doc, source="") or []}
        triples |= keys
        counts.update(key[0] for key in keys)
    return TrainingFacts(triples, texts, counts)


def score_sets(
    gold: Sequence[Collection[TextKey]],
    predicted: Sequence[Collection[TextKey]],
    *,
    known: Collection[TextKey] = frozenset(),
) -> PRFScore:
    """Compare sets of triples document by document.

    gold, predicted (Sequence[Collection[TextKey]]): Triples of each document. Length D
    known (Collection[TextKey]): Triples that are left out on both sides: a known triple is neither a gold triple to
        find nor a correct or wrong prediction, in whatever document it stands.
    """
    score = PRFScore()
    for triples, predictions in zip(gold, predicted):
        score.score_set(set(predictions).difference(known), set(triples).difference(known))
    return score


def score_unseen(documents: Sequence[ComparedDocument], training: Optional[TrainingFacts]) -> Scores:
    """Return exact scores of unseen triples, `unseen_p`, `unseen_r` and `unseen_f`, and how many of them gold has.

    RETURNS (Scores): Empty if no training data are given.
    """
    if training is None:
        return {}
    gold = [document.gold_keys for document in documents]
    score = score_sets(gold, [document.scores for document in documents], known=training.triples)
    scores = {f"unseen_{key}": value for key, value in zip("prf", (score.precision, score.recall, score.fscore))}
    return {**scores, "n_gold_unseen": sum(len(keys - training.triples) for keys in gold)}


def _score_confidence(outcomes: TripleOutcomes) -> Scores:
    """Score the calibration and the risk of predicted triples, and compute intervals of F1 and the best threshold."""
    scores, correct = outcomes.scores, outcomes.correct
    threshold, best_f = best_threshold(scores, correct, n_gold=outcomes.n_gold)
    counts = (outcomes.correct_per_document, outcomes.predicted_per_document, outcomes.gold_per_document)
    is_annotated = len(counts[0]) > 0
    low, high = bootstrap_interval(lambda drawn: f_score(*(drawn @ each for each in counts)), len(counts[0]))
    return {
        "ece": expected_calibration_error(scores, correct),
        **score_risk(scores, correct),
        "best_threshold": threshold if correct.any() else None,
        "best_threshold_f": best_f if is_annotated else None,
        "exact_f_low": float(low) if is_annotated else None,
        "exact_f_high": float(high) if is_annotated else None,
        "n_gold": outcomes.n_gold,
        "n_predicted": len(scores),
        "support_per_type": outcomes.gold_per_label,
    }


def _predict(
    nlp: Language, examples: Iterable[Example], *, batch_size: int, give_relations: bool
) -> List[Tuple[Doc, Doc]]:
    """Run the pipeline on copies, beside their references; gold relations replace those of the last detector."""
    pairs = ((example.predicted.copy(), example.reference) for example in examples)
    if not give_relations:
        return list(nlp.pipe(pairs, as_tuples=True, batch_size=batch_size))
    detectors = [name for name in nlp.pipe_names if RELATIONS in nlp.get_pipe_meta(name).assigns]
    if not detectors:
        raise ValueError(Errors.R220.format(found=", ".join(nlp.pipe_names) or "empty"))
    last = nlp.pipe_names.index(detectors[-1])
    before, after = nlp.pipe_names[: last + 1], nlp.pipe_names[last + 1 :]
    with nlp.select_pipes(enable=before):
        detected = list(nlp.pipe(pairs, as_tuples=True, batch_size=batch_size))
    for doc, reference in detected:
        stated = gold_relations(Example(doc, reference)) or []
        set_relations(doc, [(sentence, {label: 1.0 for label in labels}) for sentence, labels in stated])
    with nlp.select_pipes(enable=after):
        return list(nlp.pipe(detected, as_tuples=True, batch_size=batch_size))


def merge_labels(chosen: Sequence[Optional[List[str]]], wanted: Optional[List[str]]) -> Optional[List[str]]:
    """Join the relations chosen for each pipeline; of `shared` those that all know.

    RAISES (ValueError): If the pipelines share none.
    """
    sets = [set(labels) for labels in chosen if labels is not None]
    if not sets:
        return None
    if wanted != [SHARED]:
        return sorted(set.union(*sets))
    shared = sorted(set.intersection(*sets))
    if not shared:
        known = ["; ".join(", ".join(sorted(labels)) for labels in sets)] * 2
        raise ValueError(Errors.R210.format(gold=known[0], known="none that both know"))
    return shared
