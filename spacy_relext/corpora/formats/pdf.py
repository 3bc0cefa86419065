"""PDF as passages, one a page: wrapped lines are joined, hyphenated words too, and page numbers are left out.

pypdf is pure Python, and reads damaged files as far as it can.
"""

import io
import logging
import re
import unicodedata
from typing import Any, List

from ...errors import require
from .passages import Passage, clean_text

_LIGATURE = re.compile("[\ufb00-\ufb06]")
_HYPHEN = re.compile(r"(?<=\w)(?:-|\u00ad|\u2010)[ \t]*$")
# `7`, `- 7 -`, `7 / 12`
_PAGE_NUMBER = re.compile(r"[-–—\s]*\d{1,4}(?:\s*/\s*\d{1,4})?[-–—\s]*")
_SENTENCE_END = re.compile(r"[.!?…:]['\")\]’”»]*$")
# A line that is longer than this part of the longest line of its page is wrapped.
_FULL = 0.7


def read_pdf(data: bytes) -> List[Passage]:
    """Read the pages of a PDF that have text.

    RAISES (ValueError): If it is damaged or encrypted, or no page has text.
    """
    pypdf: Any = require("pypdf", purpose="PDF", extra="text")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its remarks about small faults of files
    try:
        pages = [str(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    except Exception as error:  # a damaged file can raise almost any exception
        raise ValueError(f"no PDF that can be read: {' '.join(str(error).split()) or type(error).__name__}") from None
    passages: List[Passage] = []
    for number, text in enumerate(map(_join_lines, pages), start=1):
        before = "\n\n"
        if passages and text[:1].islower() and not _SENTENCE_END.search(passages[-1].text):  # in a sentence
            last = passages.pop()
            passages.append(last._replace(text=_HYPHEN.sub("", last.text)))
            before = "" if passages[-1].text != last.text else "\n"
        if text:
            passages.append(Passage(text, {"page": number}, before))
    if not passages:
        raise ValueError(f"no page of {len(pages)} has text; pictures of text need a program that reads them (OCR)")
    return passages


def _join_lines(page: str) -> str:
    """Join the wrapped lines of a page, and leave out its number."""
    page = _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match.group()), page)
    lines = [line.strip() for line in page.splitlines()]
    for end in (0, -1):
        if lines and _PAGE_NUMBER.fullmatch(lines[end]):
            del lines[end]
    width, text = _FULL * max(map(len, lines), default=0), ""
    for line, following in zip(lines, [*lines[1:], ""]):
        if following[:1].islower() and _HYPHEN.search(line):
            text += _HYPHEN.sub("", line)
        else:
            text += line + (" " if len(line) > width else "\n")
    return clean_text(text)
