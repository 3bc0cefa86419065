"""Storage of triples and relation probabilities on a Doc: plain values under string keys of `doc.user_data`.

Character offsets, labels, floats and strings survive `Doc.to_bytes`, `DocBin`, pickling, `n_process` and
retokenization; spans, tuple keys and tensors would not. `DocBin` returns lists as tuples: both are read.
"""

from bisect import bisect_right
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from .triple import Argument, CharSpan, Record, Triple, TripleLike, read_clusters, read_triples, text_length
from .words import trim_blanks, whole_words

TRIPLES_KEY = "relext_triples"

RELATIONS_KEY = "relext_relations"

# Triples that an annotator rejected, and clusters of mentions of one entity: both in characters, like triples.
REJECTED_KEY, COREF_KEY = "relext_rejected", "relext_coref"

# Facts between entities of a document.
FACTS_KEY = "relext_facts"

# True: the text has relations that the stored triples lack, since they could not be read.
INCOMPLETE_KEY = "relext_incomplete"

# A teacher's soft labels for the pairs of a text.
SOFT_LABELS_KEY = "relext_teacher"

# Length of the text that these are stored for: it reveals offsets that `Span.as_doc(copy_user_data=True)` has copied to
# a shorter text, where they are wrong.
LENGTH_KEY = "relext_length"


class StoredValues(List[Any]):
    """Values under a key of `user_data`.

    Whoever unpickles a Doc that has them imports this file: a process that is only sent Docs has `doc._.triples` too.
    """


class TokenTriple(NamedTuple):
    """A triple in token offsets; the second number of an argument is its last token, inclusive."""

    subject: Tuple[int, int]
    relation: str
    object: Tuple[int, int]

    def shifted(self, start: int) -> "TokenTriple":
        """Return the same triple with tokens counted from another start."""
        subject, obj = self.subject, self.object
        return TokenTriple((subject[0] - start, subject[1] - start), self.relation, (obj[0] - start, obj[1] - start))


def has_triples(doc: Doc) -> bool:
    """Return True if a Doc is fully annotated with triples, even with an empty list: what they lack is not there."""
    return has_stored(doc, TRIPLES_KEY) and not is_incomplete(doc)


def is_incomplete(doc: Doc) -> bool:
    """Return True if a Doc states relations that its triples lack: these are right, but teach no negatives."""
    return bool(doc.user_data.get(INCOMPLETE_KEY))


def can_teach(doc: Doc) -> bool:
    """Return True if a Doc has triples to learn from: annotated or rejected ones, or a teacher's soft labels."""
    return has_triples(doc) or has_stored(doc, REJECTED_KEY) or SOFT_LABELS_KEY in doc.user_data


def has_stored(doc: Doc, key: str) -> bool:
    """Return True if something is stored for this text under a key of `user_data`, even an empty list."""
    return _stored(doc, key) is not None


def get_triples(doc: Doc, *, source: Optional[str] = None) -> List[Triple]:
    """Read the triples of a Doc, by position of the subject, then of the object; none if it is not annotated.

    Offsets inside a token are widened to whole tokens. If that makes subject and object one span, the triple is left
    out; `get_records` still has it.

    source (Optional[str]): One source's triples only, "" for gold; None: all.
    """
    triples = []
    for record in sorted(_stored(doc) or (), key=_position):
        if source not in (None, record["source"]):
            continue
        spans = _token_spans(doc, record)
        if spans is not None:
            evidence, attributes = plain(record["evidence"]), plain(record.get("attributes", {}))
            values = (record["score"], record["source"], evidence, attributes)
            triples.append(Triple(spans[0], record["relation"], spans[1], *values))
    return triples


def get_records(doc: Doc, *, source: Optional[str] = None) -> Optional[List[Record]]:
    """Read the triples as they are stored, with exact character offsets; None if the Doc is not annotated.

    source (Optional[str]): One source's triples only, "" for gold; None: all.
    RETURNS (Optional[List[Record]]): `subject` and `object` as (start, end), `relation`, `score`, `source`, `evidence`,
        and `attributes` if there are any.
    """
    stored = _stored(doc)
    if stored is None:
        return None
    return [_with_tuples(record) for record in stored if source is None or record["source"] == source]


def get_triple_records(doc: Doc) -> Optional[List[Record]]:
    """Read the triples as plain values for JSON, with the texts of the arguments, in the order of the text.

    RETURNS (Optional[List[Record]]): As from `Triple.to_dict`, but with exact offsets; None if the Doc is not
        annotated.
    """
    stored = _stored(doc)
    if stored is None:
        return None
    text = doc.text
    return [
        {
            "subject": list(record["subject"]),
            "relation": record["relation"],
            "object": list(record["object"]),
            "score": record["score"],
            "source": record["source"],
            "subject_text": text[slice(*record["subject"])],
            "object_text": text[slice(*record["object"])],
            "evidence": plain(record["evidence"]),
            **({"attributes": plain(record["attributes"])} if record.get("attributes") else {}),
        }
        for record in sorted(stored, key=_position)
    ]


