"""Labelling rules and their files.

    {"id": "founder", "relation": "founded_by", "pattern": "SUBJ-ORG was founded by OBJ-PERSON", "weight": 1.0}

One rule per line, `id` and `weight` optional; or the format of NERO's authors, `[["Cause-Effect(e1,e2)", "SUBJ-O caused
OBJ-O"], …]`, in which `(e2,e1)` swaps the roles of the masks and the type `O` means no named entity; or a table (.tsv)
of patterns with their relations. The relation `no_relation` labels negatives. A folder of such files is one
source.

All problems of a source are collected in one pass, each with its line: see `RuleProblem`.
"""

import csv
import re
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ...annotations.triple import Record
from ...corpora.formats.sources import Item, read_json, read_lines
from ...corpora.whole import whole_text
from ...errors import Errors
from .patterns import Pattern, Tokenize, parse_pattern

NO_RELATION_LABEL = "no_relation"

TABLE = ".tsv"
SUFFIXES = (".jsonl", ".json", TABLE)
TABLE_COLUMNS = ("relation", "reversed", "pattern")

MAX_WEIGHT = 1e6

SHOWN = 10  # problems that an error message lists

_KEYS = {"id", "relation", "pattern", "weight"}

_DIRECTION = re.compile(r"(.+)\((e1,e2|e2,e1)\)")

_EXPECTED = 'an object with "relation" and "pattern", or a list of both'


@dataclass(frozen=True)
class Rule:
    """A pattern and the relation that it labels."""

    id: str  # the line number if the file has none
    relation: str  # from subject to object; `no_relation` for none
    pattern: Pattern
    weight: float = 1.0  # of its vote, above 0
    where: str = field(default="", compare=False)  # file and line, "" for none; not saved


class RuleProblem(NamedTuple):
    """A problem of a rule."""

    where: str  # file and line
    message: str  # the problem and its solution
    fatal: bool  # whether the source cannot be used; otherwise the rule is left out


class RuleFile(NamedTuple):
    """Valid rules, in the order of the source, and the problems of the others."""

    rules: List[Rule]
    problems: List[RuleProblem]


def read_rules(
    source: Union[str, Path, Sequence[Record]],
    *,
    where: str = "",
    max_gap: int = 0,
    tokenize: Optional[Tokenize] = None,
    lower: bool = False,
    relations: Optional[Collection[str]] = None,
    known: Sequence[Rule] = (),
) -> RuleFile:
    """Read and check rules.

    source (Union[str, Path, Sequence[Record]]): A UTF-8 file of JSON lines, a JSON list or a table; a folder of such
        files, read in the order of their names; or records, like the lines of a file.
    where (str): Name of the records in messages.
    max_gap (int): Maximum number of tokens of a gap; 0: no gaps.
    tokenize (Optional[Tokenize]): Tokenizer of the texts; None: words are tokens.
    lower (bool): Whether patterns are compared in lower case.
    relations (Optional[Collection[str]]): Allowed relations; None: any.
    known (Sequence[Rule]): Earlier rules; a rule with the pattern of one is a duplicate of it, or conflicts with it.
    RAISES (ValueError): If the source cannot be read or has no rule.
    """
    allowed = None if relations is None else {*relations, NO_RELATION_LABEL}
    reader = _Reader(max_gap, tokenize, lower, allowed)
    reader.bodies = {reader.body(rule.pattern): (rule.relation, f"rule {rule.id!r}") for rule in known}
    if not isinstance(source, (str, Path)):
        for number, record in enumerate(source, start=1):
            reader.add(Item(where, number, record), str(number))
        return RuleFile(reader.rules, reader.problems)
    path = Path(source)
    try:
        for file in _list_files(path):
            prefix = f"{file.stem}:" if file != path else ""
            for item in read_table(file) if file.suffix == TABLE else read_json(file):
                reader.add(item, f"{prefix}{item.element or item.line}")
    except OSError as error:
        raise ValueError(Errors.R216.format(path=str(path), reason=error.strerror or error)) from None
    if not reader.rules and not reader.problems:
        problem, expected = "no rule", _EXPECTED
        if path.suffix == TABLE:
            problem, expected = "no line names a relation", "a name under `relation` or `reversed`"
        raise ValueError(Errors.R209.format(what=path, found=problem, expected=expected))
    return RuleFile(reader.rules, reader.problems)


