"""Distant supervision: text and a knowledge base give triples without anybody annotating.

A sentence that mentions both entities of a fact is taken to state it. That is often wrong (false positives), and
facts that the knowledge base lacks or names that it does not know go unseen (false negatives): Mintz et al. 2009,
"Distant supervision for relation extraction without labeled data".
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Set, Tuple

from spacy.tokens import Doc

from ..annotations.entities import UNLINKED
from ..corpora.blocks import TextBlock, WordLengths, block_of
from .kb import Entity, KnowledgeBase
from .near_names import NearNames

SYMMETRIC_RELATIONS = ("spouse",)

Place = List[int]

# First token, and the one after the last.
Tokens = Tuple[int, int]

# Of a name, and the entities that it may mean, the likeliest first.
Found = Tuple[int, int, Sequence[str]]


class Facts(Protocol):
    """What alignment asks a knowledge base."""

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """RETURNS (Mapping[str, Sequence[str]]): Name → ids, the usual bearer first."""
        ...

    def __getitem__(self, entity_id: str) -> Entity: ...

    def __contains__(self, entity_id: object) -> bool: ...

    def relations_between(self, subject: str, obj: str) -> Sequence[str]:
        """RETURNS (Sequence[str]): Relations of an ordered pair, sorted."""
        ...


class Mention(NamedTuple):
    """A name in a text and the entity it was linked to.

    start (int): First character.
    end (int): The character after the last.
    entity_id (str): Id.
    tokens (Tokens): The same in tokens, of all texts that were aligned at once.
    """

    start: int
    end: int
    entity_id: str
    tokens: Tokens


@dataclass
class Alignment:
    """What aligning one text gave.

    mentions (List[Mention]): Linked names in the order of the text, character offsets.
    triples (List[Dict[str, Any]]): Canonical triples (`subject`, `relation`, `object`), character offsets, sorted.
    unrelated (List[Tuple[Place, Place]]): The nearest mentions of each pair of different entities in a sentence, where
        no fact is known in either direction, in the order of the text, character offsets.
    """

    mentions: List[Mention] = field(default_factory=list)
    triples: List[Dict[str, Any]] = field(default_factory=list)
    unrelated: List[Tuple[Place, Place]] = field(default_factory=list)


class Aligner:
    """Find the entities of a knowledge base in Docs and label the pairs that have facts.

    kb (Facts): Entities, names and facts.
    tokenizer (Callable[[str], Doc]): What tokenizes names; the one that made the Docs, such as `nlp.make_doc`.
    symmetric (Sequence[str]): Relations without direction: the subject is the entity that is named first.
    linked (bool): Whether the Docs' entities are linked already (`ent.kb_id_`): names are not looked for then.
    fuzzy (float): Least similarity of names with a spelling slip, up to 100; 0: only names as they are written.
    """

    def __init__(
        self,
        kb: Facts,
        *,
        tokenizer: Callable[[str], Doc],
        symmetric: Sequence[str] = SYMMETRIC_RELATIONS,
        linked: bool = False,
        fuzzy: float = 0.0,
    ) -> None:
        self.kb = kb
        self.symmetric = frozenset(symmetric)
        self.linked = linked
        self._candidates: Dict[Tuple[int, ...], List[str]] = {}
        self._lengths: Dict[int, List[int]] = {}
        self._near: Optional[NearNames] = None
        if linked:
            return
        names = {}
        for name, ids in kb.names.items():
            found = [entity_id for entity_id in ids if name in text_names(kb[entity_id])]
            words = tuple(token.orth for token in tokenizer(name))
            if found and words:
                names[name] = known = self._candidates.setdefault(words, [])
                known += [entity_id for entity_id in found if entity_id not in known]
                lengths = self._lengths.setdefault(words[0], [])
                if len(words) not in lengths:
                    lengths.append(len(words))
        if fuzzy:
            self._near = NearNames(names, least=fuzzy)

    def __call__(self, doc: Doc) -> Alignment:
        """Align one Doc; without sentence boundaries it counts as one sentence.

        doc (Doc): Only its tokens and sentences are read; nothing is written to it.
        RETURNS (Alignment): Mentions and triples.
        """
        return self.align([doc])[0][0]

    def align(self, docs: Sequence[Doc]) -> Tuple[List[Alignment], "Counter[str]"]:
        """Align some Docs.

        docs (Sequence[Doc]): One or more, of one vocabulary.
        RETURNS (Tuple[List[Alignment], Counter[str]]): See `align_block`.
        """
        return self.align_block(block_of(docs, WordLengths(docs[0].vocab.strings)))

    def align_block(self, block: TextBlock) -> Tuple[List[Alignment], "Counter[str]"]:
        """Align some texts.

        block (TextBlock): The texts; nothing is written to them.
        RETURNS (Tuple[List[Alignment], Counter[str]]): Of each text; and, of all, `sentences`,
            `sentences_with_triples`, `mentions`, `ambiguous_mentions`, `entity_pairs` (ordered pairs of different
            entities in a sentence), `pairs_with_facts`, `triples`; where entities are linked, `unknown_mentions`, whose
            entity the knowledge base lacks.
        """
        cuts, results = block.cuts(), [Alignment() for _ in block.user_data]
        counts = Counter(sentences=len(cuts) - 1)
        sentences: Dict[int, List[Found]] = {}
        at = 0
        found = self.find_mentions(block)
        if self.linked:
            known = [each for each in found if each[2][0] in self.kb]
            counts["unknown_mentions"] += len(found) - len(known)
            found = known
        for each in found:
            while cuts[at + 1] <= each[0]:
                at += 1
            if each[1] <= cuts[at + 1]:
                sentences.setdefault(at, []).append(each)
        places = block.places() if sentences else ([], [])
        for at, inside in sentences.items():
            result = results[bisect_right(block.bounds, cuts[at]) - 1]
            self._align_sentence(inside, places, result, counts=counts)
        return results, counts

    def find_mentions(self, block: TextBlock) -> List[Found]:
        """Find names of entities, the longest where they overlap, or take the linked entities.

        block (TextBlock): The texts.
        RETURNS (List[Found]): In the order of the texts.
        """
        if self.linked:
            return [(start, end, (kb_id,)) for start, end, kb_id in block.links() if kb_id not in UNLINKED]
        found: List[Found] = []
        words, lengths, candidates, bounds = block.words(), self._lengths, self._candidates, block.bounds
        text = 0
        for start in [at for at, word in enumerate(words) if word in lengths]:
            while bounds[text + 1] <= start:
                text += 1
            for length in lengths[words[start]]:
                if start + length <= bounds[text + 1]:
                    ids = candidates.get(tuple(words[start : start + length]))
                    if ids is not None:
                        found.append((start, start + length, ids))
        found = _longest(found)
        if self._near is not None:
            found = sorted(found + self._near.find(block, [(start, end) for start, end, _ in found]))
        return found

    def _align_sentence(
        self,
        found: Sequence[Found],
        places: Tuple[List[int], List[int]],
        result: Alignment,
        *,
        counts: "Counter[str]",
    ) -> None:
        """Link the names of a sentence and add its mentions and triples to the result."""
        starts, ends = places
        mentions: Dict[str, List[Tokens]] = {}
        for (start, end, _), entity_id in zip(found, self._link([ids for _, _, ids in found])):
            mentions.setdefault(entity_id, []).append((start, end))
            result.mentions.append(Mention(starts[start], ends[end - 1], entity_id, (start, end)))
        counts["mentions"] += len(found)
        counts["ambiguous_mentions"] += sum(len(ids) > 1 for _, _, ids in found)
        if len(mentions) > 1:
            self._relate(mentions, places, result, counts=counts)

    def _relate(
        self,
        mentions: Dict[str, List[Tokens]],
        places: Tuple[List[int], List[int]],
        result: Alignment,
        *,
        counts: "Counter[str]",
    ) -> None:
        """Look up the facts between the entities of a sentence."""
        between = self.kb.relations_between
        known = {pair: between(*pair) for pair in permutations(mentions, 2)}
        triples: List[Dict[str, Any]] = []
        related: Set[Tuple[str, str]] = set()
        for subject, obj in known:
            if known[subject, obj] or known[obj, subject]:
                one, two = nearest = _nearest(mentions[subject], mentions[obj])
                relations = self._directed(known[subject, obj], known[obj, subject], forwards=one[0] < two[0])
                if relations:
                    related.add((subject, obj))
                    ends = [_place(tokens, places) for tokens in nearest]
                    triples += [{"subject": ends[0], "relation": name, "object": ends[1]} for name in relations]
        for one_id, two_id in combinations(mentions, 2):
            if (one_id, two_id) not in related and (two_id, one_id) not in related:
                first, second = sorted(_nearest(mentions[one_id], mentions[two_id]))
                result.unrelated.append((_place(first, places), _place(second, places)))
        result.triples += sorted(triples, key=lambda t: (t["subject"], t["object"], t["relation"]))
        counts["pairs_with_facts"] += len(related)
        counts["sentences_with_triples"] += bool(triples)
        counts["entity_pairs"] += len(known)
        counts["triples"] += len(triples)

    def _link(self, candidates: Sequence[Sequence[str]]) -> List[str]:
        """Choose, for each mention, the candidate with most facts about the other mentions, else the first."""
        chosen = list(candidates)
        for index, ids in enumerate(candidates):
            if len(ids) > 1:
                others = {other for position, group in enumerate(chosen) if position != index for other in group}
                # max keeps the first of equals, and labels come before aliases
                chosen[index] = [max(ids, key=lambda entity_id: self._facts_with(entity_id, others))]
        return [ids[0] for ids in chosen]

    def _facts_with(self, entity_id: str, others: Set[str]) -> int:
        """Count the facts that join an entity with any of the others."""
        between = self.kb.relations_between
        return sum(len(between(entity_id, each)) + len(between(each, entity_id)) for each in others - {entity_id})

    def _directed(self, there: Sequence[str], back: Sequence[str], *, forwards: bool) -> List[str]:
        """List the relations of an ordered pair; undirected ones only where the subject is named first."""
        directed = [relation for relation in there if relation not in self.symmetric]
        return directed + sorted({*there, *back} & self.symmetric) if forwards else directed


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
        (alignment,), counted = aligner.align([doc])
        triples.append(alignment.triples)
        counts.update(counted, docs=1)
    return triples, counts


def text_names(entity: Entity) -> List[str]:
    """List the names under which alignment looks for an entity.

    entity (Entity): Any entity.
    RETURNS (List[str]): Label first. "The X" is left out beside "X": that article belongs to the sentence.
    """
    names = dict.fromkeys(entity.names)
    return [name for name in names if not (name.startswith(("The ", "the ")) and name[4:] in names)]


def _longest(found: List[Found]) -> List[Found]:
    """Leave out what overlaps a longer one, or an equally long one before it."""
    if all(one[1] <= two[0] for one, two in zip(found, found[1:])):
        return found
    taken: Set[int] = set()
    kept = []
    for each in sorted(found, key=lambda each: (each[0] - each[1], each[0])):
        if taken.isdisjoint(range(each[0], each[1])):
            taken.update(range(each[0], each[1]))
            kept.append(each)
    return sorted(kept, key=lambda each: each[0])


def _nearest(subjects: Sequence[Tokens], objects: Sequence[Tokens]) -> Tuple[Tokens, Tokens]:
    """Choose the pair of mentions with the fewest tokens between them, the earliest of equals."""
    if len(subjects) == len(objects) == 1:
        return subjects[0], objects[0]
    pairs = [(subject, obj) for subject in subjects for obj in objects]
    return min(pairs, key=lambda pair: (max(pair[0][0] - pair[1][1], pair[1][0] - pair[0][1]), pair[0][0]))


def _place(tokens: Tokens, places: Tuple[List[int], List[int]]) -> Place:
    """Character offsets."""
    return [places[0][tokens[0]], places[1][tokens[1] - 1]]
