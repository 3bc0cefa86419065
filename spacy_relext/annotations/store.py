"""Storage of triples and relation probabilities on a Doc: plain values under string keys of `doc.user_data`.

Character offsets, labels, floats and strings survive `Doc.to_bytes`, `DocBin`, pickling, `n_process` and
retokenization; spans, tuple keys and tensors would not. `DocBin` returns lists as tuples: both are read.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span

from ..errors import Errors
from .triple import CharSpan, Record, Triple

TRIPLES_KEY = "relext_triples"

RELATIONS_KEY = "relext_relations"

Argument = Union[Span, Sequence[int]]

TripleLike = Union[Triple, Record, Sequence[object]]


def has_triples(doc: Doc) -> bool:
    """Return True if a Doc is annotated with triples, even with an empty list.

    doc (Doc): The document.
    RETURNS (bool): False if nothing was ever stored.
    """
    return TRIPLES_KEY in doc.user_data


def get_triples(doc: Doc) -> List[Triple]:
    """Read the triples of a Doc.

    doc (Doc): The document.
    RETURNS (List[Triple]): In the order of their storage. Offsets inside a token are widened to whole tokens; if that
        makes subject and object one span, only `get_records` has the triple.
    """
    triples = []
    for record in doc.user_data.get(TRIPLES_KEY, ()):
        spans = token_spans(doc, record)
        if spans is not None:
            evidence = plain(record["evidence"])
            triples.append(Triple(spans[0], record["relation"], spans[1], record["score"], record["source"], evidence))
    return triples


def get_records(doc: Doc, *, source: Optional[str] = None) -> Optional[List[Record]]:
    """Read the triples as they are stored, with exact character offsets.

    doc (Doc): The document.
    source (Optional[str]): One source's triples only, "" for gold; None: all.
    RETURNS (Optional[List[Record]]): `subject` and `object` as (start, end), `relation`, `score`, `source`,
        `evidence`; None if the Doc is not annotated.
    """
    stored = doc.user_data.get(TRIPLES_KEY)
    if stored is None:
        return None
    return [
        {**r, "subject": tuple(r["subject"]), "object": tuple(r["object"]), "evidence": plain(r["evidence"])}
        for r in stored
        if source is None or r["source"] == source
    ]


def set_triples(doc: Doc, triples: Iterable[TripleLike], *, source: str = "") -> None:
    """Store triples, replacing those of the same source and leaving those of others.

    doc (Doc): The document.
    triples (Iterable[TripleLike]): `Triple`s, or dicts with `subject`, `relation`, `object` (spans or character
        offsets) and optionally `score` and `evidence`, or (subject, relation, object[, score]) sequences.
    source (str): Name of the component; "" for gold annotation.
    RAISES (ValueError): If subject and object are the same span, or offsets lie outside the text.
    """
    length = doc[-1].idx + len(doc[-1].text_with_ws) if len(doc) else 0
    new = [_as_record(doc, triple, source, length) for triple in triples]
    others = [record for record in doc.user_data.get(TRIPLES_KEY, ()) if record["source"] != source]
    doc.user_data[TRIPLES_KEY] = others + new


def replace_gold(user_data: Dict[str, Any], triples: Iterable[Record]) -> None:
    """Store gold triples in user data as `set_triples` does, before the Doc is made.

    user_data (Dict[str, Any]): Of the Doc.
    triples (Iterable[Record]): `subject` and `object` as lists of character offsets in the text, `relation`.
    """
    predicted = [record for record in user_data.get(TRIPLES_KEY, ()) if record["source"]]
    gold = [{**triple, "score": 1.0, "source": "", "evidence": {}} for triple in triples]
    user_data[TRIPLES_KEY] = predicted + gold


def char_span(doc: Doc, offsets: Sequence[int]) -> Optional[Span]:
    """Make the smallest span of whole tokens that covers some characters.

    doc (Doc): The document.
    offsets (Sequence[int]): Start and end character.
    RETURNS (Optional[Span]): None if no token lies there.
    """
    return doc.char_span(int(offsets[0]), int(offsets[1]), alignment_mode="expand")


def token_spans(doc: Doc, record: Record) -> Optional[Tuple[Span, Span]]:
    """Make the spans of a stored triple.

    doc (Doc): A document of the same text.
    record (Record): The triple, as `get_records` returns it.
    RETURNS (Optional[Tuple[Span, Span]]): Subject and object, widened to whole tokens; None if one has no token or
        both become one span.
    """
    subject, obj = char_span(doc, record["subject"]), char_span(doc, record["object"])
    if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
        return None
    return subject, obj


def set_relations(doc: Doc, relations: Iterable[Tuple[CharSpan, Dict[str, float]]]) -> None:
    """Store the probability of each relation for each sentence.

    doc (Doc): The document.
    relations (Iterable[Tuple[CharSpan, Dict[str, float]]]): Sentence offsets and label → probability.
    """
    doc.user_data[RELATIONS_KEY] = [
        {"start": int(start), "end": int(end), "relations": {label: float(p) for label, p in probs.items()}}
        for (start, end), probs in relations
    ]


def has_relations(doc: Doc) -> bool:
    """Return True if a detector has stored relation probabilities.

    doc (Doc): The document.
    RETURNS (bool): False if none ran.
    """
    return RELATIONS_KEY in doc.user_data


def get_relations(span: Span) -> Dict[str, float]:
    """Read the relation probabilities of a sentence.

    span (Span): The sentence, or any span.
    RETURNS (Dict[str, float]): Label → highest probability among the stored sentences that overlap the span.
    """
    highest: Dict[str, float] = {}
    for record in span.doc.user_data.get(RELATIONS_KEY, ()):
        if record["start"] < span.end_char and record["end"] > span.start_char:
            for label, probability in record["relations"].items():
                highest[label] = max(probability, highest.get(label, 0.0))
    return highest


def plain(value: Any) -> Any:
    """Convert the tuples that `DocBin` returns to lists, at any depth.

    value (Any): Plain values.
    RETURNS (Any): The same, as JSON has it.
    """
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def _as_record(doc: Doc, triple: TripleLike, source: str, length: int) -> Record:
    """Convert any accepted form of a triple to plain values."""
    if isinstance(triple, Triple):
        values: Record = dict(vars(triple))
    elif isinstance(triple, dict):
        values = triple
    else:
        values = dict(zip(("subject", "relation", "object", "score", "evidence"), triple))
    subject, obj = _offsets(values["subject"], length), _offsets(values["object"], length)
    if subject == obj:
        raise ValueError(Errors.R001.format(relation=values["relation"], text=doc.text[slice(*subject)]))
    return {
        "subject": subject,
        "relation": str(values["relation"]),
        "object": obj,
        "score": float(values.get("score", 1.0)),
        "source": source,
        "evidence": dict(values.get("evidence") or {}),
    }


def _offsets(argument: Argument, length: int) -> List[int]:
    """Read the character offsets of a span or of a pair of numbers, and check them against the text's length."""
    if isinstance(argument, Span):
        start, end = argument.start_char, argument.end_char
    else:
        start, end = int(argument[0]), int(argument[1])
    if not 0 <= start < end <= length:
        raise ValueError(Errors.R002.format(start=start, end=end, length=length))
    return [start, end]
