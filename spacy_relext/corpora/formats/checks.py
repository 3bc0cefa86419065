"""Checks of values from data files, and text made of tokens.

`name` is the name of a value in messages. Each check raises ValueError if the value is not what it expects.
"""

import re
from itertools import islice
from typing import Iterable, Iterator, List, Sequence, Tuple, Type, TypeVar

from ...annotations.triple import CharSpan, Record
from ...errors import Errors

# Key of a record that states relations which its triples lack: they may be true, so nothing is known to be false.
INCOMPLETE = "incomplete"

# What the report counts trimmed spans by.
TRIMMED = "arguments and entities trimmed of white space"

# What it counts spans by that hold nothing else, and triples that have such an argument.
BLANK_SPANS, BLANK_TRIPLES = "blank spans", "triples with a blank argument"

_KINDS = {str: "a string", list: "a list", dict: "an object", int: "a whole number", float: "a number"}

_JOINTS = re.compile(r"[\s_]+")

_T = TypeVar("_T")


def describe(value: object) -> str:
    """Make the `repr` of a value, shortened to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_object(value: object, name: str = "the record") -> Record:
    """Check that a value is a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {describe(value)}, not an object")
    return value


def check_keys(record: Record, *expected: str) -> None:
    """Check that a record has all keys, of which `a or b` is one of two."""
    for key in expected:
        if not record.keys() & set(key.split(" or ")):
            found = ", ".join(sorted(map(str, record)))
            raise ValueError(Errors.R755.format(key=key, found=f"{found:.200}", expected=", ".join(expected)))


def require(record: Record, key: str, kind: Type[_T], *, name: str = "the record") -> _T:
    """Read a value of an object; `kind` is str, list, dict, int or float."""
    if key not in record:
        raise ValueError(f"{name} has no key {key!r} (found: {describe(sorted(record))})")
    value: _T = record[key]
    if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
        raise ValueError(f"{key!r} of {name} is {describe(value)}, not {_KINDS[kind]}")
    return value


def require_text(record: Record, key: str, *, name: str = "") -> str:
    """Read a string that must not be blank, such as a text or a label; without a name, the object is the record."""
    text = require(record, key, str, name=name or "the record")
    return check_text(text, f"{key!r} of {name}" if name else repr(key))


def check_text(text: str, name: str) -> str:
    """Check that a string is not blank and can be written as UTF-8."""
    if not text.strip():
        raise ValueError(f"{name} is empty")
    return check_unicode(text, name)


def check_unicode(text: str, name: str) -> str:
    """Check that a string can be written as UTF-8: JSON can hold lone surrogates."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start} of {name} is half of a surrogate pair") from None
    return text


def read_label(value: object, names: Sequence[str], *, name: str) -> str:
    """Read a label, which is a string or the number of a name."""
    label = names[value] if isinstance(value, int) and 0 <= value < len(names) else value
    if not isinstance(label, str):
        expected = f"a string, or the number, from 0, of one of {len(names)} names"
        raise ValueError(Errors.R750.format(name=name, found=describe(value), expected=expected))
    return check_unicode(label, name)


def iter_objects(record: Record, key: str) -> Iterator[Tuple[str, Record]]:
    """Read a list of objects, each with its name for messages, such as `triples[0]`."""
    for number, value in enumerate(require(record, key, list)):
        name = f"{key}[{number}]"
        yield name, check_object(value, name)


def check_offsets(value: object, *, length: int, name: str) -> List[int]:
    """Check that a value is a start and an exclusive end inside a text or a sentence.

    length (int): Length of the text in characters, or of the sentence in tokens.
    """
    if not isinstance(value, list) or len(value) != 2 or any(type(number) is not int for number in value):
        raise ValueError(f"{name} is {describe(value)}, not [start, end]")
    start, end = value
    if not 0 <= start < end <= length:
        raise ValueError(f"{name} is [{start}, {end}]; expected 0 <= start < end <= {length}")
    return [start, end]


def make_entity(start: int, end: int, label: str, kb_id: str = "") -> Record:
    """Make an entity of a canonical record from character offsets; `kb_id` "" means not linked."""
    entity = {"start": start, "end": end, "label": label}
    return {**entity, "kb_id": kb_id} if kb_id else entity


def sort_entities(entities: Iterable[Tuple[int, int, str, str]]) -> List[Record]:
    """Make entities from arguments of `make_entity`, sorted by start; of equal starts, the longest first."""
    ordered = sorted(entities, key=lambda entity: (entity[0], -entity[1], entity[3] or entity[2]))
    return [make_entity(*entity) for entity in ordered]


def require_label(record: Record, key: str, *, name: str = "") -> str:
    """Read a label; the numbers of classes that data sets of the Hub have in its place are refused."""
    if type(record.get(key)) is int:
        raise ValueError(Errors.R756.format(key=key, name=name or "the record", found=record[key]))
    return require_text(record, key, name=name)


def same_words(string: str, text: str) -> bool:
    """Return True if two strings are equal but for case, spaces and `_`."""
    return _JOINTS.sub("", string).casefold() == _JOINTS.sub("", text).casefold()


def check_tokens(tokens: Sequence[object], *, allow_blank: bool = False) -> List[str]:
    """Check the tokens of a sentence and remove white space around them.

    allow_blank (bool): Whether a token may be white space, as in the output of tokenizers that keep all of a text.
    """
    if not tokens:
        raise ValueError("a sentence has no tokens")
    checked = []
    for position, token in enumerate(tokens):
        if not isinstance(token, str) or not (allow_blank or token.strip()):
            raise ValueError(f"token {position} is {describe(token)}, not a string with something in it")
        checked.append(check_unicode(token, f"token {position}").strip())
    return checked


def join_sentences(sentences: Sequence[Sequence[str]], *, joint: str = " ") -> Tuple[str, List[List[CharSpan]]]:
    """Join tokens; empty ones add nothing.

    joint (str): What stands between tokens.
    RETURNS (Tuple[str, List[List[CharSpan]]]): The text, and start and end character of each token of each sentence; an
        empty token starts and ends where the next one begins.
    """
    tokens = [token for sentence in sentences for token in sentence]
    offsets, position = [], 0
    for token in tokens:
        offsets.append((position, position + len(token)))
        position += len(token) + len(joint) * bool(token)
    remaining = iter(offsets)
    return joint.join(filter(None, tokens)), [list(islice(remaining, len(sentence))) for sentence in sentences]


def align_tokens(text: str, sentences: Sequence[Sequence[str]]) -> Tuple[str, List[List[CharSpan]]]:
    """Find the tokens of a text in their order, with nothing but white space between; as `join_sentences` returns them.

    RAISES (ValueError): If a token is not where the text goes on.
    """
    offsets: List[List[CharSpan]] = []
    position = 0
    for sentence in sentences:
        offsets.append([])
        for token in sentence:
            start = text.find(token, position)
            if start < 0 or text[position:start].strip():
                found = describe(text[position:].lstrip()[:20])
                raise ValueError(
                    Errors.R750.format(
                        name="where the text goes on", found=found, expected=f"the token {describe(token)}"
                    )
                )
            position = start + len(token)
            offsets[-1].append((start, position))
    return text, offsets


def span_chars(offsets: Sequence[CharSpan], start: int, end: int) -> CharSpan:
    """Convert a span of tokens to characters, without empty tokens at either end.

    offsets (Sequence[CharSpan]): Characters of each token, from `join_sentences`.
    """
    filled = [offset for offset in offsets[start:end] if offset[0] < offset[1]]
    if not filled:
        raise ValueError(Errors.R703.format(start=start, end=end))
    return filled[0][0], filled[-1][1]
