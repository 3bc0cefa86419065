"""Mentions of a document: which spans name something, of which type, and the entity that some of them name."""

import re
from bisect import bisect_left
from collections import Counter
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from .grouping import Mention
from .names import choose_name, is_description, tidy
from .triple import CharSpan

# What a mention is.
NAME, NOMINAL, PRONOUN = "name", "nominal", "pronoun"

# Longer texts are hardly names.
_MAX_LENGTH = 100

# Names of span groups with coreference, in lower case.
_SPAN_GROUPS = ("coref_clusters_", "equiv")

# What linkers write for an entity that is not in the knowledge base, in lower case.
_NO_IDS = frozenset({"", "nil", "none", "null", "nan", "n/a", "-", "-1", "q-1"})
_WIKIDATA = re.compile(r"(?:wd:|https?://(?:www\.)?wikidata\.org/(?:entity|wiki)/)(Q[1-9]\d*)")


class EntitySpan(NamedTuple):
    """An entity of a pipeline."""

    start: int
    end: int
    label: str
    kb_id: Optional[str]


class Described(NamedTuple):
    """Name, type and id of the entity of some mentions."""

    name: str
    label: Optional[str]
    kb_id: Optional[str]


def read_kb_id(value: Optional[str]) -> Optional[str]:
    """Read an id in a knowledge base: "NIL" and the like are none, and the forms of a Wikidata id are one, "Q42"."""
    value = (value or "").strip()
    if value.casefold() in _NO_IDS:
        return None
    match = _WIKIDATA.fullmatch(value)
    return match[1] if match else value


def list_chains(doc: Doc) -> Iterator[List[List[int]]]:
    """Yield the coreference chains of other components: `coref_clusters_*`, or `doc._.coref_chains`."""
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


def list_mentions(
    text: str,
    entities: Sequence[EntitySpan],
    *,
    arguments: Mapping[CharSpan, Set[Optional[str]]],
    chains: Sequence[Sequence[CharSpan]] = (),
) -> List[Mention]:
    """List arguments of triples, other entities, and other mentions of chains, by position.

    entities (Sequence[EntitySpan]): By position.
    arguments (Mapping[CharSpan, Set[Optional[str]]]): The types that the relations of each argument imply.
    """
    starts = [entity.start for entity in entities]
    longest = max((entity.end - entity.start for entity in entities), default=0)
    exact = {(entity.start, entity.end): entity for entity in entities}
    used = set()
    mentions = []
    for span, types in arguments.items():
        entity = exact.get(span) or entity_of(span, entities, starts, longest)
        label, kb_id = (entity.label, entity.kb_id) if entity else (None, None)
        known = types - {None}
        if entity:
            used.add((entity.start, entity.end))
        elif len(known) == 1:
            (label,) = known
        mentions.append(Mention(*span, text[slice(*span)], label, kb_id))
    for span, entity in exact.items():
        if span not in arguments and span not in used:
            mentions.append(Mention(*span, text[slice(*span)], entity.label, entity.kb_id))
    there = {mention.span for mention in mentions}
    for span in {span for chain in chains for span in chain} - there:
        mentions.append(Mention(*span, text[slice(*span)]))
    return sorted(mentions, key=lambda each: each.span)


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


def describe(mentions: Sequence[Mention]) -> Described:
    """Choose the name of an entity, the most frequent of the fullest spellings, and its type and id."""
    ranks = [_rank(mention) for mention in mentions]
    names = [mention.name for mention, rank in zip(mentions, ranks) if rank == max(ranks)]
    names = [name for name in names if name.text == tidy(name.text)] or names
    fullest = max(name.fullness for name in names)
    text = choose_name(name.text for name in names if name.fullness == fullest)
    label = _most_frequent([mention.label for mention in mentions if mention.label])
    return Described(text, label, _most_frequent([mention.kb_id for mention in mentions if mention.kb_id]))


def kind_of_mention(mention: Mention) -> str:
    """Return what a mention is: "name", "nominal" or "pronoun"."""
    if mention.name.is_pronoun:
        return PRONOUN
    return NOMINAL if is_description(tidy(mention.text)) else NAME


def _rank(mention: Mention) -> Tuple[bool, bool, bool, bool]:
    """Rank what may name an entity: no pronoun, no description, no long phrase, rather an entity of a pipeline."""
    text = tidy(mention.text)
    return not mention.name.is_pronoun, not is_description(text), len(text) <= _MAX_LENGTH, mention.label is not None


def _most_frequent(values: Sequence[str]) -> Optional[str]:
    """Return the most frequent value, the first of equals; None if there is none."""
    return Counter(values).most_common()[0][0] if values else None
