"""Entities of a Doc, their links to a knowledge base, and the keys under which a Doc stores them."""

from bisect import bisect_left
from functools import cache
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

from spacy.tokens import Doc

from .store import char_span
from .triple import CharSpan, Record
from .words import trim_blanks

ENTITIES_KEY = "relext_entities"

PAIRS_KEY = "relext_pairs"

# Gold pairs that a teacher may read from the Doc for which it predicts; no other component reads them.
GIVEN_PAIRS_KEY = "relext_given_pairs"

NOMINAL = "NOMINAL"

# Ids that entity linkers write for mentions without an entry.
UNLINKED = ("", "NIL")

Bounds = Tuple[int, int]

Entity = Tuple[Bounds, str]


def entity_links(doc: Doc) -> Dict[Bounds, str]:
    """Map the tokens of linked entities to their ids in the knowledge base, including entities that overlap others."""
    links = {bounds: entity["kb_id"] for bounds, entity in _recorded(doc) if entity.get("kb_id")}
    links.update({trim_blanks(doc, ent.start, ent.end): ent.kb_id_ for ent in doc.ents if ent.kb_id_})
    return {bounds: link for bounds, link in links.items() if link not in UNLINKED}


def doc_entities(doc: Doc) -> List[Entity]:
    """List tokens and types of `doc.ents` and of stored entities that overlap others, by position, each span once.

    White space at both ends of an entity is left out; an entity that is nothing else is not listed.
    """
    types = {bounds: entity["label"] for bounds, entity in _recorded(doc)}
    types.update({trim_blanks(doc, ent.start, ent.end): ent.label_ for ent in doc.ents})
    return sorted((bounds, label) for bounds, label in types.items() if bounds[0] < bounds[1])


def type_of_match(span: CharSpan, entities: Sequence[Tuple[CharSpan, str]]) -> str:
    """Find the type of the entity that best overlaps a span, by more than half of the longer of both; "" if none."""
    shares = [
        ((min(span[1], end) - max(span[0], start)) / max(span[1] - span[0], end - start), kind)
        for (start, end), kind in entities
    ]
    share, kind = max(shares, default=(0.0, ""), key=lambda each: each[0])
    return kind if share > 0.5 else ""


def make_type_finder(entities: Sequence[Tuple[CharSpan, str]]) -> Callable[[CharSpan], str]:
    """Return `type_of_match` for given entities, which compares a span only with those near it."""
    ordered = sorted(entities)
    starts = [start for (start, _), _ in ordered]
    longest = max((end - start for (start, end), _ in ordered), default=0)

    @cache
    def find(span: CharSpan) -> str:
        first, last = bisect_left(starts, span[0] - longest), bisect_left(starts, span[1])
        return type_of_match(span, ordered[first:last])

    return find


def has_entity_annotation(doc: Doc) -> bool:
    """Return True if a Doc is empty, or annotated with entities or marked pairs, even with none."""
    return not len(doc) or doc.has_annotation("ENT_IOB") or not {ENTITIES_KEY, PAIRS_KEY}.isdisjoint(doc.user_data)


def is_judged(reference: Doc, subject: CharSpan, obj: CharSpan) -> bool:
    """Return False if a Doc with marked pairs leaves this pair of its entities unmarked, in either order; else True.

    An unmarked pair is not annotated; a pair with a span that is not an entity is wrong.
    """
    marked = reference.user_data.get(PAIRS_KEY)
    if marked is None or any({tuple(each["subject"]), tuple(each["object"])} == {subject, obj} for each in marked):
        return True
    places = {(ent.start_char, ent.end_char) for ent in reference.ents}
    places |= {(each["start"], each["end"]) for each in reference.user_data.get(ENTITIES_KEY, ())}
    return not {subject, obj} <= places


def _recorded(doc: Doc) -> Iterator[Tuple[Bounds, Record]]:
    """Yield tokens and record of the stored entities that cover a token."""
    for entity in doc.user_data.get(ENTITIES_KEY, ()):
        span = char_span(doc, (entity["start"], entity["end"]))
        if span is not None:
            yield (span.start, span.end), entity
