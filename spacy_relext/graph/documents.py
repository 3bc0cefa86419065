"""Documents with their triples, as the graph reads them: records of `spacy relext extract`, and corpora."""

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotations.mentions import EntitySpan, list_chains, read_kb_id
from ..annotations.sentences import covering_sentences, sentence_chars
from ..annotations.triple import CharSpan, Record
from ..corpora.canonical import KNOWN_KEYS, check_record, read_id
from ..corpora.formats.sources import read_json, to_json
from ..corpora.shards import SUFFIX, iter_docs
from ..errors import Errors
from ..export.columns import read_parquet_records
from ..export.records import extraction_record

# Key of records for gold triples, under which `spacy relext extract` keeps the triples of its input.
GOLD_KEY = "input_triples"

_KNOWN = {*KNOWN_KEYS, "doc_id", GOLD_KEY}


class Statement(NamedTuple):
    """A triple of a document.

    subject, object (CharSpan): Characters.
    relation (str): Its name.
    score (float): 0 to 1.
    source (str): Name of the component; "" for gold.
    sent (int): Number of the sentence, from 0.
    sentence (CharSpan): Its characters.
    attributes (Record): What else is known about it, such as {"assertion": "denied"}.
    """

    subject: CharSpan
    relation: str
    object: CharSpan
    score: float
    source: str
    sent: int
    sentence: CharSpan
    attributes: Record = {}


class Document(NamedTuple):
    """A text with its triples.

    doc_id (str): Its id.
    text (str): Its text.
    meta (str): Its other keys as JSON.
    statements (List[Statement]): Triples, in the order of the record.
    entities (List[EntitySpan]): Entities, by position.
    chains (List[List[CharSpan]]): Coreference chains.
    sentences (List[CharSpan]): Sentences, by position: those of the record, or else by rules; empty without triples.
    place (str): Where it comes from, for messages.
    file (str): Name of its file without folder and suffix; "" if there is none.
    """

    doc_id: str
    text: str
    meta: str
    statements: List[Statement]
    entities: List[EntitySpan]
    chains: List[List[CharSpan]]
    sentences: List[CharSpan]
    place: str
    file: str = ""


def read_documents(
    paths: Iterable[Path], *, gold: bool = False, losses: Optional["Counter[str]"] = None
) -> Iterator[Document]:
    """Read files one document at a time: `.jsonl` or `.json` of `spacy relext extract`, `.parquet`, `.spacy`, folders.

    Documents without text are left out.

    gold (bool): Also read the triples that the input of `extract` had, with the source "".
    losses (Optional[Counter[str]]): Counts what is left out.
    RAISES (ValueError): At the first record that is malformed: file, line, what was found.
    """
    for path in map(Path, paths):
        if not path.exists():
            raise ValueError(Errors.R831.format(path=path, found="no such file"))
        for number, (place, record) in enumerate(_read_records(path), start=1):
            if isinstance(record, dict) and isinstance(text := record.get("text"), str) and not text.strip():
                if losses is not None:
                    losses["documents without text"] += 1
                continue
            document = parse_document(record, number=number, place=place, gold=gold, losses=losses)
            yield document._replace(file=path.stem)


def parse_document(
    record: object,
    *,
    number: int = 1,
    place: str = "record",
    gold: bool = False,
    losses: Optional["Counter[str]"] = None,
) -> Document:
    """Read one record.

    record (object): Canonical record, such as `extraction_record` makes it.
    number (int): Id of a document without one.
    gold, losses (bool, Optional[Counter[str]]): As for `read_documents`.
    RAISES (ValueError): If it is malformed.
    """
    try:
        checked = check_record(record, losses=losses)
        has_gold = gold and GOLD_KEY in checked
        given = {"text": checked["text"], "triples": checked[GOLD_KEY] if has_gold else []}
        golden = check_record(given, losses=losses)["triples"]
    except ValueError as error:
        raise ValueError(Errors.R830.format(place=place, found=error)) from None
    text = checked["text"]
    triples = [*checked.get("triples", ()), *({**triple, "source": ""} for triple in golden)]
    sentences = [(start, end) for start, end in checked.get("sents", ())]
    if triples and not sentences:
        sentences = _split(text)
    entities = [
        EntitySpan(each["start"], each["end"], each["label"], read_kb_id(each.get("kb_id")))
        for each in checked.get("entities", ())
    ]
    meta = {key: value for key, value in checked.items() if key not in _KNOWN}
    return Document(
        read_id(checked.get("doc_id")) or str(number),
        text,
        to_json(meta, sort_keys=True) if meta else "",
        [_read_statement(triple, sentences) for triple in triples],
        sorted(entities, key=lambda each: (each.start, each.end, each.label, each.kb_id or "")),
        [[(start, end) for start, end in chain] for chain in checked.get("coref", ())],
        sentences,
        place,
    )


def doc_to_document(doc: Doc, *, number: int = 1, min_score: float = 0.0) -> Document:
    """Make a document of a Doc with its coreference: that of records, `coref_clusters_*`, or `doc._.coref_chains`."""
    record = extraction_record(doc, number=number, min_score=min_score)
    record["coref"] = [*record.get("coref", ()), *list_chains(doc)]
    return parse_document(record, place=f"Doc {number}")


def _read_records(path: Path) -> Iterator[Tuple[str, object]]:
    if path.is_dir() or path.suffix == SUFFIX:
        for number, doc in enumerate(iter_docs(path, Vocab()), start=1):
            record = extraction_record(doc, number=number)
            yield f"{path}, document {number}", {**record, "coref": [*record.get("coref", ()), *list_chains(doc)]}
    elif path.suffix == ".parquet":
        for number, record in enumerate(read_parquet_records(path), start=1):
            yield f"{path}, document {number}", record
    elif path.suffix in (".jsonl", ".ndjson", ".json"):
        for item in read_json(path):
            if item.error:
                raise ValueError(Errors.R830.format(place=item.where, found=item.error))
            yield item.where, item.value
    else:
        raise ValueError(Errors.R831.format(path=path, found=f"the suffix {path.suffix!r}"))


@lru_cache(maxsize=1)
def _sentencizer() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_sentencizer")
    nlp.max_length = 2**31
    return nlp


def _split(text: str) -> List[CharSpan]:
    """Split a text into sentences, without white space at their ends."""
    pieces = ((start, text[start:end]) for start, end in sentence_chars(_sentencizer()(text)))
    return [(start, start + len(piece.rstrip())) for start, piece in pieces if piece.strip()]


def _read_statement(triple: Record, sentences: Sequence[CharSpan]) -> Statement:
    """Read a triple, and find its sentences."""
    subject, obj = ((start, end) for start, end in (triple["subject"], triple["object"]))
    sent, *sentence = covering_sentences(sentences, subject, obj)
    score, source = float(triple.get("score", 1.0)), triple.get("source", "")
    return Statement(
        subject, triple["relation"], obj, score, source, sent, (sentence[0], sentence[1]), triple.get("attributes", {})
    )