def set_triple_records(doc: Doc, records: Optional[Iterable[Record]]) -> None:
    """Replace all triples by records of `get_triple_records`, of any source; None removes the annotation.

    RAISES (ValueError): See `set_triples`.
    """
    if records is None:
        doc.user_data.pop(TRIPLES_KEY, None)
        return
    store_triples(doc, read_triples(doc, records))


def set_triples(doc: Doc, triples: Iterable[TripleLike], *, source: str = "") -> None:
    """Store triples in place of earlier triples of their source; gold is then complete.

    triples (Iterable[TripleLike]): `Triple`s, or dicts with `subject`, `relation`, `object` (spans or character
        offsets) and optionally `score`, `evidence` and `attributes`, or sequences (subject, relation, object[, score[,
        evidence]]).
    source (str): Name of the component; "" for gold annotation.
    RAISES (ValueError): If a triple has another form, subject and object are the same span, or offsets lie outside the
        text.
    """
    _replace_source(doc, read_triples(doc, triples, source=source), source)


def set_predicted(doc: Doc, triples: Iterable[TripleLike], *, source: str) -> None:
    """Store the triples that a component predicts, as `set_triples` does, with whole words as arguments.

    Tokens of another tokenizer may have white space of their own or be parts of words; see `whole_words`.
    """
    new = read_triples(doc, triples, source=source)
    _replace_source(doc, _with_whole_words(doc, new) if new else new, source)


def _replace_source(doc: Doc, new: List[Record], source: str) -> None:
    """Store records in place of the triples of their source; gold is then complete."""
    if not source:
        doc.user_data.pop(INCOMPLETE_KEY, None)
    store_triples(doc, [*(record for record in _stored(doc) or () if record["source"] != source), *new])


def _with_whole_words(doc: Doc, records: List[Record]) -> List[Record]:
    """Correct the arguments of predicted triples (`whole_words`), and keep the best of triples that become equal."""
    text = doc.text
    best: Dict[Tuple[object, ...], Record] = {}
    for record in records:
        subject, obj = (whole_words(text, *record[role]) for role in ("subject", "object"))
        key = (subject, record["relation"], obj)
        if subject is None or obj is None or subject == obj or (key in best and best[key]["score"] >= record["score"]):
            continue
        best[key] = {**record, "subject": list(subject), "object": list(obj)}
    return list(best.values())


def widen_records(doc: Doc, records: Iterable[Record]) -> List[Record]:
    """Widen the arguments of records to whole tokens of a Doc with their text, as training and predictions have them.

    An argument without a token stays as it is.
    """
    text, widened = doc.text, []
    for record in records:
        spans = {role: char_span(doc, record[role]) for role in ("subject", "object")}
        places = {role: whole_words(text, *(span.start_char, span.end_char)) for role, span in spans.items() if span}
        widened.append({**record, **{role: place for role, place in places.items() if place is not None}})
    return widened


def store_triples(doc: Doc, records: List[Record]) -> None:
    """Store records, as from `get_records`, in place of all triples of a Doc."""
    store_values(doc, TRIPLES_KEY, records)


def store_values(doc: Doc, key: str, values: Sequence[Any]) -> None:
    """Store values with character offsets under a key of `user_data`; those for another length of text are removed."""
    length = text_length(doc)
    if doc.user_data.get(LENGTH_KEY) not in (None, length):
        for other in (TRIPLES_KEY, REJECTED_KEY, COREF_KEY, FACTS_KEY):
            doc.user_data.pop(other, None)
    doc.user_data[key] = StoredValues(values)
    doc.user_data[LENGTH_KEY] = length


def get_rejected(doc: Doc) -> List[Record]:
    """Read the triples that an annotator rejected, in the form of `get_records`."""
    return [_with_tuples(record) for record in _stored(doc, REJECTED_KEY) or ()]


def set_rejected(doc: Doc, triples: Iterable[TripleLike]) -> None:
    """Store the triples that an annotator rejected, in place of others; each keeps its source.

    RAISES (ValueError): See `set_triples`.
    """
    store_values(doc, REJECTED_KEY, read_triples(doc, triples))


def get_coref(doc: Doc) -> List[List[CharSpan]]:
    """Read clusters of mentions that name one entity, as character offsets."""
    return [[(start, end) for start, end in cluster] for cluster in _stored(doc, COREF_KEY) or ()]


def set_coref(doc: Doc, clusters: Iterable[Iterable[Argument]]) -> None:
    """Store clusters of mentions that name one entity, in place of others.

    clusters (Iterable[Iterable[Argument]]): Spans, or their character offsets.
    RAISES (ValueError): If a mention has another form or lies outside the text.
    """
    store_values(doc, COREF_KEY, read_clusters(doc, clusters))


