"""The canonical format: JSON lines with exact character offsets; `canonical` checks their records."""

from pathlib import Path
from typing import Iterable, Iterator, Union

from spacy.tokens import Doc

from ..annotations.triple import Record
from ..errors import Errors
from .canonical import check_record
from .formats.answers import is_finished, read_answers
from .formats.sources import to_json
from .records import doc_to_record
from .whole import whole_text


def read_jsonl(path: Union[str, Path]) -> Iterator[Record]:
    """Read canonical records from JSON lines or from one JSON array.

    Of answers given in `spacy relext annotate correct`, only the last for each text and annotator is read, if it is
    finished.

    RAISES (ValueError): At the first malformed record.
    """
    for item in read_answers(Path(path)):
        try:
            if item.error:
                raise ValueError(item.error)
            record = check_record(item.value)
            if is_finished(record):
                yield record
        except ValueError as error:
            raise ValueError(Errors.R100.format(where=item.where, what=error)) from None


def write_jsonl(path: Union[str, Path], docs: Iterable[Union[Doc, Record]]) -> int:
    """Write Docs or canonical records, one per line, and return their number."""
    count = 0
    with whole_text(Path(path)) as file:
        for doc in docs:
            record = doc_to_record(doc) if isinstance(doc, Doc) else doc
            file.write(to_json(record) + "\n")
            count += 1
    return count


def parse_jsonl(value: object, *, pseudo_labels: bool = False) -> Record:
    """Check a canonical record.

    pseudo_labels (bool): Make the triples of a pipeline gold, to train another pipeline on them.
    """
    record = check_record(value)
    if pseudo_labels and "triples" in record:
        record["triples"] = [{**triple, "source": ""} for triple in record["triples"]]
    return record
