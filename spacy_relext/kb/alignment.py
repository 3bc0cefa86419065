"""Distant supervision: labels for text from a knowledge base, without manual annotation.

A sentence that mentions both entities of a fact is assumed to state it (Mintz et al., "Distant supervision for relation
extraction without labeled data", 2009). That is often wrong, and facts that the knowledge base lacks are missed.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Callable, Dict, List, NamedTuple, Sequence, Set, Tuple

from spacy.tokens import Doc

from ..annotations.entities import UNLINKED
from ..annotations.triple import Record
from ..corpora.blocks import TextBlock, WordLengths, block_of
from .facts import FactIndex

SYMMETRIC_RELATIONS = ("spouse",)

CharOffsets = List[int]  # first character, and the one after the last
TokenSpan = Tuple[int, int]  # first token, and the one after the last
Match = Tuple[int, int, Sequence[str]]  # first token and end of a name, and the entities it may mean, likeliest first
TokenOffsets = Tuple[List[int], List[int]]  # start and end character of each token
Pair = Tuple[str, str]


class Mention(NamedTuple):
    """A name in a text and its entity."""

    start: int
    end: int
    entity_id: str
    tokens: TokenSpan  # positions in the block


@dataclass
class Alignment:
    """Mentions and labels of one text, in its order.

    triples (List[Record]): Canonical triples (`subject`, `relation`, `object`), character offsets, sorted.
    unrelated (List[Tuple[CharOffsets, CharOffsets]]): The nearest mentions of any two entities in a sentence without
        a fact in either direction.
    """

    mentions: List[Mention] = field(default_factory=list)
    triples: List[Record] = field(default_factory=list)
    unrelated: List[Tuple[CharOffsets, CharOffsets]] = field(default_factory=list)


class Aligner:
    """Finds the entities of a knowledge base in texts and labels the pairs that have facts.

    tokenizer (Callable[[str], Doc]): Tokenizes names as the texts were tokenized, such as `nlp.make_doc`.
    symmetric (Sequence[str]): Relations without direction: the subject is the entity that is mentioned first.
    linked (bool): Whether entities of the texts are linked already (`ent.kb_id_`); names are not matched then.
    """

    def __init__(
        self,
        kb: FactIndex,
        *,
        tokenizer: Callable[[str], Doc],
        symmetric: Sequence[str] = SYMMETRIC_RELATIONS,
        linked: bool = False,
    ) -> None:
        self.kb = kb
        self.symmetric = frozenset(symmetric)
        self.linked = linked
        self._candidates: Dict[Tuple[int, ...], List[str]] = {}
        self._lengths: Dict[int, List[int]] = {}
        if linked:
            return
        for name, ids in kb.names.items():
            named = [entity_id for entity_id in ids if name in text_names(kb[entity_id].all)]
            words = tuple(token.orth for token in tokenizer(name))
            if named and words:
                known = self._candidates.setdefault(words, [])
                known += [entity_id for entity_id in named if entity_id not in known]
                lengths = self._lengths.setdefault(words[0], [])
                if len(words) not in lengths:
                    lengths.append(len(words))

    def __call__(self, doc: Doc) -> Alignment:
        """Align one Doc, which is not changed; a Doc without sentence boundaries is one sentence."""
        return self.align([doc])[0][0]

    def align(self, docs: Sequence[Doc]) -> Tuple[List[Alignment], "Counter[str]"]:
        """Align Docs of one vocabulary; see `align_block`."""
        return self.align_block(block_of(docs, WordLengths(docs[0].vocab.strings)))

    def align_block(self, block: TextBlock) -> Tuple[List[Alignment], "Counter[str]"]:
        """Align texts, which are not changed.

        RETURNS (Tuple[List[Alignment], Counter[str]]): One alignment a text, and the counts `sentences`,
            `sentences_with_triples`, `mentions`, `ambiguous_mentions`, `entity_pairs` (ordered pairs of different
            entities in a sentence), `pairs_with_facts`, `triples`, and `unknown_mentions` (linked entities that the
            knowledge base lacks).
        """
        cuts, results = block.sentence_bounds(), [Alignment() for _ in block.user_data]
        counts = Counter(sentences=len(cuts) - 1)
        matches = self.find_mentions(block)
        if self.linked:
            known = [match for match in matches if match[2][0] in self.kb]
            counts["unknown_mentions"] += len(matches) - len(known)
            matches = known
        sentences: Dict[int, List[Match]] = {}
        sentence = 0
        for match in matches:
            while cuts[sentence + 1] <= match[0]:
                sentence += 1
            if match[1] <= cuts[sentence + 1]:
                sentences.setdefault(sentence, []).append(match)
        offsets = block.char_offsets() if sentences else ([], [])
        for sentence, inside in sentences.items():
            result = results[bisect_right(block.bounds, cuts[sentence]) - 1]
            self._align_sentence(inside, offsets, result, counts=counts)
        return results, counts

    def find_mentions(self, block: TextBlock) -> List[Match]:
        """Match names, of overlapping ones the longest, or return the linked entities, in the order of the texts."""
        if self.linked:
            return [(start, end, (kb_id,)) for start, end, kb_id in block.linked_entities() if kb_id not in UNLINKED]
        matches: List[Match] = []
        words, lengths, candidates, bounds = block.words(), self._lengths, self._candidates, block.bounds
        text = 0
        for start in [at for at, word in enumerate(words) if word in lengths]:
            while bounds[text + 1] <= start:
                text += 1
            for length in lengths[words[start]]:
                if start + length <= bounds[text + 1]:
                    ids = candidates.get(tuple(words[start : start + length]))
                    if ids is not None:
                        matches.append((start, start + length, ids))
        return _longest(matches)

    def _align_sentence(
        self, matches: Sequence[Match], offsets: TokenOffsets, result: Alignment, *, counts: "Counter[str]"
    ) -> None:
        """Disambiguate the names of a sentence and add its mentions and triples to the result."""
        starts, ends = offsets
        mentions: Dict[str, List[TokenSpan]] = {}
        for (start, end, _), entity_id in zip(matches, self._disambiguate([ids for _, _, ids in matches])):
            mentions.setdefault(entity_id, []).append((start, end))
            result.mentions.append(Mention(starts[start], ends[end - 1], entity_id, (start, end)))
        counts["mentions"] += len(matches)
        counts["ambiguous_mentions"] += sum(len(ids) > 1 for _, _, ids in matches)
        if len(mentions) > 1:
            self._relate(mentions, offsets, result, counts=counts)

    def _relate(
        self, mentions: Dict[str, List[TokenSpan]], offsets: TokenOffsets, result: Alignment, *, counts: "Counter[str]"
    ) -> None:
        """Look up the facts between the entities of a sentence; the first entity is the subject of undirected ones."""
        between = self.kb.relations_between
        known = {pair: between(*pair) for pair in permutations(mentions, 2)}
        triples: List[Record] = []
        related: Set[Pair] = set()
        for subject, obj in known:
            if known[subject, obj] or known[obj, subject]:
                one, two = nearest = _nearest(mentions[subject], mentions[obj])
                relations = [relation for relation in known[subject, obj] if relation not in self.symmetric]
                if one[0] < two[0]:
                    relations += sorted({*known[subject, obj], *known[obj, subject]} & self.symmetric)
                if relations:
                    related.add((subject, obj))
                    ends = [_chars(tokens, offsets) for tokens in nearest]
                    triples += [{"subject": ends[0], "relation": name, "object": ends[1]} for name in relations]
        for one_id, two_id in combinations(mentions, 2):
            if (one_id, two_id) not in related and (two_id, one_id) not in related:
                first, second = sorted(_nearest(mentions[one_id], mentions[two_id]))
                result.unrelated.append((_chars(first, offsets), _chars(second, offsets)))
        result.triples += sorted(triples, key=lambda t: (t["subject"], t["object"], t["relation"]))
        counts["pairs_with_facts"] += len(related)
        counts["sentences_with_triples"] += bool(triples)
        counts["entity_pairs"] += len(known)
        counts["triples"] += len(triples)

    def _disambiguate(self, candidates: Sequence[Sequence[str]]) -> List[str]:
        """Choose, for each mention, the candidate with most facts about the other mentions, else the first."""
        chosen = list(candidates)
        for index, ids in enumerate(candidates):
            if len(ids) > 1:
                others = {other for position, group in enumerate(chosen) if position != index for other in group}
                # max keeps the first of equals, and labels come before aliases
                chosen[index] = [max(ids, key=lambda entity_id: self.kb.facts_with(entity_id, others))]
        return [ids[0] for ids in chosen]


def text_names(names: Sequence[str]) -> List[str]:
    """List distinct names to match in text, without "The X" beside "X": that article belongs to the sentence."""
    return [name for name in dict.fromkeys(names) if not (name.startswith(("The ", "the ")) and name[4:] in names)]


def _longest(matches: List[Match]) -> List[Match]:
    """Remove matches that overlap a longer one, or an equally long one before it."""
    if all(one[1] <= two[0] for one, two in zip(matches, matches[1:])):
        return matches
    taken: Set[int] = set()
    longest = []
    for match in sorted(matches, key=lambda match: (match[0] - match[1], match[0])):
        if taken.isdisjoint(range(match[0], match[1])):
            taken.update(range(match[0], match[1]))
            longest.append(match)
    return sorted(longest, key=lambda match: match[0])


def _nearest(subjects: Sequence[TokenSpan], objects: Sequence[TokenSpan]) -> Tuple[TokenSpan, TokenSpan]:
    """Choose the pair of mentions with the fewest tokens between them, the earliest of equals."""
    if len(subjects) == len(objects) == 1:
        return subjects[0], objects[0]
    pairs = [(subject, obj) for subject in subjects for obj in objects]
    return min(pairs, key=lambda pair: (max(pair[0][0] - pair[1][1], pair[1][0] - pair[0][1]), pair[0][0]))


def _chars(tokens: TokenSpan, offsets: TokenOffsets) -> CharOffsets:
    """Convert tokens to character offsets."""
    return [offsets[0][tokens[0]], offsets[1][tokens[1] - 1]]
