"""Exact matching of rules: a hash index over the tokens between two entities, so that one lookup finds a pair's rules.

A rule without gaps between its masks is indexed by the tokens between them; its tokens outside are compared afterwards.
Time is linear in the length of the text and hardly depends on the number of rules. A rule with gaps is indexed by its
tokens before the first gap and after the last one, or if it has neither, by its longest run of tokens.

Matching is by whole tokens: `her daughter` does not match "her daughters". The end of a rule or of a gap does not match
inside a hyphenated word: `founded` does not match "co-founded". Brackets and quotes match their Penn Treebank tokens.
Other entities between the two are ordinary tokens.
"""

import sys
from collections import defaultdict
from functools import cached_property
from itertools import groupby
from typing import AbstractSet, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, LEMMA, LOWER, ORTH, SPACY
from spacy.strings import get_string_id
from spacy.tokens import Doc

from ...annotations.words import words_before, words_of
from ...pairs.pairs import Pairs
from .patterns import SUBJECT, TREEBANK, Part
from .rules import NO_RELATION_LABEL, Rule

FORMS = {"text": ORTH, "lower": LOWER, "lemma": LEMMA}
HYPHENS = ("-", "–", "‐")

# Highest value of `max_gap`.
MAX_GAP = 100

_WIDTH = 8  # bytes of a token id
_HYPHEN_IDS = numpy.asarray([get_string_id(hyphen) for hyphen in HYPHENS], dtype="uint64")

Ids = Tuple[Optional[int], ...]


class RuleMatches(NamedTuple):
    """Indices of matching pairs and rules, ordered by pair, then rule. Shapes (M,)"""

    pair: NDArray[numpy.int64]
    rule: NDArray[numpy.int64]
    reversed: NDArray[numpy.bool_]  # whether the rule's subject is the pair's object


class _Entry(NamedTuple):
    """A rule as token ids, None for a gap; `before` is reversed."""

    number: int
    subject_first: bool
    before: Ids
    between: Ids
    after: Ids
    words: FrozenSet[Optional[int]]  # tokens between the masks if a gap is among them, else none
    most: int  # maximum number of tokens between the masks


class _Text:
    """The words of a Doc: its tokens that are not white space.

    raw (bytes): Their ids, those of Treebank tokens replaced by what these stand for.
    before (List[int]): Number of words before each token, and before the end.
    """

    def __init__(self, doc: Doc, attribute: int, treebank: Sequence[Tuple[bytes, int, int]]) -> None:
        self.doc, self.words = doc, words_of(doc)
        self.before: List[int] = words_before(doc).tolist()
        self.raw: bytes = doc.to_array([attribute]).astype("uint64")[self.words].tobytes()
        for packed, number, plain in treebank:
            if packed in self.raw:
                numbers = numpy.frombuffer(self.raw, dtype="uint64").copy()
                numbers[numbers == number] = plain
                self.raw = numbers.tobytes()

    def bounds(self, tokens: Sequence[int]) -> Tuple[int, int]:
        """Return a span of tokens as a span of words."""
        return self.before[tokens[0]], self.before[tokens[1]]

    def token(self, place: int) -> int:
        """Return the id of a word."""
        return int.from_bytes(self.raw[place * _WIDTH : (place + 1) * _WIDTH], sys.byteorder)

    @cached_property
    def tokens(self) -> List[int]:
        """Return the ids of all words."""
        ids: List[int] = numpy.frombuffer(self.raw, dtype="uint64").tolist()
        return ids

    @cached_property
    def inner_hyphens(self) -> List[bool]:
        """Return for each word whether it is a hyphen without white space on either side."""
        ids, spaces, blank = self.doc.to_array([ORTH, SPACY, IS_SPACE]).T
        no_space = (spaces == 0) & (numpy.append(blank[1:], 0) == 0)
        inner = numpy.isin(ids, _HYPHEN_IDS) & no_space & numpy.append(True, no_space[:-1])
        hyphens: List[bool] = inner[self.words].tolist()
        return hyphens


