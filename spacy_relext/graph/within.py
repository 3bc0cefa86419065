"""Matching of mentions inside a document: rules for the same entity, from the surest to the least sure."""

import re
from typing import Collection, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..errors import require
from . import names
from .names import Tokens

# Minimum similarity of two spellings in one document, 0 to 1.
FUZZY_WITHIN = 0.9
# A name of fewer letters is too short to be compared letter by letter.
_LEAST_LETTERS = 6
# A beginning of words that more names of a document share does not make them candidates.
_MOST_NAMES = 300

# Rules in descending order of certainty, and their certainty. Those below 0.9 are used only on request.
SCORES = {
    "kb_id": 1.0,
    "coreference": 1.0,
    "exact": 1.0,
    "normalized": 0.99,
    "country": 0.98,
    "alias": 0.95,
    "acronym": 0.95,
    "person": 0.95,
    "last word": 0.9,
    "similar": 0.9,
    "first word": 0.8,
    "people": 0.8,
}
RULES = tuple(SCORES)
DEFAULT_RULES = tuple(rule for rule in RULES if rule not in ("first word", "people"))

_ALIAS = re.compile(
    r"\s*[,(]?\s*(?:(?!also called)also |better |formerly |previously |commonly |popularly |once |now |originally )*"
    r"(?:known (?:as|by)|also called|aka|a\.k\.a\.|abbreviated(?: as| to)?|nicknamed|renamed(?: to| as)?|or simply|"
    r"short for|stage name|pen name)\s*[:,]?\s*(?:the |its |his |her )?[\"“'’(]*\s*",
    re.IGNORECASE,
)
_OPENING = re.compile(r"\s*\(\s*[\"“'’]?\s*")


class Mention(NamedTuple):
    """A name in a document.

    start, end (int): Characters.
    text (str): The name.
    label (Optional[str]): Entity type.
    kb_id (Optional[str]): Id in a knowledge base.
    """

    start: int
    end: int
    text: str
    label: Optional[str] = None
    kb_id: Optional[str] = None


class Link(NamedTuple):
    """Why two mentions are the same entity: their positions, the rule and how sure it is."""

    kept: int
    merged: int
    reason: str
    score: float


class Grouping(NamedTuple):
    """The entities of a document.

    groups (List[int]): Number of the entity of each mention, from 0 in the order of the text.
    links (List[Link]): Why: a link for each name that was joined with another one, none for repetitions of a name.
    """

    groups: List[int]
    links: List[Link]


class _Name(NamedTuple):
    """A spelling with its type."""

    text: str
    label: Optional[str]
    kb_id: Optional[str]
    first: int  # position of its first mention
    tokens: Tokens


def group_mentions(
    mentions: Sequence[Mention],
    *,
    text: str = "",
    apart: Collection[Tuple[int, int]] = (),
    chains: Sequence[Sequence[int]] = (),
    rules: Collection[str] = DEFAULT_RULES,
) -> Grouping:
    """Group the mentions of a document by the entity that they name.

    Mentions with different ids of a knowledge base stay apart; one without a type may join any type, if only one fits.

    mentions (Sequence[Mention]): In the order of the text.
    text (str): The document, for phrases such as "also known as"; "" if it is unknown.
    apart (Collection[Tuple[int, int]]): Positions of mentions that are different entities unless their names are equal,
        such as subject and object of a triple.
    chains (Sequence[Sequence[int]]): Positions of mentions that coreference joins.
    rules (Collection[str]): Those of RULES that are used.
    """
    forest = _Forest(mentions, apart)
    for same in _same_ids(mentions) if "kb_id" in rules else ():
        forest.join_all(same, "kb_id")
    for chain in chains if "coreference" in rules else ():
        forest.join_all(chain, "coreference")
    spellings = _spell(mentions, forest)
    _join_equal(spellings, forest, [rule for rule in ("exact", "normalized") if rule in rules])
    for peoples in (False, True):
        if ("people" if peoples else "country") in rules:
            _join_countries(spellings, forest, peoples=peoples)
    for first, second in _aliases(mentions, text) if "alias" in rules else ():
        forest.join(first, second, "alias")
    if "acronym" in rules:
        _join_acronyms(spellings, forest)
    _join_short(spellings, forest, rules)
    if "similar" in rules:
        _join_similar(spellings, forest)
    return Grouping(forest.numbers(), forest.links)


