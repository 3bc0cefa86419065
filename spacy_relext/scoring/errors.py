"""Classes of errors: what is wrong with a predicted triple, and why a gold triple was missed.

Triples are right under exact match: relation, subject text and object text are those of a gold triple of the document.
A predicted triple that is not right is a false positive, a gold triple that was not predicted is a false negative.

Two arguments *agree* if their texts are equal, or if they have a character of the document in common. A false positive
and a gold triple are related in at most one way: that of the first of the first five DEFINITIONS that fits.

The class of a false positive is that of its nearest gold triple, missed or not; `relation not stated` if there is none.
The class of a false negative is that of its nearest false positive; if there is none, it is `missed argument` if a
right prediction has its relation and one of its arguments (one of a list was left out), else `missed relation`.
The nearest is that of the earliest class above, where wrong object and wrong subject count alike; then one that was
missed; then the one whose arguments are fewest characters away.
"""

from itertools import product
from typing import AbstractSet, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

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

# In the order in which they are tried.
DEFINITIONS = {
    SWAPPED: "Same relation; the arguments agree crosswise, better than they do directly",
    BOUNDARY: "Same relation; both arguments agree, but at least one has other boundaries",
    WRONG_RELATION: "Another relation; the arguments agree, directly or crosswise",
    WRONG_OBJECT: "Same relation; only the subjects agree",
    WRONG_SUBJECT: "Same relation; only the objects agree",
    NOT_STATED: "A predicted triple that is related to no gold triple",
    MISSED_ARGUMENT: "A missed triple; a right prediction has its relation and one of its arguments",
    MISSED_RELATION: "Any other missed triple; no prediction has its relation and one of its arguments",
}

CLASSES = tuple(DEFINITIONS)

FALSE_POSITIVE = "false positive"
FALSE_NEGATIVE = "false negative"

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
    nearest_is_error (bool): False if there is none, or it is a gold triple that another prediction found.
    """

    kind: str
    error_class: str
    record: Record
    nearest: Optional[Record]
    nearest_is_error: bool


class _Relative(NamedTuple):
    """A mention of an error, and one of a triple that it is compared with; the lowest `order` is the nearest.

    order: Rank of the class, whether the other was found, characters between them, their positions.
    """

    order: Tuple[int, bool, int, _Position, _Position]
    error_class: str
    record: Record
    other: Record


def classify_errors(gold: Sequence[Record], predicted: Sequence[Record], text: str) -> List[TripleError]:
    """List the false positives and false negatives of a document, each once, with the class of each.

    gold, predicted (Sequence[Record]): Triples with `subject` and `object` as character offsets, `relation`, `score`.
    text (str): The document's text.
    RETURNS (List[TripleError]): False positives, then false negatives, each sorted by position.
    """
    of_gold, of_model = _group_mentions(gold, text), _group_mentions(predicted, text)
    wrong = {key: records for key, records in of_model.items() if key not in of_gold}
    right = [record for key in of_model.keys() & of_gold.keys() for record in of_model[key]]
    errors = []
    for records in wrong.values():
        nearest = _find_nearest(records, of_gold, found=of_model.keys(), text=text)
        errors.append(_make_error(FALSE_POSITIVE, records, nearest, alone=NOT_STATED))
    for key, records in of_gold.items():
        if key not in of_model:
            nearest = _find_nearest(records, wrong, found=set(), text=text)
            alone = MISSED_ARGUMENT if _is_half_found(records, right, text) else MISSED_RELATION
            errors.append(_make_error(FALSE_NEGATIVE, records, nearest, alone=alone))
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
    records: Sequence[Record], others: Mapping[TextKey, Sequence[Record]], *, found: AbstractSet[TextKey], text: str
) -> Optional[_Relative]:
    """Find the triple that an error is most closely related to, if there is one.

    records (Sequence[Record]): Mentions of the error.
    found (AbstractSet[TextKey]): Those of the others that are not errors.
    """
    relatives = []
    for key, mentions in others.items():
        for record, other in product(records, mentions):
            error_class = relate_triples(record, other, text)
            if error_class is not None:
                distance = sum(abs(record[role][0] - other[role][0]) for role in ("subject", "object"))
                order = _RANKS[error_class], key in found, distance, _position(other), _position(record)
                relatives.append(_Relative(order, error_class, record, other))
    return min(relatives, key=lambda relative: relative.order, default=None)


def _is_half_found(records: Iterable[Record], right: Iterable[Record], text: str) -> bool:
    """Return True if a right prediction has the relation of a triple and one of its arguments."""
    shared = (WRONG_OBJECT, WRONG_SUBJECT, BOUNDARY)
    return any(relate_triples(record, other, text) in shared for record, other in product(records, right))


def _position(record: Record) -> _Position:
    """Return a sort key by place, so that results do not depend on the order of storage."""
    return record["subject"], record["object"], record["relation"], -record["score"]


def _make_error(kind: str, records: Sequence[Record], nearest: Optional[_Relative], *, alone: str) -> TripleError:
    """Make an error from its mentions and the nearest triple; `alone` is its class if there is none."""
    if nearest is None:
        return TripleError(kind, alone, records[0], None, False)
    return TripleError(kind, nearest.error_class, nearest.record, nearest.other, not nearest.order[1])
