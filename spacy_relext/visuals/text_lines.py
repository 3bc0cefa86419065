"""Break a text with marked arguments into lines, for drawings that cannot measure text."""

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Dict, List, Sequence, Tuple

from spacy.tokens import Doc, Span

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
FONT_SIZE, SMALL_SIZE, TYPE_SIZE = 16, 12, 11  # of words, of relations, and of entity types, in pixels
PADDING = 5  # of arguments, left and right

# Widths of characters as fractions of the font size; the same in all these fonts.
_WIDTHS: Dict[str, float] = {
    character: width
    for width, characters in (
        (0.22, "ijl'"),
        (0.28, " !,./:;I[]\\ft|"),
        (0.33, "()-r`{}"),
        (0.38, '"*'),
        (0.5, "ckJsvxyz"),
        (0.6, "+<=>~FTZ^"),
        (0.67, "&ABEKPSVXY"),
        (0.72, "CDHNRUw"),
        (0.78, "GOQ"),
        (0.83, "mM"),
        (0.92, "%W→"),
        (1.02, "@"),
    )
    for character in characters
}
_USUAL = 0.56
# Classes of letters with a direction: left to right, right to left in general, and in Arabic.
_STRONG = ("L", "R", "AL")


@dataclass(eq=False)
class Box:
    """A piece of text on a line: an argument, or a part of the text between arguments.

    start, end (int): Tokens.
    text (str): What is written; shortened if the argument is wider than a line.
    is_argument (bool): Whether it is one.
    kind (str): Type of the entity that the argument is; "" if it is none.
    spaced (bool): Whether white space comes before it.
    line (int): Number of the line.
    left, width (float): Place on the line, in reading direction, and width in pixels.
    is_reversed (bool): Whether it is read from right to left.
    """

    start: int
    end: int
    text: str
    is_argument: bool
    spaced: bool
    kind: str = ""
    line: int = 0
    left: float = 0.0
    width: float = 0.0
    is_reversed: bool = False


def is_right_to_left(text: str) -> bool:
    """Return True if the first letter of a text is of a script that is written from right to left, as `dir="auto"`."""
    return next((kind for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), "L") != "L"


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Estimate the width of a text in pixels."""
    return size * sum(map(_character_width, text))


def _character_width(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else _USUAL


def shorten(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Cut a text to a width in pixels."""
    if len(text) < 2 or text_width(text, size) <= width:
        return text
    ends = list(accumulate(size * _character_width(character) for character in text))
    return text[: bisect_right(ends, width - text_width("…", size))] + "…"


def break_lines(span: Span, arguments: Sequence[Tuple[int, int]], *, width: float) -> List[Box]:
    """Lay the text of a span out in lines.

    arguments (Sequence[Tuple[int, int]]): Tokens of the arguments, in order, none overlapping.
    width (float): Of a line, in pixels.
    RETURNS (List[Box]): In order. Text between arguments is one box per line; lines break at white space, or anywhere
        if there is none.
    """
    pieces: List[Box] = []
    position = span.start
    for start, end in [*arguments, (span.end, span.end)]:
        pieces += [each for token in range(position, start) for each in _plain_boxes(span.doc, token, width)]
        if start < end:
            text = shorten(" ".join(span.doc[start:end].text.split()), width - 2 * PADDING)
            kind = next((ent.label_ for ent in span.doc[start:end].ents if (ent.start, ent.end) == (start, end)), "")
            size = max(text_width(text), text_width(kind, TYPE_SIZE)) + 2 * PADDING
            pieces.append(Box(start, end, text, True, _has_space_before(span.doc, start), kind, width=size))
        position = end
    is_reversed = is_right_to_left(span.text)
    _direct(pieces, is_reversed=is_reversed)
    return _mirror(_join(_place(pieces, width)), is_reversed=is_reversed)


def _direct(pieces: Sequence[Box], *, is_reversed: bool) -> None:
    """Set directions; what has no letters has the direction of its neighbours if that is one, else that of the text."""
    strong = [
        is_right_to_left(each.text) if any(unicodedata.bidirectional(char) in _STRONG for char in each.text) else None
        for each in pieces
    ]
    for at, each in enumerate(pieces):
        before = next((known for known in strong[at::-1] if known is not None), is_reversed)
        after = next((known for known in strong[at:] if known is not None), is_reversed)
        each.is_reversed = before if before == after else is_reversed


def _mirror(boxes: List[Box], *, is_reversed: bool) -> List[Box]:
    """Mirror the places of neighbours on a line that are read against the direction of the text."""
    for _, group in groupby(boxes, key=lambda box: (box.line, box.is_reversed)):
        run = list(group)
        if run[0].is_reversed != is_reversed:
            ends = run[0].left + run[-1].left + run[-1].width
            for box in run:
                box.left = ends - box.left - box.width
    return boxes


def _plain_boxes(doc: Doc, token: int, width: float) -> List[Box]:
    """Make the box of a token, or several if it is wider than a line; none for white space."""
    text, spaced = doc[token].text.strip(), _has_space_before(doc, token)
    boxes: List[Box] = []
    while text:
        size = next((n for n in range(1, len(text)) if text_width(text[: n + 1]) > width), len(text))
        boxes.append(Box(token, token + 1, text[:size], False, spaced and not boxes, width=text_width(text[:size])))
        text = text[size:]
    return boxes


def _has_space_before(doc: Doc, token: int) -> bool:
    """Return True if white space comes before a token."""
    return token > 0 and (bool(doc[token - 1].whitespace_) or doc[token - 1].is_space)


def _place(pieces: List[Box], width: float) -> List[Box]:
    line, cursor = 0, 0.0
    for number, piece in enumerate(pieces):
        gap = text_width(" ") if piece.spaced and cursor else 0.0
        together = piece.width  # with what follows without a space, such as a full stop
        for other in pieces[number + 1 :]:
            if other.spaced or together > width:
                break
            together += other.width
        needed = together if piece.spaced and together <= width else piece.width
        if cursor and cursor + gap + needed > width:
            line, cursor, gap = line + 1, 0.0, 0.0
        piece.line, piece.left = line, cursor + gap
        cursor += gap + piece.width
    return pieces


def _join(pieces: List[Box]) -> List[Box]:
    joined: List[Box] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        is_alone = last is None or last.is_argument or piece.is_argument
        if last is None or is_alone or (last.line, last.is_reversed) != (piece.line, piece.is_reversed):
            joined.append(piece)
            continue
        last.text += " " * piece.spaced + piece.text
        last.end, last.width = piece.end, piece.left + piece.width - last.left
    return joined
