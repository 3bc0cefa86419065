"""Comparison of two pipelines on one corpus: score differences with intervals, and triples that only one predicted."""

from dataclasses import dataclass
from typing import Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.training import Example

from ..annotations.sentences import sentence_offsets
from ..annotations.triple import CharSpan, Record
from ..errors import Errors
from .errors import find_passages, plain_triple, quote_passages
from .probabilities import Bools, Counts, Floats, bootstrap_interval
from .thresholds import f_score
from .triples import ComparedDocument, Scores, compare_documents, text_key

# Scores over all relations, as `score_triples` names them, and their names in tables.
OVERALL = {"exact_p": "precision", "exact_r": "recall", "exact_f": "exact F", "macro_f": "macro F"}


class Difference(NamedTuple):
    """A score of two pipelines.

    first, second (float): The score of each, 0 to 1.
    low, high (float): 95 % interval of second minus first.
    gold (int): Number of gold triples that it is computed from.
    """

    first: float
    second: float
    low: float
    high: float
    gold: int

    @property
    def is_clear(self) -> bool:
        """RETURNS (bool): True if the interval does not contain 0."""
        return self.low > 0 or self.high < 0


class DisputedTriple(NamedTuple):
    """A triple that only one of two pipelines predicted. `is_correct`: it is in gold; `by_second`: the second did."""

    record: Record
    is_correct: bool
    by_second: bool


class Dispute(NamedTuple):
    """Sentences whose triples differ between two pipelines.

    document (int): Number of the example, from 0.
    """

    document: int
    passages: List[CharSpan]
    triples: List[DisputedTriple]


@dataclass(frozen=True)
class Comparison:
    """What two pipelines predicted in one corpus.

    overall (Dict[str, Difference]): The scores named in OVERALL.
    relations (Dict[str, Difference]): Exact F of each relation.
    correct, wrong (Dict[str, int]): Triples in and not in gold that `both`, the `first` or the `second` predicted.
    disputes (List[Dispute]): In the order of the documents.
    """

    overall: Dict[str, Difference]
    relations: Dict[str, Difference]
    correct: Dict[str, int]
    wrong: Dict[str, int]
    disputes: List[Dispute]


def compare_predictions(
    first: Sequence[Example],
    second: Sequence[Example],
    *,
    label_filter: Optional[Collection[str]] = None,
    seed: int = 0,
) -> Comparison:
    """Compare the predictions of two pipelines under exact match, and bootstrap the differences over documents.

    first, second (Sequence[Example]): The predictions of each for the same documents, in the same order.
    label_filter (Optional[Collection[str]]): These relations only.
    RAISES (ValueError): If the documents differ.
    """
    if [example.text for example in first] != [example.text for example in second]:
        raise ValueError(Errors.R230.format(first=len(first), second=len(second)))
    documents = [list(compare_documents(side, label_filter=label_filter)) for side in (first, second)]
    keys = {key for side in documents for document in side for key in document.gold_keys | document.scores.keys()}
    labels = sorted({key[0] for key in keys})
    counts = [_count(side, labels) for side in documents]
    gold = counts[0][2].sum(axis=0)
    first_counts, second_counts = counts

    def difference(drawn: Counts) -> Floats:
        return _scores(drawn @ second_counts, gold > 0) - _scores(drawn @ first_counts, gold > 0)

    low, high = bootstrap_interval(difference, counts[0].shape[1], seed=seed)
    values = [_scores(table.sum(axis=1), gold > 0) for table in counts]
    supports = [int(gold.sum())] * len(OVERALL) + gold.tolist()
    rows = [Difference(*row) for row in zip(*(array.tolist() for array in (*values, low, high)), supports)]
    return Comparison(
        overall=dict(zip(OVERALL, rows)),
        relations=dict(zip(labels, rows[len(OVERALL) :])),
        correct=_count_shared(*documents, correct=True),
        wrong=_count_shared(*documents, correct=False),
        disputes=[dispute for pair in zip(*documents) for dispute in _find_disputes(*pair)],
    )


