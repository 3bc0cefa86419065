"""Extraction of triples from texts, as flat records: text, offsets, score and source of each triple."""

from dataclasses import dataclass
from typing import Collection, Iterable, Iterator, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..corpora.records import doc_to_record
from ..corpora.texts import RawText
from .writers import RecordWriter


@dataclass
class ExtractionCounts:
    """Counts of an extraction.

    documents (int): Texts read.
    triples (int): Triples written.
    """

    documents: int = 0
    triples: int = 0


def extract(
    nlp: Language, texts: Iterable[RawText], *, batch_size: int = 64, n_process: int = 1
) -> Iterator[Tuple[Doc, RawText]]:
    """Run a pipeline over texts as a stream.

    nlp (Language): The pipeline.
    texts (Iterable[RawText]): The texts, of which one batch is in memory at a time.
    batch_size (int): Documents per batch.
    n_process (int): Number of processes.
    YIELDS (Tuple[Doc, RawText]): In the order of the texts.
    """
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
) -> ExtractionCounts:
    """Write the triples of documents as a stream.

    extractions (Iterable[Tuple[Doc, RawText]]): From `extract`.
    writer (RecordWriter): Writes the records.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    relations (Optional[Collection[str]]): Leave out other relations; None keeps all.
    RETURNS (ExtractionCounts): Documents and triples.
    """
    counts = ExtractionCounts()
    for doc, raw in extractions:
        record = extraction_record(doc, min_score=min_score, relations=relations, extra=raw.extra)
        writer.write(record)
        counts.documents += 1
        counts.triples += len(record["triples"])
    return counts


def extraction_record(
    doc: Doc,
    *,
    min_score: float = 0.0,
    relations: Optional[Collection[str]] = None,
    extra: Optional[Record] = None,
) -> Record:
    """Make a canonical record of a Doc, with the texts of the arguments of its triples.

    doc (Doc): A processed document.
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
    taken = set(record)
    for key, value in (extra or {}).items():
        record[f"input_{key}" if key in taken else key] = value
    return record
