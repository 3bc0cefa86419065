"""Entities of a Doc, the links they carry, and the keys under which a Doc stores them."""

from typing import Dict, List, Tuple

from spacy.tokens import Doc

from .store import char_span

ENTITIES_KEY = "relext_entities"

PAIRS_KEY = "relext_pairs"

# Gold that a teacher may read on the Doc it predicts; nothing else looks at it.
TOLD_KEY = "relext_told"

NOMINAL = "NOMINAL"

# What linkers write where they know of no entity.
UNLINKED = ("", "NIL")

Bounds = Tuple[int, int]


def entity_links(doc: Doc) -> Dict[Bounds, str]:
    """Say what the entities of a Doc are linked to.

    doc (Doc): The document.
    RETURNS (Dict[Bounds, str]): Tokens → id, of linked entities alone, those that overlap others among them.
    """
    found: Dict[Bounds, str] = {}
    for entity in doc.user_data.get(ENTITIES_KEY, ()):
        span = char_span(doc, (entity["start"], entity["end"])) if entity.get("kb_id") else None
        if span is not None:
            found[(span.start, span.end)] = entity["kb_id"]
    found.update({(ent.start, ent.end): ent.kb_id_ for ent in doc.ents if ent.kb_id_})
    return {place: link for place, link in found.items() if link not in UNLINKED}


Entity = Tuple[Bounds, str]


def doc_entities(doc: Doc) -> List[Entity]:
    """List the entities of a Doc: `doc.ents`, and those of its record that overlap others.

    doc (Doc): The document.
    RETURNS (List[Tuple[Bounds, str]]): Tokens and type, by position, each span once.
    """
    found: Dict[Bounds, str] = {}
    for entity in doc.user_data.get(ENTITIES_KEY, ()):
        span = char_span(doc, (entity["start"], entity["end"]))
        if span is not None:
            found[(span.start, span.end)] = entity["label"]
    found.update({(ent.start, ent.end): ent.label_ for ent in doc.ents})
    return sorted(found.items())


def is_searched(doc: Doc) -> bool:
    """Say whether anything has looked for entities in a Doc, or marked pairs.

    doc (Doc): The document.
    RETURNS (bool): Also where none was found, and of an empty Doc.
    """
    return not len(doc) or doc.has_annotation("ENT_IOB") or not {ENTITIES_KEY, PAIRS_KEY}.isdisjoint(doc.user_data)