def to_records(rules: Sequence[Rule]) -> List[Record]:
    """Convert rules to records like the lines of a file, with tokenized patterns."""
    return [{"id": r.id, "relation": r.relation, "pattern": str(r.pattern), "weight": r.weight} for r in rules]


def from_records(records: Sequence[Record]) -> List[Rule]:
    """Read the records of `to_records`."""
    return [_parse_rule(record, str(number)) for number, record in enumerate(records, start=1)]


def usable_rules(checked: RuleFile, path: Union[str, Path], *, needed: bool = True) -> List[Rule]:
    """Return the rules of a source, named `path` in messages.

    RAISES (ValueError): If there are fatal problems, or no rule is left but one is `needed`.
    """
    bad = [problem for problem in checked.problems if problem.fatal]
    if needed and not checked.rules:
        bad = bad or checked.problems
    if bad:
        lines = [f"{problem.where}: {problem.message}" for problem in bad[:SHOWN]]
        more = [f"and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        raise ValueError(Errors.R500.format(path=str(path), count=len(bad), problems="; ".join([*lines, *more])))
    return checked.rules


def read_table(path: Path) -> Iterator[Item]:
    """Read a table of patterns in which a person has filled in relations.

    path (Path): Tab-separated lines with a header; `id` and `weight` are read too, other columns are ignored.
    YIELDS (Item): A record for each `relation` and each `reversed` relation of a line.
    """
    header: Optional[List[str]] = None
    for item in read_lines(path, comment="#"):
        if item.error:
            yield item
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([item.value], delimiter="\t"))]
        except csv.Error as error:
            yield Item(item.path, item.line, error=f"no line of a table: {error}")
            continue
        if header is not None:
            row = dict(zip(header, cells))
            yield from (_row_item(item, row, column) for column in ("relation", "reversed") if row.get(column))
            continue
        header = cells
        if "pattern" not in header or not {"relation", "reversed"} & set(header):
            problem = f"columns: {', '.join(header)}; expected {', '.join(TABLE_COLUMNS)}"
            yield Item(item.path, item.line, error=problem)
            return


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table for `read_table`; white space becomes single spaces, quotation marks are quoted as in CSV."""
    with whole_text(path) as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([" ".join(cell.split()) for cell in cells] for cells in (columns, *rows))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name, with a number appended if it is taken."""
    return next(each for each in chain([name], (f"{name}-{n}" for n in count(2))) if each not in taken)


def _row_item(item: Item, row: Mapping[str, str], column: str) -> Item:
    """Make the record of a row's relation in one column."""
    is_reversed, pattern = column == "reversed", row.get("pattern", "")
    record: Record = {"relation": row[column], "pattern": _swap_masks(pattern) if is_reversed else pattern}
    if row.get("id"):
        # a row with both relations is two rules
        record["id"] = f"{row['id']}-reversed" if is_reversed and row.get("relation") else row["id"]
    if row.get("weight"):
        try:
            record["weight"] = float(row["weight"])
        except ValueError:
            return Item(item.path, item.line, error=f"weight is {row['weight']!r}; expected a number above 0")
    return Item(item.path, item.line, record)


def _swap_masks(pattern: str) -> str:
    """Exchange the roles of a pattern's masks."""
    return re.sub(r"(?<!\S)(SUBJ|OBJ)-", lambda mask: "OBJ-" if mask[1] == "SUBJ" else "SUBJ-", pattern)


