"""The visible text of HTML as Label Studio counts it: all text nodes, and one character for each element `br`."""

from typing import List, Optional

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

    RAISES (ImportError): If `beautifulsoup4` is missing.
    """

    def __init__(self, html: str) -> None:
        require("bs4", purpose="`spacy relext convert label-studio` of HTML", extra="text")
        from bs4 import BeautifulSoup
        from bs4.element import NavigableString, PageElement, Tag

        soup = BeautifulSoup(html, "html.parser")
        self._parts: List[str] = []
        # Of each character that is counted, its place in the text.
        self.places: List[int] = []
        self.counted = ""
        self._length = 0
        # None is the end of a block
        stack: List[Optional[PageElement]] = [soup.body or soup]
        while stack:
            node = stack.pop()
            if node is None:
                self._break_line()
            elif not isinstance(node, Tag):
                # subclasses of the class are comments, declarations and the like
                self._count(str(node) if node.__class__ is NavigableString else "")
            elif node.name == "br":
                self._count("\n")
            elif node.name not in _UNSEEN:
                if node.name in _BLOCKS:
                    self._break_line()
                    stack.append(None)
                stack += reversed(node.contents)
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
