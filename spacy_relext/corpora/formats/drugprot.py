"""The tables of DrugProt and ChemProt, beside each other: abstracts, entities and relations, with a row for each.

Offsets count the characters of the title, one more, and the abstract; the end is exclusive. An entity's row ends with
its text. DrugProt's relations have four columns; ChemProt's have a group and its evaluation before the label.
"""

from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

from ...annotations.triple import Record
from ...errors import Errors
from .annotation import ANNOTATED, SpanReader
from .checks import check_text, describe
from .sources import Item, read_lines

# In the names of all files of abstracts, one of which is spelt `abstracs`.
_ABSTRACTS = "abstrac"

_COLUMNS = {
    "abstracts": "ID<tab>title<tab>abstract",
    "entities": "ID<tab>T1<tab>CHEMICAL<tab>12<tab>17<tab>Havol",
    "relations": "ID<tab>INHIBITOR<tab>Arg1:T1<tab>Arg2:T2",
}


class Row(NamedTuple):
    """A row of a table with its place, and what is wrong with its bytes."""

    path: str
    line: int
    columns: List[str]
    error: str

    @property
    def name(self) -> str:
        """The file and line, for messages."""
        return f"{Path(self.path).name}:{self.line}"


_Table = Dict[str, List[Row]]


class TableDocument(NamedTuple):
    """The rows of a document; relations are None if the table of relations is missing."""

    abstract: Row
    entities: List[Row]
    relations: Optional[List[Row]]


def read_drugprot(path: Path) -> Iterator[Item]:
    """Read the documents of a file of abstracts, with the tables beside it, or of all such files in a folder.

    RAISES (ValueError): If there is no such file, or no table of entities beside it.
    """
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*.tsv") if _ABSTRACTS in each.name.lower())
    if not files or _ABSTRACTS not in files[0].name.lower():
        expected = "a folder with PREFIX_abstracts.tsv and PREFIX_entities.tsv, or the file of abstracts"
        raise ValueError(Errors.R209.format(what=path, found="no table of abstracts", expected=expected))
    for file in files:
        yield from _read_tables(file)


def _read_tables(path: Path) -> Iterator[Item]:
    """Read the documents of a file of abstracts; rows of no document become items with an error."""
    prefix = path.name[: path.name.lower().index(_ABSTRACTS)]
    tables: Dict[str, Optional[_Table]] = {}
    for kind in ("entities", "relations"):
        names = sorted(each.name for each in path.parent.glob("*.tsv") if each.name.startswith(prefix + kind))
        tables[kind] = _read_rows(path.with_name(names[0])) if names else None
    if tables["entities"] is None:
        found, expected = "no table of entities beside it", f"{prefix}entities.tsv"
        raise ValueError(Errors.R209.format(what=path, found=found, expected=expected))
    rest = [table for table in tables.values() if table is not None]
    for key, rows in _read_rows(path).items():
        entities, relations = tables["entities"].pop(key, []), tables["relations"]
        of_document = None if relations is None else relations.pop(key, [])
        for row in rows:
            yield Item(row.path, row.line, TableDocument(row, entities, of_document), error=row.error)
    for row in (rows[0] for table in rest for rows in table.values()):
        error = Errors.R750.format(name="the row", found=describe(row.columns), expected="a document of the abstracts")
        yield Item(row.path, row.line, error=row.error or error)


def _read_rows(path: Path) -> _Table:
    """Read the rows of a table, by their first column."""
    table: _Table = {}
    for item in read_lines(path):
        columns = (item.value or "").split("\t")
        if item.error or any(columns):
            table.setdefault(columns[0].strip(), []).append(Row(item.path, item.line, columns, item.error))
    return table


def parse_drugprot(document: TableDocument, *, offsets: Optional[str] = None) -> Record:
    """Parse a document; without a table of relations it is not annotated with triples.

    offsets (Optional[str]): See `SpanReader`.
    """
    key, *_ = _check_columns(document.abstract, "abstracts", (3,))
    reader = SpanReader(check_text("\n".join(document.abstract.columns[1:]).rstrip(), "the text"), offsets)
    entities = [(row.name, _check_columns(row, "entities", (6,))) for row in document.entities]
    for row, (_, columns) in zip(document.entities, entities):
        if not (columns[3].isdecimal() and columns[4].isdecimal()):
            raise ValueError(_describe_row(row, "entities"))
    reader.fit_offsets(([(int(start), int(end))], text) for _, (*_, start, end, text) in entities)
    for name, (_, span, label, start, end, text) in entities:
        reader.add_span(span, int(start), int(end), [label], name=name, text=text)
    for row in document.relations or ():
        _, *columns, subject, obj = _check_columns(row, "relations", (4, 6))
        attributes = {"group": columns[0], "evaluated": columns[1]} if len(columns) == 3 else {}
        subject, obj = (argument.rpartition(":")[2] for argument in (subject, obj))
        reader.add_relation(subject, columns[-1:], obj, name=row.name, attributes=attributes)
    return reader.record({"id": key}, annotated=("entities",) if document.relations is None else ANNOTATED)


def _check_columns(row: Row, kind: str, counts: Sequence[int]) -> List[str]:
    """Return the columns of a row without white space around them. RAISES (ValueError): If it has another number."""
    if row.error or len(row.columns) not in counts:
        raise ValueError(row.error or _describe_row(row, kind))
    return [column.strip() for column in row.columns]


def _describe_row(row: Row, kind: str) -> str:
    return Errors.R750.format(name=row.name, found=describe("\t".join(row.columns)), expected=_COLUMNS[kind])
