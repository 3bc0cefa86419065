"""Matching of mentions inside a document: rules for the same entity, from the most to the least certain."""

import re
from collections import Counter
from typing import Callable, Collection, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..errors import require
from . import names
from .disjoint_sets import Forest, Link
from .names import ORGANIZATION, PERSON, PLACE, VALUE, Name, parse_name
from .triple import CharSpan

# Minimum similarity of two spellings in one document, 0 to 1.
FUZZY_WITHIN = 0.9
# A name of fewer letters is too short to be compared letter by letter.
_MIN_LETTERS = 6
# A beginning of words that more names of a document share does not make them candidates.
_MAX_NAMES = 300

# Rules in descending order of certainty, and their certainty.
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
    "type": 0.8,
}
RULES = tuple(SCORES)
# Certainty of a surname that several persons have.
_OF_SEVERAL = 0.8
DEFAULT_RULES = tuple(rule for rule in RULES if rule not in ("people", "type"))

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

    @property
    def span(self) -> CharSpan:
        """RETURNS (CharSpan): Its characters."""
        return self.start, self.end

    @property
    def name(self) -> Name:
        """RETURNS (Name): The name, parsed once however often a corpus has it."""
        return parse_name(self.text, self.label)


class Grouping(NamedTuple):
    """The entities of a document.

    groups (List[int]): Number of the entity of each mention, from 0 in the order of the text.
    links (List[Link]): Why: a link for each name that was joined with another one, none for repetitions of a name.
    """

    groups: List[int]
    links: List[Link]


class _Spelling(NamedTuple):
    """A name with its type and id, and the position of its first mention."""

    name: Name
    kb_id: Optional[str]
    first: int


# Spellings in the order of the text.
_Spellings = Sequence[_Spelling]


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
    forest = Forest([mention.kb_id for mention in mentions], apart=apart)
    for same in _same_ids(mentions) if "kb_id" in rules else ():
        _join_all(same, forest, "kb_id")
    for chain in chains if "coreference" in rules else ():
        _join_all(chain, forest, "coreference")
    spellings = _spell(mentions, forest)
    for rule, form_of in _EQUAL_FORMS.items():
        if rule in rules:
            _join_equal(spellings, forest, rule, form_of)
    for rule in ("country", "people"):
        if rule in rules:
            _join_countries(spellings, forest, rule)
    if "type" in rules:
        _join_types(spellings, Counter(mention[2:] for mention in mentions), forest)
    for first, second in _aliases(mentions, text) if "alias" in rules else ():
        forest.join(first, second, "alias", SCORES["alias"])
    if "acronym" in rules:
        _join_acronyms(spellings, forest)
    _join_short(spellings, forest, rules)
    if "similar" in rules:
        _join_similar(spellings, forest)
    known: Dict[int, int] = {}
    groups = [known.setdefault(root, len(known)) for root in forest.roots()]
    return Grouping(groups, [link for link in forest.links if link.reason != "exact"])


_EQUAL_FORMS: Dict[str, Callable[[Name], str]] = {
    "exact": lambda name: name.text,
    "normalized": lambda name: name.normal,
}


def _join_all(positions: Sequence[int], forest: Forest, reason: str) -> None:
    for position in positions[1:]:
        forest.join(positions[0], position, reason, SCORES[reason])


def _same_ids(mentions: Sequence[Mention]) -> List[List[int]]:
    same: Dict[str, List[int]] = {}
    for position, mention in enumerate(mentions):
        if mention.kb_id:
            same.setdefault(mention.kb_id, []).append(position)
    return list(same.values())


def _spell(mentions: Sequence[Mention], forest: Forest) -> List[_Spelling]:
    """List the different spellings, and join the mentions of each; pronouns are left out."""
    spellings: Dict[Tuple[str, Optional[str], Optional[str]], _Spelling] = {}
    for position, mention in enumerate(mentions):
        known = spellings.get(mention[2:])
        if known is not None:
            forest.join(known.first, position, "exact", SCORES["exact"])
        elif not mention.name.is_pronoun:
            spellings[mention[2:]] = _Spelling(mention.name, mention.kb_id, position)
    return list(spellings.values())


def _join_equal(spellings: _Spellings, forest: Forest, rule: str, form_of: Callable[[Name], str]) -> None:
    """Join names with the same form and type; those without a type then join the only one that fits."""
    groups: Dict[str, Dict[Optional[str], List[_Spelling]]] = {}
    for each in spellings:
        groups.setdefault(form_of(each.name), {}).setdefault(each.name.label, []).append(each)
    for by_label in groups.values():
        for same in by_label.values():
            _join_compatible(same, forest, rule)
        untyped = by_label.get(None, [])
        if untyped and len(by_label) == 2:
            (label,) = by_label.keys() - {None}
            _join_compatible([*by_label[label], *untyped], forest, rule)


def _join_types(spellings: _Spellings, counts: Mapping[Tuple[Optional[str], ...], int], forest: Forest) -> None:
    """Join equal names of different types with the names of the most frequent type.

    A person and a place may have one name in a document; values are no names.
    """
    groups: Dict[str, List[_Spelling]] = {}
    for each in spellings:
        if each.name.label is not None and each.name.kind != VALUE:
            groups.setdefault(each.name.folded, []).append(each)
    for same in groups.values():
        labels = Counter[Optional[str]]()
        for each in same:
            labels[each.name.label] += counts[each.name.text, each.name.label, each.kb_id]
        (label, _), *others = labels.most_common()
        main = next(each for each in same if each.name.label == label)
        for each in same if others else ():
            if each.name.label != label and {each.name.kind, main.name.kind} != {PERSON, PLACE}:
                forest.join(main.first, each.first, "type", SCORES["type"])


