"""Documents with markup or pages: which files are such, how their text is read, and what texts look like them."""

import re
from typing import Callable, Dict, List, Tuple, Union

from ..annotations.triple import Record
from ..errors import require
from .formats.markup import read_html, read_markdown
from .formats.passages import PASSAGES_KEY, Passage, join_passages
from .formats.pdf import read_pdf

MARKUP: Dict[str, Callable[[str], List[Passage]]] = {"html": read_html, "markdown": read_markdown}
PDF = "pdf"
DOCUMENTS = (*MARKUP, PDF)

# Kind of a document by the suffix of its file.
DOCUMENT_SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".pdf": PDF}

# Libraries that read each kind; the extra `text` installs them.
_LIBRARIES = {"html": ("lxml",), "markdown": ("lxml", "markdown_it", "mdit_py_plugins"), PDF: ("pypdf",)}

# Tags and character references of HTML, emphasis, links and headings of Markdown, and the first line of a PDF.
_MARKUP = re.compile(
    r"</?(?:[abipu]|br|div|em|h[1-6]|html|img|li|ol|span|strong|t[dhr]|table|ul)(?:\s[^<>]*)?/?>"
    r"|&(?:amp|nbsp|lt|gt|quot|#x?[0-9a-f]{1,6});"
    r"|\*\*[^\s*][^*\n]*\*\*|\]\([^()\s]+\)|\[\[[^\[\]\n]+\]\]|^#{1,6} \S|^\|[^\n]*\|$|^%PDF-",
    re.IGNORECASE | re.MULTILINE,
)
_CHARSET = re.compile(rb"<meta[^>]{1,200}charset=[\"' ]{0,2}([\w-]+)", re.IGNORECASE)


def read_document(content: Union[bytes, str], kind: str) -> Tuple[str, Record]:
    """Read the text of a document, and the places of its passages as a key of its record.

    content (Union[bytes, str]): Bytes for PDF, text for the others.
    kind (str): One of `DOCUMENTS`.
    RAISES (ValueError): If it cannot be read.
    RAISES (ImportError): If the library that reads it is not installed (extra `text`).
    """
    if isinstance(content, bytes):
        passages = read_pdf(content)
    else:
        passages = MARKUP[kind](content)
    text, places = join_passages(passages)
    return text, {PASSAGES_KEY: places}


def check_library(kind: str) -> None:
    """RAISES (ImportError): If a library that reads a kind of documents is not installed (extra `text`)."""
    for name in _LIBRARIES[kind]:
        require(name, purpose=kind, extra="text")


def find_charset(page: bytes) -> str:
    """Find the encoding that the head of an HTML page names; UTF-8 if it names none that can be."""
    match = _CHARSET.search(page, 0, 1024)
    name = match.group(1).decode("ascii").lower() if match else ""
    name = "cp1252" if name in ("ascii", "iso-8859-1", "latin1", "us-ascii") else name  # as browsers do
    try:
        return name if b"<p>".decode(name) == "<p>" else "utf-8"
    except (LookupError, UnicodeError):
        return "utf-8"


def looks_like_markup(text: str) -> bool:
    """Return True if a text has tags or character references of HTML, links or emphasis of Markdown, or is a PDF."""
    return _MARKUP.search(text) is not None


def passages_at(record: Record, position: int) -> object:
    """Return the passages of a record that have a character of its text; what it has, if that is no list of places."""
    given = record[PASSAGES_KEY]
    try:
        return [each for each in given if each["start"] <= position < each["end"]]
    except (KeyError, TypeError):  # a key of the input
        return given
