"""Extraction of triples from texts as flat records, and their writers: JSON lines (which `spacy relext convert jsonl`
reads again) and CSV."""

import csv
import json
from typing import Collection, Iterable, Iterator, Optional, TextIO, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..corpora.records import doc_to_record
from ..corpora.texts import RawText

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


class JsonlWriter:
    """Writes one record per line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, record: Record) -> None:
        """Write one record of `extraction_record` at once, so that the next program in a pipe need not wait."""
        self.stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.stream.flush()


class CsvWriter:
    """Writes a header and one row per triple; a document without triples has no row.

    `document` counts the documents from 1, `meta` has the other keys of a JSON input as JSON.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.document = 0
        self._rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, record: Record) -> None:
        """Write the triples of one record of `extraction_record` at once."""
        self.document += 1
        meta = {key: value for key, value in record.items() if key not in _RECORD_KEYS}
        shared = {"document": self.document, "text": record["text"]}
        shared["meta"] = json.dumps(meta, ensure_ascii=False) if meta else ""
        for triple in record["triples"]:
            row = {**shared, **{key: triple[key] for key in ("relation", "score", "source")}}
            for role in ("subject", "object"):
                row[role] = triple[f"{role}_text"]
                row[f"{role}_start"], row[f"{role}_end"] = triple[role]
            self._rows.writerow(row)
        self.stream.flush()


RecordWriter = Union[JsonlWriter, CsvWriter]


def extract(
    nlp: Language, texts: Iterable[RawText], *, batch_size: int = 64, n_process: int = 1
) -> Iterator[Tuple[Doc, RawText]]:
    """Run a pipeline over texts as a stream, with one batch in memory at a time."""
    if n_process > 1:
        from ..bridge.modules import use_one_thread

        use_one_thread()
    pairs = ((raw.text, raw) for raw in texts)
    yield from nlp.pipe(pairs, as_tuples=True, batch_size=batch_size, n_process=n_process)


def write_extractions(
    extractions: Iterable[Tuple[Doc, RawText]],
    writer: RecordWriter,
    *,
    min_score: float = 0.0,
    relations: Optional[Collection[str]] = None,
) -> Tuple[int, int]:
    """Write the triples of documents as a stream, those that `extraction_record` selects.

    RETURNS (Tuple[int, int]): Numbers of documents and of triples.
    """
    documents = triples = 0
    for doc, raw in extractions:
        record = extraction_record(doc, min_score=min_score, relations=relations, extra=raw.extra)
        writer.write(record)
        documents += 1
        triples += len(record["triples"])
    return documents, triples


def extraction_record(
    doc: Doc,
    *,
    min_score: float = 0.0,
    relations: Optional[Collection[str]] = None,
    extra: Optional[Record] = None,
) -> Record:
    """Make a canonical record of a processed Doc, with the texts of the arguments of its triples.

    min_score (float): Leave out triples with a lower score, 0 to 1.
    relations (Optional[Collection[str]]): Leave out other relations; None keeps all.
    extra (Optional[Record]): Other keys of the input. The prefix `input_` marks those that the record has itself, such
        as triples of the input.
    RETURNS (Record): `text`, `entities` and `sents` if the pipeline sets them, and `triples` with `subject`,
        `relation`, `object`, `score`, `source`, `subject_text`, `object_text`, and `evidence` if there is any.
    """
    record = doc_to_record(doc)
    triples = []
    for triple in record.get("triples", []):
        score = triple.get("score", 1.0)
        if score >= min_score and (relations is None or triple["relation"] in relations):
            texts = {f"{role}_text": doc.text[slice(*triple[role])] for role in ("subject", "object")}
            triples.append({**triple, "score": score, "source": triple.get("source", ""), **texts})
    record["triples"] = triples
    renamed = {f"input_{key}" if key in record else key: value for key, value in (extra or {}).items()}
    return {**record, **renamed}