def _count(documents: Sequence[ComparedDocument], labels: Sequence[str]) -> Counts:
    """Count correct predictions, predictions and gold triples by document and label. Shape (3, D, L)"""
    column = {label: number for number, label in enumerate(labels)}
    counts = numpy.zeros((3, len(documents), len(labels)), dtype="int64")
    for number, document in enumerate(documents):
        predicted = document.scores.keys()
        for row, keys in enumerate((document.gold_keys & predicted, predicted, document.gold_keys)):
            for key in keys:
                counts[row, number, column[key[0]]] += 1
    return counts


def _scores(table: Counts, in_gold: Bools) -> Floats:
    """Compute the scores named in OVERALL, and F of each label. Shapes (3, L), (L,) → (4 + L,)"""
    f = f_score(*table)
    correct, predicted, gold = table.sum(axis=1)
    macro_f = f[in_gold].mean() if in_gold.any() else 0.0
    micro = [correct / max(predicted, 1), correct / max(gold, 1), f_score(correct, predicted, gold), macro_f]
    return numpy.concatenate([numpy.asarray(micro, dtype="float64"), f])


def _count_shared(
    first: Sequence[ComparedDocument], second: Sequence[ComparedDocument], *, correct: bool
) -> Dict[str, int]:
    """Count the correct (or wrong) triples by which pipelines predicted them."""
    counts = {"both": 0, "first": 0, "second": 0}
    for one, other in zip(first, second):
        of_one, of_other = (
            {key for key in document.scores if (key in document.gold_keys) == correct} for document in (one, other)
        )
        counts["both"] += len(of_one & of_other)
        counts["first"] += len(of_one - of_other)
        counts["second"] += len(of_other - of_one)
    return counts


def _find_disputes(first: ComparedDocument, second: ComparedDocument) -> List[Dispute]:
    """Group the triples that only one pipeline predicted in a document, by the sentences of their arguments."""
    text, sentences = first.example.reference.text, sentence_offsets(first.example)
    groups: Dict[Tuple[CharSpan, ...], Dispute] = {}
    for own, other in ((first, second), (second, first)):
        shown = set()
        for record in sorted(own.predicted, key=lambda record: (-record["score"], record["subject"])):
            key = text_key(record, text)
            if key not in other.scores and key not in shown:
                shown.add(key)
                passages = find_passages([record], sentences)
                dispute = groups.setdefault(tuple(passages), Dispute(first.number, passages, []))
                dispute.triples.append(DisputedTriple(record, key in own.gold_keys, own is second))
    return [dispute for _, dispute in sorted(groups.items())]


def describe_comparison(
    comparison: Comparison, metrics: Sequence[Scores], examples: Sequence[Example], *, names: Sequence[str]
) -> Record:
    """Describe a comparison by plain values, as the JSON file has them."""
    texts = [example.reference.text for example in examples]
    return {
        "pipelines": dict(zip("AB", names)),
        "overall": _describe_differences(comparison.overall),
        "relations": _describe_differences(comparison.relations),
        "correct": comparison.correct,
        "wrong": comparison.wrong,
        "disputes": [_describe_dispute(each, texts[each.document]) for each in comparison.disputes],
        "metrics": dict(zip("AB", metrics)),
    }


def _describe_differences(differences: Dict[str, Difference]) -> Record:
    return {
        name: {
            "A": each.first,
            "B": each.second,
            "difference": each.second - each.first,
            "low": each.low,
            "high": each.high,
            "gold": each.gold,
        }
        for name, each in differences.items()
    }


def _describe_dispute(dispute: Dispute, text: str) -> Record:
    return {
        "document": dispute.document,
        "text": quote_passages(text, dispute.passages),
        "triples": [
            {
                "found_by": "B" if each.by_second else "A",
                "correct": each.is_correct,
                **plain_triple(each.record, text, has_score=True),
            }
            for each in dispute.triples
        ],
    }
