"""PubTator's text: `ID|t|title` and `ID|a|abstract`, then lines with tabs for mentions and for relations.

Offsets count the characters of the title, one more, and the abstract; the end is exclusive. Relations join ids of a
knowledge base, not mentions, so the nearest mentions are chosen.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .annotation import ANNOTATED, SpanReader
from .checks import check_text, describe
from .concepts import Concepts, clean_id
from .sources import Item, read_blocks, read_folder, read_lines

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)")
_EXPECTED = (
    "ID|t|title, ID|a|abstract, or ID<tab>12<tab>17<tab>Havol<tab>Chemical<tab>D001, or ID<tab>inhibits<tab>D001<tab>G2"
)

# Whether the authors of a corpus found a relation new, as BioRED has it in a fifth column.
_NOVEL = ("Novel", "No")


class Block(NamedTuple):
    """The numbered lines of a document, and whether its file has any relation."""

    lines: List[Tuple[int, str]]
    is_annotated: bool


def read_pubtator(path: Path) -> Iterator[Item]:
    """Read the documents of a file, or of a folder of them."""
    return read_folder(path, (".pubtator", ".txt", ".tsv"), _read_file)


def _read_file(path: Path) -> Iterator[Item]:
    """Read the documents of a file; a title begins each."""
    is_annotated = any(_is_relation(item.value) for item in read_lines(path) if not item.error)
    for item in read_blocks(path, lambda line: (match := _TEXT.match(line)) and match.group(2) == "t"):
        yield replace(item, value=Block(item.value, is_annotated))


def _is_relation(line: str) -> bool:
    """Return True for the columns of a relation: an id, its label and two more ids."""
    columns = line.split("\t")
    return len(columns) >= 4 and not columns[1].strip().isdecimal()


def parse_pubtator(block: Block, *, offsets: Optional[str] = None) -> Record:
    """Parse a document; it is annotated with triples if any document of its file is.

    offsets (Optional[str]): See `SpanReader`.
    """
    texts: Dict[str, str] = {}
    rows: List[Tuple[str, List[str]]] = []
    ids = set()
    for number, line in block.lines:
        match, name = _TEXT.fullmatch(line), f"line {number}"
        columns = [column.strip() for column in line.split("\t")]
        if match is not None and match.group(2) not in texts:
            ids.add(match.group(1))
            texts[match.group(2)] = match.group(3)
        elif match is None and len(columns) >= 4:
            ids.add(columns[0])
            rows.append((name, columns))
        else:
            raise ValueError(Errors.R750.format(name=name, found=describe(line), expected=_EXPECTED))
    if len(ids) > 1 or "t" not in texts:
        found = f"the ids {', '.join(sorted(ids)[:3])}" if len(ids) > 1 else "no title"
        raise ValueError(Errors.R750.format(name="the document", found=found, expected="one id, and ID|t|title"))
    reader = SpanReader(check_text(f"{texts['t']}\n{texts.get('a', '')}".rstrip(), "the text"), offsets)
    mentions = [_check_mention(columns, name) for name, columns in rows if columns[1].isdecimal()]
    relations = [columns for _, columns in rows if not columns[1].isdecimal()]
    reader.fit_offsets(([mention.span], mention.text) for mention in mentions)
    for mention in mentions:
        start, end = mention.span
        reader.add_span(
            (start, end), start, end, [mention.label], name=mention.name, text=mention.text, kb_id=mention.kb_id
        )
    reader.losses["further columns of spans"] += sum(columns[1].isdecimal() and len(columns) > 6 for _, columns in rows)
    concepts = Concepts(reader)
    for _, label, subject, obj, *rest in relations:
        attributes = {"novel": rest[0]} if rest and rest[0] in _NOVEL else {}
        reader.losses["further columns of relations"] += len(rest) > len(attributes)
        concepts.add_relation(subject, label, obj, attributes=attributes)
    return reader.record({"id": ids.pop()}, annotated=ANNOTATED if block.is_annotated else ("entities",))


class _Mention(NamedTuple):
    """A line of a mention; the name is the line's."""

    name: str
    span: CharSpan
    text: str
    label: str
    kb_id: str


def _check_mention(columns: List[str], name: str) -> _Mention:
    """Check the columns of a mention: start, end, its text, its label, and often an id."""
    if len(columns) < 5 or not columns[2].isdecimal():
        raise ValueError(Errors.R750.format(name=name, found=describe("\t".join(columns)), expected=_EXPECTED))
    kb_id = clean_id(columns[5]) if len(columns) > 5 else ""
    return _Mention(name, (int(columns[1]), int(columns[2])), columns[3], columns[4], kb_id)
