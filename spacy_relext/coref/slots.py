"""What coreference reads of a text: names, pronouns, and phrases that may stand for an entity.

A slot is a place in a text that may be a mention: a name (`doc.ents`), a pronoun, or a determiner with which a phrase
begins ("the company", "her brother"), whose end the model chooses. Names, pronouns and phrases are candidates for the
antecedent of each pronoun and phrase after them; a name may also follow in the sentence ("When she was six, Ada ...").
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc

from ..annotations.doc_entities import group_names
from ..annotations.mentions import NAME, NOMINAL, PRONOUN
from ..annotations.sentences import sentence_bounds
from ..annotations.words import IntArray, words_of

KINDS = (NAME, PRONOUN, NOMINAL)

# Pronouns by what they agree with.
PRONOUN_CLASSES: Dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "he him his himself",
            "she her hers herself",
            "it its itself",
            "they them their theirs themselves themself",
            "i me my mine myself",
            "we us our ours ourselves",
        ),
        start=1,
    )
    for word in words.split()
}
N_PRONOUNS = 7  # classes, 0 for what is no pronoun

# Determiners with which a phrase may begin: articles and demonstratives, and the possessives among the pronouns.
DETERMINERS: Dict[str, int] = {"the": 1, "this": 2, "that": 2, "these": 2, "those": 2}
POSSESSIVES = frozenset("his her its their my our".split())
N_DETERMINERS = 4  # classes; 3: a possessive, 0: none

# Longest phrase in tokens after its determiner, and antecedents that are compared with each pronoun or phrase.
MAX_WORDS, MAX_CANDIDATES = 5, 40


class Slot(NamedTuple):
    """A place that may be a mention.

    start, end (int): Tokens; the end of a phrase is that of its longest form.
    kind (int): Number in KINDS.
    sentence (int): Its number.
    label (str): Entity type of a name.
    word (int): Class of a pronoun or determiner.
    group (int): Number of the name's entity; -1 for others.
    words (Tuple[int, ...]): Tokens of a phrase after its determiner, one of which is its last.
    """

    start: int
    end: int
    kind: int
    sentence: int
    label: str = ""
    word: int = 0
    group: int = -1
    words: Tuple[int, ...] = ()

    def end_after(self, count: int) -> int:
        """Return the token after the last, of a phrase with a number of words after its determiner."""
        return self.words[count - 1] + 1 if self.words and count > 0 else self.end


@dataclass
class CorefInstances:
    """The slots of a batch of Docs, and the anaphors with their candidates.

    slots (List[List[Slot]]): Of each Doc, by position.
    anaphors (List[Tuple[int, int, List[int]]]): Doc, slot, and the slots that may be its antecedent.
    gold (Optional[CorefGold]): In training.
    """

    docs: List[Doc]
    slots: List[List[Slot]]
    anaphors: List[Tuple[int, int, List[int]]]
    gold: Optional["CorefGold"] = None

    def __len__(self) -> int:
        return len(self.anaphors)


@dataclass
class CorefGold:
    """What is annotated of the anaphors of a batch.

    allowed (List[Optional[List[bool]]]): Which candidates are right, the last one standing for none of them; None: the
        anaphor is not annotated.
    ends (List[int]): Of phrases, the number of words after the determiner that are part of the mention; 0: none stands
        for an entity; -1: not annotated, or no phrase.
    """

    allowed: List[Optional[List[bool]]] = field(default_factory=list)
    ends: List[int] = field(default_factory=list)


def list_slots(doc: Doc) -> List[Slot]:
    """List the slots of a Doc by position: a possessive may be a pronoun and begin a phrase."""
    starts = [start for start, _ in sentence_bounds(doc)]
    words = words_of(doc).tolist()
    sentences = [bisect_right(starts, i) - 1 for i in words]
    in_capitals = _sentences_in_capitals(doc, words, sentences)
    slots: List[Slot] = []
    inside: Set[int] = set()
    for start, end, label, group in group_names(doc):
        inside.update(range(start, end))
        slots.append(Slot(start, end, KINDS.index(NAME), bisect_right(starts, start) - 1, label=label, group=group))
    for at, (i, sentence) in enumerate(zip(words, sentences)):
        word = doc[i].lower_
        if i in inside or (doc[i].is_upper and len(word) > 1 and sentence not in in_capitals):
            continue
        if word in PRONOUN_CLASSES:
            slots.append(Slot(i, i + 1, KINDS.index(PRONOUN), sentence, word=PRONOUN_CLASSES[word]))
        if word in DETERMINERS or word in POSSESSIVES:
            following = bisect_right(sentences, sentence, at)
            phrase = _phrase_of(doc, words[at + 1 : min(following, at + 1 + MAX_WORDS)], inside)
            if phrase:
                kind, end = DETERMINERS.get(word, N_DETERMINERS - 1), phrase[-1] + 1
                slots.append(Slot(i, end, KINDS.index(NOMINAL), sentence, word=kind, words=tuple(phrase)))
    return sorted(slots, key=lambda slot: (slot.start, slot.kind))


def list_anaphors(slots: Sequence[Slot]) -> List[Tuple[int, List[int]]]:
    """List the pronouns and phrases, each with the slots that may be its antecedent, the nearest last."""
    found = []
    for at, slot in enumerate(slots):
        if KINDS[slot.kind] == NAME:
            continue
        before = [i for i in range(max(0, at - MAX_CANDIDATES), at) if slots[i].end <= slot.start]
        after = []
        for i in range(at + 1, min(len(slots), at + MAX_CANDIDATES)):
            if slots[i].sentence != slot.sentence:
                break
            if KINDS[slots[i].kind] == NAME and slots[i].start >= slot.end:
                after.append(i)
        found.append((at, before + after))
    return found


def suggest_anaphors(docs: Sequence[Doc]) -> CorefInstances:
    """List slots, anaphors and candidates of a batch of Docs."""
    slots = [list_slots(doc) for doc in docs]
    anaphors = [
        (number, at, candidates) for number, of_doc in enumerate(slots) for at, candidates in list_anaphors(of_doc)
    ]
    return CorefInstances(list(docs), slots, anaphors)


def slot_arrays(instances: CorefInstances, labels: Sequence[str]) -> Dict[str, IntArray]:
    """Lay slots and pairs out as arrays.

    labels (Sequence[str]): Entity types that the model knows.
    RETURNS (Dict[str, IntArray]): `first`, `last`: rows of the first and last token of each slot among all tokens.
        Shapes (S,). `look`: kind, type and word class as one number. Shape (S,). `phrase_ends`: rows of the tokens that
        may be the last of a phrase, -1 for none. Shape (S, MAX_WORDS). `anaphor`: slots. Shape (A,). `candidates`:
        slots, -1 on padding. Shape (A, C). `features`: see `_pair_features`. Shape (A, C, N_FEATURES)
    """
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    starts = numpy.cumsum([0, *(len(doc) for doc in instances.docs)])
    offsets = numpy.cumsum([0, *(len(of_doc) for of_doc in instances.slots)])
    first, last, look, ends = [], [], [], []
    for base, of_doc in zip(starts.tolist(), instances.slots):
        for slot in of_doc:
            first.append(base + slot.start)
            last.append(base + slot.end - 1)
            look.append(_look(slot, numbers))
            ends.append([*(base + i for i in slot.words), *[-1] * (MAX_WORDS - len(slot.words))])
    width = max((len(candidates) for _, _, candidates in instances.anaphors), default=0)
    anaphor, candidates, features = [], [], []
    for number, of_one in groupby(instances.anaphors, key=itemgetter(0)):
        base, slots = int(offsets[number]), instances.slots[number]
        earlier: Dict[int, int] = {}  # names of each entity before the anaphor
        counted = 0
        for _, at, of_anaphor in of_one:
            for slot in slots[counted:at]:
                earlier[slot.group] = earlier.get(slot.group, 0) + (slot.group >= 0)
            counted, padding = at, width - len(of_anaphor)
            anaphor.append(base + at)
            candidates.append([*(base + i for i in of_anaphor), *[-1] * padding])
            rows = _pair_features(slots, at, of_anaphor, earlier)
            features.append([*rows, *[[0] * N_FEATURES] * padding])
    shape = (len(anaphor), width)
    return {
        "first": numpy.asarray(first, dtype="int64"),
        "last": numpy.asarray(last, dtype="int64"),
        "look": numpy.asarray(look, dtype="int64"),
        "phrase_ends": numpy.asarray(ends, dtype="int64").reshape(len(first), MAX_WORDS),
        "anaphor": numpy.asarray(anaphor, dtype="int64"),
        "candidates": numpy.asarray(candidates, dtype="int64").reshape(shape),
        "features": numpy.asarray(features, dtype="int64").reshape((*shape, N_FEATURES)),
    }


# Buckets of each feature of a pair.
FEATURES = {"tokens": 13, "sentences": 8, "slots": 9, "is_first": 2, "earlier": 6, "is_inside_name": 2}
N_FEATURES = len(FEATURES)


def n_looks(n_labels: int) -> int:
    """Return the number of looks of a slot: names of each type and of unknown ones, pronouns and determiners."""
    return 1 + n_labels + N_PRONOUNS + N_DETERMINERS


def _look(slot: Slot, numbers: Dict[str, int]) -> int:
    if KINDS[slot.kind] == NAME:
        return numbers.get(slot.label, 0)
    first = 1 + len(numbers)
    return first + slot.word + (N_PRONOUNS if KINDS[slot.kind] == NOMINAL else 0)


def _pair_features(
    slots: Sequence[Slot], at: int, candidates: Sequence[int], earlier: Mapping[int, int]
) -> List[List[int]]:
    """Describe the place of each candidate: distances in tokens, sentences and slots; whether it is the first of its
    sentence; how often its name stands before the anaphor; whether another slot begins with it."""
    anaphor, rows = slots[at], []
    for i in candidates:
        slot = slots[i]
        if i > at:
            tokens, sentences = 12, 7
        else:
            tokens = min(11, (anaphor.start - slot.end + 1).bit_length())
            sentences = min(6, anaphor.sentence - slot.sentence)
        is_first = i == 0 or slots[i - 1].sentence != slot.sentence
        count = min(5, earlier.get(slot.group, 0))
        overlapping = i + 1 < len(slots) and slots[i + 1].start < slot.end
        rows.append([tokens, sentences, min(8, abs(at - i)), int(is_first), count, int(overlapping)])
    return rows


def _phrase_of(doc: Doc, tokens: Sequence[int], names: Set[int]) -> List[int]:
    """List the tokens of the longest phrase of lower-case words and numbers that some tokens begin with."""
    found: List[int] = []
    for i in tokens:
        token = doc[i]
        is_word = token.is_alpha or token.text in ("-", "’s", "'s") or token.like_num or "-" in token.text
        if i in names or not is_word or token.lower_ in PRONOUN_CLASSES or token.lower_ in DETERMINERS:
            break
        found.append(i)
    while found and not doc[found[-1]].is_alpha and "-" not in doc[found[-1]].text[1:]:
        found.pop()
    return found


def _sentences_in_capitals(doc: Doc, words: Sequence[int], sentences: Sequence[int]) -> Set[int]:
    """List the sentences most of whose words are in capitals: IT and HE may be pronouns there."""
    upper: Dict[int, int] = {}
    for i, sentence in zip(words, sentences):
        if doc[i].is_alpha:
            upper[sentence] = upper.get(sentence, 0) + (1 if doc[i].is_upper else -1)
    return {sentence for sentence, balance in upper.items() if balance > 0}


class CorefBatch(NamedTuple):
    """Input of the model: Docs, whose tokens the encoder reads, and arrays of `slot_arrays` with `ends`."""

    docs: Sequence[Doc]
    arrays: Dict[str, IntArray]