class _Forest:
    """Disjoint sets of mentions, which keep apart what must not be joined."""

    def __init__(self, mentions: Sequence[Mention], apart: Collection[Tuple[int, int]]) -> None:
        self.parents = list(range(len(mentions)))
        self.links: List[Link] = []
        self._ids: List[Optional[str]] = [mention.kb_id for mention in mentions]
        self._apart: List[Set[int]] = [set() for _ in mentions]
        for one, other in apart:
            self._apart[one].add(other)
            self._apart[other].add(one)

    def root(self, position: int) -> int:
        """Find the first mention of a set."""
        while self.parents[position] != position:
            self.parents[position] = position = self.parents[self.parents[position]]
        return position

    def join_all(self, positions: Sequence[int], reason: str) -> None:
        """Join mentions with the first one."""
        for position in positions[1:]:
            self.join(positions[0], position, reason)

    def join(self, one: int, other: int, reason: str, score: Optional[float] = None) -> None:
        """Join the sets of two mentions, unless they are one already or something keeps them apart."""
        first, second = sorted((self.root(one), self.root(other)))
        if first == second or not self.may_join(first, second, sure=reason in ("exact", "kb_id")):
            return
        self.parents[second] = first
        self._ids[first] = self._ids[first] or self._ids[second]
        self._apart[first] |= self._apart[second]
        if reason != "exact":
            self.links.append(Link(one, other, reason, SCORES[reason] if score is None else score))

    def may_join(self, first: int, second: int, *, sure: bool = False) -> bool:
        """Return True unless ids differ, or mentions are known to be different entities."""
        first, second = self.root(first), self.root(second)
        ids = {self._ids[first], self._ids[second]} - {None}
        if len(ids) > 1:
            return False
        return sure or all(self.root(each) != second for each in self._apart[first])

    def numbers(self) -> List[int]:
        """Number the sets from 0, in the order of their first mentions."""
        known: Dict[int, int] = {}
        return [known.setdefault(self.root(position), len(known)) for position in range(len(self.parents))]


def _same_ids(mentions: Sequence[Mention]) -> List[List[int]]:
    """List the positions of mentions with the same id."""
    same: Dict[str, List[int]] = {}
    for position, mention in enumerate(mentions):
        if mention.kb_id:
            same.setdefault(mention.kb_id, []).append(position)
    return list(same.values())


def _spell(mentions: Sequence[Mention], forest: _Forest) -> List[_Name]:
    """List the different spellings, and join the mentions of each; pronouns are left out."""
    spellings: Dict[Tuple[str, Optional[str], Optional[str]], _Name] = {}
    for position, (_, _, text, label, kb_id) in enumerate(mentions):
        if names.is_pronoun(text):
            continue
        key = (text, label, kb_id)
        if key in spellings:
            forest.join(spellings[key].first, position, "exact")
        else:
            spellings[key] = _Name(text, label, kb_id, position, names.name_tokens(text, label))
    return list(spellings.values())


def _join_equal(spellings: Sequence[_Name], forest: _Forest, rules: Sequence[str]) -> None:
    """Join names with the same normal form and type; those without a type then join the only one that fits."""
    for reason in rules:
        groups: Dict[str, Dict[Optional[str], List[_Name]]] = {}
        for name in spellings:
            form = name.text if reason == "exact" else names.normalize_name(name.text, name.label)
            groups.setdefault(form, {}).setdefault(name.label, []).append(name)
        for by_label in groups.values():
            for same in by_label.values():
                _join_compatible(same, forest, reason)
            untyped = by_label.get(None, [])
            if untyped and len(by_label) == 2:
                (label,) = by_label.keys() - {None}
                _join_compatible([*by_label[label], *untyped], forest, reason)


def _join_compatible(same: Sequence[_Name], forest: _Forest, reason: str) -> None:
    """Join names if they have at most one id among them; if they have several, join only those without an id."""
    ids = {name.kb_id for name in same if name.kb_id}
    if len(ids) < 2:
        forest.join_all(sorted(name.first for name in same), reason)
    else:  # equal ids are joined already
        forest.join_all([name.first for name in same if name.kb_id is None], reason)


