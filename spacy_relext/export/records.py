"""Docs become flat records of what was extracted: text, offsets, score and source of each triple."""

from dataclasses import dataclass
from typing import Any, Collection, Dict, Iterable, Iterator, Optional, Protocol, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..corpora.records import doc_to_record
from ..corpora.texts import RawText

Record = Dict[str, Any]


class RecordWriter(Protocol):
    """What takes records one at a time."""

    def write(self, record: Record) -> None:
        """Write one record.

        record (Record): From `extraction_record`.
        """


@dataclass
class ExtractionCounts:
    """What an extraction did.

    documents (int): Texts that were read.
    triples (int): Triples that were written.
    """

    documents: int = 0
    triples: int = 0


def extract(
    nlp: Language, texts: Iterable[RawText], *, batch_size: int = 64, n_process: int = 1
) -> Iterator[Tuple[Doc, RawText]]:
    """Run a pipeline over texts as a stream.

    nlp (Language): The pipeline.
    texts (Iterable[RawText]): The texts; a batch of them is held at a time.
    batch_size (int): Documents to a batch.
    n_process (int): Processes to share the work.
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
    """Write each document's triples as soon as it is there.

    extractions (Iterable[Tuple[Doc, RawText]]): From `extract`.
    writer (RecordWriter): Takes the records.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    relations (Optional[Collection[str]]): Leave out other relations; None keeps all.
    RETURNS (ExtractionCounts): What was read and written.
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
    extra: Optional[Dict[str, Any]] = None,
) -> Record:
    """Make a canonical record of a Doc whose triples say in words what they are about.

    doc (Doc): A processed document.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    relations (Optional[Collection[str]]): Leave out other relations; None keeps all.
    extra (Optional[Dict[str, Any]]): Other keys to keep. One that the record has itself, such as the triples that the
        input came with, gets `input_` in front.
    RETURNS (Record): `text`, `entities` and `sents` where the pipeline sets them, and `triples` with `subject`,
        `relation`, `object`, `score`, `source`, `subject_text`, `object_text`, and `evidence` where there is any.
    """
    record = doc_to_record(doc)
    kept = []
    for triple in record.get("triples", []):
        score = triple.get("score", 1.0)
        if score >= min_score and (relations is None or triple["relation"] in relations):
            texts = {f"{role}_text": doc.text[slice(*triple[role])] for role in ("subject", "object")}
            kept.append({**triple, "score": score, "source": triple.get("source", ""), **texts})
    record["triples"] = kept
    taken = set(record)
    for key, value in (extra or {}).items():
        record[f"input_{key}" if key in taken else key] = value
    return record
