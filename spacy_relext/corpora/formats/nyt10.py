"""NYT10's lines: a sentence with one linked pair and a distant label (Riedel et al., ECML 2010).

Words of the two strings are joined by `_`, in the sentence too, where spaces replace it; a token that equals a string
is preferred to occurrences within other tokens.
"""

import re
from pathlib import Path
from typing import Dict, Iterator, List

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import check_unicode
from .sources import Item, read_lines

END = "###END###"

_COLUMNS = ("head id", "tail id", "head", "tail", "relation", "sentence")
_TOKEN = re.compile(r"\S+")


def read_nyt10(path: Path) -> Iterator[Item]:
    """Read the lines of a file except blank ones."""
    for item in read_lines(path):
        if item.error or item.value.strip():
            yield item


def parse_nyt10(line: str) -> Record:
    """Parse a line, whose `string_pair` is still to be located by `locate_pair`."""
    columns = [column.strip() for column in line.split("\t")]
    if len(columns) != 6 and (len(columns) != 7 or columns[6] != END):
        raise ValueError(Errors.R700.format(found=len(columns), expected=", ".join(_COLUMNS), end=END))
    if len(columns) == 6:
        if not columns[5].endswith(END):
            raise ValueError(Errors.R701.format(end=END, found=columns[5][-30:]))
        columns[5] = columns[5][: -len(END)].strip()
    for name, value in zip(_COLUMNS, columns):
        if not value.strip("_"):
            raise ValueError(Errors.R702.format(column=name))
        check_unicode(value, repr(name))
    head_id, tail_id, head, tail, relation, sentence = columns[:6]
    text = sentence
    for string in sorted((head, tail), key=len, reverse=True):  # "new_york" may be part of the other one
        text = text.replace(string, _words(string))
    places: Dict[str, List[CharSpan]] = {}
    for token in _TOKEN.finditer(sentence):
        if token.group() in (head, tail):
            places.setdefault(_words(token.group()), []).append(token.span())
    pair = {"subject": _words(head), "object": _words(tail), "subject_id": head_id, "object_id": tail_id}
    return {"text": text, "string_pair": {**pair, "label": relation}, "places": places}


def _words(string: str) -> str:
    """Replace each `_` by a space, which keeps the length and so all offsets."""
    return string.replace("_", " ")
