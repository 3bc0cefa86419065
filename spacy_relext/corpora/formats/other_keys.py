"""Keys of data sets that a reader does not know are kept or counted, and columns of the Hub become rows."""

from collections import Counter
from typing import Any, Iterable, List, Mapping, Sequence, Tuple

from ...annotations.triple import Record
from ..canonical import KNOWN_KEYS


def rows_of_columns(value: object) -> object:
    """Turn an object of lists of one length, which Hugging Face makes of a list of objects, into that list."""
    if not isinstance(value, dict) or not value or not all(isinstance(column, list) for column in value.values()):
        return value
    lengths = {len(column) for column in value.values()}
    return [dict(zip(value, row)) for row in zip(*value.values())] if len(lengths) == 1 else value


def rows_of_record(value: object, keys: Iterable[str]) -> Tuple[object, "Counter[str]"]:
    """Turn the columns of a record into rows, and count them.

    keys (Iterable[str]): See `Format.objects`.
    """
    record: Record = value if isinstance(value, dict) else {}
    losses: Counter[str] = Counter()
    for name, mark in _split_marks(keys):
        rows = given = record.get(name)
        if mark == "[]" and isinstance(given, list):
            rows = [rows_of_columns(each) for each in given]
        elif not mark:
            rows = rows_of_columns(given)
        if rows != given:
            losses[f"columns read as rows (Sequence of Hugging Face): {name}"] += 1
            record = {**record, name: rows}
    return record or value, losses


def split_others(
    value: object, known: Iterable[str], objects: Mapping[str, Sequence[str]]
) -> Tuple[Record, "Counter[str]"]:
    """Copy the keys that a reader does not know, if their values are plain; count others by name, unless empty.

    known, objects (Iterable[str], Mapping[str, Sequence[str]]): See `Format`; nothing is unknown if `known` is empty.
    """
    kept: Record = {}
    losses: Counter[str] = Counter()
    record = value if known and isinstance(value, dict) else {}
    for key, each in record.items():
        if key in known:
            continue
        if isinstance(each, (str, int, float)) and key not in KNOWN_KEYS and _is_storable(key) and _is_storable(each):
            kept[key] = each
        else:
            losses[f"key that is not read: {key}"] += not _is_empty(each)
    for (name, mark), keys in zip(_split_marks(objects), objects.values()):
        rows: List[Any] = each if isinstance(each := record.get(name), list) else [each]
        if mark == "[]":
            rows = [row for inner in rows if isinstance(inner, list) for row in inner]
        for row in rows:
            for key, each in row.items() if keys and isinstance(row, dict) else ():
                if key not in keys and not _is_empty(each):
                    losses[f"key of {name} that is not read: {key}"] += 1
    return kept, losses


def _split_marks(keys: Iterable[str]) -> List[Tuple[str, str]]:
    """Split keys, such as `vertexSet[]`, into their names and marks."""
    return [(key.rstrip("[]{}"), key[len(key.rstrip("[]{}")) :]) for key in keys]


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
