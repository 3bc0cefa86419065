"""`doc._.entities` and `doc._.facts`: the entities of a document, and each fact between them once.

Both are made when they are read, from what the Doc stores: `doc.ents`, triples and coreference. They survive what these
survive.
"""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from .assertion import is_fact
from .entities import doc_entities, entity_links
from .grouping import DEFAULT_RULES, Mention, group_mentions
from .mentions import NAME, EntitySpan, describe, kind_of_mention, list_chains, list_mentions, read_kb_id
from .names import VALUE, kind_of, tidy
from .store import char_span, get_coref, get_triples
from .triple import CharSpan, Triple

# "similar" needs a package that is not always there, and the grouping must not depend on what is installed.
_RULES = tuple(rule for rule in DEFAULT_RULES if rule != "similar")


@dataclass(frozen=True, eq=False)
class EntityMention:
    """A span that stands for an entity.

    span (Span): Its tokens.
    kind (str): "name", "nominal" ("the company") or "pronoun".
    """

    span: Span
    kind: str


@dataclass(frozen=True, eq=False)
class DocEntity:
    """An entity of a document.

    name (str): Its fullest name in the text; "" if the text does not name it.
    label (Optional[str]): Entity type.
    kb_id (Optional[str]): Id in a knowledge base.
    mentions (List[EntityMention]): In the order of the text.
    """

    name: str
    label: Optional[str]
    kb_id: Optional[str]
    mentions: List[EntityMention]

    def __repr__(self) -> str:
        return f"DocEntity({self.name!r}, {self.label}, {len(self.mentions)} mentions)"


@dataclass(frozen=True, eq=False)
class Fact:
    """A relation between two entities of a document, which one or more sentences state.

    score (float): The highest score of its triples.
    triples (List[Triple]): What states it, in the order of the text.
    """

    subject: DocEntity
    relation: str
    object: DocEntity
    score: float
    triples: List[Triple]

    @property
    def sentences(self) -> List[Span]:
        """RETURNS (List[Span]): The sentences of its triples, each once, in the order of the text."""
        sentences = (span.sent for triple in self.triples for span in (triple.subject, triple.object))
        return [by_start[1] for by_start in sorted({each.start: each for each in sentences}.items())]

    def __repr__(self) -> str:
        return f"Fact({self.subject.name!r}, {self.relation!r}, {self.object.name!r}, score={self.score:.3f})"


def get_entities(doc: Doc) -> List[DocEntity]:
    """List the entities of a document in the order of their first mentions.

    Mentions of one entity are found by the rules of `graph build` within a document, and by coreference: that of
    `relext_coref` or of other components (`coref_clusters_*`, `doc._.coref_chains`).
    """
    return _group(doc, get_triples(doc))[0]


def get_facts(doc: Doc) -> List[Fact]:
    """List the facts of a document in the order of the text, each once, whatever number of triples state it.

    Triples that are denied or hypothetical state no fact. Those with an argument whose name is unknown are left out,
    such as a pronoun without coreference.
    """
    triples = [triple for triple in get_triples(doc) if is_fact(triple.attributes)]
    entities, numbers = _group(doc, triples)
    stated: Dict[Tuple[int, str, int], List[Triple]] = {}
    for triple in triples:
        subject, obj = (numbers.get(_place(span)) for span in (triple.subject, triple.object))
        if subject is None or obj is None or subject == obj or not (entities[subject].name and entities[obj].name):
            continue
        stated.setdefault((subject, triple.relation, obj), []).append(triple)
    return [
        Fact(entities[subject], relation, entities[obj], max(triple.score for triple in same), same)
        for (subject, relation, obj), same in stated.items()
    ]


def _group(doc: Doc, triples: Sequence[Triple]) -> Tuple[List[DocEntity], Dict[CharSpan, int]]:
    """Group the mentions of a Doc; also return the number of the entity of each."""
    spans = _entity_spans(doc)
    arguments: Dict[CharSpan, Set[Optional[str]]] = {
        _place(span): set() for triple in triples for span in (triple.subject, triple.object)
    }
    chains = [[(start, end) for start, end in chain] for chain in (*get_coref(doc), *list_chains(doc))]
    mentions = list_mentions(doc.text, spans, arguments=arguments, chains=chains)
    positions = {mention.span: at for at, mention in enumerate(mentions)}
    pairs = {(positions[_place(triple.subject)], positions[_place(triple.object)]) for triple in triples}
    grouping = group_mentions(
        mentions,
        text=doc.text,
        apart={pair for pair in pairs if pair[0] != pair[1]},
        chains=[[positions[span] for span in chain] for chain in chains],
        rules=_RULES,
    )
    members: Dict[int, List[Mention]] = {}
    for mention, number in zip(mentions, grouping.groups):
        members.setdefault(number, []).append(mention)
    entities = [_make_entity(doc, members[number]) for number in range(len(members))]
    return entities, dict(zip(positions, grouping.groups))


def group_names(doc: Doc) -> List[Tuple[int, int, str, int]]:
    """List the names of a Doc: first token, token after the last, type, and the number of the entity, by name alone.

    Dates and numbers are left out.
    """
    bounds = [each for each, label in doc_entities(doc) if kind_of(label) != VALUE]
    spans = [each for each in _entity_spans(doc) if kind_of(each.label) != VALUE]
    mentions = list_mentions(doc.text, spans, arguments={})
    numbers = group_mentions(mentions, text=doc.text, rules=_RULES).groups
    return [(start, end, each.label or "", group) for (start, end), each, group in zip(bounds, mentions, numbers)]


def _entity_spans(doc: Doc) -> List[EntitySpan]:
    """List the entities of a Doc, those that overlap others too, by position."""
    links = entity_links(doc)
    return [
        EntitySpan(doc[start].idx, doc[end - 1].idx + len(doc[end - 1]), label, read_kb_id(links.get((start, end))))
        for (start, end), label in doc_entities(doc)
    ]


def _make_entity(doc: Doc, mentions: Sequence[Mention]) -> DocEntity:
    """Make an entity of its mentions; those without a token are left out."""
    kinds = [kind_of_mention(mention) for mention in mentions]
    name, label, kb_id = describe(mentions)
    placed = [(char_span(doc, mention.span), kind) for mention, kind in zip(mentions, kinds)]
    known = [EntityMention(span, kind) for span, kind in placed if span is not None]
    return DocEntity(tidy(name) if NAME in kinds else "", label, kb_id, known)


def _place(span: Span) -> CharSpan:
    return span.start_char, span.end_char