def _aliases(mentions: Sequence[Mention], text: str) -> Iterator[Tuple[int, int]]:
    """Yield mentions of the same type that a phrase such as "also known as" joins, or an acronym in parentheses."""
    for position in range(len(mentions) - 1):
        one, other = mentions[position], mentions[position + 1]
        between = text[one.end : other.start]
        if one.label != other.label or names.is_value(one.label) or len(between) > 60:
            continue
        if names.is_pronoun(one.text) or names.is_pronoun(other.text):
            continue
        if _ALIAS.fullmatch(between):
            yield position, position + 1
        elif _OPENING.fullmatch(between) and text[other.end : other.end + 3].lstrip(" \"”'’")[:1] in (")", ",", ";"):
            if names.acronym_of(other.text) and " " in one.text and not names.is_place(one.label):
                yield position, position + 1


def _join_countries(spellings: Sequence[_Name], forest: _Forest, *, peoples: bool) -> None:
    """Join different names of a country, and those of its people."""
    groups: Dict[Tuple[str, Optional[str]], List[_Name]] = {}
    for name in spellings:
        country = names.country_of(name.text, peoples=peoples) if names.is_place(name.label) else ""
        if country:
            groups.setdefault((country, name.label), []).append(name)
    for same in groups.values():
        _join_compatible(same, forest, "people" if peoples else "country")


def _join_acronyms(spellings: Sequence[_Name], forest: _Forest) -> None:
    """Join acronyms with the only name that has these initials; spaced ones first, since they have initials too."""
    long_forms: Dict[Tuple[str, Optional[str]], List[_Name]] = {}
    for name in spellings:
        if not names.is_value(name.label) and not names.is_person(name.label):
            for initials in names.initials_of(name.text):
                long_forms.setdefault((initials, name.label), []).append(name)
    for name in sorted(spellings, key=lambda each: -len(each.tokens)):
        acronym = names.acronym_of(name.text)
        if acronym:
            longer = [each for each in long_forms.get((acronym, name.label), ()) if each is not name]
            _join_only(name, longer, forest, "acronym")


def _join_short(spellings: Sequence[_Name], forest: _Forest, rules: Collection[str]) -> None:
    """Join short names of persons and organizations with the only full name before them that has their words."""
    having: Dict[str, List[_Name]] = {}
    for name in spellings:
        for word in {*name.tokens, *(token[0] for token in name.tokens)}:
            having.setdefault(word, []).append(name)
    for name in sorted(spellings, key=lambda each: (-len(each.tokens), each.first)):
        longer = [each for each in having.get(name.tokens[-1], ()) if each.label == name.label]
        if "person" in rules and (names.is_person(name.label) or name.label is None):
            is_short = names.may_be_surname if name.label is None else names.is_short_person
            parts = [each for each in longer if is_short(name.tokens, each.tokens)]
            _join_only(name, parts, forest, "person")
        for rule in ("last word", "first word") if names.is_organization(name.label) else ():
            is_first = rule == "first word"
            parts = [e for e in longer if names.is_short_organization(name.text, name.tokens, e.tokens, first=is_first)]
            _join_only(name, parts if rule in rules else (), forest, rule)


def _join_only(name: _Name, longer: Sequence[_Name], forest: _Forest, reason: str) -> None:
    """Join a short name with longer ones if these are one entity; one must precede it, except for acronyms."""
    possible = [each for each in longer if forest.may_join(each.first, name.first)]
    if len({forest.root(each.first) for each in possible}) != 1:
        return
    first = possible[0].first  # spellings are in the order of the text
    if first < name.first or reason == "acronym":
        forest.join(first, name.first, reason)


def _join_similar(spellings: Sequence[_Name], forest: _Forest) -> None:
    """Join names of the same type that share a word or its beginning and are spelt nearly alike."""
    fuzz = require("rapidfuzz.fuzz", purpose="similar names", extra="export")
    blocks: Dict[Tuple[str, Optional[str]], List[_Name]] = {}
    for name in spellings:
        if not names.is_value(name.label) and sum(map(len, name.tokens)) >= _LEAST_LETTERS:
            for word in dict.fromkeys(token[:3] for token in name.tokens if len(token) > 2):
                blocks.setdefault((word, name.label), []).append(name)
    for block in blocks.values():
        for at, name in enumerate(block if len(block) <= _MOST_NAMES else ()):
            for other in block[at + 1 :]:
                one, two = (names.normalize_name(each.text, each.label) for each in (name, other))
                score = fuzz.ratio(one, two, score_cutoff=100 * FUZZY_WITHIN) / 100
                if score and one != two and names.is_variant(tuple(one.split()), tuple(two.split())):
                    forest.join(name.first, other.first, "similar", score)
