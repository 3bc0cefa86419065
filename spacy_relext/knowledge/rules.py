"""Labelling rules: what a person writes instead of labels.

    {"id": "founder", "relation": "founded_by", "pattern": "SUBJ-ORG was founded by OBJ-PERSON", "weight": 1.0}

One rule a line, `id` and `weight` optional; or the list of NERO's authors, `[["Cause-Effect(e1,e2)", "SUBJ-O caused
OBJ-O"], …]`, in which `(e2,e1)` turns the masks round and the type `O` is that of no named entity. A rule of the
relation `no_relation` says that two entities have none.

What is wrong with a file is found in one reading, each with its place: see `RuleProblem`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..corpora.sources import Item, read_json
from ..errors import Errors
from .rule_mining import read_patterns
from .rule_patterns import OBJECT, SUBJECT, UNTYPED, Pattern, Tokenize, parse_pattern

NO_RELATION = "no_relation"
_KEYS = {"id", "relation", "pattern", "weight"}
_DIRECTION = re.compile(r"(.+)\((e1,e2|e2,e1)\)")
_EXPECTED = 'an object with "relation" and "pattern", or a list of both'
_SHOWN = 10
TABLE = ".tsv"


@dataclass(frozen=True)
class Rule:
    """A pattern and the relation it states.

    id (str): Its name: that of the file, or its line's number.
    relation (str): From subject to object; `no_relation` for none.
    pattern (Pattern): The pattern.
    weight (float): How much its word counts beside that of others, above 0.
    """

    id: str
    relation: str
    pattern: Pattern
    weight: float = 1.0


class RuleProblem(NamedTuple):
    """Something about a rule that its author should know.

    where (str): File and line.
    message (str): What was found and what to do.
    fatal (bool): Whether the file cannot be used; else the rule is left out.
    """

    where: str
    message: str
    fatal: bool


class RuleFile(NamedTuple):
    """What was read.

    rules (List[Rule]): Those that can be used, in the file's order.
    problems (List[RuleProblem]): What was wrong with others.
    """

    rules: List[Rule]
    problems: List[RuleProblem]


def read_rules(
    path: Union[str, Path],
    *,
    max_gap: int = 0,
    tokenize: Optional[Tokenize] = None,
    any_type: bool = False,
    relations: Optional[Collection[str]] = None,
    types: Optional[Collection[str]] = None,
) -> RuleFile:
    """Read and check a file of rules.

    path (Union[str, Path]): JSON lines, a JSON list, or a table (.tsv) of patterns that a person has named, as
        `spacy relext rules mine` writes them; UTF-8.
    max_gap (int): Most tokens that `*` stands for; 0: there are no gaps.
    tokenize (Optional[Callable[[str], Sequence[str]]]): Splits words as the texts will be split.
    any_type (bool): Whether the types behind the masks are left out.
    relations (Optional[Collection[str]]): The relations there are; None: those of the rules.
    types (Optional[Collection[str]]): The entity types there are; None: any.
    RETURNS (RuleFile): Rules and problems.
    RAISES (ValueError): Where the file is no such file at all; what is wrong with a rule is a problem.
    """
    path = Path(path)
    reader = _Reader(max_gap=max_gap, tokenize=tokenize, any_type=any_type, relations=relations, types=types)
    try:
        items = read_patterns(path) if path.suffix == TABLE else read_json(path)
        for number, item in enumerate(items, start=1):
            reader.add(item, number)
    except OSError as error:
        raise ValueError(Errors.R216.format(path=str(path), reason=error.strerror or error)) from None
    if not reader.rules and not reader.problems:
        raise ValueError(Errors.R209.format(what=path, found="no rule", expected=_EXPECTED))
    return RuleFile(reader.rules, reader.problems)


def check_records(
    records: Sequence[Dict[str, Any]],
    *,
    where: str,
    max_gap: int = 0,
    tokenize: Optional[Tokenize] = None,
    any_type: bool = False,
) -> RuleFile:
    """Check rules that stand in a config or in code.

    records (Sequence[Dict[str, Any]]): As the lines of a file.
    where (str): What their places are called.
    max_gap, tokenize, any_type: As for `read_rules`.
    RETURNS (RuleFile): Rules and problems.
    """
    reader = _Reader(max_gap=max_gap, tokenize=tokenize, any_type=any_type, relations=None, types=None)
    for number, record in enumerate(records, start=1):
        reader.add(Item(where, number, record), number)
    return RuleFile(reader.rules, reader.problems)


def to_records(rules: Sequence[Rule]) -> List[Dict[str, Any]]:
    """Turn rules into plain values.

    rules (Sequence[Rule]): The rules.
    RETURNS (List[Dict[str, Any]]): As the lines of a file, every word of a pattern a token.
    """
    return [{"id": r.id, "relation": r.relation, "pattern": str(r.pattern), "weight": r.weight} for r in rules]


def from_records(records: Sequence[Dict[str, Any]]) -> List[Rule]:
    """Make rules of what `to_records` gave.

    records (Sequence[Dict[str, Any]]): Plain values.
    RETURNS (List[Rule]): The rules.
    """
    return [_parse_rule(record, number) for number, record in enumerate(records, start=1)]


def usable_rules(found: RuleFile, path: Union[str, Path]) -> List[Rule]:
    """Refuse a file with fatal problems.

    found (RuleFile): What was read.
    path (Union[str, Path]): The file, for the message.
    RETURNS (List[Rule]): Its rules.
    RAISES (ValueError): Where there are fatal problems, or no rule is left; the message lists the first ones.
    """
    bad = [problem for problem in found.problems if problem.fatal] or ([] if found.rules else found.problems)
    if bad:
        lines = [f"{problem.where}: {problem.message}" for problem in bad[:_SHOWN]]
        more = [f"and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
        raise ValueError(Errors.R500.format(path=str(path), count=len(bad), problems="; ".join([*lines, *more])))
    return found.rules


class _Reader:
    """Reads one rule after the other and remembers what it has seen."""

    def __init__(self, *, max_gap: int, relations: Any, types: Any, **options: Any) -> None:
        self.max_gap, self.options = max_gap, options
        self.relations = None if relations is None else {*relations, NO_RELATION}
        self.types = None if types is None else set(types)
        self.rules: List[Rule] = []
        self.problems: List[RuleProblem] = []
        self._bodies: Dict[Pattern, Tuple[str, str]] = {}
        self._ids: Dict[str, str] = {}

    def add(self, item: Item, number: int) -> None:
        """Read a rule, or note what is wrong with it."""
        try:
            if item.error:
                raise ValueError(item.error)
            rule = _parse_rule(item.value, number, **self.options)
            self._check(rule, item.where)
        except ValueError as error:
            self.problems.append(RuleProblem(item.where, str(error), True))
            return
        why = self._why_never(rule)
        if why:
            self.problems.append(RuleProblem(item.where, f"{rule.pattern} is left out: {why}", False))
        elif rule.pattern in self._bodies:
            what = self._conflict(rule) or f"the same as {self._bodies[rule.pattern][1]}"
            self.problems.append(RuleProblem(item.where, what, False))
        else:
            self._bodies[rule.pattern] = (rule.relation, item.where)
            self._ids[rule.id] = item.where
            self.rules.append(rule)

    def _check(self, rule: Rule, where: str) -> None:
        """Refuse what cannot be meant."""
        if self.relations is not None and rule.relation not in self.relations:
            raise ValueError(f"unknown relation {rule.relation!r}; expected one of {', '.join(sorted(self.relations))}")
        for role, name in ((SUBJECT, "SUBJ"), (OBJECT, "OBJ")):
            said = rule.pattern.types_of(role)
            foreign = [] if said is None or self.types is None else sorted(said - self.types - {UNTYPED})
            if foreign:
                known = ", ".join(sorted(self.types or ())) or "none"
                raise ValueError(f"unknown type {foreign[0]!r} of {name}; expected one of {known}, or *")
        if self._conflict(rule) and not self.options["any_type"]:
            raise ValueError(self._conflict(rule))
        if rule.id in self._ids and rule.pattern not in self._bodies:
            raise ValueError(f"the id {rule.id!r} is that of {self._ids[rule.id]} already")

    def _conflict(self, rule: Rule) -> str:
        """Say whether the same words have said another relation."""
        relation, earlier = self._bodies.get(rule.pattern, (rule.relation, ""))
        if relation == rule.relation:
            return ""
        return f"{rule.pattern} is {rule.relation!r} here and {relation!r} in {earlier}"

    def _why_never(self, rule: Rule) -> str:
        """Say why a rule fires nowhere, if that can be known without a text."""
        if rule.pattern.has_gap and not self.max_gap:
            return "a * stands for other tokens, and gaps are off (max_gap = 0); write \\* for the character"
        if self.options["any_type"] and not rule.pattern.parts:
            return "it has no words, and the types behind its masks are left out"
        return ""


def _parse_rule(value: Any, number: int, **options: Any) -> Rule:
    """Turn a raw value into a rule."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return _from_pair(value, number, **options)
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:60]!r}; expected {_EXPECTED}")
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; expected {', '.join(sorted(_KEYS))}")
    relation, pattern = (_text(value, key) for key in ("relation", "pattern"))
    name, weight = value.get("id", str(number)), value.get("weight", 1.0)
    if not isinstance(name, str) or not name:
        raise ValueError(f"id is {name!r}; expected a string")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < float("inf"):
        raise ValueError(f"weight is {weight!r}; expected a number above 0")
    return Rule(name, relation, parse_pattern(pattern, **options), float(weight))


def _from_pair(value: Sequence[str], number: int, **options: Any) -> Rule:
    """Read an entry of the authors' list."""
    label, body = value
    pattern = parse_pattern(body, **options)
    direction = _DIRECTION.fullmatch(label)
    if direction is not None:
        label = direction[1]
        if direction[2] == "e2,e1":
            pattern = pattern.turned()
    if not label.strip():
        raise ValueError(f"no relation before {body!r}")
    return Rule(str(number), label, pattern)


def _text(value: Dict[str, Any], key: str) -> str:
    """Take a string that says something."""
    found = value.get(key)
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{key} is {found!r}; expected {_EXPECTED}")
    return found
