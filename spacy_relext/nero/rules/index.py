"""Where rules fire: a table of what stands between two entities, so that one look-up finds the rules of a pair.

A rule of words alone is found under the words between its masks, and what it says outside of them is compared then: the
time is linear in the text and hardly depends on the number of rules. A rule with gaps between its masks is found under
its words before the first gap and behind the last one; if it has none, under its longest run of words, at any place
between the entities.

Words are whole tokens: `her daughter` does not fire in "her daughters". Nor does a word at the end of a rule, or one
beside a gap, fire where a hyphen ties it to the next one: "co-founded" does not say `founded`. Brackets and quotes are
the same whether a text has them as they are or as the Penn Treebank writes them. Other entities between the two are
words like all others.
"""

import sys
from collections import defaultdict
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.attrs import LEMMA, LOWER, ORTH
from spacy.strings import get_string_id
from spacy.tokens import Doc

from ...pairs.pairs import Pairs
from .patterns import SUBJECT, TREEBANK, Part
from .rules import Rule

FORMS = {"text": ORTH, "lower": LOWER, "lemma": LEMMA}

HYPHENS = ("-", "–", "‐")

_WIDTH = 8  # bytes of a token's number

Ids = Tuple[Optional[int], ...]


class RuleMatches(NamedTuple):
    """Which rules fire at which pairs, ordered by pair, then rule.

    pair (NDArray): Number of the pair. Shape (M,)
    rule (NDArray): Number of the rule. Shape (M,)
    backwards (NDArray): Whether the rule's subject is the pair's object. Shape (M,)
    """

    pair: numpy.ndarray
    rule: numpy.ndarray
    backwards: numpy.ndarray


class _Entry(NamedTuple):
    """A rule as numbers of its words, None for a gap; `before` is read from the mask to the left."""

    number: int
    subject_first: bool
    before: Ids
    between: Ids
    after: Ids


