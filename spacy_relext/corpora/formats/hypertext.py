"""The visible text of HTML as Label Studio counts it: all text nodes, and one character for each element `br`."""

from typing import Any, List

from ...annotations.triple import CharSpan
from ...errors import require

# Elements that are shown on lines of their own.
_BLOCKS = frozenset(
    "address article aside blockquote dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr "
    "li main nav ol p pre section table td th tr ul".split()
)
_UNSEEN = frozenset("script style template title".split())


class VisibleText:
    """The text of HTML with blocks on lines of their own, and where the characters are that the tool counts.

    RAISES (ImportError): If lxml is missing.
    RAISES (ValueError): If elements are nested too deep.
    """

    def __init__(self, html: str) -> None:
        etree: Any = require("lxml.etree", purpose="`spacy relext convert label-studio` of HTML", extra="text")
        self._parts: List[str] = []
        # Of each character that is counted, its place in the text.
        self.places: List[int] = []
        self.counted = ""
        self._length = 0
        parser = etree.HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(f"<body>{html}</body>".encode(), parser)
        except etree.XMLSyntaxError as error:
            raise ValueError(f"no HTML that can be read: {error}") from None
        body = root.find("body")
        walk = etree.iterwalk(root if body is None else body, events=("start", "end"))
        for event, element in walk:
            is_unseen = element.tag in _UNSEEN
            if element.tag in _BLOCKS:
                self._break_line()
            if event == "start" and is_unseen:
                walk.skip_subtree()
            elif event == "start":
                self._count("\n" if element.tag == "br" else element.text or "")
            elif element is not body:
                self._count(element.tail or "")
        self.text = "".join(self._parts)

    def _count(self, text: str) -> None:
        self.places += range(self._length, self._length + len(text))
        self.counted += text
        self._add(text)

    def _break_line(self) -> None:
        """Begin a line, unless the text is at the begin of one."""
        if self._parts and not self._parts[-1].endswith("\n"):
            self._add("\n")

    def _add(self, text: str) -> None:
        self._parts += [text] if text else []
        self._length += len(text)

    def to_text(self, span: CharSpan) -> CharSpan:
        """Translate a span of counted characters to the text."""
        start, end = span
        return self.places[start], self.places[end - 1] + 1
