"""Classes of errors: what is wrong with a predicted triple, and why a gold triple was missed.

Triples are right under exact match: relation, subject text and object text are those of a gold triple of the document.
A predicted triple that is not right is a false positive, a gold triple that was not predicted is a false negative.

Two arguments *agree* if their texts are equal, or if they have a character of the document in common. A false positive
and a gold triple are then related in at most one of these ways, the first that fits:

    swapped arguments   same relation, and the arguments agree crosswise, better than they do directly
    boundary            same relation, and both arguments agree: at least one has other boundaries
    wrong relation      another relation, and the arguments agree, directly or crosswise
    wrong object        same relation, and only the subjects agree
    wrong subject       same relation, and only the objects agree

The class of a false positive is that of its nearest gold triple, missed or not; `relation not stated` if there is none.
The class of a false negative is that of its nearest false positive; if there is none, it is `missed argument` if a
right prediction has its relation and one of its arguments (one of a list was left out), else `missed relation`.
The nearest is that of the earliest class above, where wrong object and wrong subject count alike; then one that was
missed; then the one whose arguments are fewest characters away.
"""

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..annotations.sentences import overlaps
from ..annotations.triple import CharSpan, Record
from .triples import TextKey, text_key

SWAPPED = "swapped arguments"
BOUNDARY = "boundary"
WRONG_RELATION = "wrong relation"
WRONG_OBJECT = "wrong object"
WRONG_SUBJECT = "wrong subject"
NOT_STATED = "relation not stated"
MISSED_ARGUMENT = "missed argument"
MISSED_RELATION = "missed relation"

CLASSES = (
    SWAPPED,
    BOUNDARY,
    WRONG_RELATION,
    WRONG_OBJECT,
    WRONG_SUBJECT,
    NOT_STATED,
    MISSED_ARGUMENT,
    MISSED_RELATION,
)

FALSE_POSITIVE = "false positive"
FALSE_NEGATIVE = "false negative"

# Subject, object, relation, negative score.
_Position = Tuple[CharSpan, CharSpan, str, float]

_RANKS = {SWAPPED: 0, BOUNDARY: 0, WRONG_RELATION: 1, WRONG_OBJECT: 2, WRONG_SUBJECT: 2}


class TripleError(NamedTuple):
    """One false positive or false negative.

    kind (str): FALSE_POSITIVE or FALSE_NEGATIVE.
    error_class (str): One of CLASSES.
    record (Record): The predicted triple with the highest score, or the first gold triple, of those with these texts.
    nearest (Optional[Record]): What the class compares it with: a gold triple, or a false positive.
    nearest_is_error (bool): False if the nearest gold triple was found by another prediction.
    """

    kind: str
    error_class: str
    record: Record
    nearest: Optional[Record]
    nearest_is_error: bool


class _Relative(NamedTuple):
    """A triple that an error is compared with; the least is the nearest."""

    rank: int
    was_found: bool
    distance: int
    position: _Position
    error_class: str
    record: Record


def classify_errors(gold: Sequence[Record], predicted: Sequence[Record], text: str) -> List[TripleError]:
    """List the false positives and false negatives of a document, each once, with the class of each.

    gold, predicted (Sequence[Record]): Triples with `subject` and `object` as character offsets, `relation`, `score`.
    text (str): The document's text.
    RETURNS (List[TripleError]): False positives, then false negatives, each in the order of their first mention.
    """
    gold_keys, predicted_keys = ({text_key(record, text) for record in records} for records in (gold, predicted))
    wrong = [record for record in predicted if text_key(record, text) not in gold_keys]
    right = [record for record in predicted if text_key(record, text) in gold_keys]
    missed = [record for record in gold if text_key(record, text) not in predicted_keys]
    best_first = sorted(wrong, key=lambda record: (-record["score"], _position(record)))
    errors = []
    for record in _first_of_each(best_first, text):
        nearest = _find_nearest(record, gold, text, found=predicted_keys)
        error_class = NOT_STATED if nearest is None else nearest.error_class
        errors.append(_make_error(FALSE_POSITIVE, error_class, record, nearest))
    for record in _first_of_each(sorted(missed, key=_position), text):
        nearest = _find_nearest(record, wrong, text, found=set())
        if nearest is not None:
            error_class = nearest.error_class
        else:
            error_class = MISSED_ARGUMENT if _is_half_found(record, right, text) else MISSED_RELATION
        errors.append(_make_error(FALSE_NEGATIVE, error_class, record, nearest))
    return errors


def relate_triples(predicted: Record, gold: Record, text: str) -> Optional[str]:
    """Name the class of a wrong triple, compared with one gold triple of the document; None if they are unrelated.

    The result is the same with both exchanged.
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


def _agreement(one: CharSpan, other: CharSpan, text: str) -> int:
    """Return 2 if two arguments have the same text, 1 if they overlap, else 0."""
    if text[slice(*one)] == text[slice(*other)]:
        return 2
    return int(overlaps(one, other))


def _find_nearest(record: Record, others: Sequence[Record], text: str, *, found: Set[TextKey]) -> Optional[_Relative]:
    """Find the triple that an error is most closely related to, if there is one.

    found (Set[TextKey]): Those of the others that are no errors.
    """
    relatives = []
    for other in others:
        error_class = relate_triples(record, other, text)
        if error_class is not None:
            distance = sum(abs(record[role][0] - other[role][0]) for role in ("subject", "object"))
            was_found = text_key(other, text) in found
            relatives.append(_Relative(_RANKS[error_class], was_found, distance, _position(other), error_class, other))
    return min(relatives, key=lambda relative: relative[:4], default=None)


def _is_half_found(record: Record, right: Iterable[Record], text: str) -> bool:
    """Return True if a right prediction has the relation of a triple, and one of its arguments."""
    return any(relate_triples(record, other, text) in (WRONG_OBJECT, WRONG_SUBJECT, BOUNDARY) for other in right)


def _first_of_each(records: Iterable[Record], text: str) -> List[Record]:
    """Keep the first triple of those with the same texts, and sort by position."""
    first: Dict[TextKey, Record] = {}
    for record in records:
        first.setdefault(text_key(record, text), record)
    return sorted(first.values(), key=_position)


def _position(record: Record) -> _Position:
    """Order triples by place, whatever the order of their storage; of the same triple, the highest score is first."""
    return record["subject"], record["object"], record["relation"], -record["score"]


def _make_error(kind: str, error_class: str, record: Record, nearest: Optional[_Relative]) -> TripleError:
    """Make an error from a triple and the nearest one."""
    if nearest is None:
        return TripleError(kind, error_class, record, None, False)
    return TripleError(kind, error_class, record, nearest.record, not nearest.was_found)