class RuleIndex:
    """Finds the rules that fire at pairs.

    rules (Sequence[Rule]): The rules.
    form (str): What of a token is compared: its "text", its "lower"-case text or its "lemma".
    max_gap (int): Most tokens that a gap stands for.
    """

    def __init__(self, rules: Sequence[Rule], *, form: str = "text", max_gap: int = 0) -> None:
        self.rules, self.form, self.max_gap = list(rules), form, max_gap
        self._exact: Dict[bytes, List[_Entry]] = defaultdict(list)
        self._anchored: Dict[Tuple[int, int], Dict[bytes, List[_Entry]]] = defaultdict(lambda: defaultdict(list))
        self._runs: Dict[bytes, List[_Entry]] = defaultdict(list)
        self._open: List[_Entry] = []
        self._with_gaps: List[_Entry] = []
        for number, rule in enumerate(self.rules):
            self._add(number, rule)
        self._sizes = sorted({len(run) for run in self._runs})
        # the longest text between two entities in which a rule with gaps can fire
        self._longest = max((self._most(entry.between) for entry in self._with_gaps), default=-1)
        self._hyphens = {get_string_id(hyphen) for hyphen in HYPHENS}
        words = {name: plain for word, plain in TREEBANK.items() for name in (word, word.lower())}
        self._treebank = [(word, get_string_id(word), get_string_id(plain)) for word, plain in words.items()]

    def match(self, pairs: Pairs) -> RuleMatches:
        """Find the rules that fire. Of pairs whose arguments share a token none does.

        pairs (Pairs): The pairs.
        RETURNS (RuleMatches): Rules whose words and types fit. Where pairs stand in both orders, none is read
            backwards: the rule fires at the pair in the other order.
        """
        found: List[Tuple[int, int, bool]] = []
        attribute, last, raw, treebank = FORMS[self.form], -1, b"", self._treebank_words(pairs.docs)
        columns = (pairs.doc.tolist(), pairs.text.tolist(), pairs.subject.tolist(), pairs.object.tolist())
        for number, (doc, text, subject, obj) in enumerate(zip(*columns)):
            if doc != last:
                last, raw = doc, self._read(pairs.docs[doc], attribute, treebank)
            forwards = subject < obj
            left, right = (subject, obj) if forwards else (obj, subject)
            if left[1] > right[0]:
                continue
            for entry in self._candidates(pairs.docs[doc], raw, left[1], right[0]):
                backwards = entry.subject_first != forwards
                if backwards and pairs.both_orders:
                    continue
                kinds = pairs.types[number][:: -1 if backwards else 1]
                if not self.rules[entry.number].pattern.allows(*kinds):
                    continue
                if self._fits_outside(entry, pairs.docs[doc], raw, text, left[0], right[1]):
                    found.append((number, entry.number, backwards))
        found.sort()
        columns_found = numpy.asarray(found, dtype="int64").reshape(-1, 3)
        return RuleMatches(columns_found[:, 0], columns_found[:, 1], columns_found[:, 2].astype(bool))

    def _add(self, number: int, rule: Rule) -> None:
        """Put a rule where it is looked up."""
        pattern = rule.pattern
        before, between, after = (self._ids(part) for part in (pattern.before, pattern.between, pattern.after))
        entry = _Entry(number, pattern.first == SUBJECT, before[::-1], between, after)
        if None not in between:
            self._exact[_pack(between)].append(entry)
            return
        self._with_gaps.append(entry)
        first, last = between.index(None), between[::-1].index(None)
        run = _longest_run(between)
        if first or last:
            self._anchored[first, last][_pack(between[:first] + between[len(between) - last :])].append(entry)
        elif run:
            self._runs[_pack(run)].append(entry)
        else:
            self._open.append(entry)

    def _treebank_words(self, docs: Sequence[Doc]) -> List[Tuple[bytes, int, int]]:
        """List the treebank's words that texts may have: most vocabularies know none of them."""
        stores = {id(doc.vocab): doc.vocab.strings for doc in docs}.values()
        return [
            (number.to_bytes(_WIDTH, sys.byteorder), number, plain)
            for word, number, plain in self._treebank
            if any(word in strings for strings in stores)
        ]

    @staticmethod
    def _read(doc: Doc, attribute: int, treebank: Sequence[Tuple[bytes, int, int]]) -> bytes:
        """Number the words of a text."""
        raw: bytes = doc.to_array([attribute]).astype("uint64").tobytes()
        for packed, number, plain in treebank:
            if packed in raw:
                numbers = numpy.frombuffer(raw, dtype="uint64").copy()
                numbers[numbers == number] = plain
                raw = numbers.tobytes()
        return raw

    def _ids(self, parts: Sequence[Part]) -> Ids:
        """Number the words as the tokens of texts are numbered."""
        lower = self.form == "lower"
        return tuple(None if part is None else get_string_id(part.lower() if lower else part) for part in parts)

    def _most(self, parts: Ids) -> int:
        """Most tokens that words and gaps stand for."""
        return len(parts) + parts.count(None) * (self.max_gap - 1)

    def _candidates(self, doc: Doc, raw: bytes, start: int, end: int) -> Iterator[_Entry]:
        """Yield the rules whose words between the masks stand between two entities."""
        between = raw[start * _WIDTH : end * _WIDTH]
        if between in self._exact:
            yield from self._exact[between]
        if end - start > self._longest:
            return
        found = {entry.number: entry for entry in self._open}
        for (first, last), table in self._anchored.items():
            if first + last <= end - start:
                key = between[: first * _WIDTH] + between[len(between) - last * _WIDTH :]
                found.update((entry.number, entry) for entry in table.get(key, ()))
        for size in self._sizes:
            for place in range(0, len(between) - size + 1, _WIDTH):
                found.update((entry.number, entry) for entry in self._runs.get(between[place : place + size], ()))
        if found:
            tokens = _unpack(between)
            tied = [self._ties(doc, place) for place in range(start, end)]
            yield from (entry for entry in found.values() if len(tokens) in self._ends(entry.between, tokens, tied))

    def _ends(self, parts: Ids, tokens: Sequence[int], tied: Sequence[bool]) -> Set[int]:
        """How many tokens, from the first on, words and gaps may stand for; `tied` says which are hyphens inside of a
        word: a gap neither begins nor ends with one, since it would stand for a piece of a word.
        """
        ends = {0}
        for part in parts:
            if part is None:
                gaps = ((end, end + more) for end in ends for more in range(self.max_gap + 1))
                ends = {b for a, b in gaps if b <= len(tokens) and (a == b or not (tied[a] or tied[b - 1]))}
            else:
                ends = {end + 1 for end in ends if end < len(tokens) and tokens[end] == part}
        return ends

    def _fits_outside(self, entry: _Entry, doc: Doc, raw: bytes, text: Sequence[int], start: int, end: int) -> bool:
        """Compare what a rule says before and after its masks; no word of it may go on behind a hyphen."""
        if entry.before:
            first = max(text[0], start - self._most(entry.before))
            places = range(start - 1, first - 1, -1)
            if not self._fits(entry.before, doc, _unpack(raw[first * _WIDTH : start * _WIDTH])[::-1], places, text):
                return False
        if entry.after:
            last = min(text[1], end + self._most(entry.after))
            tokens = _unpack(raw[end * _WIDTH : last * _WIDTH])
            return self._fits(entry.after, doc, tokens, range(end, last), text)
        return True

    def _fits(self, parts: Ids, doc: Doc, tokens: Sequence[int], places: range, text: Sequence[int]) -> bool:
        """Say whether words stand on one side of a pair; the first token is the one beside it."""
        tied = [self._ties(doc, place) for place in places]
        for end in self._ends(parts, tokens, tied):
            beyond = places.start + end * places.step
            if not (text[0] <= beyond < text[1] and self._ties(doc, beyond)):
                return True
        return False

    def _ties(self, doc: Doc, place: int) -> bool:
        """Say whether a token is a hyphen without a space on either side."""
        return (
            doc[place].orth in self._hyphens
            and not doc[place].whitespace_
            and (place == 0 or not doc[place - 1].whitespace_)
        )


def _longest_run(parts: Ids) -> Ids:
    """Longest row of words without a gap; the first of those that are as long."""
    runs: List[List[Optional[int]]] = [[]]
    for part in parts:
        if part is None:
            runs.append([])
        else:
            runs[-1].append(part)
    return tuple(runs[numpy.argmax([len(run) for run in runs])])


def _pack(ids: Ids) -> bytes:
    """Numbers of words as bytes."""
    return numpy.asarray(ids, dtype="uint64").tobytes()


def _unpack(raw: bytes) -> List[int]:
    """Bytes as numbers of words."""
    return numpy.frombuffer(raw, dtype="uint64").tolist()
