"""Documents with their triples, as the graph reads them: records of `spacy relext extract`, and corpora."""

import json
from bisect import bisect_left
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..annotations.sentences import covering_sentences
from ..annotations.triple import CharSpan, Record
from ..corpora.formats.sources import read_json, to_json
from ..corpora.shards import SUFFIX, iter_docs
from ..errors import Errors
from ..export.parquet import read_parquet_records
from ..export.records import extraction_record

# Key of records for coreference: a list of chains, each a list of [start, end].
CHAINS_KEY = "coref"
# Key of records for gold triples, under which `spacy relext extract` keeps the triples of its input.
GOLD_KEY = "input_triples"

_SPAN_GROUPS = ("coref_clusters_", "equiv")
_KNOWN = {"text", "triples", "entities", "sents", "doc_id", "pairs", "rejected", CHAINS_KEY, GOLD_KEY}


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


class EntitySpan(NamedTuple):
    """An entity of a pipeline."""

    start: int
    end: int
    label: Optional[str]
    kb_id: Optional[str]


class Document(NamedTuple):
    """A text with its triples.

    doc_id (str): Its id.
    text (str): Its text.
    meta (str): Its other keys as JSON.
    statements (List[Statement]): Triples, in the order of the record.
    entities (List[EntitySpan]): Entities, by position.
    chains (List[List[CharSpan]]): Coreference chains.
    sentences (List[CharSpan]): Sentences, by position; empty if the record has none.
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


def read_documents(paths: Iterable[Path], *, gold: bool = False) -> Iterator[Document]:
    """Read files one document at a time: `.jsonl` or `.json` of `spacy relext extract`, `.parquet`, `.spacy`, folders.

    gold (bool): Also read the triples that the input of `extract` had, with the source "".
    RAISES (ValueError): At the first record that is malformed: file, line, what was found.
    """
    for path in map(Path, paths):
        if not path.exists():
            raise ValueError(Errors.R831.format(path=path, found="no such file"))
        for number, (place, record) in enumerate(_read_records(path), start=1):
            yield parse_document(record, number=number, place=place, gold=gold)._replace(file=path.stem)


def parse_document(record: object, *, number: int = 1, place: str = "record", gold: bool = False) -> Document:
    """Read one record.

    record (object): As `extraction_record` makes it; `sent`, `sent_start` and `sent_end` may be missing.
    number (int): Id of a document without one.
    gold (bool): As for `read_documents`.
    RAISES (ValueError): If it is malformed.
    """
    try:
        return _parse(_encodable(record), number, place, gold)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(Errors.R830.format(place=place, found=found)) from None


def doc_to_document(doc: Doc, *, number: int = 1) -> Document:
    """Make a document of a Doc with its coreference: that of records, `coref_clusters_*`, or `doc._.coref_chains`."""
    record = extraction_record(doc, number=number)
    record[CHAINS_KEY] = [*record.get(CHAINS_KEY, ()), *_chains(doc)]
    return parse_document(record, place=f"Doc {number}")


def entity_of(
    span: CharSpan, entities: Sequence[EntitySpan], starts: Sequence[int], longest: int
) -> Optional[EntitySpan]:
    """Find the entity with the largest overlap with a span, more than half of the longer of the two.

    entities (Sequence[EntitySpan]): By position; `starts` has their first characters.
    longest (int): Length of the longest.
    """
    best, most = None, 0.5
    for at in range(bisect_left(starts, span[0] - longest), len(entities)):
        entity = entities[at]
        if entity.start >= span[1]:
            break
        shared = min(span[1], entity.end) - max(span[0], entity.start)
        share = shared / max(span[1] - span[0], entity.end - entity.start)
        if share > most:
            best, most = entity, share
    return best


def _read_records(path: Path) -> Iterator[Tuple[str, object]]:
    """Yield places and records of a file."""
    if path.is_dir() or path.suffix == SUFFIX:
        for number, doc in enumerate(iter_docs(path, Vocab()), start=1):
            record = extraction_record(doc, number=number)
            yield f"{path}, document {number}", {**record, CHAINS_KEY: [*record.get(CHAINS_KEY, ()), *_chains(doc)]}
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


def _parse(record: Record, number: int, place: str, gold: bool) -> Document:
    """Read the parts of a record."""
    if not isinstance(record, dict):
        raise TypeError(f"{record!r:.40}, not an object")
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError(f"'text' is {text!r:.40}, not a text")
    sentences = [_span(sent, text, "a sentence") for sent in record.get("sents") or ()]
    statements = [_statement(triple, text, sentences) for triple in record.get("triples") or ()]
    for triple in (record.get(GOLD_KEY) or ()) if gold else ():
        statements.append(_statement({**triple, "source": ""}, text, sentences))
    entities = [
        EntitySpan(
            *_span((each["start"], each["end"]), text, "an entity"),
            each.get("label") or None,
            each.get("kb_id") or None,
        )
        for each in record.get("entities") or ()
    ]
    chains = [[_span(span, text, "a mention of a chain") for span in chain] for chain in record.get(CHAINS_KEY) or ()]
    meta = {key: value for key, value in record.items() if key not in _KNOWN}
    doc_id = record.get("doc_id")
    return Document(
        str(number) if doc_id is None else str(doc_id),
        text,
        to_json(meta, sort_keys=True) if meta else "",
        statements,
        sorted(entities, key=lambda each: (each.start, each.end, each.label or "", each.kb_id or "")),
        chains,
        sentences,
        place,
    )


def _statement(triple: Record, text: str, sentences: Sequence[CharSpan]) -> Statement:
    """Read a triple; its sentence is computed if the record has none."""
    subject, obj = (_span(triple[role], text, f"the {role} of a triple") for role in ("subject", "object"))
    relation, score = triple["relation"], float(triple.get("score", 1.0))
    if not isinstance(relation, str) or not relation:
        raise TypeError(f"the relation of a triple is {relation!r:.40}, not a text")
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"the score of a triple is {score}, not a number from 0 to 1")
    attributes = triple.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise TypeError(f"the attributes of a triple are {attributes!r:.40}, not an object")
    if "sent" in triple:
        number, sentence = int(triple["sent"]), _span((triple["sent_start"], triple["sent_end"]), text, "a sentence")
    else:
        number, start, end = covering_sentences(sentences or [(0, len(text))], subject, obj)
        sentence = (start, end)
    return Statement(subject, relation, obj, score, str(triple.get("source", "")), number, sentence, attributes)


def _span(value: Sequence[int], text: str, what: str) -> CharSpan:
    """Read offsets, which must lie in the text."""
    start, end = value
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError(f"{what} is {start!r:.20}:{end!r:.20}, not in the text of {len(text)} characters")
    return start, end


def _chains(doc: Doc) -> Iterator[List[List[int]]]:
    """Yield the coreference chains of a Doc."""
    for key in sorted(doc.spans):
        if key.casefold().startswith(_SPAN_GROUPS):
            yield [[span.start_char, span.end_char] for span in doc.spans[key]]
    if Doc.has_extension("coref_chains") and doc._.coref_chains:
        heads: Dict[int, Span] = {token.i: ent for ent in doc.ents for token in ent}
        for chain in doc._.coref_chains:
            spans = []
            for mention in chain:
                first, last = min(mention.token_indexes), max(mention.token_indexes)
                span = heads.get(first) if first == last else None
                span = doc[first : last + 1] if span is None else span
                spans.append([span.start_char, span.end_char])
            yield spans


def _encodable(value: object) -> Record:
    """Replace lone surrogates, which UTF-8 cannot encode, in any text of a record."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf8")
    except UnicodeEncodeError:
        value = json.loads(_replace(json.dumps(value, ensure_ascii=False)))
    return value  # type: ignore[return-value]  # its type is checked next


def _replace(text: str) -> str:
    """Replace lone surrogates."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
