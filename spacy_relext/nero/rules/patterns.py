"""Patterns of labelling rules: tokens around the masks of two entities.

    SUBJ-ORG was founded by OBJ-PERSON
    SUBJ-GPE|LOC , the * capital of OBJ-*

The masks `SUBJ-` and `OBJ-` stand for the entities, in either order, followed by a type, several types, or any (`*`).
Characters of a type other than letters, digits, `_` and inner `-./:&+@` are percent-encoded (`SUBJ-work%20of%20art`);
characters next to a mask without a space are a separate word. `*` alone is a gap of 0 to `max_gap` tokens, and `\\*` is
a literal asterisk. Everything else is a token of the text.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020, whose
rule files have neither sets of types nor gaps.
"""

import re
from dataclasses import dataclass, replace
from typing import Callable, FrozenSet, List, Optional, Sequence, Tuple
from urllib.parse import unquote

GAP = ANY = "*"
SUBJECT, OBJECT = 1, 2

# In a mask, the type of an entity without a type.
UNTYPED = "O"

_ROLES = {"SUBJ": SUBJECT, "OBJ": OBJECT}
_NAMES = {role: name for name, role in _ROLES.items()}

_TYPES = r"[\w*|%]+(?:[-./:&+@]+[\w*|%]+)*"
_MASK = re.compile(rf"(.*?)\b(SUBJ|OBJ)-({_TYPES})(.*)")
_NOT_IN_TYPES = re.compile(r"^\W+|\W+$|[^\w./:&+@-]")

# Penn Treebank tokens match the characters that they stand for.
TREEBANK = dict(zip("-LRB- -RRB- -LSB- -RSB- -LCB- -RCB- `` ''".split(), '()[]{}""'))

_ESCAPED = {"*": "\\*"}
_UNESCAPED = {"\\*": "*"}

Tokenize = Callable[[str], Sequence[str]]
Part = Optional[str]  # a token, or None for a gap


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern: tokens and gaps before, between and after the masks, and the allowed types of both."""

    first: int  # role of the left mask: `SUBJECT` or `OBJECT`
    before: Tuple[Part, ...]
    between: Tuple[Part, ...]
    after: Tuple[Part, ...]
    subject_types: Optional[FrozenSet[str]] = None  # None: any type, and entities without one
    object_types: Optional[FrozenSet[str]] = None

    @property
    def segments(self) -> Tuple[Tuple[Part, ...], ...]:
        """Return tokens and gaps before, between and after the masks."""
        return self.before, self.between, self.after

    @property
    def parts(self) -> Tuple[Part, ...]:
        """Return all tokens and gaps."""
        return (*self.before, *self.between, *self.after)

    @property
    def has_gap(self) -> bool:
        """Return True if the pattern has a gap."""
        return None in self.parts

    def types_of(self, role: int) -> Optional[FrozenSet[str]]:
        """Return the allowed types of a role; None: any type, and entities without one."""
        return self.subject_types if role == SUBJECT else self.object_types

    def swap_roles(self) -> "Pattern":
        """Return the same tokens around the same entities, with subject and object exchanged."""
        first = SUBJECT + OBJECT - self.first
        return replace(self, first=first, subject_types=self.object_types, object_types=self.subject_types)

    def lower(self) -> "Pattern":
        """Return the same pattern with lower-case tokens."""
        before, between, after = (tuple(part and part.lower() for part in segment) for segment in self.segments)
        return replace(self, before=before, between=between, after=after)

    def allows(self, subject: str, obj: str) -> bool:
        """Return True if the masks allow two entity types, "" for none."""
        return (self.subject_types is None or (subject or UNTYPED) in self.subject_types) and (
            self.object_types is None or (obj or UNTYPED) in self.object_types
        )

    def __str__(self) -> str:
        second = SUBJECT + OBJECT - self.first
        words = [[GAP if each is None else _ESCAPED.get(each, each) for each in part] for part in self.segments]
        return " ".join([*words[0], self._mask(self.first), *words[1], self._mask(second), *words[2]])

    def _mask(self, role: int) -> str:
        types = self.types_of(role)
        return f"{_NAMES[role]}-{ANY if types is None else '|'.join(map(_encode_type, sorted(types)))}"


def parse_pattern(text: str, *, tokenize: Optional[Tokenize] = None) -> Pattern:
    """Parse a pattern.

    text (str): Tokens and masks, separated by spaces.
    tokenize (Optional[Tokenize]): Tokenizer of the texts; None: words are tokens.
    RAISES (ValueError): If it does not have exactly one mask of each role.
    """
    parts: Tuple[List[Part], List[Part], List[Part]] = ([], [], [])
    roles: List[int] = []
    types: List[Optional[FrozenSet[str]]] = []
    for word in text.split():
        mask = _MASK.fullmatch(word)
        if word == GAP:
            if parts[len(roles)][-1:] != [None]:  # adjacent gaps are one
                parts[len(roles)].append(None)
            continue
        if mask is None:
            parts[len(roles)].extend(_split(word, tokenize))
            continue
        parts[len(roles)].extend(_split(mask[1], tokenize))
        roles.append(_ROLES[mask[2]])
        types.append(_parse_types(mask[3]))
        if len(roles) > 2:
            break
        parts[len(roles)].extend(_split(mask[4], tokenize))
    if sorted(roles) != [SUBJECT, OBJECT]:
        masks = ", ".join(_NAMES[role] for role in roles) or "none"
        raise ValueError(f"masks: {masks}; expected one SUBJ-TYPE and one OBJ-TYPE")
    before, between, after = parts
    # a gap at either end would match anything
    before, after = before[before[:1] == [None] :], after[: len(after) - (after[-1:] == [None])]
    subject_types, object_types = types if roles[0] == SUBJECT else reversed(types)
    return Pattern(roles[0], tuple(before), tuple(between), tuple(after), subject_types, object_types)


def _split(word: str, tokenize: Optional[Tokenize]) -> Sequence[str]:
    """Tokenize a word of a pattern."""
    word = _UNESCAPED.get(word, TREEBANK.get(word, word))
    return [word] * bool(word) if tokenize is None else tokenize(word)


def _parse_types(text: str) -> Optional[FrozenSet[str]]:
    """Parse the types of a mask; None: any type."""
    kinds = frozenset(kind for kind in text.split("|") if kind)
    return None if ANY in kinds or not kinds else frozenset(map(unquote, kinds))


def _encode_type(kind: str) -> str:
    """Percent-encode a type."""
    return _NOT_IN_TYPES.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), kind)
