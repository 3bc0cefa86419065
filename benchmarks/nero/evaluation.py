"""How answers of the NERO benchmarks are scored: with a threshold chosen on no labels, on 100, or on 800."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
from spacy.language import Language
from spacy.scorer import ROCAUCScore

from benchmarks.harness.pairs import (
    BATCH_SIZE,
    DIRECTIONS,
    NOTHING,
    SEMEVAL,
    PairSet,
    pair_offsets,
    pair_scores,
    read_examples,
)
from spacy_relext.annotations.store import get_records
from spacy_relext.pairs.gold import PairClass
from spacy_relext.pairs.suggesters import AnnotatedPairs

# Threshold where there are no labels: the component's own default.
NO_LABELS = 0.5
BUDGETS = {"no labels": 0, "100 labels": 100, "800 labels": 800}


@dataclass(frozen=True)
class Answers:
    """One answer for each of P pairs.

    labels (list[str]): The best relation, with its direction; `NOTHING` where there is none.
    scores (numpy.ndarray): Its confidence. Shape (P,)
    """

    labels: list[str]
    scores: numpy.ndarray

    def above(self, threshold: float) -> list[str]:
        """RETURNS (list[str]): The labels whose score reaches a threshold, `NOTHING` for the others."""
        return [label if score >= threshold else NOTHING for label, score in zip(self.labels, self.scores.tolist())]


def label_of(answer: PairClass | None) -> str:
    """RETURNS (str): The label of an answer in SemEval-2010."""
    return NOTHING if answer is None else answer.relation + DIRECTIONS[answer.backwards]


def pipeline_answers(nlp: Language, corpus: Path, *, name: str) -> Answers:
    """Let a pipeline answer, whatever its confidence.

    corpus (Path): A .spacy file with one marked pair a text.
    name (str): The component, whose threshold is set to 0.
    RETURNS (Answers): In the order of the pairs.
    """
    nlp.get_pipe(name).cfg["threshold"] = 0.0  # type: ignore[attr-defined]
    examples = read_examples(nlp, corpus)
    docs = list(nlp.pipe((example.predicted.copy() for example in examples), batch_size=BATCH_SIZE))
    pairs = AnnotatedPairs()(docs)
    labels, scores = [], []
    for number, doc in enumerate(pairs.doc.tolist()):
        subject, _ = (tuple(offsets) for offsets in pair_offsets(pairs, number))
        records = [record for record in get_records(docs[doc], source=name) or () if record["score"] > 0]
        best = max(records, key=lambda record: record["score"], default=None)
        labels.append(NOTHING if best is None else best["relation"] + DIRECTIONS[tuple(best["subject"]) != subject])
        scores.append(0.0 if best is None else best["score"])
    return Answers(labels, numpy.asarray(scores))


def best_threshold(answers: Answers, pairs: PairSet, count: int) -> float:
    """Choose the threshold with the best micro F on labelled pairs.

    count (int): Number of labelled pairs that may be used, the first ones; 0 for the default threshold.
    """
    if not count:
        return NO_LABELS
    part = Answers(answers.labels[:count], answers.scores[:count])
    gold = PairSet(pairs.rows[:count], [])
    tried = [0.0, *numpy.quantile(part.scores, numpy.linspace(0.0, 0.8, 41)).tolist()]
    return max(tried, key=lambda limit: (pair_scores(gold, part.above(limit), task=SEMEVAL)["micro_f"], -limit))


def evaluate(dev: Answers, test: Answers, *, tuning: PairSet, gold: PairSet) -> Mapping[str, dict[str, float]]:
    """Score answers with each budget of labels.

    dev, test (Answers): Answers for the tuning and the test corpus.
    RETURNS (Mapping[str, dict[str, float]]): Budget → scores of the test corpus.
    """
    limits = {name: best_threshold(dev, tuning, count) for name, count in BUDGETS.items()}
    ranked = {"named_auc": named_auc(test, gold)}
    return {name: {**pair_scores(gold, test.above(limit), task=SEMEVAL), **ranked} for name, limit in limits.items()}


def named_auc(answers: Answers, gold: PairSet) -> float:
    """Compute how often a pair with a relation scores higher than one with none: the area under the ROC curve.

    RETURNS (float): 0.5 is chance level, and the value if all pairs are of one kind.
    """
    ranking = ROCAUCScore()
    for score, row in zip(answers.scores.tolist(), gold.rows):
        ranking.score_set(score, int(bool(row.labels)))
    return float(ranking.score) if ranking.is_binary() else 0.5


def fixed_answers(labels: Sequence[PairClass | None], scores: numpy.ndarray | None = None) -> Answers:
    """Wrap answers that do not come from a pipeline.

    scores (numpy.ndarray | None): Their confidences; None for 1.
    """
    names = [label_of(each) for each in labels]
    return Answers(names, numpy.ones(len(names)) if scores is None else scores)
