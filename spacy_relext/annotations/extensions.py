"""Registers `doc._.triples`, `span._.triples` and `span._.relations`; imported by every factory."""

from typing import List

from spacy.tokens import Doc, Span

from .sentences import is_inside
from .store import get_relations, get_triples, set_triples
from .triple import Triple


def get_span_triples(span: Span) -> List[Triple]:
    """Read the triples whose two arguments lie inside a span.

    span (Span): Any span, such as a sentence.
    RETURNS (List[Triple]): In the order of their storage.
    """
    bounds, inside = (span.start_char, span.end_char), []
    for triple in get_triples(span.doc):
        offsets = [(argument.start_char, argument.end_char) for argument in (triple.subject, triple.object)]
        if all(is_inside(each, bounds) for each in offsets):
            inside.append(triple)
    return inside


def register_extensions() -> None:
    """Declare the custom attributes; a second call changes nothing."""
    if not Doc.has_extension("triples"):
        Doc.set_extension("triples", getter=get_triples, setter=_set_gold)
    if not Span.has_extension("triples"):
        Span.set_extension("triples", getter=get_span_triples)
    if not Span.has_extension("relations"):
        Span.set_extension("relations", getter=get_relations)


def _set_gold(doc: Doc, triples: List[Triple]) -> None:
    """Make `doc._.triples = [...]` store gold triples."""
    set_triples(doc, triples)


register_extensions()
