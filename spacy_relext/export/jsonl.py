"""Records as JSON lines, readable again by `spacy relext convert jsonl`."""

import json
from typing import Any, Dict, TextIO


class JsonlWriter:
    """Writes a record a line.

    stream (TextIO): Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, record: Dict[str, Any]) -> None:
        """Write one record at once, so that the next program in a pipe need not wait.

        record (Dict[str, Any]): The record.
        """
        self.stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.stream.flush()
