"""Where triples and relation probabilities live on a Doc: plain values under string keys of `doc.user_data`.

Character offsets, labels, floats and strings survive `Doc.to_bytes`, `DocBin`, pickling, `n_process` and
retokenization; spans, tuple keys and tensors would not. `DocBin` gives lists back as tuples: both are read.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span

from ..errors import Errors
from .triple import CharSpan, Triple

TRIPLES_KEY = "relext_triples"

RELATIONS_KEY = "relext_relations"

Argument = Union[Span, Sequence[int]]

TripleLike = Union[Triple, Dict[str, Any], Sequence[Any]]


def has_triples(doc: Doc) -> bool:
    """Say whether the Doc is annotated with triples, be it with none at all.

    doc (Doc): The document.
    RETURNS (bool): False where nothing was ever stored.
    """
    return TRIPLES_KEY in doc.user_data


def get_triples(doc: Doc) -> List[Triple]:
    """Read the triples of a Doc.

    doc (Doc): The document.
    RETURNS (List[Triple]): In the order of their storage. Offsets inside a token are widened to whole tokens; where
        that makes subject and object one span, the triple shows in `get_records` only.
    """
    triples = []
    for record in doc.user_data.get(TRIPLES_KEY, ()):
        subject, obj = char_span(doc, record["subject"]), char_span(doc, record["object"])
        if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
            continue
        triples.append(
            Triple(
                subject=subject,
                relation=record["relation"],
                object=obj,
                score=record["score"],
                source=record["source"],
                evidence=plain(record["evidence"]),
            )
        )
    return triples


def get_records(doc: Doc, *, source: Optional[str] = None) -> Optional[List[Dict[str, Any]]]:
    """Read the triples as they are stored, with exact character offsets.

    doc (Doc): The document.
    source (Optional[str]): One source's triples only, "" for gold; None: all.
    RETURNS (Optional[List[Dict[str, Any]]]): `subject` and `object` as (start, end), `relation`, `score`, `source`,
        `evidence`; None where the Doc is not annotated.
    """
    stored = doc.user_data.get(TRIPLES_KEY)
    if stored is None:
        return None
    chosen = (record for record in stored if source is None or record["source"] == source)
    return [
        {**r, "subject": tuple(r["subject"]), "object": tuple(r["object"]), "evidence": plain(r["evidence"])}
        for r in chosen
    ]


def set_triples(doc: Doc, triples: Iterable[TripleLike], *, source: str = "") -> None:
    """Store triples, replacing what the same source wrote before and leaving other sources' triples.

    doc (Doc): The document.
    triples (Iterable[TripleLike]): `Triple`s, or dicts with `subject`, `relation`, `object` (spans or character
        offsets) and optionally `score` and `evidence`, or (subject, relation, object[, score]) sequences.
    source (str): Name of the component; "" for gold annotation.
    RAISES (ValueError): Where subject and object are the same span, or offsets lie outside the text.
    """
    length = doc[-1].idx + len(doc[-1].text_with_ws) if len(doc) else 0
    new = [_as_record(doc, triple, source, length) for triple in triples]
    kept = [record for record in doc.user_data.get(TRIPLES_KEY, ()) if record["source"] != source]
    doc.user_data[TRIPLES_KEY] = kept + new


def replace_gold(user_data: Dict[Any, Any], triples: Iterable[Dict[str, Any]]) -> None:
    """Store gold triples in user data as `set_triples` does, where the Doc has not been made.

    user_data (Dict[Any, Any]): Of the Doc.
    triples (Iterable[Dict[str, Any]]): `subject` and `object` as lists of character offsets in the text, `relation`.
    """
    kept = [record for record in user_data.get(TRIPLES_KEY, ()) if record["source"]]
    user_data[TRIPLES_KEY] = kept + [{**triple, "score": 1.0, "source": "", "evidence": {}} for triple in triples]


def char_span(doc: Doc, offsets: Sequence[int]) -> Optional[Span]:
    """Make the smallest span of whole tokens that covers some characters.

    doc (Doc): The document.
    offsets (Sequence[int]): Start and end character.
    RETURNS (Optional[Span]): None where no token lies there.
    """
    return doc.char_span(int(offsets[0]), int(offsets[1]), alignment_mode="expand")


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
    """Say whether a detector has written relation probabilities.

    doc (Doc): The document.
    RETURNS (bool): False where none ran.
    """
    return RELATIONS_KEY in doc.user_data


def get_relations(span: Span) -> Dict[str, float]:
    """Read the relation probabilities of a sentence.

    span (Span): The sentence, or any span.
    RETURNS (Dict[str, float]): Label → highest probability among the stored sentences that overlap the span.
    """
    found: Dict[str, float] = {}
    for record in span.doc.user_data.get(RELATIONS_KEY, ()):
        if record["start"] < span.end_char and record["end"] > span.start_char:
            for label, probability in record["relations"].items():
                found[label] = max(probability, found.get(label, 0.0))
    return found


def _as_record(doc: Doc, triple: TripleLike, source: str, length: int) -> Dict[str, Any]:
    """Turn any accepted form of a triple into plain values."""
    if isinstance(triple, Triple):
        values: Dict[str, Any] = dict(vars(triple))
    elif isinstance(triple, dict):
        values = dict(triple)
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


def plain(value: Any) -> Any:
    """Make lists of the tuples that `DocBin` gives back, at any depth.

    value (Any): Plain values.
    RETURNS (Any): The same, as JSON would have it.
    """
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value
