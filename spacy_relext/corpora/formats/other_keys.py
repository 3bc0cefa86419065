"""Keys of data sets that a reader does not know are kept or counted, and columns of the Hub become rows."""

from collections import Counter
from typing import Iterable, Tuple

from ...annotations.triple import Record
from ..canonical import KNOWN_KEYS


def rows_of_columns(value: object) -> object:
    """Turn an object of lists of one length, which Hugging Face makes of a list of objects, into that list."""
    if not isinstance(value, dict) or not value or not all(isinstance(column, list) for column in value.values()):
        return value
    lengths = {len(column) for column in value.values()}
    return [dict(zip(value, row)) for row in zip(*value.values())] if len(lengths) == 1 else value


def split_others(record: Record, known: Iterable[str]) -> Tuple[Record, "Counter[str]"]:
    """Copy the keys that a reader does not know, if their values are plain; count others by name, unless empty."""
    kept: Record = {}
    losses: Counter[str] = Counter()
    for key, value in record.items():
        if key in known:
            continue
        if isinstance(value, (str, int, float)) and key not in KNOWN_KEYS and _is_storable(key) and _is_storable(value):
            kept[key] = value
        else:
            losses[f"key that is not read: {key}"] += not _is_empty(value)
    return kept, losses


def count_others(name: str, records: Iterable[object], known: Iterable[str]) -> "Counter[str]":
    """Count the keys that a reader does not know in the objects of a list, if they are not empty."""
    return Counter(
        f"key of {name} that is not read: {key}"
        for record in records
        if isinstance(record, dict)
        for key, value in record.items()
        if key not in known and not _is_empty(value)
    )


def _is_storable(value: object) -> bool:
    """Return True if a plain value can be stored: a string without half surrogates, an integer of at most 64 bits."""
    if isinstance(value, str):
        return value.encode("utf8", "replace") == value.encode("utf8", "backslashreplace")
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _is_empty(value: object) -> bool:
    """Return True for nulls, and for strings, lists and objects in which there is nothing."""
    if isinstance(value, (list, dict)):
        return all(map(_is_empty, value.values() if isinstance(value, dict) else value))
    return value is None or value == ""
