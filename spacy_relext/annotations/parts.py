"""A part of a Doc as a Doc of its own, and several Docs as one: triples, relations, entities and pairs move along."""

import warnings
from functools import partial
from typing import Any, Dict, Iterable, Iterator, List, Optional, Union

from spacy.tokens import Doc, Span

from ..errors import Errors
from .entities import ENTITIES_KEY, GIVEN_PAIRS_KEY, PAIRS_KEY
from .judged import JUDGED_KEY, get_judged, judged_by_all, set_judged
from .sentences import is_inside
from .store import (
    COREF_KEY,
    INCOMPLETE_KEY,
    LENGTH_KEY,
    REJECTED_KEY,
    RELATIONS_KEY,
    TRIPLES_KEY,
    has_stored,
    is_incomplete,
    plain,
    store_values,
)
from .triple import CharSpan, Record

# Evidence made of rows of numbers: how many numbers at the start of each row are character offsets.
EVIDENCE_OFFSETS = {"attention": 2, "mentions": 4}

# Keys of values that are stored with the length of their text.
_MEASURED = (TRIPLES_KEY, REJECTED_KEY, COREF_KEY)

_KEYS = (*_MEASURED, RELATIONS_KEY, ENTITIES_KEY, PAIRS_KEY, GIVEN_PAIRS_KEY)
_NAMES = "|".join((*_KEYS, INCOMPLETE_KEY, JUDGED_KEY, LENGTH_KEY))


# Records, and clusters of mentions, by their keys of `user_data`.
Moved = Dict[str, List[Any]]


def span_to_doc(span: Span) -> Doc:
    """Copy a span to a Doc of its own, as `Span.as_doc` does, with what this package stores on Docs.

    Triples, pairs and entities stay if they lie wholly inside the span; their offsets count from its first character.
    The Doc is annotated with triples if the Doc of the span is. Other `user_data` is left out, as by `Span.as_doc`.

    span (Span): Any span, such as a sentence.
    RETURNS (Doc): The text of the span with its annotation.
    """
    doc = span.as_doc()
    _update(doc, _move(span.doc, (span.start_char, span.start_char + len(doc.text)), -span.start_char))
    if is_incomplete(span.doc):
        doc.user_data[INCOMPLETE_KEY] = True
    set_judged(doc, get_judged(span.doc))
    return doc


def merge_docs(docs: Iterable[Doc], *, ensure_whitespace: bool = True) -> Doc:
    """Join Docs to one, as `Doc.from_docs` does, with what this package stores on Docs.

    The result is annotated with triples if one of the Docs is.

    docs (Iterable[Doc]): One or more Docs that share a vocabulary.
    ensure_whitespace (bool): Insert a space after a Doc that does not end in white space.
    RETURNS (Doc): All texts with their annotation.
    RAISES (ValueError): If there is no Doc, or their vocabularies differ.
    """
    parts = list(each_doc(docs))
    if not parts:
        raise ValueError(Errors.R017)
    with warnings.catch_warnings():
        # these keys are merged below; about other keys spaCy still warns
        warnings.filterwarnings("ignore", message=rf"\[W102\] Skipping unsupported user data '({_NAMES}):")
        merged = Doc.from_docs(parts, ensure_whitespace=ensure_whitespace)
    first_token = 0
    everything: Moved = {}
    for part in parts:
        offset = merged[first_token].idx if len(part) else 0
        for key, records in _move(part, (0, len(part.text)), offset).items():
            everything.setdefault(key, []).extend(records)
        first_token += len(part)
    _update(merged, everything)
    merged.user_data.pop(INCOMPLETE_KEY, None)
    if any(map(is_incomplete, parts)):
        merged.user_data[INCOMPLETE_KEY] = True
    set_judged(merged, judged_by_all(parts))
    return merged


def each_doc(docs: Union[Doc, Iterable[Doc]]) -> Iterator[Doc]:
    """Yield the Docs of a stream, or a single Doc.

    RAISES (ValueError): If it is something else.
    """
    if isinstance(docs, Doc):
        yield docs
        return
    expected = "a Doc, or a list of Docs such as list(nlp.pipe(texts))"
    if isinstance(docs, (str, bytes, Span)) or not isinstance(docs, Iterable):
        raise ValueError(Errors.R007.format(key="docs", found=docs, expected=expected))
    for number, doc in enumerate(docs, start=1):
        if not isinstance(doc, Doc):
            raise ValueError(Errors.R007.format(key=f"document {number}", found=doc, expected=expected))
        yield doc


def _update(doc: Doc, moved: Moved) -> None:
    """Store records under their keys of `user_data`."""
    for key in _MEASURED:
        if key in moved:
            store_values(doc, key, moved.pop(key))
    doc.user_data.update(moved)


def _move(doc: Doc, window: CharSpan, shift: int) -> Moved:
    """Copy the records inside a window of characters, with shifted offsets, by their keys of `user_data`."""
    moved: Moved = {}
    for key in _KEYS:
        if has_stored(doc, key) if key in _MEASURED else key in doc.user_data:
            move = _move_cluster if key == COREF_KEY else partial(_move_record, key)
            records = (move(plain(record), window, shift) for record in doc.user_data[key])
            moved[key] = [record for record in records if record is not None]
    return moved


def _move_cluster(cluster: List[List[int]], window: CharSpan, shift: int) -> Optional[List[List[int]]]:
    """Shift the mentions of a cluster that lie inside; None if none does."""
    inside = [[start + shift, end + shift] for start, end in cluster if is_inside((start, end), window)]
    return inside or None


def _move_record(key: str, record: Record, window: CharSpan, shift: int) -> Optional[Record]:
    """Shift the offsets of a record; None unless it lies inside. A sentence that is partly inside is cut."""
    if key == RELATIONS_KEY:
        start, end = max(record["start"], window[0]), min(record["end"], window[1])
        return {**record, "start": start + shift, "end": end + shift} if start < end else None
    if key == ENTITIES_KEY:
        start, end = record["start"], record["end"]
        return {**record, "start": start + shift, "end": end + shift} if is_inside((start, end), window) else None
    places = {role: record[role] for role in ("subject", "object")}
    if not all(is_inside((start, end), window) for start, end in places.values()):
        return None
    moved = {**record, **{role: [start + shift, end + shift] for role, (start, end) in places.items()}}
    if record.get("evidence"):
        moved["evidence"] = _move_evidence(record["evidence"], window, shift)
    return moved


def _move_evidence(evidence: Record, window: CharSpan, shift: int) -> Record:
    """Shift the offsets in the evidence of a triple, and drop rows that do not lie inside."""
    moved = dict(evidence)
    for key, count in EVIDENCE_OFFSETS.items():
        rows = evidence.get(key)
        if isinstance(rows, list) and all(isinstance(row, list) and len(row) == count + 1 for row in rows):
            inside = [row for row in rows if window[0] <= min(row[:count]) and max(row[:count]) <= window[1]]
            moved[key] = [[*(offset + shift for offset in row[:count]), row[count]] for row in inside]
    return moved
