"""The custom attributes: the import of the package registers them."""

from typing import List

from spacy.tokens import Doc, Span

from .doc_entities import get_entities, get_facts
from .sentences import is_inside
from .store import get_relations, get_triple_records, get_triples, set_triple_records, set_triples
from .triple import Triple


def register_extensions() -> None:
    """Register the custom attributes; a second call changes nothing."""
    if not Doc.has_extension("triples"):
        Doc.set_extension("triples", getter=get_triples, setter=set_triples)
    if not Doc.has_extension("triple_records"):
        Doc.set_extension("triple_records", getter=get_triple_records, setter=set_triple_records)
    if not Doc.has_extension("entities"):
        Doc.set_extension("entities", getter=get_entities)
    if not Doc.has_extension("facts"):
        Doc.set_extension("facts", getter=get_facts)
    if not Span.has_extension("triples"):
        Span.set_extension("triples", getter=_span_triples)
    if not Span.has_extension("relations"):
        Span.set_extension("relations", getter=get_relations)


def _span_triples(span: Span) -> List[Triple]:
    """Read the triples whose two arguments lie inside a span."""
    bounds = (span.start_char, span.end_char)
    return [
        triple
        for triple in get_triples(span.doc)
        if all(is_inside((each.start_char, each.end_char), bounds) for each in (triple.subject, triple.object))
    ]


register_extensions()
