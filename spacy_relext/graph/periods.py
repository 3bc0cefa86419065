"""When a fact holds: from the attributes of its triples, and from triples about time in the same sentence."""

from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..annotations.triple import CharSpan
from ..annotations.values import parse_value
from .documents import Document

# Parts of a period by the attributes of triples and by relations, those of Wikidata (P580, P582, P585) among them.
_ATTRIBUTES = {
    **dict.fromkeys(("start", "start_time", "since"), "start"),
    **dict.fromkeys(("end", "end_time", "until"), "end"),
    **dict.fromkeys(("at", "point_in_time", "time", "date"), "at"),
}
_RELATIONS = {"start_time": "start", "end_time": "end", "point_in_time": "at"}
_RELATIONS.update({"P580": "start", "P582": "end", "P585": "at"})


class Period(NamedTuple):
    """When a fact holds: dates in ISO 8601, as exact as the text; None where nothing is known.

    start, end (Optional[str]): Its first and last day, month or year.
    at (Optional[str]): A time at which it holds.
    """

    start: Optional[str] = None
    end: Optional[str] = None
    at: Optional[str] = None


def find_periods(document: Document) -> List[Period]:
    """Return the period of each triple of a document.

    A triple about time, such as (tenure, start_time, 1998), is about the only other triple of its sentence that has its
    subject as an argument.
    """
    arguments: Counter[Tuple[CharSpan, CharSpan]] = Counter()
    times: Dict[Tuple[CharSpan, CharSpan], Dict[str, str]] = {}
    for each in document.statements:
        part = _RELATIONS.get(each.relation)
        if part is None:
            arguments.update((each.sentence, span) for span in {each.subject, each.object})
        elif date := _read(document.text[slice(*each.object)]):
            times.setdefault((each.sentence, each.subject), {}).setdefault(part, date)
    periods = []
    for each in document.statements:
        found = {_ATTRIBUTES[key]: _read(str(value)) for key, value in each.attributes.items() if key in _ATTRIBUTES}
        if not any(found.values()) and each.relation not in _RELATIONS:
            places = [(each.sentence, span) for span in (each.subject, each.object)]
            found.update(next((times[one] for one in places if one in times and arguments[one] == 1), {}))
        periods.append(Period(**found))
    return periods


def may_overlap(one: Period, other: Period) -> bool:
    """Return False if one period ends before the other one begins; what is unknown may overlap."""
    return not (_is_before(one, other) or _is_before(other, one))


def describe_period(start: Optional[str], end: Optional[str], at: Optional[str]) -> str:
    """Write a period for people: "1998 – 2011", "since 1998", "until 2011", "2001"; "" if nothing is known."""
    if start and end:
        return f"{start} – {end}"
    return at or (f"since {start}" if start else f"until {end}" if end else "")


def _read(text: str) -> Optional[str]:
    value = parse_value(text, "DATE")
    return value.date if value is not None else None


def _is_before(one: Period, other: Period) -> bool:
    end, start = one.at or one.end, other.at or other.start
    if end is None or start is None:
        return False
    exact = min(len(end), len(start))
    is_point = one.at is not None and other.at is not None
    return end[:exact] < start[:exact] or (end[:exact] == start[:exact] and not is_point)
