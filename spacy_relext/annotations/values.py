"""Dates and numbers in English texts, read where their form leaves no doubt."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Optional

from .names import tidy

_MONTHS = (
    "january february march april may june july august september october november december".split(),
    "jan feb mar apr may jun jul aug sep oct nov dec".split(),
)
_MONTH = {name: number for names in _MONTHS for number, name in enumerate(names, start=1)} | {"sept": 9}
_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_NUMBER_WORDS = {word: Decimal(number) for number, word in enumerate(_WORDS)}
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "mn": 6, "bn": 9}

_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_NAMED = rf"(?P<month>{'|'.join(sorted(_MONTH, key=len, reverse=True))})\.?"
_YEAR = r"(?P<year>[0-9]{4})"
_DATES = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?:T.*)?",
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})",
        rf"{_DAY} (?:of )?{_NAMED},? {_YEAR}",
        rf"{_NAMED} {_DAY},? {_YEAR}",
        rf"{_NAMED},? (?:of )?{_YEAR}",
        _YEAR,
    )
]
_DATE_LABELS = frozenset({"TIME", "DATE", "YEAR"})
# What may precede a date.
_BEFORE = re.compile(
    r"(?:(?:on|in|of|the|since|by|until) )*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?", re.IGNORECASE
)
_AMOUNT = re.compile(
    r"(?P<currency>[$€£¥₹]|[A-Z]{3} ?)? ?(?P<sign>[-−+]?)(?P<digits>[0-9]{1,3}(?:[,\u2009\u202f ][0-9]{3})+|[0-9]+)"
    rf"(?P<rest>\.[0-9]+)?(?:[ -]?(?P<scale>{'|'.join(_SCALES)}))?(?: ?(?P<unit>%|(?!s$)[^\W\d_][^\d]{{0,30}}))?",
)
_WORD = re.compile(rf"(?P<word>{'|'.join(_WORDS)})(?: (?P<scale>{'|'.join(_SCALES)}))?(?: (?P<unit>[^\d]{{1,30}}))?")


class Value(NamedTuple):
    """What a date or an amount says.

    date (str): In ISO 8601, as exact as the text: "1931-03-04", "1931-03", "1931"; "" for amounts.
    number (Optional[Decimal]): Of an amount; None for dates.
    unit (str): What is counted or measured, as it is written: "%", "$", "kroner"; "" for mere numbers.
    """

    date: str = ""
    number: Optional[Decimal] = None
    unit: str = ""


@lru_cache(maxsize=100_000)
def parse_value(text: str, label: Optional[str] = None) -> Optional[Value]:
    """Read a date or an amount; None if its form is unknown or can be read in two ways, such as 3/4/2001 and 1.300.

    label (Optional[str]): Entity type: of the types of dates only dates are read, of other types only amounts.
    """
    text, is_date = tidy(text), label is None or label.upper() in _DATE_LABELS
    bare = _BEFORE.sub("", text, count=1)
    for form in _DATES if is_date else ():
        match = form.fullmatch(bare)
        if match is not None:
            return _read_date(**match.groupdict())
    if is_date and label is not None:
        return None
    match = _AMOUNT.fullmatch(text)
    if match is not None:
        return _read_amount(**match.groupdict())
    match = _WORD.fullmatch(text.lower())
    if match is not None:
        return Value("", _NUMBER_WORDS[match["word"]] * _scale(match["scale"]), (match["unit"] or "").strip())
    return None


def _read_date(year: str, month: Optional[str] = None, day: Optional[str] = None) -> Optional[Value]:
    """Make a date of its parts; None if there is no such day."""
    if month is None:
        return Value(year)
    number = int(month) if month.isdigit() else _MONTH[month.lower()]
    try:
        found = date(int(year), number, int(day or 1))
    except ValueError:
        return None
    return Value(found.isoformat() if day else f"{year}-{number:02}")


def _read_amount(
    currency: Optional[str], sign: str, digits: str, rest: Optional[str], scale: Optional[str], unit: Optional[str]
) -> Optional[Value]:
    """Make an amount of its parts; None if it has two units, or a point that may part thousands."""
    units = [each.strip() for each in (currency, unit) if each and each.strip()]
    if len(units) > 1 or (rest is not None and len(rest) == 4 and len(digits) < 4 and not scale):
        return None
    number = Decimal(re.sub(r"\D", "", digits) + (rest or "")) * _scale(scale)
    return Value("", -number if sign in ("-", "−") else number, units[0] if units else "")


def _scale(name: Optional[str]) -> Decimal:
    return Decimal(10) ** _SCALES[name] if name else Decimal(1)
