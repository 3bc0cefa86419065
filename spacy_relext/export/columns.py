"""Extracted triples in columns: CSV, a DataFrame and Parquet write and read what one table says."""

import csv
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Tuple, Union

from spacy.tokens import Doc

from ..annotations.parts import each_doc
from ..annotations.triple import Record
from ..corpora.canonical import KNOWN_KEYS, TRIPLE_KEYS
from ..corpora.documents import PASSAGES_KEY, passages_at
from ..corpora.formats.checks import describe
from ..corpora.formats.sources import parse_json, to_json
from ..errors import Errors, require
from .records import extraction_record

if TYPE_CHECKING:
    import pandas
    import pyarrow

CSV, FRAME, PARQUET = "csv", "frame", "parquet"

# Keys of a record itself; all others are extra keys of the input.
RECORD_KEYS = (*KNOWN_KEYS, "doc_id")

# Documents per row group of Parquet, which is what is in memory at a time.
GROUP = 1_000

# Keys of a record that are columns of Parquet as they are.
_RECORD_COLUMNS = ("doc_id", "text", "sents", "entities")

# Characters that start a formula in spreadsheets, full-width ones too, and white space that they skip before it.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class Column(NamedTuple):
    """A column, or a field of the triples of a Parquet table.

    exports (Tuple[str, ...]): Where it is written.
    name (str): Its name there.
    type (str): "string", "int64", "float64", "offsets" ([start, end]) or "json": values as a text, empty if absent.
    get (Callable[[Record, Record], object]): Reads it from a record of `extraction_record` and a triple of it.
    """

    exports: Tuple[str, ...]
    name: str
    type: str
    get: Callable[[Record, Record], object]


def _key(name: str) -> Callable[[Record, Record], object]:
    return lambda record, triple: triple.get(name)


def _meta(record: Record, triple: Record) -> object:
    """Return the other keys of a record; of the passages of a document, that of the subject."""
    meta = {key: value for key, value in record.items() if key not in RECORD_KEYS}
    if PASSAGES_KEY in meta:
        meta[PASSAGES_KEY] = passages_at(record, triple["subject"][0])
    return meta


_ALL = (CSV, FRAME, PARQUET)
COLUMNS: Tuple[Column, ...] = (
    Column((PARQUET,), "subject", "offsets", _key("subject")),
    Column((CSV, FRAME), "subject", "string", _key("subject_text")),
    Column(_ALL, "relation", "string", _key("relation")),
    Column((PARQUET,), "object", "offsets", _key("object")),
    Column((CSV, FRAME), "object", "string", _key("object_text")),
    Column(_ALL, "score", "float64", _key("score")),
    Column(_ALL, "source", "string", _key("source")),
    Column((PARQUET,), "subject_text", "string", _key("subject_text")),
    Column((PARQUET,), "object_text", "string", _key("object_text")),
    Column((CSV, FRAME), "subject_start", "int64", lambda record, triple: triple["subject"][0]),
    Column((CSV, FRAME), "subject_end", "int64", lambda record, triple: triple["subject"][1]),
    Column((CSV, FRAME), "object_start", "int64", lambda record, triple: triple["object"][0]),
    Column((CSV, FRAME), "object_end", "int64", lambda record, triple: triple["object"][1]),
    Column((CSV,), "doc_id", "string", lambda record, triple: record.get("doc_id")),
    Column((CSV, PARQUET), "sent", "int64", _key("sent")),
    Column((CSV, PARQUET), "sent_start", "int64", _key("sent_start")),
    Column((CSV, PARQUET), "sent_end", "int64", _key("sent_end")),
    Column(
        (CSV, FRAME),
        "sentence",
        "string",
        lambda record, triple: record["text"][triple["sent_start"] : triple["sent_end"]],
    ),
    Column((FRAME,), "sentence_start", "int64", _key("sent_start")),
    Column((FRAME,), "sentence_end", "int64", _key("sent_end")),
    Column((CSV,), "meta", "json", _meta),
    Column((PARQUET,), "evidence", "json", _key("evidence")),
    Column(_ALL, "attributes", "json", _key("attributes")),
)


