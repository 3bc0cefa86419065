"""Distant supervision: text and a knowledge base give triples without anybody annotating.

A sentence that mentions both entities of a fact is taken to state it. That is often wrong (false positives), and
facts that the knowledge base lacks or names that it does not know go unseen (false negatives): Mintz et al. 2009,
"Distant supervision for relation extraction without labeled data".
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Any, Callable, Dict, Iterable, List, Mapping, Protocol, Sequence, Set, Tuple

from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from .kb import Entity, Fact, KnowledgeBase

SYMMETRIC_RELATIONS = ("spouse",)


# Links that name nothing.
UNLINKED = ("", "NIL")
Place = List[int]


class Facts(Protocol):
    """What alignment asks a knowledge base."""

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """RETURNS (Mapping[str, Sequence[str]]): Name → ids, the usual bearer first."""
        ...

    def __getitem__(self, entity_id: str) -> Entity: ...

    def facts_of(self, entity_id: str) -> Sequence[Fact]:
        """RETURNS (Sequence[Fact]): Those with the entity as subject or object."""
        ...

    def relations_between(self, subject: str, obj: str) -> Sequence[str]:
        """RETURNS (Sequence[str]): Relations of an ordered pair, sorted."""
        ...


@dataclass(frozen=True)
class Mention:
    """A name in a text and the entity it was linked to."""

    start: int
    end: int
    entity_id: str


@dataclass
class Alignment:
    """What aligning one Doc gave.

    mentions (List[Mention]): Linked names in the order of the text, character offsets.
    triples (List[Dict[str, Any]]): Canonical triples (`subject`, `relation`, `object`), character offsets, sorted.
    unrelated (List[Tuple[Place, Place]]): The nearest mentions of each pair of different entities in a sentence, where
        no fact is known in either direction, in the order of the text, character offsets.
    counts (Counter[str]): `sentences`, `sentences_with_triples`, `mentions`, `ambiguous_mentions`, `entity_pairs`
        (ordered pairs of different entities in a sentence), `pairs_with_facts`, `triples`.
    """

    mentions: List[Mention]
    triples: List[Dict[str, Any]]
    counts: "Counter[str]"
    unrelated: List[Tuple[Place, Place]] = field(default_factory=list)


class Aligner:
    """Find the entities of a knowledge base in Docs and label the pairs that have facts.

    kb (Facts): Entities, names and facts.
    tokenizer (Callable[[str], Doc]): What tokenizes names; the one that made the Docs, such as `nlp.make_doc`.
    symmetric (Sequence[str]): Relations without direction: the subject is the entity that is named first.
    linked (bool): Whether the Docs' entities are linked already (`ent.kb_id_`): names are not looked for then.
    """

    def __init__(
        self,
        kb: Facts,
        *,
        tokenizer: Callable[[str], Doc],
        symmetric: Sequence[str] = SYMMETRIC_RELATIONS,
        linked: bool = False,
    ) -> None:
        self.kb = kb
        self.symmetric = frozenset(symmetric)
        self.linked = linked
        self._candidates: Dict[str, List[str]] = {}
        if linked:
            return
        for name, ids in kb.names.items():
            found = [entity_id for entity_id in ids if name in text_names(kb[entity_id])]
            if found:
                self._candidates[name] = found
        patterns = [tokenizer(name) for name in self._candidates]
        vocab = patterns[0].vocab if patterns else tokenizer("").vocab
        self._matcher = PhraseMatcher(vocab)
        self._matcher.add("NAME", patterns)

    def __call__(self, doc: Doc) -> Alignment:
        """Align one Doc; without sentence boundaries it counts as one sentence.

        doc (Doc): Only its tokens and sentences are read; nothing is written to it.
        RETURNS (Alignment): Mentions, triples and counts.
        """
        spans = self.find_mentions(doc)
        result = Alignment([], [], Counter())
        for sentence in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
            inside = [span for span in spans if sentence.start <= span.start and span.end <= sentence.end]
            self._align_sentence(inside, result)
        return result

    def find_mentions(self, doc: Doc) -> List[Span]:
        """Find names of entities, the longest where they overlap, or take the Doc's linked entities.

        doc (Doc): The document.
        RETURNS (List[Span]): In the order of the text.
        """
        if self.linked:
            return [ent for ent in doc.ents if ent.kb_id_ not in UNLINKED]
        return filter_spans(self._matcher(doc, as_spans=True))

    def _align_sentence(self, spans: Sequence[Span], result: Alignment) -> None:
        """Link the names of a sentence and add its mentions, triples and counts to the result."""
        candidates = [[span.kb_id_] if self.linked else self._candidates[span.text] for span in spans]
        mentions: Dict[str, List[Span]] = {}
        for span, entity_id in zip(spans, self._link(candidates)):
            mentions.setdefault(entity_id, []).append(span)
            result.mentions.append(Mention(span.start_char, span.end_char, entity_id))
        triples = []
        related: Set[Tuple[str, str]] = set()
        for subject, obj in permutations(mentions, 2):
            relations = self._relations(subject, obj, mentions)
            if relations:
                related.add((subject, obj))
                nearest = _nearest(mentions[subject], mentions[obj])
                triples += [_as_triple(nearest[0], relation, nearest[1]) for relation in relations]
        result.counts["pairs_with_facts"] += len(related)
        for one, two in combinations(mentions, 2):
            if (one, two) not in related and (two, one) not in related:
                ends = sorted(_nearest(mentions[one], mentions[two]), key=lambda span: span.start)
                result.unrelated.append((_place(ends[0]), _place(ends[1])))
        result.triples += sorted(triples, key=lambda t: (t["subject"], t["object"], t["relation"]))
        result.counts["sentences"] += 1
        result.counts["sentences_with_triples"] += bool(triples)
        result.counts["mentions"] += len(spans)
        result.counts["ambiguous_mentions"] += sum(len(ids) > 1 for ids in candidates)
        result.counts["entity_pairs"] += len(mentions) * (len(mentions) - 1)
        result.counts["triples"] += len(triples)

    def _link(self, candidates: Sequence[Sequence[str]]) -> List[str]:
        """Choose, for each mention, the candidate with most facts about the other mentions, else the first."""
        chosen = [list(ids) for ids in candidates]
        for index, ids in enumerate(candidates):
            if len(ids) > 1:
                others = {other for position, group in enumerate(chosen) if position != index for other in group}
                # max keeps the first of equals, and labels come before aliases
                chosen[index] = [max(ids, key=lambda entity_id: self._facts_with(entity_id, others))]
        return [ids[0] for ids in chosen]

    def _facts_with(self, entity_id: str, others: Set[str]) -> int:
        """Count the facts that join an entity with any of the others."""
        return sum(bool({fact.subject, fact.object} - {entity_id} & others) for fact in self.kb.facts_of(entity_id))

    def _relations(self, subject: str, obj: str, mentions: Dict[str, List[Span]]) -> List[str]:
        """List the relations of an ordered pair; undirected ones only where the subject is named first."""
        forwards = self.kb.relations_between(subject, obj)
        directed = [r for r in forwards if r not in self.symmetric]
        if not self.symmetric:
            return directed
        both = {*forwards, *self.kb.relations_between(obj, subject)}
        nearest = _nearest(mentions[subject], mentions[obj])
        if nearest[0].start < nearest[1].start:
            return directed + sorted(both & self.symmetric)
        return directed


def align_docs(
    docs: Iterable[Doc],
    *,
    kb: KnowledgeBase,
    tokenizer: Callable[[str], Doc],
    symmetric: Sequence[str] = SYMMETRIC_RELATIONS,
) -> Tuple[List[List[Dict[str, Any]]], "Counter[str]"]:
    """Label many Docs by distant supervision.

    docs (Iterable[Doc]): With sentence boundaries, or each one sentence.
    kb (KnowledgeBase): Entities and facts.
    tokenizer (Callable[[str], Doc]): The one that made the Docs, such as `nlp.make_doc`.
    symmetric (Sequence[str]): Relations without direction.
    RETURNS (Tuple[List[List[Dict[str, Any]]], Counter[str]]): Canonical triples of each Doc, and the summed counts.
    """
    aligner = Aligner(kb, tokenizer=tokenizer, symmetric=symmetric)
    triples, counts = [], Counter[str]()
    for doc in docs:
        alignment = aligner(doc)
        triples.append(alignment.triples)
        counts.update(alignment.counts)
        counts["docs"] += 1
    return triples, counts


def text_names(entity: Entity) -> List[str]:
    """List the names under which alignment looks for an entity.

    entity (Entity): Any entity.
    RETURNS (List[str]): Label first. "The X" is left out beside "X": that article belongs to the sentence.
    """
    names = dict.fromkeys(entity.names)
    return [name for name in names if not (name.startswith(("The ", "the ")) and name[4:] in names)]


def _nearest(subjects: Sequence[Span], objects: Sequence[Span]) -> Tuple[Span, Span]:
    """Choose the pair of mentions with the fewest tokens between them, the earliest of equals."""
    pairs = [(subject, obj) for subject in subjects for obj in objects]
    return min(pairs, key=lambda pair: (max(pair[0].start - pair[1].end, pair[1].start - pair[0].end), pair[0].start))


def _as_triple(subject: Span, relation: str, obj: Span) -> Dict[str, Any]:
    """Make a canonical triple."""
    return {"subject": _place(subject), "relation": relation, "object": _place(obj)}


def _place(span: Span) -> Place:
    """Character offsets."""
    return [span.start_char, span.end_char]
