"""Scores of triples that are not in the training data: what a model has learned beyond facts it can repeat."""

from typing import Collection, Iterable, NamedTuple, Optional, Sequence, Set

from spacy.scorer import PRFScore
from spacy.tokens import Doc

from ..annotations.store import get_records
from .triples import ComparedDocument, Scores, TextKey, text_key


class TrainingFacts(NamedTuple):
    """Content of training data: `triples`, as exact match compares them, and `texts`."""

    triples: Set[TextKey]
    texts: Set[str]


def read_training(docs: Iterable[Doc]) -> TrainingFacts:
    """Collect the gold triples and the texts of training documents."""
    triples: Set[TextKey] = set()
    texts: Set[str] = set()
    for doc in docs:
        text = doc.text
        texts.add(text)
        triples.update(text_key(record, text) for record in get_records(doc) or [] if record["source"] == "")
    return TrainingFacts(triples, texts)


def score_sets(
    gold: Sequence[Collection[TextKey]],
    predicted: Sequence[Collection[TextKey]],
    *,
    known: Collection[TextKey] = frozenset(),
) -> PRFScore:
    """Compare sets of triples document by document.

    gold, predicted (Sequence[Collection[TextKey]]): Triples of each document. Length D
    known (Collection[TextKey]): Triples that are left out on both sides: a known triple is neither a gold triple to
        find nor a right or wrong prediction, in whatever document it stands.
    """
    score = PRFScore()
    for right, found in zip(gold, predicted):
        score.score_set(set(found).difference(known), set(right).difference(known))
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
