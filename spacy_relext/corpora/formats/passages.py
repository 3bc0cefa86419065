"""Passages of a document with markup or pages: what stands alone in it, with its place in the source.

Passages are joined by blank lines, so that no sentence crosses them. A fragment becomes readable: a line `Founder: Ada
Holm` and a row of a table get their heading or the names of their columns, an item the line that introduces its list.
Only documents with markup are composed; plain text is never changed, since annotation counts its characters.
"""

import re
from typing import List, NamedTuple, Sequence, Tuple

from ...annotations.triple import Record

# Key of a record with the places of its passages.
PASSAGES_KEY = "passages"

# Level of headings; the caption of a table is below all others.
HEADINGS = {**{f"h{level}": level for level in range(1, 7)}, "caption": 7}

# `Founder: Ada Holm`, but not a sentence with a colon.
_KEY_VALUE = re.compile(r"[^\W\d_][^:.!?\n]{0,39}: \S[^\n]{0,99}(?<![.!?:;,])")
_SENTENCE_END = re.compile(r"[.!?…:;,]['\")\]’”»]*$")
# Maximum length of a paragraph that is taken for the heading of a block of keys, of a cell of a row that becomes one
# sentence, and of what is put before a fragment.
_TITLE_LENGTH, _CELL_LENGTH, _CONTEXT_LENGTH = 60, 100, 150

# Soft hyphens, zero-width spaces and byte order marks.
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0xFEFF))


class Passage(NamedTuple):
    """A passage of a document.

    text (str): Its text, which may be composed.
    place (Record): Where it is in the source: `line` and `element`, or `page`.
    before (str): What separates it from the passage before.
    """

    text: str
    place: Record
    before: str = "\n\n"


def join_passages(passages: Sequence[Passage]) -> Tuple[str, List[Record]]:
    """Join passages to a text; return it with the place of each, and the start and end of each in the text."""
    parts: List[str] = []
    places: List[Record] = []
    end = 0
    for passage in passages:
        before = passage.before if parts else ""
        start = end + len(before)
        end = start + len(passage.text)
        parts += [before, passage.text]
        places.append({"start": start, "end": end, **passage.place})
    return "".join(parts), places


def clean_text(text: str) -> str:
    """Remove invisible characters, and make each run of white space a space; line breaks stay, blank lines do not."""
    lines = (" ".join(line.split()) for line in text.translate(_INVISIBLE).split("\n"))
    return "\n".join(line for line in lines if line)


def is_key_value(line: str) -> bool:
    """Return True if a line is a key, a colon and a value, as in `Founder: Ada Holm`."""
    return bool(_KEY_VALUE.fullmatch(line))


class Composer:
    """Makes passages of the blocks of a document, in their order."""

    def __init__(self) -> None:
        self.passages: List[Passage] = []
        self._headings: List[Tuple[int, str]] = []
        # The last block: its text if it may introduce what follows.
        self._title = self._introduction = self._key = ""
        # What introduces each open list.
        self._lists: List[str] = []
        self._columns: List[str] = []

    def add(self, text: str, element: str, line: int) -> None:
        """Add a block.

        text (str): Clean, not empty, with the line breaks that are shown.
        element (str): Name of its HTML element.
        line (int): Its first line in the source, from 1.
        """
        introduction = _limit(self._lists[-1]) if self._lists and element == "li" else ""
        if element == "dd" and _limit(self._key):
            text = f"{self._key}: {text}"
        if element not in HEADINGS and all(map(is_key_value, text.split("\n"))):
            context = introduction.removesuffix(":") or self._title or self._heading()
            for each in text.split("\n"):
                self._put(f"{context} – {each}." if context else f"{each}.", element, line)
            return
        if introduction and not text.endswith(":"):
            self._put(f"{introduction} {text}" + "." * (not _SENTENCE_END.search(text)), element, line)
            return
        self._put(text, element, line)
        self._introduction = text if text.endswith(":") else ""
        self._title = text if element == "p" and len(text) <= _TITLE_LENGTH and not _SENTENCE_END.search(text) else ""
        self._key = text.removesuffix(":") if element == "dt" else self._key if element == "dd" else ""
        if element in HEADINGS:
            self._leave(HEADINGS[element])
            self._headings.append((HEADINGS[element], text.replace("\n", " ")))

    def start_list(self) -> None:
        """Start a list, which the last block introduces if it ends in a colon."""
        self._lists.append(self._introduction)
        self._introduction = ""

    def end_list(self) -> None:
        """End a list."""
        self._lists.pop()

    def start_table(self) -> None:
        """Start a table, whose columns have no names yet."""
        self._columns = []
        self._leave(HEADINGS["caption"])

    def add_row(self, cells: Sequence[Tuple[str, bool]], line: int) -> None:
        """Add a row of a table: one passage, or one for each cell if these are long. A row of headings names columns.

        cells (Sequence[Tuple[str, bool]]): Clean text of each, which may be empty, and whether it is a heading.
        """
        texts = [text.replace("\n", " ") for text, _ in cells]
        filled = [text for text in texts if text]
        if len(filled) > 1 and all(is_heading for _, is_heading in cells):
            self._columns = list(map(_limit, texts))
        elif len(filled) > 1 and max(map(len, filled)) <= _CELL_LENGTH:
            self._put(self._compose_row(texts), "tr", line)
        else:
            for text, is_heading in cells:
                if text:
                    self.add(text, "th" if is_heading else "td", line)

    def _compose_row(self, cells: Sequence[str]) -> str:
        """Compose a sentence of the cells of a row: with the names of the columns, or as a key and its value."""
        if len(cells) == len(self._columns):
            named = [f"{name}: {cell}" if name else cell for name, cell in zip(self._columns, cells) if cell]
            return ", ".join(named) + "."
        if len(cells) != 2:
            return ", ".join(cell for cell in cells if cell) + "."
        context = self._heading()
        return (f"{context} – " if context else "") + f"{cells[0].removesuffix(':')}: {cells[1].removesuffix('.')}."

    def _put(self, text: str, element: str, line: int) -> None:
        self.passages.append(Passage(text, {"line": line, "element": element}))

    def _heading(self) -> str:
        """Return the headings above, the highest first."""
        return _limit(" – ".join(text for _, text in self._headings))

    def _leave(self, level: int) -> None:
        """Forget the headings that do not hold below a new one."""
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()


def _limit(context: str) -> str:
    """Return a context, or nothing if it is too long to be repeated."""
    return context if len(context) <= _CONTEXT_LENGTH else ""
