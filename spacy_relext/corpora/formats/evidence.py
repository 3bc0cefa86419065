"""How the numbers of one file are to be read: copies of a data set count in other ways.

What a file holds decides: strings that its records state, spans of no token, ends beyond the last token.
"""

from collections import Counter
from itertools import islice
from typing import Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar

from ...annotations.triple import Record
from .checks import same_words

_T = TypeVar("_T")

# Spans that are compared, in a file.
_SPANS = 2000
# Spans that have more than one token, if none has one, before ends are taken to be exclusive.
_FEW = 200


class OffsetConvention(NamedTuple):
    """How the records of a file are read.

    options (Mapping[str, object]): Keywords of the function that parses them.
    note (str): What the report says of it; "" if they are read as usual.
    """

    options: Mapping[str, object]
    note: str = ""


class Ends(NamedTuple):
    """The ends of one span: its first and last token, the number of tokens, and tags of entities, if there are any."""

    start: int
    end: int
    length: int
    tags: Sequence[object] = ()
    exclusive: bool = False  # as usual


def decide_ends(spans: Iterable[Ends]) -> OffsetConvention:
    """Decide whether ends are read as usual, the option `usual_ends`, or the other way: exclusive or inclusive."""
    votes: Counter[Tuple[bool, str]] = Counter()
    usual, several = False, 0
    for span in islice(spans, _SPANS):
        usual = span.exclusive
        if vote := _vote_ends(span):
            votes[vote] += 1
        several += type(span.start) is type(span.end) is int and span.start < span.end
    if several >= _FEW and not any(name == _ONE_TOKEN for _, name in votes):
        votes[True, "no span has one token"] += 1
    counts = Counter({kind: sum(n for (each, _), n in votes.items() if each == kind) for kind in (True, False)})
    if counts[usual] >= counts[not usual]:
        return OffsetConvention({})
    names = ", ".join(name for (kind, name), _ in votes.most_common() if kind != usual)
    return OffsetConvention({"usual_ends": False}, f"ends are {'inclusive' if usual else 'exclusive'} ({names})")


_ONE_TOKEN = "a span ends where it begins"


def _vote_ends(span: Ends) -> Optional[Tuple[bool, str]]:
    """Say whether a span shows that ends are exclusive, and by what; None if it does not show anything."""
    start, end, length, tags, _ = span
    if not type(start) is type(end) is int:
        return None
    if start == end:
        return False, _ONE_TOKEN
    if end == length:
        return True, "an end is the number of tokens"
    if len(tags) == length and 0 <= start < end < length and tags[start] not in ("O", "", None):
        if tags[end] == tags[start]:
            return False, "tags of entities"
        if tags[end - 1] == tags[start]:
            return True, "tags of entities"
    return None


def decide_by_name(
    stated: Iterable[Tuple[str, Dict[str, str]]], *, conventions: Mapping[str, OffsetConvention]
) -> OffsetConvention:
    """Choose the convention by which most of the spans hold the strings that the records state for them.

    stated (Iterable[Tuple[str, Dict[str, str]]]): A string, and what the span holds by each convention.
    conventions (Mapping[str, OffsetConvention]): The conventions, the usual one first.
    """
    votes = Counter({name: 0 for name in conventions})
    for string, held in islice(stated, _SPANS):
        if string and isinstance(string, str):
            votes.update(name for name, text in held.items() if same_words(string, text))
    return conventions[max(conventions, key=lambda name: votes[name])]


def iter_evidence(values: Iterable[object], list_spans: Callable[[Record], Iterable[_T]]) -> Iterator[_T]:
    """List what the spans of records show; records that are malformed show nothing."""
    for value in values:
        try:
            found = list(list_spans(value))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, IndexError):
            continue
        yield from found
