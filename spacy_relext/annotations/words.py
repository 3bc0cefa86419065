"""The words of a Doc: its tokens that are not white space.

spaCy makes tokens of line breaks, tabs, no-break spaces and second spaces. No argument and no entity begins or ends
with one, and models do not count them as positions: wrapped or padded text is read as clean text is.
"""

import re
from typing import Optional, Tuple

import numpy
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

from .triple import CharSpan, trim_span

IntArray = NDArray[numpy.int64]

# Two letters of a script that writes spaces between words, with no boundary of a word between them.
_INSIDE = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f]{2}")


def words_of(doc: Doc) -> IntArray:
    """List the tokens that are not white space. Shape (W,)"""
    return numpy.flatnonzero(doc.to_array([IS_SPACE]) == 0)


def words_before(doc: Doc) -> IntArray:
    """Count the words before each token, and before the end of the Doc. Shape (T + 1,)"""
    return numpy.append(0, numpy.cumsum(doc.to_array([IS_SPACE]) == 0))


def trim_blanks(doc: Doc, start: int, end: int) -> Tuple[int, int]:
    """Leave out white space at both ends of a span of tokens; of a blank span nothing is left: start is end."""
    while start < end and doc[end - 1].is_space:
        end -= 1
    while start < end and doc[start].is_space:
        start += 1
    return start, end


def whole_words(text: str, start: int, end: int) -> Optional[CharSpan]:
    """Leave out white space at both ends of a span, and widen an end inside a word to the whole word.

    Tokens may have white space of their own, or be parts of words, if another tokenizer made them.

    RETURNS (Optional[CharSpan]): In characters; None for white space alone.
    """
    start, end = trim_span(text, start, end)
    if start == end:
        return None
    while start and _INSIDE.fullmatch(text, start - 1, start + 1):
        start -= 1
    while end < len(text) and _INSIDE.fullmatch(text, end - 1, end + 1):
        end += 1
    return start, end
