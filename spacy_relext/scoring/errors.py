"""Errors of a corpus: the class of each, what it costs, counts per class and relation, which relations are confused.

Triples are correct under exact match: relation, subject text and object text are those of a gold triple of the
document. A predicted triple that is not correct is a false positive, a gold triple that was not predicted is a false
negative.

Two arguments *agree* if their texts are equal, or if they have a character of the document in common. A false positive
and a gold triple are related in at most one way: that of the first of the first five DEFINITIONS that fits.

The class of a false positive is that of its nearest gold triple, missed or not; `relation not stated` if there is none.
The class of a false negative is that of its nearest false positive; if there is none, it is `missed argument` if a
correct prediction has its relation and one of its arguments (one of a list was left out), else `missed relation`.
The nearest is that of the earliest class above, where wrong object and wrong subject count alike; then one that was
missed; then the one whose arguments are fewest characters away.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from typing import AbstractSet, Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.training import Example

from ..annotations.sentences import overlaps, sentence_offsets
from ..annotations.triple import CharSpan, Record
from .triples import TextKey, compare_documents, text_key

SWAPPED = "swapped arguments"
BOUNDARY = "boundary"
WRONG_RELATION = "wrong relation"
WRONG_OBJECT = "wrong object"
WRONG_SUBJECT = "wrong subject"
NOT_STATED = "relation not stated"
MISSED_ARGUMENT = "missed argument"
MISSED_RELATION = "missed relation"

# In the order in which they are tried.
DEFINITIONS = {
    SWAPPED: "Same relation; the arguments agree crosswise, better than they do directly",
    BOUNDARY: "Same relation; both arguments agree, but at least one has other boundaries",
    WRONG_RELATION: "Another relation; the arguments agree, directly or crosswise",
    WRONG_OBJECT: "Same relation; only the subjects agree",
    WRONG_SUBJECT: "Same relation; only the objects agree",
    NOT_STATED: "A predicted triple that is related to no gold triple",
    MISSED_ARGUMENT: "A missed triple; a correct prediction has its relation and one of its arguments",
    MISSED_RELATION: "Any other missed triple; no prediction has its relation and one of its arguments",
}

CLASSES = tuple(DEFINITIONS)

FALSE_POSITIVE = "false positive"
FALSE_NEGATIVE = "false negative"

# In a confusion matrix: no triple with these arguments.
NONE = ""

_SAME_ARGUMENTS = (SWAPPED, BOUNDARY, WRONG_RELATION)

# Subject, object, relation, negative score.
_Position = Tuple[CharSpan, CharSpan, str, float]

_RANKS = {SWAPPED: 0, BOUNDARY: 0, WRONG_RELATION: 1, WRONG_OBJECT: 2, WRONG_SUBJECT: 2}


class TripleError(NamedTuple):
    """One false positive or false negative.

    kind (str): FALSE_POSITIVE or FALSE_NEGATIVE.
    error_class (str): One of CLASSES.
    record (Record): Of the mentions with these texts, the one compared with `nearest`; without `nearest`, the one with
        the highest score, then the first.
    nearest (Optional[Record]): What the class compares it with: a gold triple, or a false positive.
    nearest_is_error (bool): False if there is none, or it is a gold triple that another prediction matches.
    """

    kind: str
    error_class: str
    record: Record
    nearest: Optional[Record]
    nearest_is_error: bool


class CorpusError(NamedTuple):
    """An error of a corpus.

    document (int): Number of the example, from 0.
    cost (float): Gain in exact F of the corpus if only this error and, if wrong too, its nearest triple were corrected.
    passages (List[CharSpan]): Sentences with an argument of the triple or the nearest one; adjacent ones are joined.
    """

    document: int
    error: TripleError
    cost: float
    passages: List[CharSpan]


class ErrorGroup(NamedTuple):
    """Errors of one class or of one relation.

    gain (float): Gain in exact F of the corpus if all of them were corrected.
    per_class (Dict[str, int]): Their number in each class.
    """

    false_positives: int
    false_negatives: int
    gain: float
    per_class: Dict[str, int]


@dataclass(frozen=True)
class CorpusErrors:
    """All errors of a corpus.

    errors (List[CorpusError]): The costliest first; of equal cost, by the score of the false positive.
    correct, gold (Dict[str, int]): Correct triples of each relation, and those in gold.
    confusion (Dict[Tuple[str, str], int]): (Gold relation, predicted relation) → triples whose arguments agree; NONE if
        no triple of the other side agrees.
    """

    errors: List[CorpusError]
    correct: Dict[str, int]
    gold: Dict[str, int]
    confusion: Dict[Tuple[str, str], int]

    def relations(self) -> List[str]:
        """List the relations of gold and of the predictions, sorted."""
        return sorted({*self.gold, *(each.error.record["relation"] for each in self.errors)})

    def per_class(self) -> Dict[str, ErrorGroup]:
        """Group the errors by class; classes without errors are included."""
        return {name: self._group([e for e in self._all() if e.error_class == name]) for name in CLASSES}

    def per_relation(self) -> Dict[str, ErrorGroup]:
        """Group the errors by the relation of the triple that is wrong or missed."""
        relations = self.relations()
        return {name: self._group([e for e in self._all() if e.record["relation"] == name]) for name in relations}

    def _all(self) -> List[TripleError]:
        return [each.error for each in self.errors]

    def _group(self, errors: Sequence[TripleError]) -> ErrorGroup:
        everything = _count(self._all(), correct=sum(self.correct.values()))
        _, wrong, missed = _count(errors, correct=0)
        return ErrorGroup(wrong, missed, _gain(everything, wrong, missed), dict(Counter(e.error_class for e in errors)))


def classify_errors(gold: Sequence[Record], predicted: Sequence[Record], text: str) -> List[TripleError]:
    """List the false positives and false negatives of a document, each once, with the class of each.

    gold, predicted (Sequence[Record]): Triples with `subject` and `object` as character offsets, `relation`, `score`.
    text (str): The document's text.
    RETURNS (List[TripleError]): False positives, then false negatives, each sorted by position.
    """
    of_gold, of_model = _group_mentions(gold, text), _group_mentions(predicted, text)
    wrong = {key: records for key, records in of_model.items() if key not in of_gold}
    correct = [record for key in of_model.keys() & of_gold.keys() for record in of_model[key]]
    errors = []
    for records in wrong.values():
        nearest = _find_nearest(records, of_gold, matched=of_model.keys(), text=text)
        errors.append(TripleError(FALSE_POSITIVE, *(nearest or (NOT_STATED, records[0], None, False))))
    for key, records in of_gold.items():
        if key not in of_model:
            nearest = _find_nearest(records, wrong, matched=set(), text=text)
            alone = MISSED_ARGUMENT if _shares_argument(records, correct, text) else MISSED_RELATION
            errors.append(TripleError(FALSE_NEGATIVE, *(nearest or (alone, records[0], None, False))))
    return sorted(errors, key=lambda error: (error.kind == FALSE_NEGATIVE, _position(error.record)))


def relate_triples(predicted: Record, gold: Record, text: str) -> Optional[str]:
    """Name the class of a wrong triple, compared with one gold triple of the document; None if they are unrelated.

    Exchanging the two does not change the result.
    """
    subjects = _agreement(predicted["subject"], gold["subject"], text)
    objects = _agreement(predicted["object"], gold["object"], text)
    direct = min(subjects, objects)
    crosswise = min(
        _agreement(predicted["subject"], gold["object"], text), _agreement(predicted["object"], gold["subject"], text)
    )
    is_same_relation = predicted["relation"] == gold["relation"]
    if direct or crosswise:
        if not is_same_relation:
            return WRONG_RELATION
        return SWAPPED if crosswise > direct else BOUNDARY
    if is_same_relation and subjects:
        return WRONG_OBJECT
    return WRONG_SUBJECT if is_same_relation and objects else None


def collect_errors(examples: Iterable[Example], *, label_filter: Optional[Collection[str]] = None) -> CorpusErrors:
    """Classify the errors of predicted documents under exact match; documents that are not annotated are skipped.

    label_filter (Optional[Collection[str]]): These relations only, in gold and in predictions.
    """
    located: List[Tuple[int, TripleError, List[CharSpan]]] = []
    correct, gold, confusion = Counter[str](), Counter[str](), Counter[Tuple[str, str]]()
    for document in compare_documents(list(examples), label_filter=label_filter):
        text = document.example.reference.text
        errors = classify_errors(document.gold, document.predicted, text)
        correct_keys = document.gold_keys & document.scores.keys()
        correct.update(key[0] for key in correct_keys)
        gold.update(key[0] for key in document.gold_keys)
        confusion.update((key[0], key[0]) for key in correct_keys)
        confusion.update(_confused(errors, text))
        sentences = sentence_offsets(document.example)
        for error in errors:
            records = [error.record, *([error.nearest] if error.nearest is not None else [])]
            located.append((document.number, error, find_passages(records, sentences)))
    totals = _count([error for _, error, _ in located], correct=correct.total())
    errors_of_all = [CorpusError(number, error, _cost(error, totals), places) for number, error, places in located]
    errors_of_all.sort(key=lambda each: (-each.cost, -_score(each.error)))
    return CorpusErrors(errors_of_all, dict(sorted(correct.items())), dict(sorted(gold.items())), dict(confusion))


def describe_error(error: CorpusError, text: str) -> Record:
    """Describe an error in a document with this text as plain values, as `evaluate --errors` writes them."""
    kind, error_class, record, nearest, _ = error.error
    return {
        "document": error.document,
        "kind": kind,
        "class": error_class,
        "cost": round(error.cost, 6),
        "triple": plain_triple(record, text, has_score=kind == FALSE_POSITIVE),
        "nearest": None if nearest is None else plain_triple(nearest, text, has_score=kind == FALSE_NEGATIVE),
        "text": quote_passages(text, error.passages),
    }


def find_passages(records: Iterable[Record], sentences: Sequence[CharSpan]) -> List[CharSpan]:
    """Choose the sentences that the arguments of some triples touch, and join neighbours."""
    arguments = [record[role] for record in records for role in ("subject", "object")]
    passages: List[CharSpan] = []
    previous = -2
    for number, sentence in enumerate(sentences):
        if any(overlaps(argument, sentence) for argument in arguments):
            start = passages.pop()[0] if number == previous + 1 else sentence[0]
            passages.append((start, sentence[1]))
            previous = number
    return passages


def quote_passages(text: str, passages: Iterable[CharSpan]) -> str:
    """Join passages of a text to one line."""
    return " … ".join(text[start:end].strip() for start, end in passages)


def plain_triple(record: Record, text: str, *, has_score: bool) -> Record:
    """Return plain values of a predicted triple, which has a score, or of a gold one."""
    spans = {
        role: {"text": text[slice(*record[role])], "start": record[role][0], "end": record[role][1]}
        for role in ("subject", "object")
    }
    described = {"relation": record["relation"], **spans}
    return {**described, "score": record["score"], "source": record["source"]} if has_score else described


def _agreement(one: CharSpan, other: CharSpan, text: str) -> int:
    """Return 2 if two arguments have the same text, 1 if they overlap, else 0."""
    if text[slice(*one)] == text[slice(*other)]:
        return 2
    return int(overlaps(one, other))


def _group_mentions(records: Iterable[Record], text: str) -> Dict[TextKey, List[Record]]:
    """Group triples of the same texts, each group sorted by score, the highest first."""
    groups: Dict[TextKey, List[Record]] = {}
    for record in sorted(records, key=lambda record: (-record["score"], _position(record))):
        groups.setdefault(text_key(record, text), []).append(record)
    return groups


def _find_nearest(
    records: Sequence[Record], others: Mapping[TextKey, Sequence[Record]], *, matched: AbstractSet[TextKey], text: str
) -> Optional[Tuple[str, Record, Record, bool]]:
    """Find the class of an error, its mention, the nearest other triple, and whether that is an error (not matched)."""
    relatives = []
    for key, mentions in others.items():
        for record, other in product(records, mentions):
            error_class = relate_triples(record, other, text)
            if error_class is not None:
                distance = sum(abs(record[role][0] - other[role][0]) for role in ("subject", "object"))
                order = (_RANKS[error_class], key in matched, distance, _position(other), _position(record))
                relatives.append((order, (error_class, record, other, key not in matched)))
    return min(relatives, key=itemgetter(0))[1] if relatives else None


def _shares_argument(records: Iterable[Record], correct: Iterable[Record], text: str) -> bool:
    """Return True if a correct prediction has the relation of a triple and one of its arguments."""
    shared = (WRONG_OBJECT, WRONG_SUBJECT, BOUNDARY)
    return any(relate_triples(record, other, text) in shared for record, other in product(records, correct))


def _position(record: Record) -> _Position:
    """Return a sort key by place, so that results do not depend on the order of storage."""
    return record["subject"], record["object"], record["relation"], -record["score"]


def _confused(errors: Sequence[TripleError], text: str) -> Counter[Tuple[str, str]]:
    """Count gold and predicted relations of the triples of a document that are not correct."""
    links: Dict[Tuple[TextKey, TextKey], Tuple[str, str]] = {}
    alone = Counter[Tuple[str, str]]()
    for error in errors:
        is_wrong = error.kind == FALSE_POSITIVE
        if error.nearest is None or error.error_class not in _SAME_ARGUMENTS:
            relation = error.record["relation"]
            alone[(NONE, relation) if is_wrong else (relation, NONE)] += 1
        else:
            of_gold, of_model = (error.nearest, error.record) if is_wrong else (error.record, error.nearest)
            keys = text_key(of_gold, text), text_key(of_model, text)
            links[keys] = of_gold["relation"], of_model["relation"]
    return alone + Counter(links.values())


def _count(errors: Sequence[TripleError], *, correct: int) -> Tuple[int, int, int]:
    """Return the numbers of correct predictions, false positives and false negatives."""
    wrong = sum(error.kind == FALSE_POSITIVE for error in errors)
    return correct, wrong, len(errors) - wrong


def _gain(totals: Tuple[int, int, int], wrong: int, missed: int) -> float:
    """Compute the gain in F1 if some of the false positives were removed, and some of the missed triples predicted."""

    def f(correct: int, wrong: int, missed: int) -> float:
        return 2 * correct / max(2 * correct + wrong + missed, 1)

    return f(totals[0] + missed, totals[1] - wrong, totals[2] - missed) - f(*totals)


def _cost(error: TripleError, totals: Tuple[int, int, int]) -> float:
    """Compute the gain if an error is corrected, together with its nearest triple if that is an error too."""
    is_wrong = error.kind == FALSE_POSITIVE
    return _gain(totals, int(is_wrong or error.nearest_is_error), int(not is_wrong or error.nearest_is_error))


def _score(error: TripleError) -> float:
    """Return the score of the false positive; 0 if a triple was missed without one."""
    if error.kind == FALSE_POSITIVE:
        return float(error.record["score"])
    return 0.0 if error.nearest is None else float(error.nearest["score"])
