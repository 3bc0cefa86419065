"""Records of extracted triples, and JSON lines of them, which `spacy relext convert jsonl` reads again."""

from typing import IO, Collection, Dict, Optional, Protocol, Union

from spacy.tokens import Doc

from ..annotations.doc_entities import facts_beyond_triples
from ..annotations.sentences import covering_sentences, sentence_chars
from ..annotations.triple import Record
from ..corpora.canonical import KNOWN_KEYS, check_record, read_id
from ..corpora.formats.sources import storable, to_json
from ..corpora.records import doc_to_record

# Where the id of a document is looked for, in this order.
_ID_KEYS = ("doc_id", "id", "file")
_SENTENCE_KEYS = ("sent", "sent_start", "sent_end")


class RecordWriter(Protocol):
    """Writes records of `extraction_record`."""

    def write(self, record: Record) -> None:
        """Write one record."""

    def close(self) -> None:
        """Write what is left; the stream stays open."""


class JsonlWriter:
    """Writes one record per line."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, record: Record) -> None:
        """Write one record of `extraction_record` at once, so that the next program in a pipe need not wait."""
        self.stream.write(to_json(record) + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Do nothing: all is written."""


def extraction_record(
    doc: Doc,
    *,
    number: Union[int, str] = 1,
    min_score: float = 0.0,
    relations: Optional[Collection[str]] = None,
    extra: Optional[Record] = None,
    text: Optional[str] = None,
) -> Record:
    """Make a canonical record of a processed Doc, with the texts and the sentences of its triples.

    number (Union[int, str]): Id of a document without one: its number, from 1, or a string.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    relations (Optional[Collection[str]]): Leave out other relations; None keeps all.
    extra (Optional[Record]): Other keys of the input. Keys that the record itself has, such as triples, and keys of a
        canonical record with another value than it may have, get the prefix `input_`.
    text (Optional[str]): The text that the Doc was made from, if known.
    RETURNS (Record): `text`, `entities` and `sents` if the pipeline sets them; `triples` with `subject`, `relation`,
        `object`, `score`, `source`, `subject_text`, `object_text`, `sent` (number of the sentence, from 0),
        `sent_start`, `sent_end` (characters; the end of a later sentence if an argument is in it), and `evidence`
        and `attributes` if there are any; and `doc_id`: the key `doc_id`, `id` or `file` of the input, or else the
        number. The triples include the facts that no triple states, see `facts_beyond_triples`.
    """
    record, extra = doc_to_record(doc, text=text), dict(extra or {})
    sentences = record.get("sents") or sentence_chars(doc)
    triples, text = [], record["text"]
    for triple in [*record.get("triples", []), *facts_beyond_triples(doc)]:
        score = triple.get("score", 1.0)
        if score >= min_score and (relations is None or triple["relation"] in relations):
            texts = {f"{role}_text": text[slice(*triple[role])] for role in ("subject", "object")}
            places = dict(zip(_SENTENCE_KEYS, covering_sentences(sentences, triple["subject"], triple["object"])))
            triples.append({**triple, "score": score, "source": triple.get("source", ""), **texts, **places})
    record["triples"] = triples
    record["doc_id"] = _doc_id({**record, **extra}) or str(number)
    if extra.get("doc_id") == record["doc_id"]:
        del extra["doc_id"]
    for key, value in extra.items():
        is_own, value = key not in record, storable(value)
        if key in KNOWN_KEYS:
            try:
                value = check_record({"text": text, key: value})[key]
            except ValueError:
                is_own = False
        record[_free_key(key, record, extra) if not is_own else key] = value
    return record


def _free_key(key: str, *taken: Record) -> str:
    """Put `input_` before a key, until no other key is equal."""
    while any(key in each for each in taken):
        key = f"input_{key}"
    return key


def _doc_id(keys: Dict[str, object]) -> Optional[str]:
    """Read the id of a document, a text or a number; None if it has none."""
    return next(filter(None, (read_id(keys.get(key)) for key in _ID_KEYS)), None)
