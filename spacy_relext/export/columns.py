"""The columns of extracted triples, one row each: CSV, `to_frame` and Parquet write and read what this table says."""

import json
from typing import Callable, Dict, List, NamedTuple, Tuple

from ..annotations.triple import Record
from ..corpora.canonical import KNOWN_KEYS, TRIPLE_KEYS
from ..corpora.formats.sources import to_json

CSV, FRAME, PARQUET = "csv", "frame", "parquet"

# Keys of a record itself; all others are extra keys of the input.
RECORD_KEYS = (*KNOWN_KEYS, "doc_id")


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
    """Read a key of the triple."""
    return lambda record, triple: triple.get(name)


def _meta(record: Record, triple: Record) -> object:
    """Collect the extra keys of the input."""
    return {key: value for key, value in record.items() if key not in RECORD_KEYS}


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
        column.name: json.loads(value) if column.type == "json" else value
        for column, value in values
        if value is not None
    }


def pandas_types(columns: List[Column]) -> Dict[str, str]:
    """Map the columns to their types in pandas."""
    return {column.name: column.type if column.type in ("int64", "float64") else "str" for column in columns}