@dataclass
class _Reader:
    """Collects the rules and problems of a source; the fields are the arguments of `read_rules`."""

    max_gap: int
    tokenize: Optional[Tokenize]
    lower: bool
    relations: Optional[Collection[str]]
    bodies: Dict[Pattern, Tuple[str, str]] = field(default_factory=dict)
    ids: Dict[str, str] = field(default_factory=dict)
    rules: List[Rule] = field(default_factory=list)
    problems: List[RuleProblem] = field(default_factory=list)

    def add(self, item: Item, name: str) -> None:
        """Add a rule or its problem; `name` is the default of its id, made unique."""
        try:
            if item.error:
                raise ValueError(item.error)
            rule = _parse_rule(item.value, name, tokenize=self.tokenize)
            rule = replace(rule, where=item.where)
            if not (isinstance(item.value, dict) and "id" in item.value):
                rule = replace(rule, id=free_name(name, self.ids))
            self._check(rule)
        except ValueError as error:
            self.problems.append(RuleProblem(item.where, str(error), True))
            return
        body = self.body(rule.pattern)
        if rule.pattern.has_gap and not self.max_gap:
            reason = "a * stands for other tokens, and gaps are off (max_gap = 0); write \\* for the character"
            self.problems.append(RuleProblem(item.where, f"{rule.pattern} is left out: {reason}", False))
        elif body in self.bodies:
            self.problems.append(RuleProblem(item.where, f"the same as {self.bodies[body][1]}", False))
        else:
            self.bodies[body] = (rule.relation, item.where)
            self.ids[rule.id] = item.where
            self.rules.append(rule)

    def body(self, pattern: Pattern) -> Pattern:
        """Return the form of a pattern by which duplicates are found."""
        return pattern.lower() if self.lower else pattern

    def _check(self, rule: Rule) -> None:
        """Raise an error for unknown relations, conflicts, and duplicate ids."""
        if self.relations is not None and rule.relation not in self.relations:
            raise ValueError(f"unknown relation {rule.relation!r}; expected one of {', '.join(sorted(self.relations))}")
        if conflict := self._conflict(rule):
            raise ValueError(conflict)
        if rule.id in self.ids and self.body(rule.pattern) not in self.bodies:
            raise ValueError(f"the id {rule.id!r} is that of {self.ids[rule.id]} already")

    def _conflict(self, rule: Rule) -> str:
        """Describe an earlier rule with the same pattern and another relation; "" if there is none."""
        relation, earlier = self.bodies.get(self.body(rule.pattern), (rule.relation, ""))
        if relation == rule.relation:
            return ""
        return f"{rule.pattern} is {rule.relation!r} here and {relation!r} in {earlier}"


def _list_files(path: Path) -> List[Path]:
    """List the files of a source."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    if not files:
        expected = f"files that end in {', '.join(SUFFIXES)}"
        raise ValueError(Errors.R209.format(what=path, found="a folder without rules", expected=expected))
    return files


def _parse_rule(value: object, name: str, *, tokenize: Optional[Tokenize] = None) -> Rule:
    """Parse a raw value; `name` is the default of its id."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
        label, body = value
        pattern = parse_pattern(body, tokenize=tokenize)
        direction = _DIRECTION.fullmatch(label)
        if direction is not None:
            label, pattern = direction[1], pattern.swap_roles() if direction[2] == "e2,e1" else pattern
        if not label.strip():
            raise ValueError(f"no relation before {body!r}")
        return Rule(name, _parse_relation(label), pattern)
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:60]!r}; expected {_EXPECTED}")
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; expected {', '.join(sorted(_KEYS))}")
    for key in ("relation", "pattern"):
        if not isinstance(value.get(key), str) or not value[key].strip():
            raise ValueError(f"{key} is {value.get(key)!r}; expected {_EXPECTED}")
    name, weight = value.get("id", name), value.get("weight", 1.0)
    if not isinstance(name, str) or not name:
        raise ValueError(f"id is {name!r}; expected a string")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight <= MAX_WEIGHT:
        raise ValueError(
            f"weight is {' '.join(str(weight).split())[:20]}; expected a number above 0, at most {MAX_WEIGHT:g}"
        )
    pattern = parse_pattern(value["pattern"], tokenize=tokenize)
    return Rule(name, _parse_relation(value["relation"]), pattern, float(weight))


def _parse_relation(label: str) -> str:
    """Strip a relation's name; `no_relation` may be in any case."""
    label = label.strip()
    return NO_RELATION_LABEL if label.casefold() == NO_RELATION_LABEL else label