@cache
def columns_of(export: str) -> List[Column]:
    """List the columns of an export."""
    return [column for column in COLUMNS if export in column.exports]


def make_row(columns: List[Column], record: Record, triple: Record, *, absent: object = "") -> Record:
    """Make the row of a triple.

    absent (object): Stands for a JSON value that is absent or empty.
    """
    row = {}
    for column in columns:
        value = column.get(record, triple)
        row[column.name] = value if column.type != "json" else to_json(value) if value else absent
    return row


def read_row(columns: List[Column], row: Record) -> Record:
    """Read the keys of a triple from its row; keys without a value, and columns that are computed, are left out."""
    values = ((column, row.get(column.name)) for column in columns if column.name in TRIPLE_KEYS)
    return {
        column.name: _read_json(value, column.name) if column.type == "json" else value
        for column, value in values
        if value is not None
    }


class CsvWriter:
    """Writes a header and one row per triple; a document without triples has no row.

    `meta` has the other keys of a JSON input as JSON, and `attributes` the triple's attributes.

    raw (bool): Write texts as they are, also those that a spreadsheet would run as a formula (`safe_cell`).
    with_text (bool): Repeat the text of the document in each row, as a last column.
    """

    def __init__(self, stream: IO[str], *, raw: bool = False, with_text: bool = False) -> None:
        self.stream = stream
        self.raw, self.with_text = raw, with_text
        self._columns = columns_of(CSV)
        names = [column.name for column in self._columns]
        self._rows = csv.DictWriter(stream, [*names, "text"] if with_text else names, lineterminator="\n")
        self._rows.writeheader()

    def write(self, record: Record) -> None:
        """Write the triples of one record of `extraction_record` at once."""
        for triple in record["triples"]:
            row = make_row(self._columns, record, triple)
            if self.with_text:
                row["text"] = record["text"]
            self._rows.writerow(row if self.raw else {key: safe_cell(value) for key, value in row.items()})
        self.stream.flush()

    def close(self) -> None:
        """Do nothing: all is written."""


