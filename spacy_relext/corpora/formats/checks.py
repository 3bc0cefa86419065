"""Checks at the door: raw values of foreign files have the keys and the kinds that their format promises."""

from typing import Any, Dict, List, Sequence

_KINDS = {str: "a string", list: "a list", dict: "an object", int: "a whole number", float: "a number"}


def describe(value: Any) -> str:
    """Name a value of foreign data, shortened so that a message stays one line.

    value (Any): The value.
    RETURNS (str): Its Python form, at most 60 characters.
    """
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_object(value: Any, name: str = "the record") -> Dict[str, Any]:
    """Make sure that a value is a JSON object.

    value (Any): The value.
    name (str): What the value is, for the message.
    RETURNS (Dict[str, Any]): The value.
    RAISES (ValueError): Where it is anything else.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {describe(value)}, not an object")
    return value


def require(record: Dict[str, Any], key: str, kind: type, *, name: str = "the record") -> Any:
    """Take a value from an object and make sure of its kind.

    record (Dict[str, Any]): The object.
    key (str): Its key.
    kind (type): str, list, dict, int or float.
    name (str): What the object is, for the message.
    RETURNS (Any): The value.
    RAISES (ValueError): Where the key is absent or the value is of another kind.
    """
    if key not in record:
        raise ValueError(f"{name} has no key {key!r} (found: {describe(sorted(record))})")
    value = record[key]
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ValueError(f"{key!r} of {name} is {describe(value)}, not {_KINDS[kind]}")
    return value


def require_text(record: Dict[str, Any], key: str) -> str:
    """Take the text of a record.

    record (Dict[str, Any]): The record.
    key (str): The text's key.
    RETURNS (str): The text.
    RAISES (ValueError): Where it is absent, blank, or holds half of a surrogate pair.
    """
    text: str = require(record, key, str)
    if not text.strip():
        raise ValueError(f"{key!r} is empty")
    check_unicode(text, key)
    return text


def check_unicode(text: str, name: str) -> None:
    """Make sure that a string can be written as UTF-8; JSON can smuggle in half of a surrogate pair.

    text (str): The string.
    name (str): What it is, for the message.
    RAISES (ValueError): Where it cannot.
    """
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start} of {name!r} is half of a surrogate pair") from None


def check_offsets(value: Any, *, length: int, name: str) -> List[int]:
    """Make sure that a value is a start and an end inside something.

    value (Any): The value.
    length (int): Length of the text in characters, or of a sentence in tokens.
    name (str): What the pair is, for the message.
    RETURNS (List[int]): Start and end (exclusive).
    RAISES (ValueError): Where it is not two whole numbers with 0 <= start < end <= length.
    """
    whole = isinstance(value, Sequence) and len(value) == 2 and all(type(number) is int for number in value)
    if not whole or isinstance(value, str):
        raise ValueError(f"{name} is {describe(value)}, not [start, end]")
    start, end = value
    if not 0 <= start < end <= length:
        raise ValueError(f"{name} is [{start}, {end}]; expected 0 <= start < end <= {length}")
    return [start, end]