class RuleIndex:
    """Index of rules for exact matching.

    form (str): Attribute of tokens that is compared: "text", "lower" or "lemma".
    max_gap (int): Maximum number of tokens of a gap.
    """

    def __init__(self, rules: Sequence[Rule], *, form: str = "text", max_gap: int = 0) -> None:
        self.rules, self.form, self.max_gap = list(rules), form, max_gap
        self._exact: Dict[bytes, List[_Entry]] = defaultdict(list)
        self._anchored: Dict[Tuple[int, int], Dict[bytes, List[_Entry]]] = {}
        self._runs: Dict[bytes, List[_Entry]] = defaultdict(list)
        self._open: List[_Entry] = []
        self._with_gaps: List[_Entry] = []
        for number, rule in enumerate(self.rules):
            self._add(number, rule)
        self._sizes = sorted({len(run) for run in self._runs})
        # most tokens between two entities that a rule with gaps can match
        self._longest = max((entry.most for entry in self._with_gaps), default=-1)
        words = {name: plain for word, plain in TREEBANK.items() for name in (word, word.lower())}
        self._treebank = [(word, get_string_id(word), get_string_id(plain)) for word, plain in words.items()]

    def match(self, pairs: Pairs, *, without: AbstractSet[int] = frozenset()) -> RuleMatches:
        """Match tokens and types of rules with pairs.

        Pairs with overlapping arguments have no match. If pairs are given in both orders, a rule matches one of them,
        but a rule for no relation matches both.

        without (AbstractSet[int]): Indices of rules that are left out.
        """
        matches: List[Tuple[int, int, bool]] = []
        last, read, treebank = -1, None, self._treebank_words(pairs.docs)
        columns = (pairs.doc.tolist(), pairs.text.tolist(), pairs.subject.tolist(), pairs.object.tolist())
        for number, (doc, text, subject, obj) in enumerate(zip(*columns)):
            if read is None or doc != last:
                last, read = doc, _Text(pairs.docs[doc], FORMS[self.form], treebank)
            text, subject, obj = map(read.bounds, (text, subject, obj))
            forwards = subject < obj
            left, right = (subject, obj) if forwards else (obj, subject)
            if left[1] > right[0]:
                continue
            between = read.raw[left[1] * _WIDTH : right[0] * _WIDTH]
            before = read.token(left[0] - 1) if left[0] > text[0] else None
            after = read.token(right[1]) if right[1] < text[1] else None
            for entry in self._candidates(between):
                if entry.number in without:
                    continue
                if entry.before[:1] not in ((), (None,), (before,)) or entry.after[:1] not in ((), (None,), (after,)):
                    continue  # another token is before or after: most rules with words outside the masks fail here
                is_reversed = entry.subject_first != forwards
                types, rule = pairs.types[number][:: -1 if is_reversed else 1], self.rules[entry.number]
                is_twice = is_reversed and pairs.both_orders and rule.relation != NO_RELATION_LABEL
                if is_twice or not rule.pattern.allows(*types):
                    continue
                if not self._matches_between(entry, read, left[1], right[0]):
                    continue
                if self._matches_outside(entry, read, text, left[0], right[1]):
                    matches.append((number, entry.number, is_reversed))
        table = numpy.asarray(sorted(matches), dtype="int64").reshape(-1, 3)
        return RuleMatches(table[:, 0], table[:, 1], table[:, 2].astype(bool))

    def _add(self, number: int, rule: Rule) -> None:
        """Index a rule."""
        pattern = rule.pattern
        before, between, after = map(self._ids, pattern.segments)
        words = frozenset(between) - {None} if None in between else frozenset()
        entry = _Entry(number, pattern.first == SUBJECT, before[::-1], between, after, words, self._most(between))
        if None not in between:
            self._exact[_pack(between)].append(entry)
            return
        self._with_gaps.append(entry)
        first, last = between.index(None), between[::-1].index(None)
        run = _longest_run(between)
        if first or last:
            ends = _pack(between[:first] + between[len(between) - last :])
            self._anchored.setdefault((first, last), defaultdict(list))[ends].append(entry)
        elif run:
            self._runs[_pack(run)].append(entry)
        else:
            self._open.append(entry)

    def _treebank_words(self, docs: Sequence[Doc]) -> List[Tuple[bytes, int, int]]:
        """List the treebank tokens in the vocabularies of the texts: usually none."""
        stores = {id(doc.vocab): doc.vocab.strings for doc in docs}.values()
        return [
            (number.to_bytes(_WIDTH, sys.byteorder), number, plain)
            for word, number, plain in self._treebank
            if any(word in strings for strings in stores)
        ]

    def _ids(self, parts: Sequence[Part]) -> Ids:
        """Return the ids of a rule's tokens."""
        lower = self.form == "lower"
        return tuple(None if part is None else get_string_id(part.lower() if lower else part) for part in parts)

    def _most(self, parts: Ids) -> int:
        """Return the maximum number of tokens that a sequence of tokens and gaps matches."""
        return len(parts) + parts.count(None) * (self.max_gap - 1)

    def _candidates(self, between: bytes) -> Iterator[_Entry]:
        """Yield the rules that may match the tokens between two entities; those without gaps there always do."""
        yield from self._exact.get(between, ())
        length = len(between) // _WIDTH
        if length > self._longest:
            return
        entries = {entry.number: entry for entry in self._open}
        for (first, last), table in self._anchored.items():
            if first + last <= length:
                key = between[: first * _WIDTH] + between[len(between) - last * _WIDTH :]
                entries.update((entry.number, entry) for entry in table.get(key, ()))
        for size in self._sizes:
            for place in range(0, len(between) - size + 1, _WIDTH):
                entries.update((entry.number, entry) for entry in self._runs.get(between[place : place + size], ()))
        yield from entries.values()

    def _matches_between(self, entry: _Entry, read: _Text, start: int, end: int) -> bool:
        """Return True if the tokens between the masks of a candidate match those from `start` to `end`."""
        if None not in entry.between:
            return True
        if end - start > entry.most:
            return False
        tokens = read.tokens[start:end]
        if not entry.words.issubset(tokens):
            return False
        return len(tokens) in self._ends(entry.between, tokens, read.inner_hyphens[start:end])

    def _ends(self, parts: Ids, tokens: Sequence[int], hyphens: Sequence[bool]) -> Set[int]:
        """Return the lengths of all prefixes that match; a gap neither starts nor ends with a hyphen inside a word."""
        ends = {0}
        for part in parts:
            if part is None:
                gaps = ((end, end + more) for end in ends for more in range(self.max_gap + 1))
                ends = {b for a, b in gaps if b <= len(tokens) and (a == b or not (hyphens[a] or hyphens[b - 1]))}
            else:
                ends = {end + 1 for end in ends if end < len(tokens) and tokens[end] == part}
        return ends

    def _matches_outside(self, entry: _Entry, read: _Text, text: Sequence[int], start: int, end: int) -> bool:
        """Return True if the tokens before and after the masks match."""
        if not (entry.before or entry.after):
            return True
        before = range(start - 1, max(text[0], start - self._most(entry.before)) - 1, -1)
        after = range(end, min(text[1], end + self._most(entry.after)))
        sides = ((entry.before, before), (entry.after, after))
        return all(self._matches_side(parts, read, places, text) for parts, places in sides if parts)

    def _matches_side(self, parts: Ids, read: _Text, places: range, text: Sequence[int]) -> bool:
        """Return True if the tokens on one side of a pair, nearest first, match and no hyphen continues them."""
        tokens = [read.tokens[place] for place in places]
        hyphens = [read.inner_hyphens[place] for place in places]
        following = (places.start + end * places.step for end in self._ends(parts, tokens, hyphens))
        return any(not (text[0] <= next_ < text[1] and read.inner_hyphens[next_]) for next_ in following)


def _longest_run(parts: Ids) -> Ids:
    """Return the longest run of tokens without a gap, the first one of equally long ones."""
    runs = [tuple(run) for is_gap, run in groupby(parts, key=lambda part: part is None) if not is_gap]
    return max(runs, key=len, default=())


def _pack(ids: Ids) -> bytes:
    """Return token ids as bytes."""
    return numpy.asarray(ids, dtype="uint64").tobytes()