def safe_cell(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would read as a formula; other values stay.

    Such texts begin with = + - @, a tab or a line break. Nothing takes the apostrophe away again.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_frame(docs: Union[Doc, Iterable[Doc]]) -> "pandas.DataFrame":
    """List the triples of documents as a pandas DataFrame, one row per triple, in the order of the texts.

    docs (Union[Doc, Iterable[Doc]]): Processed Docs, also a stream such as `nlp.pipe(texts)`.
    RETURNS (pandas.DataFrame): `doc` (number of the document, from 0), texts `subject` and `object`, `relation`,
        `score` (0 to 1), `source`, `subject_start`, `subject_end`, `object_start`, `object_end` (characters of the
        document), `sentence`, `sentence_start`, `sentence_end`: the sentence, or those from one argument to the other;
        `attributes` as JSON, "" for none.
    RAISES (ImportError): If pandas is not installed.
    RAISES (ValueError): If something is not a Doc.
    """
    pandas = require("pandas", purpose="to_frame", extra="frames")
    columns = columns_of(FRAME)
    rows: List[Record] = []
    for number, doc in enumerate(each_doc(docs)):
        record = extraction_record(doc)
        triples = sorted(record["triples"], key=lambda triple: (*triple["subject"], *triple["object"]))
        rows += [{"doc": number, **make_row(columns, record, triple)} for triple in triples]
    types = {column.name: column.type if column.type in ("int64", "float64") else "str" for column in columns}
    return pandas.DataFrame(rows, columns=["doc", *types]).astype({"doc": "int64", **types})


class ParquetWriter:
    """Writes one row per record.

    Columns are `doc_id`, `text`, `sents`, `entities` and `triples` (lists of structs), and `meta`, which has the other
    keys as JSON. Evidence and attributes of a triple are JSON.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
        self._schema = record_schema()
        self._writer = parquet.ParquetWriter(stream, self._schema, compression="zstd")
        self._rows: List[Record] = []

    def write(self, record: Record) -> None:
        """Add one record; a row group is written as soon as it is full."""
        meta = {key: value for key, value in record.items() if key not in (*_RECORD_COLUMNS, "triples")}
        triples = [make_row(columns_of(PARQUET), record, triple, absent=None) for triple in record["triples"]]
        row = {key: record.get(key) for key in _RECORD_COLUMNS}
        self._rows.append({**row, "triples": triples, "meta": to_json(meta)})
        if len(self._rows) >= GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


def read_parquet_records(path: Union[str, Path]) -> Iterator[Record]:
    """Yield the records that `ParquetWriter` wrote, with one batch in memory at a time; their values are not checked.

    RAISES (ValueError): If the file is no Parquet, or lacks a column, or a cell that should be JSON is not.
    """
    for number, row in enumerate(_read_rows(path), start=1):
        try:
            yield _read_row(row)
        except ValueError as error:
            place = f"{path}, document {number}"
            raise ValueError(Errors.R801.format(path=place, found=error, expected="Parquet of `extract`")) from None


def _read_rows(path: Union[str, Path]) -> Iterator[Record]:
    parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
    names, reason = record_schema().names, ""
    try:
        with parquet.ParquetFile(path) as file:
            found = file.schema_arrow.names
            if set(names) <= set(found):
                for batch in file.iter_batches(batch_size=GROUP, columns=names):
                    yield from batch.to_pylist()
            else:
                reason = f"the columns {', '.join(found)}"
    except (OSError, ValueError, OverflowError, NotImplementedError) as error:  # pyarrow's own are among them
        reason = str(error).split("\n")[0] or type(error).__name__
    if reason:
        expected = f"Parquet of `extract`, with the columns {', '.join(names)}"
        raise ValueError(Errors.R801.format(path=path, found=reason, expected=expected))


def record_schema() -> "pyarrow.Schema":
    """Return the schema of a table of records."""
    pyarrow: Any = require("pyarrow", purpose="Parquet", extra="export")
    text, number, span = pyarrow.string(), pyarrow.int64(), pyarrow.list_(pyarrow.int64())
    types = {"string": text, "json": text, "int64": number, "float64": pyarrow.float64(), "offsets": span}
    entity = {"start": number, "end": number, "label": text, "kb_id": text}
    triple = {column.name: types[column.type] for column in columns_of(PARQUET)}
    entities, triples = (pyarrow.list_(pyarrow.struct(list(each.items()))) for each in (entity, triple))
    columns = [("doc_id", text), ("text", pyarrow.large_string()), ("sents", pyarrow.list_(span))]
    return pyarrow.schema([*columns, ("entities", entities), ("triples", triples), ("meta", pyarrow.large_string())])


def _read_row(row: Record) -> Record:
    """Make a record of a row; keys without a value are left out. Columns of another type keep their values."""
    record = {key: row[key] for key in (*_RECORD_COLUMNS, "triples") if row[key] is not None}
    columns = columns_of(PARQUET)
    readers: Dict[str, Callable[[Record], Record]] = {
        "entities": lambda entity: {key: value for key, value in entity.items() if value is not None},
        "triples": lambda triple: read_row(columns, triple),
    }
    for key, read in readers.items():
        if isinstance(record.get(key), list):
            record[key] = [read(each) if isinstance(each, dict) else each for each in record[key]]
    meta = {} if row["meta"] is None else _read_json(row["meta"], "meta")
    if not isinstance(meta, dict):
        raise ValueError(f"meta is {describe(meta)}, not an object")
    return {**record, **meta}


def _read_json(value: object, name: str) -> object:
    """Parse a cell."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {describe(value)}, not JSON")
    try:
        return parse_json(value)
    except ValueError as error:
        raise ValueError(f"{name} is no JSON: {error}") from None
