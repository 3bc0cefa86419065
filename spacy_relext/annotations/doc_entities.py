"""`doc._.entities` and `doc._.facts`: the entities of a document, and each fact between them once.

Both are made when they are read, from what the Doc stores: `doc.ents`, triples and coreference. They survive what these
survive.
"""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from .assertion import is_fact
from .entities import Bounds, doc_entities, entity_links
from .grouping import DEFAULT_RULES, Mention, group_mentions
from .mentions import NAME, EntitySpan, describe, kind_of_mention, list_chains, list_mentions, read_kb_id
from .names import VALUE, kind_of, tidy
from .sentences import sentence_spans
from .store import FACTS_KEY, char_span, get_coref, get_plain, get_triples, store_values
from .triple import CharSpan, Record, Triple

# Entities by number, and relation.
FactKey = Tuple[int, str, int]

# Score of each fact, and the characters that support it.
Scored = Dict[FactKey, Tuple[float, Optional[CharSpan]]]

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

    @property
    def place(self) -> CharSpan:
        """RETURNS (CharSpan): Its characters."""
        return _place(self.span)


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

    @property
    def names(self) -> List[str]:
        """RETURNS (List[str]): Its different names, `name` first, then in the order of the text."""
        found = [tidy(mention.span.text) for mention in self.mentions if mention.kind == NAME]
        return list(dict.fromkeys([self.name, *found])) if self.name else []

    def __repr__(self) -> str:
        return f"DocEntity({self.name!r}, {self.label}, {len(self.mentions)} mentions)"


@dataclass(frozen=True, eq=False)
class Fact:
    """A relation between two entities of a document.

    score (float): From `relext_documents`, or else the highest score of its triples.
    triples (List[Triple]): Triples that state it, in the order of the text; none if no single sentence does.
    sentences (List[Span]): The sentences of its triples; without triples, the one that `relext_documents` read most.
    """

    subject: DocEntity
    relation: str
    object: DocEntity
    score: float
    triples: List[Triple]
    sentences: List[Span]

    def __repr__(self) -> str:
        return f"Fact({self.subject.name!r}, {self.relation!r}, {self.object.name!r}, score={self.score:.3f})"


def get_entities(doc: Doc) -> List[DocEntity]:
    """List the entities of a document in the order of their first mentions.

    Mentions of one entity are found by the rules of `graph build` within a document, and by coreference, from
    `relext_coref` or other components (`coref_clusters_*`, `doc._.coref_chains`).
    """
    return _group(doc, get_triples(doc))[0]


def get_facts(doc: Doc) -> List[Fact]:
    """List the facts of a document in the order of the text, each once, whatever number of triples state it.

    Triples that are denied or hypothetical state no fact. Those with an argument whose name is unknown are left out,
    such as a pronoun without coreference.
    """
    entities, stated, numbers = stated_facts(doc)
    records = get_plain(doc, FACTS_KEY)
    if records is None:
        scored: Scored = {key: (max(triple.score for triple in same), None) for key, same in stated.items()}
    else:
        scored = _read_facts(records, numbers)
    facts = []
    for (subject, relation, obj), (score, place) in scored.items():
        triples = stated.get((subject, relation, obj), [])
        spans = [span for triple in triples for span in (triple.subject, triple.object)]
        if not spans and place is not None:
            spans = [span for span in [char_span(doc, place)] if span is not None]
        sentences = sentence_spans(doc, [span.start for span in spans])
        facts.append(Fact(entities[subject], relation, entities[obj], score, triples, sentences))
    return facts


def stated_facts(doc: Doc) -> Tuple[List[DocEntity], Dict[FactKey, List[Triple]], Dict[CharSpan, int]]:
    """Group the triples of a Doc by what they state.

    RETURNS (Tuple[List[DocEntity], Dict[FactKey, List[Triple]], Dict[CharSpan, int]]): The entities, as `get_entities`
        lists them, the triples of each fact between two named ones, and the entity of each mention.
    """
    triples = get_triples(doc)
    entities, numbers = _group(doc, triples)
    stated: Dict[FactKey, List[Triple]] = {}
    for triple in (triple for triple in triples if is_fact(triple.attributes)):
        subject, obj = (numbers.get(_place(span)) for span in (triple.subject, triple.object))
        if subject is None or obj is None or subject == obj or not (entities[subject].name and entities[obj].name):
            continue
        stated.setdefault((subject, triple.relation, obj), []).append(triple)
    return entities, stated, numbers


def set_facts(doc: Doc, records: Sequence[Record]) -> None:
    """Store the facts that a component has found in a document, in place of others.

    records (Sequence[Record]): `subject` and `object`, characters of a mention; `relation`, `score`, and `sentence`,
        characters of what supports it.
    """
    store_values(doc, FACTS_KEY, list(records))


def _read_facts(records: Sequence[Record], numbers: Dict[CharSpan, int]) -> Scored:
    """Map stored facts to their score and the characters that support them; of equal ones the best counts."""
    scored: Scored = {}
    for record in records:
        subject, obj = (numbers.get((record[role][0], record[role][1])) for role in ("subject", "object"))
        if subject is None or obj is None or subject == obj:
            continue
        key, sentence = (subject, record["relation"], obj), record.get("sentence")
        if key not in scored or scored[key][0] < record["score"]:
            scored[key] = (record["score"], None if sentence is None else (sentence[0], sentence[1]))
    return scored


def _group(doc: Doc, triples: Sequence[Triple]) -> Tuple[List[DocEntity], Dict[CharSpan, int]]:
    """Group the mentions of a Doc; also return the number of the entity of each."""
    spans = [span for _, span in _entity_spans(doc)]
    arguments: Dict[CharSpan, Set[Optional[str]]] = {
        _place(span): set() for triple in triples for span in (triple.subject, triple.object)
    }
    chains = [*get_coref(doc), *([(start, end) for start, end in chain] for chain in list_chains(doc))]
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
    named = [each for each in _entity_spans(doc) if kind_of(each[1].label) != VALUE]
    mentions = list_mentions(doc.text, [span for _, span in named], arguments={})
    numbers = group_mentions(mentions, text=doc.text, rules=_RULES).groups
    return [(*bounds, span.label, group) for (bounds, span), group in zip(named, numbers)]


def _entity_spans(doc: Doc) -> List[Tuple[Bounds, EntitySpan]]:
    """List the entities of a Doc with their tokens, also those that overlap others, by position."""
    links = entity_links(doc)
    return [
        (bounds, EntitySpan(*_place(doc[slice(*bounds)]), label, read_kb_id(links.get(bounds))))
        for bounds, label in doc_entities(doc)
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
