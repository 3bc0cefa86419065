"""Records of `extraction_record` as Parquet, one row per document: what `spacy relext extract` writes."""

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, Iterator, List, Union

from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..errors import Errors, require

if TYPE_CHECKING:
    import pyarrow

# Documents per row group, which is what is in memory at a time.
GROUP = 1_000

# Keys of a record that are columns as they are, and those of a triple that are JSON.
_COLUMNS, _AS_JSON = ("doc_id", "text", "sents", "entities"), ("evidence", "attributes")


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
        meta = {key: value for key, value in record.items() if key not in (*_COLUMNS, "triples")}
        triples = [{**each, **{key: _json_or_none(each.get(key)) for key in _AS_JSON}} for each in record["triples"]]
        row = {key: record.get(key) for key in _COLUMNS}
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
    entity = {"start": number, "end": number, "label": text, "kb_id": text}
    triple: Dict[str, object] = {"subject": span, "relation": text, "object": span, "score": pyarrow.float64()}
    triple.update({key: text for key in ("source", "subject_text", "object_text")})
    triple.update({key: number for key in ("sent", "sent_start", "sent_end")}, **dict.fromkeys(_AS_JSON, text))
    structures = (pyarrow.list_(pyarrow.struct(list(each.items()))) for each in (entity, triple))
    entities, triples = structures
    columns = [("doc_id", text), ("text", pyarrow.large_string()), ("sents", pyarrow.list_(span))]
    return pyarrow.schema([*columns, ("entities", entities), ("triples", triples), ("meta", pyarrow.large_string())])


def _read_row(row: Record) -> Record:
    """Make a record of a row; keys without a value are left out."""
    record = {key: row[key] for key in ("text", "sents") if row[key] is not None}
    if row["entities"] is not None:
        record["entities"] = [_without_nulls(entity) for entity in row["entities"]]
    record["triples"] = []
    for triple in map(_without_nulls, row["triples"]):
        record["triples"].append({key: json.loads(each) if key in _AS_JSON else each for key, each in triple.items()})
    return {**record, "doc_id": row["doc_id"], **json.loads(row["meta"])}


def _without_nulls(row: Record) -> Record:
    return {key: value for key, value in row.items() if value is not None}


def _json_or_none(value: object) -> Any:
    return to_json(value) if value else None