def get_plain(doc: Doc, key: str) -> Optional[List[Any]]:
    """Read what is stored for this text under a key of `user_data`, with lists at any depth; None if nothing is."""
    stored = _stored(doc, key)
    return None if stored is None else [plain(value) for value in stored]


def _stored(doc: Doc, key: str = TRIPLES_KEY) -> Optional[Sequence[Any]]:
    """Return what is stored under a key; None if nothing is, or if it is for a text of another length."""
    stored: Optional[Sequence[Any]] = doc.user_data.get(key)
    if stored is None or doc.user_data.get(LENGTH_KEY) not in (None, text_length(doc)):
        return None
    return stored


def _with_tuples(record: Record) -> Record:
    """Copy a stored triple with offsets as tuples and lists in all other values."""
    places = {role: tuple(record[role]) for role in ("subject", "object")}
    return {**plain(record), **places}


def replace_gold(user_data: Record, triples: Iterable[Record]) -> None:
    """Replace the gold triples in the user data for a Doc that is yet to be created.

    triples (Iterable[Record]): `subject` and `object` as lists of character offsets in the text, `relation`, and
        `attributes` if there are any.
    """
    predicted = [record for record in user_data.get(TRIPLES_KEY, ()) if record["source"]]
    gold = [{**triple, "score": 1.0, "source": "", "evidence": {}} for triple in triples]
    user_data[TRIPLES_KEY] = predicted + gold


def align_triples(doc: Doc, gold: Doc) -> List[TokenTriple]:
    """Find the tokens of gold triples in another Doc with the same text.

    Arguments inside a token are widened to it; triples whose arguments become one span are left out.
    """
    return align_records(doc, get_records(gold, source="") or [])


def align_records(doc: Doc, records: Iterable[Record]) -> List[TokenTriple]:
    """Find the tokens of triples, given as records, in a Doc with the same text; see `align_triples`."""
    aligned = []
    for record in records:
        spans = _token_spans(doc, record)
        if spans is not None:
            (subject, obj), relation = spans, record["relation"]
            aligned.append(TokenTriple((subject.start, subject.end - 1), relation, (obj.start, obj.end - 1)))
    return aligned


def char_span(doc: Doc, offsets: Sequence[int]) -> Optional[Span]:
    """Make the smallest span of whole tokens that covers some characters, without white space at its ends.

    RETURNS (Optional[Span]): None if no token but white space lies there.
    """
    span = doc.char_span(int(offsets[0]), int(offsets[1]), alignment_mode="expand")
    if span is None or not (span[0].is_space or span[-1].is_space):
        return span
    start, end = trim_blanks(doc, span.start, span.end)
    return doc[start:end] if start < end else None


def set_relations(doc: Doc, relations: Iterable[Tuple[CharSpan, Dict[str, float]]]) -> None:
    """Store the probability of each relation for each sentence, given by its character offsets."""
    doc.user_data[RELATIONS_KEY] = [
        {"start": int(start), "end": int(end), "relations": {label: float(p) for label, p in probs.items()}}
        for (start, end), probs in relations
    ]


def has_relations(doc: Doc) -> bool:
    """Return True if a detector has stored relation probabilities."""
    return RELATIONS_KEY in doc.user_data


def get_relations(span: Span) -> Dict[str, float]:
    """Map each relation to its highest probability among the stored sentences that overlap a span."""
    return relations_by_sentence(span.doc, [(span.start, span.end)])[0]


def relations_by_sentence(doc: Doc, bounds: Sequence[Tuple[int, int]]) -> List[Dict[str, float]]:
    """Do what `get_relations` does for many spans, in time that is linear in their number.

    bounds (Sequence[Tuple[int, int]]): First token of each, and the token after its last; in order, without overlap.
    """
    places = [(span.start_char, span.end_char) for span in (doc[start:end] for start, end in bounds)]
    highest: List[Dict[str, float]] = [{} for _ in places]
    ends = [end for _, end in places]
    for record in doc.user_data.get(RELATIONS_KEY, ()):
        number = bisect_right(ends, record["start"])
        while number < len(places) and places[number][0] < record["end"]:
            for label, probability in record["relations"].items():
                highest[number][label] = max(probability, highest[number].get(label, 0.0))
            number += 1
    return highest


def plain(value: Any) -> Any:
    """Convert the tuples that `DocBin` returns to lists, at any depth."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def _token_spans(doc: Doc, record: Record) -> Optional[Tuple[Span, Span]]:
    """Make the spans of a stored triple; None if an argument has no token or both become one span."""
    subject, obj = char_span(doc, record["subject"]), char_span(doc, record["object"])
    if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
        return None
    return subject, obj


def _position(record: Record) -> Tuple[int, ...]:
    """Return the offsets of subject and object, which order triples by their place in the text."""
    return (*record["subject"], *record["object"])
