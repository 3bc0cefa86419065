"""Checks of what this package stores in `user_data`: damaged or foreign files may have anything there."""

from typing import Any, Callable, Dict

from ..annotations.constraints import REMOVED_KEY
from ..annotations.entities import ENTITIES_KEY, GIVEN_PAIRS_KEY, PAIRS_KEY
from ..annotations.store import COREF_KEY, LENGTH_KEY, REJECTED_KEY, RELATIONS_KEY, SOFT_LABELS_KEY, TRIPLES_KEY
from .records import META_KEY, SENTS_KEY

# Offsets are below this: spaCy counts characters in 32 bits.
_LIMIT = 2**31


def find_damage(user_data: object) -> str:
    """Describe the first value under this package's keys that is not of the form it writes; "" if there is none.

    user_data (object): Unpacked user data of one Doc.
    """
    if not isinstance(user_data, dict):
        return f"its user data is a {type(user_data).__name__}"
    length = user_data.get(LENGTH_KEY)
    if length is not None and not (type(length) is int and 0 <= length < _LIMIT):
        return f"{LENGTH_KEY} is {length!r:.60}"
    if not isinstance(user_data.get(META_KEY, {}), dict):
        return f"{META_KEY} is a {type(user_data[META_KEY]).__name__}"
    if SOFT_LABELS_KEY in user_data and not _are_soft_labels(user_data[SOFT_LABELS_KEY]):
        return f"{SOFT_LABELS_KEY} has no classes and pairs, or other numbers"
    for key, is_valid in _FORMS.items():
        values = user_data.get(key, ())
        if values is None and key == GIVEN_PAIRS_KEY:
            continue
        if not isinstance(values, (list, tuple)):
            return f"{key} is a {type(values).__name__}"
        for number, value in enumerate(values, 1):
            if not is_valid(value):
                return f"{key} has the value {value!r:.60} (number {number})"
    return ""


def _is_span(value: Any) -> bool:
    """Return True for the offsets of one or more characters."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    start, end = value
    return type(start) is int and type(end) is int and 0 <= start < end < _LIMIT


def _is_text(value: Any, *, optional: bool = True) -> bool:
    """Return True for a string that can be encoded, and for None if it is optional."""
    if not isinstance(value, str):
        return optional and value is None
    if value.isascii():
        return True
    try:
        value.encode("utf8")
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, (float, int))


def _has_arguments(value: Any) -> bool:
    return isinstance(value, dict) and _is_span(value.get("subject")) and _is_span(value.get("object"))


def _is_pair(value: Any) -> bool:
    return _has_arguments(value) and _is_text(value.get("label"))


def _is_triple(value: Any) -> bool:
    return (
        _has_arguments(value)
        and _is_text(value.get("relation"), optional=False)
        and _is_number(value.get("score"))
        and _is_text(value.get("source"), optional=False)
        and isinstance(value.get("evidence"), dict)
        and isinstance(value.get("attributes", {}), dict)
    )


def _is_removed(value: Any) -> bool:
    return _has_arguments(value) and _is_text(value.get("relation"), optional=False) and _is_number(value.get("score"))


def _is_entity(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_span((value.get("start"), value.get("end")))
        and _is_text(value.get("label"), optional=False)
        and _is_text(value.get("kb_id"))
    )


def _is_cluster(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_span, value))


def _is_sentence(value: Any) -> bool:
    """Return True for a sentence with the probabilities of its relations."""
    if not isinstance(value, dict) or not isinstance(value.get("relations"), dict):
        return False
    start, end, relations = value.get("start"), value.get("end"), value["relations"]
    is_placed = type(start) is int and type(end) is int and 0 <= start <= end < _LIMIT
    return is_placed and all(isinstance(name, str) and _is_number(each) for name, each in relations.items())


def _are_soft_labels(value: Any) -> bool:
    """Return True for soft labels: classes, and pairs with one number for each class and one for no relation."""
    if not isinstance(value, dict):
        return False
    classes, pairs = value.get("classes"), value.get("pairs")
    if not isinstance(classes, (list, tuple)) or not isinstance(pairs, (list, tuple)):
        return False
    if not all(isinstance(each, (list, tuple)) and [type(part) for part in each] == [str, bool] for each in classes):
        return False
    return all(_has_arguments(each) and _has_logits(each, len(classes) + 1) for each in pairs)


def _has_logits(pair: Dict[str, Any], size: int) -> bool:
    """Return True if all values of a pair but its arguments are lists of `size` numbers."""
    rows = [row for key, row in pair.items() if key not in ("subject", "object")]
    return all(isinstance(row, (list, tuple)) and len(row) == size and all(map(_is_number, row)) for row in rows)


_FORMS: Dict[str, Callable[[Any], bool]] = {
    TRIPLES_KEY: _is_triple,
    REJECTED_KEY: _is_triple,
    GIVEN_PAIRS_KEY: _is_triple,
    REMOVED_KEY: _is_removed,
    RELATIONS_KEY: _is_sentence,
    ENTITIES_KEY: _is_entity,
    PAIRS_KEY: _is_pair,
    COREF_KEY: _is_cluster,
    SENTS_KEY: _is_span,
}
