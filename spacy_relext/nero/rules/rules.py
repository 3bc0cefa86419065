"""Labelling rules: what a person writes instead of labels.

    {"id": "founder", "relation": "founded_by", "pattern": "SUBJ-ORG was founded by OBJ-PERSON", "weight": 1.0}

One rule a line, `id` and `weight` optional; or the list of NERO's authors, `[["Cause-Effect(e1,e2)", "SUBJ-O caused
OBJ-O"], …]`, in which `(e2,e1)` turns the masks round and the type `O` is that of no named entity. A rule of the
relation `no_relation` says that two entities have none. A folder of such files is one source.

What is wrong with a file is found in one reading, each with its place: see `RuleProblem`.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Sequence, Union

from ...corpora.formats.sources import Item, read_json
from ...errors import Errors
from .mining import read_patterns
from .patterns import OBJECT, SUBJECT, UNTYPED, Pattern, Tokenize, parse_pattern

NO_RELATION = "no_relation"

_KEYS = {"id", "relation", "pattern", "weight"}

_DIRECTION = re.compile(r"(.+)\((e1,e2|e2,e1)\)")

_EXPECTED = 'an object with "relation" and "pattern", or a list of both'

SHOWN = 10

TABLE = ".tsv"

MOST_WEIGHT = 1e6

SUFFIXES = (".jsonl", ".json", TABLE)


@dataclass(frozen=True)
class Rule:
    """A pattern and the relation it states.

    id (str): Its name: that of the file, or its line's number.
    relation (str): From subject to object; `no_relation` for none.
    pattern (Pattern): The pattern.
    weight (float): How much its word counts beside that of others, above 0.
    where (str): File and line it was read from, "" for none. Not saved.
    """

    id: str
    relation: str
    pattern: Pattern
    weight: float = 1.0
    where: str = field(default="", compare=False)


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
    lower: bool = False,
    relations: Optional[Collection[str]] = None,
    types: Optional[Collection[str]] = None,
    known: Sequence[Rule] = (),
) -> RuleFile:
    """Read and check a file of rules.

    path (Union[str, Path]): JSON lines, a JSON list, or a table (.tsv) of patterns that a person has named, as
        `spacy relext rules mine` writes them; UTF-8. Or a folder of such files, read in the order of their names.
    max_gap (int): Most tokens that `*` stands for; 0: there are no gaps.
    tokenize (Optional[Callable[[str], Sequence[str]]]): Splits words as the texts will be split.
    any_type (bool): Whether the types behind the masks are left out.
    lower (bool): Whether words are the same in upper and in lower case.
    relations (Optional[Collection[str]]): The relations there are; None: those of the rules.
    types (Optional[Collection[str]]): The entity types there are; None: any.
    known (Sequence[Rule]): Rules that are there already: one with the same pattern is left out, or contradicts them.
    RETURNS (RuleFile): Rules and problems.
    RAISES (ValueError): Where the file is no such file at all; what is wrong with a rule is a problem.
    """
    path = Path(path)
    reader = _Reader(
        max_gap=max_gap,
        lower=lower,
        relations=relations,
        types=types,
        known=known,
        tokenize=tokenize,
        any_type=any_type,
    )
    try:
        for file in _files_of(path):
            prefix = f"{file.stem}:" if file != path else ""
            for item in read_patterns(file) if file.suffix == TABLE else read_json(file):
                reader.add(item, f"{prefix}{item.element or item.line}")
    except OSError as error:
        raise ValueError(Errors.R216.format(path=str(path), reason=error.strerror or error)) from None
    if not reader.rules and not reader.problems:
        found, expected = "no rule", _EXPECTED
        if path.suffix == TABLE:
            found, expected = "no line names a relation", "a name under `relation` or `reversed`"
        raise ValueError(Errors.R209.format(what=path, found=found, expected=expected))
    return RuleFile(reader.rules, reader.problems)


def check_records(
    records: Sequence[Dict[str, Any]],
    *,
    where: str,
    max_gap: int = 0,
    tokenize: Optional[Tokenize] = None,
    any_type: bool = False,
    lower: bool = False,
    relations: Optional[Collection[str]] = None,
    known: Sequence[Rule] = (),
) -> RuleFile:
    """Check rules that stand in a config or in code.

    records (Sequence[Dict[str, Any]]): As the lines of a file.
    where (str): What their places are called.
    max_gap, tokenize, any_type, lower, relations, known: As for `read_rules`.
    RETURNS (RuleFile): Rules and problems.
    """
    options: Dict[str, Any] = {"max_gap": max_gap, "lower": lower, "relations": relations, "known": known}
    reader = _Reader(types=None, tokenize=tokenize, any_type=any_type, **options)
    for number, record in enumerate(records, start=1):
        reader.add(Item(where, number, record), str(number))
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
    return [_parse_rule(record, str(number)) for number, record in enumerate(records, start=1)]


def usable_rules(found: RuleFile, path: Union[str, Path], *, needed: bool = True) -> List[Rule]:
    """Refuse a file with fatal problems.

    found (RuleFile): What was read.
    path (Union[str, Path]): The file, for the message.
    needed (bool): Whether there must be a rule that is not left out.
    RETURNS (List[Rule]): Its rules.
    RAISES (ValueError): Where there are fatal problems, or no rule is left; the message lists the first ones.
    """
    bad = [problem for problem in found.problems if problem.fatal]
    if needed and not found.rules:
        bad = bad or found.problems
    if bad:
        lines = [f"{problem.where}: {problem.message}" for problem in bad[:SHOWN]]
        more = [f"and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        raise ValueError(Errors.R500.format(path=str(path), count=len(bad), problems="; ".join([*lines, *more])))
    return found.rules


class _Reader:
    """Reads one rule after the other and remembers what it has seen."""

    def __init__(
        self, *, max_gap: int, lower: bool, relations: Any, types: Any, known: Sequence[Rule], **options: Any
    ) -> None:
        self.max_gap, self.lower, self.options = max_gap, lower, options
        self.relations = None if relations is None else {*relations, NO_RELATION}
        self.types = None if types is None else set(types)
        self.rules: List[Rule] = []
        self.problems: List[RuleProblem] = []
        self._ids: Dict[str, str] = {}
        self._bodies = {self._body(rule.pattern): (rule.relation, f"rule {rule.id!r}") for rule in known}

    def add(self, item: Item, name: str) -> None:
        """Read a rule, or note what is wrong with it.

        item (Item): The raw value.
        name (str): Its id, where it has none of its own; of two rules with the same one the second gets a number.
        """
        try:
            if item.error:
                raise ValueError(item.error)
            rule = replace(_parse_rule(item.value, name, **self.options), where=item.where)
            if not (isinstance(item.value, dict) and "id" in item.value):
                rule = replace(rule, id=free_name(name, self._ids))
            self._check(rule)
        except ValueError as error:
            self.problems.append(RuleProblem(item.where, str(error), True))
            return
        why, body = self._why_never(rule), self._body(rule.pattern)
        if why:
            self.problems.append(RuleProblem(item.where, f"{rule.pattern} is left out: {why}", False))
        elif body in self._bodies:
            what = self._conflict(rule) or f"the same as {self._bodies[body][1]}"
            self.problems.append(RuleProblem(item.where, what, False))
        else:
            self._bodies[body] = (rule.relation, item.where)
            self._ids[rule.id] = item.where
            self.rules.append(rule)

    def _body(self, pattern: Pattern) -> Pattern:
        """What two rules that fire at the same texts have in common."""
        return pattern.lower() if self.lower else pattern

    def _check(self, rule: Rule) -> None:
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
        if rule.id in self._ids and self._body(rule.pattern) not in self._bodies:
            raise ValueError(f"the id {rule.id!r} is that of {self._ids[rule.id]} already")

    def _conflict(self, rule: Rule) -> str:
        """Say whether the same words have said another relation."""
        relation, earlier = self._bodies.get(self._body(rule.pattern), (rule.relation, ""))
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


def free_name(name: str, taken: Collection[str]) -> str:
    """Find a name that nothing has.

    name (str): The name to begin with.
    taken (Collection[str]): Those that are taken.
    RETURNS (str): The name, with a number behind it where it is taken.
    """
    return next(each for each in chain([name], (f"{name}-{n}" for n in count(2))) if each not in taken)


def _files_of(path: Path) -> List[Path]:
    """List the files of a source."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    if not files:
        expected = f"files that end in {', '.join(SUFFIXES)}"
        raise ValueError(Errors.R209.format(what=path, found="a folder without rules", expected=expected))
    return files


