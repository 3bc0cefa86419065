"""Patterns of labelling rules: tokens around the masks of two entities.

    SUBJ-ORG was founded by OBJ-PERSON
    SUBJ-GPE|LOC , the * capital of OBJ-*

`SUBJ-` and `OBJ-` stand for the entities, in either order, with a type, several types, or any type (`*`) behind them.
In a type, characters other than letters, digits and `_` are written as in URLs (`SUBJ-work%20of%20art`), but for one of
`-./:&+@` inside of it; what stands behind a type or before a mask without a space is a word of its own.
`*` alone stands for 0 to g tokens, where gaps are allowed; `\\*` is the character. All else are tokens of the text.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020, whose
rule files know neither sets of types nor gaps.
"""

import re
from dataclasses import dataclass, replace
from typing import Callable, FrozenSet, List, Optional, Sequence, Tuple
from urllib.parse import unquote

GAP = "*"

ANY = "*"

SUBJECT, OBJECT = 1, 2

# How a rule names an entity without a type.
UNTYPED = "O"

_ROLES = {"SUBJ": SUBJECT, "OBJ": OBJECT}

_NAMES = {role: name for name, role in _ROLES.items()}

_TYPES = r"[\w*|%]+(?:[-./:&+@]+[\w*|%]+)*"

_MASK = re.compile(rf"(.*?)\b(SUBJ|OBJ)-({_TYPES})(.*)")

_NOT_IN_TYPES = re.compile(r"^\W+|\W+$|[^\w./:&+@-]")

# The Penn Treebank writes brackets and quotes as words. Rules and texts are compared without regard to that.
TREEBANK = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}

_ESCAPED = {"*": "\\*"}

_UNESCAPED = {"\\*": "*"}

Tokenize = Callable[[str], Sequence[str]]

# A word of the text, or None for a gap.
Part = Optional[str]


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern: what stands before, between and after the masks.

    first (int): Role of the left mask: `SUBJECT` or `OBJECT`.
    before (Tuple[Optional[str], ...]): Words before the left mask; None is a gap.
    between (Tuple[Optional[str], ...]): Words between both.
    after (Tuple[Optional[str], ...]): Words after the right mask.
    subject_types (Optional[FrozenSet[str]]): Types that the subject may have; None: any, or none.
    object_types (Optional[FrozenSet[str]]): Those of the object.
    """

    first: int
    before: Tuple[Part, ...]
    between: Tuple[Part, ...]
    after: Tuple[Part, ...]
    subject_types: Optional[FrozenSet[str]] = None
    object_types: Optional[FrozenSet[str]] = None

    @property
    def parts(self) -> Tuple[Part, ...]:
        """RETURNS (Tuple[Optional[str], ...]): Words and gaps without the masks."""
        return (*self.before, *self.between, *self.after)

    @property
    def has_gap(self) -> bool:
        """RETURNS (bool): Whether there is a gap anywhere."""
        return None in self.parts

    def types_of(self, role: int) -> Optional[FrozenSet[str]]:
        """RETURNS (Optional[FrozenSet[str]]): The types that one of the masks allows."""
        return self.subject_types if role == SUBJECT else self.object_types

    def turned(self) -> "Pattern":
        """RETURNS (Pattern): The same words around the same entities, with the masks' roles exchanged."""
        first, kinds = SUBJECT + OBJECT - self.first, (self.object_types, self.subject_types)
        return replace(self, first=first, subject_types=kinds[0], object_types=kinds[1])

    def lower(self) -> "Pattern":
        """RETURNS (Pattern): The same with all words in lower case."""
        before, between, after = (tuple(part and part.lower() for part in segment) for segment in self._segments)
        return replace(self, before=before, between=between, after=after)

    def allows(self, subject: str, obj: str) -> bool:
        """Say whether two entity types fit the masks.

        subject (str): Type of the subject, "" for none.
        obj (str): Type of the object.
        RETURNS (bool): Whether both fit.
        """
        return (self.subject_types is None or (subject or UNTYPED) in self.subject_types) and (
            self.object_types is None or (obj or UNTYPED) in self.object_types
        )

    def __str__(self) -> str:
        second = SUBJECT + OBJECT - self.first
        words = [[GAP if each is None else _ESCAPED.get(each, each) for each in part] for part in self._segments]
        return " ".join([*words[0], self._mask(self.first), *words[1], self._mask(second), *words[2]])

    @property
    def _segments(self) -> Tuple[Tuple[Part, ...], ...]:
        return self.before, self.between, self.after

    def _mask(self, role: int) -> str:
        types = self.types_of(role)
        return f"{_NAMES[role]}-{ANY if types is None else '|'.join(map(_written, sorted(types)))}"


def parse_pattern(text: str, *, tokenize: Optional[Tokenize] = None, any_type: bool = False) -> Pattern:
    """Parse a pattern.

    text (str): Tokens with spaces between them.
    tokenize (Optional[Callable[[str], Sequence[str]]]): Splits each of its words as the texts will be split; None: they
        are tokens already.
    any_type (bool): Whether the types behind the masks are left out.
    RETURNS (Pattern): The pattern.
    RAISES (ValueError): Where it has not exactly one mask of each kind; the message says what was found.
    """
    parts: Tuple[List[Part], List[Part], List[Part]] = ([], [], [])
    roles: List[int] = []
    types: List[Optional[FrozenSet[str]]] = []
    for word in text.split():
        mask = _MASK.fullmatch(word)
        if word == GAP:
            if parts[len(roles)][-1:] != [None]:  # two gaps are one
                parts[len(roles)].append(None)
            continue
        if mask is None:
            parts[len(roles)].extend(_split(word, tokenize))
            continue
        parts[len(roles)].extend(_split(mask[1], tokenize))
        roles.append(_ROLES[mask[2]])
        types.append(None if any_type else _parse_types(mask[3]))
        if len(roles) > 2:
            break
        parts[len(roles)].extend(_split(mask[4], tokenize))
    if sorted(roles) != [SUBJECT, OBJECT]:
        found = ", ".join(_NAMES[role] for role in roles) or "none"
        raise ValueError(f"masks: {found}; expected one SUBJ-TYPE and one OBJ-TYPE")
    before, between, after = parts
    # at the ends a gap says nothing
    before, after = before[before[:1] == [None] :], after[: len(after) - (after[-1:] == [None])]
    found_types = dict(zip(roles, types))
    kinds = found_types[SUBJECT], found_types[OBJECT]
    return Pattern(roles[0], tuple(before), tuple(between), tuple(after), *kinds)


def _split(word: str, tokenize: Optional[Tokenize]) -> Sequence[str]:
    """Split what stands between two spaces into tokens."""
    word = _UNESCAPED.get(word, TREEBANK.get(word, word))
    return [word] * bool(word) if tokenize is None else tokenize(word)


def _parse_types(text: str) -> Optional[FrozenSet[str]]:
    """Read the types behind a mask."""
    kinds = frozenset(kind for kind in text.split("|") if kind)
    return None if ANY in kinds or not kinds else frozenset(map(unquote, kinds))


def _written(kind: str) -> str:
    """Write a type so that it can be read again."""
    return _NOT_IN_TYPES.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), kind)
