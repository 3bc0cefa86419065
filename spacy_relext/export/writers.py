"""Writers of extraction records: JSON lines, which `spacy relext convert jsonl` reads again, and CSV."""

import csv
import json
from typing import Protocol, TextIO

from ..annotations.triple import Record

COLUMNS = (
    "document",
    "subject",
    "relation",
    "object",
    "score",
    "source",
    "subject_start",
    "subject_end",
    "object_start",
    "object_end",
    "text",
    "meta",
)

_RECORD_KEYS = ("text", "triples", "entities", "sents")


class RecordWriter(Protocol):
    """An object that writes records one at a time."""

    def write(self, record: Record) -> None:
        """Write one record.

        record (Record): From `extraction_record`.
        """


class JsonlWriter:
    """Writes one record per line.

    stream (TextIO): The output.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, record: Record) -> None:
        """Write one record at once, so that the next program in a pipe need not wait.

        record (Record): From `extraction_record`.
        """
        self.stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.stream.flush()


class CsvWriter:
    """Writes a header and one row per triple; a document without triples has no row.

    stream (TextIO): The output.

    `document` counts the documents from 1, `meta` has the other keys of a JSON input as JSON.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.document = 0
        self._rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, record: Record) -> None:
        """Write the triples of one record at once.

        record (Record): From `extraction_record`.
        """
        self.document += 1
        meta = {key: value for key, value in record.items() if key not in _RECORD_KEYS}
        shared = {
            "document": self.document,
            "text": record["text"],
            "meta": json.dumps(meta, ensure_ascii=False) if meta else "",
        }
        self._rows.writerows({**shared, **_columns(triple)} for triple in record["triples"])
        self.stream.flush()


def _columns(triple: Record) -> Record:
    """Return the columns of a triple."""
    columns = {key: triple[key] for key in ("relation", "score", "source")}
    for role in ("subject", "object"):
        columns[role] = triple[f"{role}_text"]
        columns[f"{role}_start"], columns[f"{role}_end"] = triple[role]
    return columns
