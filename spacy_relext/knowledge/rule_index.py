"""Where rules fire: a table of what stands between two entities, so that one look-up finds the rules of a pair.

A rule of words alone is found under the words between its masks, and what it says outside of them is compared then: the
time is linear in the text and hardly depends on the number of rules. A rule with gaps between its masks is found under
its longest run of words, at any place between the entities.

Words are whole tokens: `her daughter` does not fire in "her daughters". Nor does a word at the end of a rule fire where
a hyphen ties it to the next one: "co-founded" does not say `founded`. Other entities between the two are words like all
others.
"""

from collections import defaultdict
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.attrs import LEMMA, LOWER, ORTH
from spacy.strings import get_string_id
from spacy.tokens import Doc

from ..instances.pairs import Pairs
from .rule_patterns import SUBJECT, Part
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
        self._runs: Dict[bytes, List[_Entry]] = defaultdict(list)
        self._open: List[_Entry] = []
        for number, rule in enumerate(self.rules):
            self._add(number, rule)
        self._sizes = sorted({len(run) for run in self._runs})
        # the longest text between two entities in which a rule with gaps can fire
        with_gaps = [*self._open, *(entry for entries in self._runs.values() for entry in entries)]
        self._longest = max((self._most(entry.between) for entry in with_gaps), default=-1)
        self._hyphens = {get_string_id(hyphen) for hyphen in HYPHENS}

    def match(self, pairs: Pairs) -> RuleMatches:
        """Find the rules that fire. Of pairs whose arguments share a token none does.

        pairs (Pairs): The pairs.
        RETURNS (RuleMatches): Rules whose words and types fit. Where pairs stand in both orders, none is read
            backwards: the rule fires at the pair in the other order.
        """
        found: List[Tuple[int, int, bool]] = []
        attribute, last, raw = FORMS[self.form], -1, b""
        columns = (pairs.doc.tolist(), pairs.text.tolist(), pairs.subject.tolist(), pairs.object.tolist())
        for number, (doc, text, subject, obj) in enumerate(zip(*columns)):
            if doc != last:
                last, raw = doc, pairs.docs[doc].to_array([attribute]).astype("uint64").tobytes()
            forwards = subject < obj
            left, right = (subject, obj) if forwards else (obj, subject)
            if left[1] > right[0]:
                continue
            for entry in self._candidates(raw, left[1], right[0]):
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
        run = _longest_run(between)
        if None not in between:
            self._exact[_pack(between)].append(entry)
        elif run:
            self._runs[_pack(run)].append(entry)
        else:
            self._open.append(entry)

    def _ids(self, parts: Sequence[Part]) -> Ids:
        """Number the words as the tokens of texts are numbered."""
        lower = self.form == "lower"
        return tuple(None if part is None else get_string_id(part.lower() if lower else part) for part in parts)

    def _most(self, parts: Ids) -> int:
        """Most tokens that words and gaps stand for."""
        return len(parts) + parts.count(None) * (self.max_gap - 1)

    def _candidates(self, raw: bytes, start: int, end: int) -> Iterator[_Entry]:
        """Yield the rules whose words between the masks stand between two entities."""
        between = raw[start * _WIDTH : end * _WIDTH]
        if between in self._exact:
            yield from self._exact[between]
        if end - start > self._longest:
            return
        tokens = _unpack(between)
        seen = {entry.number: entry for entry in self._open}
        for size in self._sizes:
            for first in range(0, len(between) - size + 1, _WIDTH):
                for entry in self._runs.get(between[first : first + size], ()):
                    seen[entry.number] = entry
        for entry in seen.values():
            if len(tokens) in self._ends(entry.between, tokens):
                yield entry

    def _ends(self, parts: Ids, tokens: Sequence[int]) -> Set[int]:
        """How many tokens, from the first on, words and gaps may stand for."""
        ends = {0}
        for part in parts:
            if part is None:
                ends = {end + more for end in ends for more in range(self.max_gap + 1) if end + more <= len(tokens)}
            else:
                ends = {end + 1 for end in ends if end < len(tokens) and tokens[end] == part}
        return ends

    def _fits_outside(self, entry: _Entry, doc: Doc, raw: bytes, text: Sequence[int], start: int, end: int) -> bool:
        """Compare what a rule says before and after its masks; no word of it may go on behind a hyphen."""
        if entry.before:
            first = max(text[0], start - self._most(entry.before))
            tokens = _unpack(raw[first * _WIDTH : start * _WIDTH])[::-1]
            if not any(not self._is_tied(doc, start - n - 1, text) for n in self._ends(entry.before, tokens)):
                return False
        if entry.after:
            tokens = _unpack(raw[end * _WIDTH : min(text[1], end + self._most(entry.after)) * _WIDTH])
            return any(not self._is_tied(doc, end + n, text) for n in self._ends(entry.after, tokens))
        return True

    def _is_tied(self, doc: Doc, place: int, text: Sequence[int]) -> bool:
        """Say whether a hyphen without spaces stands at a place beside a rule's last word."""
        if not text[0] <= place < text[1] or doc[place].orth not in self._hyphens:
            return False
        return not doc[place].whitespace_ and (place == text[0] or not doc[place - 1].whitespace_)


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
