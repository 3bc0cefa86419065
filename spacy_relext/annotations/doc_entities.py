"""`doc._.entities` and `doc._.facts`: the entities of a document, and each fact between them once.

Both are made when they are read, from what the Doc stores: `doc.ents`, triples and coreference. They survive what these
survive.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from .assertion import is_fact
from .entities import Bounds, doc_entities, entity_links
from .grouping import DEFAULT_RULES, Mention, group_mentions
from .mentions import NAME, EntitySpan, describe, kind_of_mention, list_chains, list_mentions, read_kb_id
from .names import VALUE, kind_of, tidy
from .sentences import sentence_bounds, sentence_spans
from .store import FACTS_KEY, char_span, get_coref, get_plain, get_triples, store_values
from .triple import CharSpan, Record, Triple

# Entities by number, and relation.
FactKey = Tuple[int, str, int]

# Lowest score of a fact without triples in files and tables.
_LIKELY = 0.5

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
    sentences (List[Span]): The sentences of its triples; without triples, the one that `relext_documents` read most, or
        the sentences of the facts that it follows from.
    source (str): Name of the component that the score is from.
    rule (str): Of a fact that `relext_inference` has derived: "inverse", "implies" or "transitive"; "" for others.
    sources (List[Fact]): The facts that a derived one follows from, none of which is derived.
    """

    subject: DocEntity
    relation: str
    object: DocEntity
    score: float
    triples: List[Triple]
    sentences: List[Span]
    source: str = ""
    rule: str = ""
    sources: List["Fact"] = field(default_factory=list)

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
        best = {key: max(same, key=lambda triple: triple.score) for key, same in stated.items()}
        scored: Dict[FactKey, Record] = {
            key: {"score": triple.score, "source": triple.source} for key, triple in best.items()
        }
    else:
        scored = _read_facts(records, numbers)
    facts: Dict[FactKey, Fact] = {}
    bounds = sentence_bounds(doc)
    # derived facts last, since they refer to others
    for key in sorted(scored, key=lambda each: bool(scored[each].get("rule"))):
        record, triples = scored[key], stated.get(key, [])
        sources = [facts[each] for each in _fact_keys(record.get("sources", ()), numbers) if each in facts]
        spans = [span for triple in triples for span in (triple.subject, triple.object)]
        if not spans and record.get("sentence"):
            spans = [span for span in [char_span(doc, record["sentence"])] if span is not None]
        starts = [span.start for span in spans] or [each.start for fact in sources for each in fact.sentences]
        subject, relation, obj = key
        facts[key] = Fact(
            entities[subject],
            relation,
            entities[obj],
            record["score"],
            triples,
            sentence_spans(doc, starts, bounds=bounds),
            source=record["source"],
            rule=record.get("rule", ""),
            sources=sources,
        )
    return [facts[key] for key in scored]


def facts_beyond_triples(doc: Doc) -> List[Record]:
    """List the facts that a component has found and no triple states, as triples for files and tables.

    Those that are more likely wrong than right, with a score below 0.5, are only in `doc._.facts`.

    RETURNS (List[Record]): As `Triple.to_dict` makes them, between names that are near each other, with the sentence as
        evidence; the attribute `derived` has the rule of a derived fact.
    """
    if get_plain(doc, FACTS_KEY) is None:
        return []
    records, text = [], doc.text
    for fact in get_facts(doc):
        if not fact.triples and fact.score >= _LIKELY:
            places = dict(zip(("subject", "object"), nearest_names(fact.subject, fact.object)))
            record: Record = {role: list(place) for role, place in places.items()}
            record.update({f"{role}_text": text[slice(*place)] for role, place in places.items()})
            sentences = " ".join(tidy(sentence.text) for sentence in fact.sentences)
            record.update(
                relation=fact.relation, score=fact.score, source=fact.source, evidence={"sentence": sentences}
            )
            records.append({**record, **({"attributes": {"derived": fact.rule}} if fact.rule else {})})
    return records


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

    records (Sequence[Record]): Such as `fact_record` makes.
    """
    store_values(doc, FACTS_KEY, list(records))


def fact_record(
    subject: DocEntity,
    relation: str,
    obj: DocEntity,
    *,
    score: float,
    source: str,
    sentence: Optional[Span] = None,
    derived: Optional[Record] = None,
) -> Record:
    """Make the record of a fact, for `set_facts`: plain values.

    source (str): Name of the component.
    sentence (Optional[Span]): What supports it.
    derived (Optional[Record]): Of a derived fact, `rule`, and `sources`: records with subject, relation and object.
    RETURNS (Record): `subject` and `object`, characters of names that are near each other, `relation`, `score`,
        `source`, `sentence` (characters), and what `derived` has.
    """
    one, two = nearest_names(subject, obj)
    record: Record = {"subject": list(one), "relation": relation, "object": list(two), "score": score, "source": source}
    record.update({} if sentence is None else {"sentence": list(_place(sentence))})
    return {**record, **(derived or {})}


def nearest_names(one: DocEntity, other: DocEntity) -> Tuple[CharSpan, CharSpan]:
    """Return the names of two entities that are nearest to each other in the text; of equal ones the first."""
    names, others = (sorted(each.place for each in entity.mentions if each.kind == NAME) for entity in (one, other))
    pairs = []
    for place in names:
        at = bisect_left(others, place)
        pairs += [(place, near) for near in others[max(0, at - 1) : at + 1]]
    return min(pairs, key=lambda pair: max(pair[0][0], pair[1][0]) - min(pair[0][1], pair[1][1]))


def _read_facts(records: Sequence[Record], numbers: Dict[CharSpan, int]) -> Dict[FactKey, Record]:
    """Map stored facts to their records; of equal ones the best counts."""
    scored: Dict[FactKey, Record] = {}
    for record in records:
        for key in _fact_keys([record], numbers):
            if key not in scored or scored[key]["score"] < record["score"]:
                scored[key] = record
    return scored


def _fact_keys(records: Sequence[Record], numbers: Dict[CharSpan, int]) -> List[FactKey]:
    """List the facts that some records name, without those whose entities are not two."""
    keys = []
    for record in records:
        subject, obj = (numbers.get((record[role][0], record[role][1])) for role in ("subject", "object"))
        if subject is not None and obj is not None and subject != obj:
            keys.append((subject, record["relation"], obj))
    return keys


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