def _join_compatible(same: _Spellings, forest: Forest, reason: str) -> None:
    """Join names if they have at most one id among them; if they have several, join only those without an id."""
    ids = {each.kb_id for each in same if each.kb_id}
    if len(ids) < 2:
        _join_all(sorted(each.first for each in same), forest, reason)
    else:  # equal ids are joined already
        _join_all([each.first for each in same if each.kb_id is None], forest, reason)


def _aliases(mentions: Sequence[Mention], text: str) -> Iterator[Tuple[int, int]]:
    """Yield mentions of the same type that a phrase such as "also known as" joins, or an acronym in parentheses."""
    for position in range(len(mentions) - 1):
        one, other = mentions[position], mentions[position + 1]
        between = text[one.end : other.start]
        if one.label != other.label or len(between) > 60 or one.name.kind == VALUE:
            continue
        if one.name.is_pronoun or other.name.is_pronoun:
            continue
        if _ALIAS.fullmatch(between):
            yield position, position + 1
        elif _OPENING.fullmatch(between) and text[other.end : other.end + 3].lstrip(" \"”'’")[:1] in (")", ",", ";"):
            if other.name.acronym and " " in one.text and one.name.kind != PLACE:
                yield position, position + 1


def _join_countries(spellings: _Spellings, forest: Forest, rule: str) -> None:
    """Join different names of a country, and those of its people."""
    groups: Dict[Tuple[str, Optional[str]], List[_Spelling]] = {}
    for each in spellings:
        is_place = each.name.kind == PLACE
        country = names.country_of(each.name.folded, peoples=rule == "people") if is_place else ""
        if country:
            groups.setdefault((country, each.name.label), []).append(each)
    for same in groups.values():
        _join_compatible(same, forest, rule)


def _join_acronyms(spellings: _Spellings, forest: Forest) -> None:
    """Join acronyms with the only name that has these initials; spaced ones first, since they have initials too."""
    long_forms: Dict[Tuple[str, Optional[str]], List[_Spelling]] = {}
    for each in spellings:
        for initials in each.name.initials:
            long_forms.setdefault((initials, each.name.label), []).append(each)
    for each in sorted(spellings, key=lambda each: -len(each.name.tokens)):
        if each.name.acronym:
            longer = long_forms.get((each.name.acronym, each.name.label), ())
            _join_only(each, [other for other in longer if other is not each], forest, "acronym")


def _join_short(spellings: _Spellings, forest: Forest, rules: Collection[str]) -> None:
    """Join short names of persons and organizations with the full name before them that has their words."""
    having: Dict[str, List[_Spelling]] = {}
    for each in spellings:
        for word in {*each.name.tokens, *(token[0] for token in each.name.tokens)}:
            having.setdefault(word, []).append(each)
    for each in sorted(spellings, key=lambda each: (-len(each.name.tokens), each.first)):
        name = each.name
        longer = [other for other in having.get(name.tokens[-1], ()) if other.name.label == name.label]
        if "person" in rules and (name.kind == PERSON or name.label is None):
            is_short = names.may_be_surname if name.label is None else names.is_short_person
            known = [other for other in longer if is_short(name, other.name)]
            _join_only(each, known, forest, "person", is_ambiguous=name.label is not None)
        for rule in ("last word", "first word"):
            if rule in rules and (name.kind == ORGANIZATION or name.label is None and rule == "first word"):
                is_first = rule == "first word"
                parts = [e for e in longer if names.is_short_organization(name, e.name, first=is_first)]
                _join_only(each, parts, forest, rule)


def _join_only(
    short: _Spelling, longer: _Spellings, forest: Forest, reason: str, *, is_ambiguous: bool = False
) -> None:
    """Join a short name with the longer ones before it, or for acronyms anywhere, if these are one entity.

    is_ambiguous (bool): If they are several, join it with the first: a text that introduces Ada and Bo Holm, and then
        says Holm, is about Ada in seven cases of eight (DocRED).
    """
    before = [each for each in longer if each.first < short.first or reason == "acronym"]
    possible = [each for each in before if forest.may_join(each.first, short.first)]
    is_one = len({forest.root(each.first) for each in possible}) == 1
    if is_one or (possible and is_ambiguous):
        first = min(each.first for each in possible)
        forest.join(first, short.first, reason, SCORES[reason] if is_one else _OF_SEVERAL)


def _join_similar(spellings: _Spellings, forest: Forest) -> None:
    """Join names of the same type that share a word or its beginning and are spelt nearly alike."""
    fuzz = require("rapidfuzz.fuzz", purpose="similar names", extra="export")
    blocks: Dict[Tuple[str, Optional[str]], List[_Spelling]] = {}
    for each in spellings:
        if each.name.kind != VALUE and sum(map(len, each.name.tokens)) >= _MIN_LETTERS:
            for word in dict.fromkeys(token[:3] for token in each.name.tokens if len(token) > 2):
                blocks.setdefault((word, each.name.label), []).append(each)
    for block in blocks.values():
        for at, each in enumerate(block if len(block) <= _MAX_NAMES else ()):
            for other in block[at + 1 :]:
                one, two = each.name.normal, other.name.normal
                score = fuzz.ratio(one, two, score_cutoff=100 * FUZZY_WITHIN) / 100
                if score and one != two and names.is_variant(one, two):
                    forest.join(each.first, other.first, "similar", score)
