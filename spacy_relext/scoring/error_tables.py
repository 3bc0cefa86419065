"""Errors of a whole corpus: what each costs, counts per class and relation, and which relations are confused."""

from collections import Counter
from dataclasses import dataclass
from typing import Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.sentences import overlaps, sentence_offsets
from ..annotations.store import get_records
from ..annotations.triple import CharSpan, Record
from .errors import (
    BOUNDARY,
    CLASSES,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    SWAPPED,
    WRONG_RELATION,
    TripleError,
    classify_errors,
)
from .triples import TextKey, compare_documents, text_key

# In a confusion matrix: no triple with these arguments.
NONE = ""

_SAME_ARGUMENTS = (SWAPPED, BOUNDARY, WRONG_RELATION)

_Links = Dict[Tuple[TextKey, TextKey], Tuple[str, str]]


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
    right, gold (Dict[str, int]): Triples of each relation that were found, and those in gold.
    confusion (Dict[Tuple[str, str], int]): (Gold relation, predicted relation) → triples whose arguments agree; NONE if
        no triple of the other side agrees.
    """

    errors: List[CorpusError]
    right: Dict[str, int]
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
        named = [(error.record["relation"], error) for error in self._all()]
        return {name: self._group([e for relation, e in named if relation == name]) for name in self.relations()}

    def _all(self) -> List[TripleError]:
        return [each.error for each in self.errors]

    def _group(self, errors: Sequence[TripleError]) -> ErrorGroup:
        """Count some of the errors."""
        everything = _Totals.of(self._all(), right=sum(self.right.values()))
        wrong, missed = (sum(e.kind == kind for e in errors) for kind in (FALSE_POSITIVE, FALSE_NEGATIVE))
        return ErrorGroup(wrong, missed, everything.gain(wrong, missed), dict(Counter(e.error_class for e in errors)))


class _Totals(NamedTuple):
    """Right predictions, false positives and false negatives of a corpus."""

    right: int
    wrong: int
    missed: int

    @classmethod
    def of(cls, errors: Sequence[TripleError], *, right: int) -> "_Totals":
        """Count errors by kind."""
        wrong = sum(error.kind == FALSE_POSITIVE for error in errors)
        return cls(right, wrong, len(errors) - wrong)

    def gain(self, wrong: int, missed: int) -> float:
        """Compute the gain in F if some of the false positives were removed, and some of the missed triples found."""
        corrected = _Totals(self.right + missed, self.wrong - wrong, self.missed - missed)
        return corrected.f() - self.f()

    def f(self) -> float:
        """Compute F1; 0 without any triple."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def collect_errors(examples: Iterable[Example], *, label_filter: Optional[Collection[str]] = None) -> CorpusErrors:
    """Classify the errors of predicted documents under exact match; documents that are not annotated are skipped.

    label_filter (Optional[Collection[str]]): These relations only, in gold and in predictions.
    """
    found: List[Tuple[int, TripleError, List[CharSpan]]] = []
    right: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    confusion: Counter[Tuple[str, str]] = Counter()
    for document in compare_documents(list(examples), label_filter=label_filter):
        text = document.example.reference.text
        errors = classify_errors(document.gold, document.predicted, text)
        right_keys = document.gold_keys & document.scores.keys()
        right.update(key[0] for key in right_keys)
        gold.update(key[0] for key in document.gold_keys)
        confusion.update((key[0], key[0]) for key in right_keys)
        confusion.update(_confused(errors, text))
        sentences = sentence_offsets(document.example)
        for error in errors:
            records = [error.record, *([error.nearest] if error.nearest is not None else [])]
            found.append((document.number, error, find_passages(records, sentences)))
    totals = _Totals.of([error for _, error, _ in found], right=sum(right.values()))
    located = [CorpusError(number, error, _cost(error, totals), passages) for number, error, passages in found]
    located.sort(key=lambda each: (-each.cost, -_score(each.error)))
    return CorpusErrors(located, dict(sorted(right.items())), dict(sorted(gold.items())), dict(confusion))


def count_triples(docs: Iterable[Doc]) -> Dict[str, int]:
    """Count the gold triples of each relation; those with the same texts count once per document."""
    counts: Counter[str] = Counter()
    for doc in docs:
        counts.update(key[0] for key in {text_key(record, doc.text) for record in get_records(doc, source="") or []})
    return dict(sorted(counts.items()))


def describe_error(error: CorpusError, text: str) -> Record:
    """Describe an error in a document with this text as plain values, as `evaluate --errors` writes them."""
    kind, error_class, record, nearest, _ = error.error
    return {
        "document": error.document,
        "kind": kind,
        "class": error_class,
        "cost": round(error.cost, 6),
        "triple": describe_triple(record, text, has_score=kind == FALSE_POSITIVE),
        "nearest": None if nearest is None else describe_triple(nearest, text, has_score=kind == FALSE_NEGATIVE),
        "text": " … ".join(text[start:end].strip() for start, end in error.passages),
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


def describe_triple(record: Record, text: str, *, has_score: bool) -> Record:
    """Describe a predicted triple, which has a score, or a gold one."""
    spans = {
        role: {"text": text[slice(*record[role])], "start": record[role][0], "end": record[role][1]}
        for role in ("subject", "object")
    }
    described = {"relation": record["relation"], **spans}
    return {**described, "score": record["score"], "source": record["source"]} if has_score else described


def _confused(errors: Sequence[TripleError], text: str) -> Counter[Tuple[str, str]]:
    """Count gold and predicted relations of the triples of a document that are not right."""
    links: _Links = {}
    alone: Counter[Tuple[str, str]] = Counter()
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


def _cost(error: TripleError, totals: _Totals) -> float:
    """Compute the gain if an error is corrected, together with its nearest triple if that is an error too."""
    is_wrong = error.kind == FALSE_POSITIVE
    return totals.gain(int(is_wrong or error.nearest_is_error), int(not is_wrong or error.nearest_is_error))


def _score(error: TripleError) -> float:
    """Return the score of the false positive; 0 if a triple was missed without one."""
    if error.kind == FALSE_POSITIVE:
        return float(error.record["score"])
    return 0.0 if error.nearest is None else float(error.nearest["score"])
