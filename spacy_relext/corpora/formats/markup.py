"""HTML and Markdown as passages: blocks stand alone, inline markup vanishes, scripts and navigation are left out.

Markdown is rendered as HTML, so that one walk reads both: markdown-it-py follows CommonMark, and tells the line of each
block. lxml reads HTML in a time that grows with its length; the parser of Python's own library, which beautifulsoup4
would use, takes minutes for a few thousand unclosed tags.
"""

import re
from dataclasses import dataclass, field
from typing import Any, List, Optional, Tuple

from ...errors import require
from .passages import HEADINGS, Composer, Passage, clean_text, is_key_value

# Elements without text for readers; `title` is the title in the head, which may have no end tag.
_SKIPPED = frozenset(("math", "nav", "noscript", "rp", "rt", "script", "select", "style", "svg", "template", "title"))
# Classes of links to notes and back.
_NOTES = frozenset(("footnote-backref", "footnote-ref", "reference"))
_CELLS, _LISTS, _LINES = ("td", "th"), ("ol", "ul"), ("div", "p")
_BLOCKS = {*HEADINGS, *_CELLS, *_LISTS, *_LINES}.union(
    "address article aside blockquote center dd details dialog dl dt fieldset figcaption figure footer form header hr "
    "legend li main pre section summary table tbody tfoot thead tr".split()
)
_SPACE = re.compile(r"\s+")

# Attribute with the line of a block of Markdown.
_LINE = "data-relext-line"
# `[[Ada Holm]]`, `[[Ada Holm|her]]`: links of wikis.
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|\n]*\|)?([^\[\]|\n]+)\]\]")
_EMPHASIS = dict.fromkeys(map(ord, "*_`"))


def read_html(markup: str) -> List[Passage]:
    """Read the passages of an HTML page. RAISES (ValueError): If elements are nested too deep."""
    return _read_tree(markup, has_lines=False)


def read_markdown(markup: str) -> List[Passage]:
    """Read the passages of a Markdown text; the front matter is left out."""
    modules = ("markdown_it", "mdit_py_plugins.footnote", "mdit_py_plugins.front_matter")
    parser, footnote, front_matter = (require(name, purpose="Markdown", extra="text") for name in modules)
    markdown: Any = parser.MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(
        ["table", "strikethrough"]
    )
    markdown.use(footnote.footnote_plugin).use(front_matter.front_matter_plugin)
    markdown.core.ruler.before("inline", "relext", _prepare)
    return _read_tree(markdown.render(markup), has_lines=True)


def _prepare(state: Any) -> None:
    """Note the line of each block, unwrap the links of wikis, and keep the line breaks of `Key: value` lines."""
    for token in state.tokens:
        if token.type != "inline" and token.map:
            token.attrSet(_LINE, str(token.map[0] + 1))
        elif token.type == "inline":
            token.content = _WIKI_LINK.sub(r"\1", token.content)
            if all(map(is_key_value, token.content.translate(_EMPHASIS).split("\n"))):
                token.content = token.content.replace("\n", "\\\n")


def _read_tree(markup: str, *, has_lines: bool) -> List[Passage]:
    """Read the passages of HTML.

    has_lines (bool): Blocks have the line of another source as an attribute.
    """
    etree: Any = require("lxml.etree", purpose="HTML", extra="text")
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(markup.encode("utf8"), parser)
    except etree.XMLSyntaxError as error:  # of an empty page too
        if markup.strip():
            raise ValueError(f"no HTML that can be read: {error}") from None
        root = None
    fatal = [error.message for error in parser.error_log if error.level_name == "FATAL"]
    if fatal:
        raise ValueError(f"no HTML that can be read: {fatal[0]}")
    reader = _Reader(has_lines)
    if root is not None:
        for event, element in (walk := etree.iterwalk(root, events=("start", "end"))):
            if event == "end":
                reader.end(element)
            elif not reader.start(element):
                walk.skip_subtree()
        reader.close()
    return reader.composer.passages


@dataclass
class _Open:
    """An open block: its element and line, the text of a cell, and the cells of a row."""

    name: str
    line: int
    text: str = ""
    cells: List[Tuple[str, bool]] = field(default_factory=list)


class _Reader:
    """Collects the text of the innermost block, and hands it on where the block ends or another one begins."""

    def __init__(self, has_lines: bool) -> None:
        self.has_lines = has_lines
        self.composer = Composer()
        self.open = [_Open("body", 1)]
        self.parts: List[str] = []
        # Line of the last element that has one, and line of the first of the parts.
        self.line = self.first_line = 1

    def start(self, element: Any) -> bool:
        """Read a start tag and the text after it; return False if the element is left out."""
        name = element.tag
        self.line = int((element.get(_LINE) if self.has_lines else element.sourceline) or self.line)
        if name in _SKIPPED or (name in ("a", "sup") and not _NOTES.isdisjoint((element.get("class") or "").split())):
            return False
        if name == "br" or self._is_line_of_cell(name):
            self.parts.append("\n")
        elif name in _BLOCKS:
            self.close()
            self.open.append(_Open(name, self.line))
            if name in _LISTS:
                self.composer.start_list()
            elif name == "table":
                self.composer.start_table()
        self.add(element.text)
        return True

    def end(self, element: Any) -> None:
        """Read an end tag and the text after it."""
        name, top = element.tag, self.open[-1]
        if name == "nav" or self._is_line_of_cell(name):
            self.parts.append("\n")
        elif name in _BLOCKS:
            self.close()
            self.open.pop()
            if name in _CELLS:
                self._end_cell(top)
            elif name == "tr":
                self.composer.add_row(top.cells, top.line)
            elif name in _LISTS:
                self.composer.end_list()
        self.add(element.tail)

    def add(self, text: Optional[str]) -> None:
        """Add text; the line breaks of the source count where it is shown as it is written."""
        if text:
            self.first_line = self.first_line if self.parts else self.line
            is_written = self.open[-1].name == "pre"
            self.parts.append(text if is_written else _SPACE.sub(" ", text))

    def close(self) -> None:
        """Hand on the text of the innermost block."""
        top = self.open[-1]
        text, self.parts = clean_text("".join(self.parts)), []
        if text and top.name in _CELLS:
            top.text += f"\n{text}" if top.text else text
        elif text:
            outer = self.open[-2] if len(self.open) > 1 else top
            name = outer.name if top.name in _LINES and outer.name in ("dd", "li") else top.name
            self.composer.add(text, name, self.first_line)

    def _is_line_of_cell(self, name: str) -> bool:
        """Return True if an element is a paragraph in a cell, which is a line of it."""
        return name in _LINES and self.open[-1].name in _CELLS

    def _end_cell(self, cell: _Open) -> None:
        if self.open[-1].name == "tr":
            self.open[-1].cells.append((cell.text, cell.name == "th"))
        elif cell.text:
            self.composer.add(cell.text, cell.name, cell.line)
