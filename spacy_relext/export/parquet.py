"""Records of `extraction_record` as Parquet, one row per document: what `spacy relext extract` writes."""

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Iterator, List, Union

from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..errors import Errors, require
from .columns import PARQUET, columns_of, make_row, read_row

if TYPE_CHECKING:
    import pyarrow

# Documents per row group, which is what is in memory at a time.
GROUP = 1_000

# Keys of a record that are columns as they are; its triples are a list of the fields in `columns`.
_RECORD_COLUMNS = ("doc_id", "text", "sents", "entities")
_FIELDS = columns_of(PARQUET)


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
        triples = [make_row(_FIELDS, record, triple, absent=None) for triple in record["triples"]]
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
    """Yield the records that `ParquetWriter` wrote, with one batch in memory at a time.

    RAISES (ValueError): If the file is no Parquet, or lacks a column.
    """
    parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
    import pyarrow

    names = record_schema().names
    try:
        with parquet.ParquetFile(path) as file:
            found = file.schema_arrow.names
            if not set(names) <= set(found):
                raise ValueError(
                    Errors.R801.format(path=path, found=f"the columns {', '.join(found)}", expected=", ".join(names))
                )
            for batch in file.iter_batches(batch_size=GROUP, columns=names):
                for row in batch.to_pylist():
                    yield _read_row(row)
    except pyarrow.ArrowException as error:
        reason = str(error).split("\n")[0]
        raise ValueError(Errors.R801.format(path=path, found=reason, expected="Parquet of `extract`")) from None


def record_schema() -> "pyarrow.Schema":
    """Return the schema of a table of records."""
    pyarrow: Any = require("pyarrow", purpose="Parquet", extra="export")
    text, number, span = pyarrow.string(), pyarrow.int64(), pyarrow.list_(pyarrow.int64())
    types = {"string": text, "json": text, "int64": number, "float64": pyarrow.float64(), "offsets": span}
    entity = {"start": number, "end": number, "label": text, "kb_id": text}
    triple = {column.name: types[column.type] for column in _FIELDS}
    entities, triples = (pyarrow.list_(pyarrow.struct(list(each.items()))) for each in (entity, triple))
    columns = [("doc_id", text), ("text", pyarrow.large_string()), ("sents", pyarrow.list_(span))]
    return pyarrow.schema([*columns, ("entities", entities), ("triples", triples), ("meta", pyarrow.large_string())])


def _read_row(row: Record) -> Record:
    """Make a record of a row; keys without a value are left out."""
    record = {key: row[key] for key in ("text", "sents") if row[key] is not None}
    if row["entities"] is not None:
        record["entities"] = [{k: v for k, v in entity.items() if v is not None} for entity in row["entities"]]
    record["triples"] = [read_row(_FIELDS, triple) for triple in row["triples"]]
    return {**record, "doc_id": row["doc_id"], **json.loads(row["meta"])}
