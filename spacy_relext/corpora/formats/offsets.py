"""What offsets count: code points in Python, UTF-16 units in JavaScript and Java, elsewhere bytes or graphemes.

Some also count the two characters of a Windows line end as one. Offsets are translated to code points and back.
"""

from itertools import accumulate, chain
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import check_offsets, describe
from .locate import is_boundary

# Values of the option `offsets`, by what they count.
COUNTINGS = {"codepoint": "code points", "utf16": "UTF-16 units", "bytes": "bytes", "grapheme": "graphemes"}

# Any number of fragments, and the text that a record states for them.
Stated = Tuple[Sequence[CharSpan], str]


class Counting(NamedTuple):
    """A way to count the characters of a text."""

    unit: str = "codepoint"
    # Whether CR LF counts as one; a grapheme it always is.
    joins_lines: bool = False

    @property
    def kind(self) -> str:
        """What the report counts documents by."""
        lines = " and CR LF as one" if self.joins_lines else ""
        return f"documents whose offsets count {COUNTINGS[self.unit]}{lines}"


CODE_POINTS = Counting()

# What tools count instead.
OTHERS = [Counting("utf16"), Counting("grapheme")]

# In the order in which they are tried: the most frequent first.
_TRIED = [Counting(unit, joins) for joins in (False, True) for unit in ("codepoint", "utf16", "bytes")]
_TRIED.append(Counting("grapheme"))


class OffsetMap:
    """Translates the offsets of one text.

    RAISES (ImportError): If graphemes are counted and `regex` is missing; it comes with transformers.
    """

    def __init__(self, text: str, counting: Counting) -> None:
        self.text, self.counting = text, counting
        pieces = list(_pieces(text, counting)) if differs(text, [counting]) else []
        # Place of each character in units, and the reverse; None: both are equal.
        self._units: Optional[List[int]] = None
        self._places: Dict[int, int] = {}
        if pieces:
            units = list(accumulate((size for _, size in pieces), initial=0))
            places = list(accumulate((length for length, _ in pieces), initial=0))
            self._places = dict(zip(units, places))
            inner = ([unit] * length for unit, (length, _) in zip(units, pieces))
            self._units = [*chain.from_iterable(inner), units[-1]]

    def to_codepoints(self, span: Sequence[object], name: str) -> CharSpan:
        """Translate a span. RAISES (ValueError): If it lies outside the text, or begins or ends in a character."""
        units = self._units
        try:
            start, end = check_offsets(list(span), length=len(self.text) if units is None else units[-1], name=name)
            if units is not None and not {start, end} <= self._places.keys():
                raise ValueError(f"{name} is {describe(list(span))}, which begins or ends inside a character")
        except ValueError as error:
            if units is None and not differs(self.text, OTHERS):
                raise
            raise ValueError(Errors.R745.format(what=error, unit=COUNTINGS[self.counting.unit])) from None
        return (start, end) if units is None else (self._places[start], self._places[end])

    def from_codepoints(self, place: int) -> int:
        """Translate a place in the text, which is the start of its character if it lies inside one."""
        return place if self._units is None else self._units[place]


def _pieces(text: str, counting: Counting) -> Iterator[CharSpan]:
    """Yield the code points and units of each character that is counted."""
    if counting.unit == "grapheme":
        import regex

        yield from ((len(match.group()), 1) for match in regex.finditer(r"\X", text))
        return
    is_open = False  # after a CR that was counted with the LF that follows
    for place, character in enumerate(text):
        if is_open:
            is_open = False
        elif counting.joins_lines and text.startswith("\r\n", place):
            is_open = True
            yield 2, 1
        elif counting.unit == "utf16":
            yield 1, 1 + (character > "\uffff")
        else:
            yield 1, len(character.encode("utf8", "surrogatepass")) if counting.unit == "bytes" else 1


def fit_counting(text: str, stated: Sequence[Stated]) -> Optional[Counting]:
    """Find the counting by which all offsets hold the texts that are stated for them; None if none does."""
    return fit_pieces([(text, stated)])


def fit_pieces(pieces: Sequence[Tuple[str, Sequence[Stated]]]) -> Optional[Counting]:
    """Find the one counting of several texts, each with its own offsets; see `fit_counting`."""
    for counting in _TRIED if any(differs(text, _TRIED) for text, _ in pieces) else _TRIED[:1]:
        try:
            if all(_holds(text, OffsetMap(text, counting), stated) for text, stated in pieces):
                return counting
        except ValueError:
            continue
    return None


def _holds(text: str, offsets: OffsetMap, stated: Sequence[Stated]) -> bool:
    return all(same_text(_slice(text, offsets, spans), string) for spans, string in stated)


def _slice(text: str, offsets: OffsetMap, spans: Sequence[CharSpan]) -> str:
    return "".join(text[slice(*offsets.to_codepoints(span, ""))] for span in spans)


def same_text(found: str, stated: str) -> bool:
    """Compare texts but for white space; Label Studio writes a line break as a backslash and an n."""
    return found == stated or _squeeze(found) == _squeeze(stated)


def _squeeze(text: str) -> str:
    return "".join(text.replace("\\n", "").split())


def differs(text: str, countings: Iterable[Counting]) -> bool:
    """Return True if a text has characters that one of some countings counts otherwise than code points."""
    if text.isascii() and "\r\n" not in text:
        return False
    return any(any(length != size for length, size in _pieces(text, each)) for each in countings)


def is_doubtful(text: str, spans: Iterable[CharSpan]) -> bool:
    """Return True if tools count characters of a text differently, and a span begins or ends inside a word."""
    cut = any(not (is_boundary(text, start) and is_boundary(text, end)) for start, end in spans)
    return cut and differs(text, OTHERS)


def recount(record: Record, offsets: OffsetMap) -> None:
    """Translate all offsets of a canonical record, in place, to code points.

    RAISES (ValueError): If a span lies outside the text.
    """
    for number, entity in enumerate(record.get("entities", ())):
        span = (entity["start"], entity["end"])
        entity["start"], entity["end"] = offsets.to_codepoints(span, f"entities[{number}]")
    for key in ("triples", "rejected", "pairs"):
        for number, each in enumerate(record.get(key, ())):
            for role in ("subject", "object"):
                each[role] = list(offsets.to_codepoints(each[role], f"{key}[{number}].{role}"))
            for place in ("sent_start", "sent_end"):
                each.pop(place, None)  # for readers only
    for key, places in [("sents", record.get("sents", [])), *(("coref", each) for each in record.get("coref", ()))]:
        places[:] = [list(offsets.to_codepoints(each, f"{key}[{number}]")) for number, each in enumerate(places)]