def _parse_rule(value: Any, name: str, **options: Any) -> Rule:
    """Turn a raw value into a rule; `name` is its id where it has none."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return _from_pair(value, name, **options)
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:60]!r}; expected {_EXPECTED}")
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; expected {', '.join(sorted(_KEYS))}")
    relation, pattern = (_text(value, key) for key in ("relation", "pattern"))
    name, weight = value.get("id", name), value.get("weight", 1.0)
    if not isinstance(name, str) or not name:
        raise ValueError(f"id is {name!r}; expected a string")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight <= MOST_WEIGHT:
        raise ValueError(f"weight is {str(weight)[:20]}; expected a number above 0, at most {MOST_WEIGHT:g}")
    return Rule(name, _relation(relation), parse_pattern(pattern, **options), float(weight))


def _from_pair(value: Sequence[str], name: str, **options: Any) -> Rule:
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
    return Rule(name, _relation(label), pattern)


def _relation(label: str) -> str:
    """Take the name of a relation without spaces around it; that of none may be written in upper case."""
    label = label.strip()
    return NO_RELATION if label.casefold() == NO_RELATION else label


def _text(value: Dict[str, Any], key: str) -> str:
    """Take a string that says something."""
    found = value.get(key)
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{key} is {found!r}; expected {_EXPECTED}")
    return found
