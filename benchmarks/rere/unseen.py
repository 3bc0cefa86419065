"""Scores that depend on the content of the training sentences, computed alike for all systems of the benchmarks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.datasets import read_docs
from spacy_relext.scoring.evaluation import TrainingFacts, read_training, score_sets
from spacy_relext.scoring.triples import TextKey


class Judged(NamedTuple):
    """A test sentence: its text, and the triples of gold and of a system."""

    text: str
    gold: Collection[TextKey]
    predicted: Collection[TextKey]


def read_facts(corpus: Path) -> TrainingFacts:
    """RETURNS (TrainingFacts): The triples and sentences of a training corpus."""
    return read_training(read_docs(corpus))


def score_by_training(sentences: Iterable[Judged], training: TrainingFacts) -> dict[str, dict[str, float]]:
    """Score the triples that are not in training; then all, and those, without the sentences that are in training.

    RETURNS (dict[str, dict[str, float]]): Suffix of the split's name → metric → fraction. Scores without training
        sentences form a split of their own if the test has both those and new sentences.
    """
    sentences = list(sentences)
    new = [sentence for sentence in sentences if sentence.text not in training.texts]
    scores = {"": score_judged("unseen", sentences, training.triples)}
    if 0 < len(new) < len(sentences):
        name = f", {len(sentences) - len(new)} training sentences left out"
        scores[name] = {**score_judged("exact", new), **score_judged("unseen", new, training.triples)}
    return scores


def score_judged(prefix: str, sentences: list[Judged], known: Collection[TextKey] = frozenset()) -> dict[str, float]:
    """Score the triples that are not known. RETURNS (dict[str, float]): Precision, recall and F, with a prefix."""
    score = score_sets([each.gold for each in sentences], [each.predicted for each in sentences], known=known)
    return {f"{prefix}_p": score.precision, f"{prefix}_r": score.recall, f"{prefix}_f": score.fscore}
