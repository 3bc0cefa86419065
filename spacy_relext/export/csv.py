"""Records as CSV: one row for each triple."""

import csv
import json
from typing import Any, Dict, TextIO

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

_OWN_KEYS = ("text", "triples", "entities", "sents")


class CsvWriter:
    """Writes a header and then a row for each triple; a document without triples has no row.

    stream (TextIO): Where to.

    `document` counts the documents from 1, `meta` holds the other keys of a JSON input as JSON.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.document = 0
        self._rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, record: Dict[str, Any]) -> None:
        """Write one record's triples at once.

        record (Dict[str, Any]): The record.
        """
        self.document += 1
        meta = {key: value for key, value in record.items() if key not in _OWN_KEYS}
        shared = {
            "document": self.document,
            "text": record["text"],
            "meta": json.dumps(meta, ensure_ascii=False) if meta else "",
        }
        self._rows.writerows({**shared, **_columns(triple)} for triple in record["triples"])
        self.stream.flush()


def _columns(triple: Dict[str, Any]) -> Dict[str, Any]:
    """Spread a triple over its columns."""
    (subject_start, subject_end), (object_start, object_end) = triple["subject"], triple["object"]
    return {
        "subject": triple["subject_text"],
        "relation": triple["relation"],
        "object": triple["object_text"],
        "score": triple["score"],
        "source": triple["source"],
        "subject_start": subject_start,
        "subject_end": subject_end,
        "object_start": object_start,
        "object_end": object_end,
    }
