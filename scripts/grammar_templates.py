"""The templates of `assets/grammar`: how they are read, and how one becomes a sentence.

A line is `conditions<TAB>text`. Conditions, separated by `;`:

    place_of_birth a b      the sentence states this fact
    not place_of_birth a b  the knowledge base must not hold this fact (denials and doubts)
    a=PERSON                type of a variable that no stated fact settles; CITY, COUNTRY and SCHOOL are narrower
    b~Party|League          the label must match this regular expression

Text: `{a}` is a name of the entity, with "the" where its name needs one; `{b:adj}` its nationality word; `{a:role}` a
noun for a person, `{a:role:s}` its plural; `[x|y|]` one of the alternatives; `a(n)` the right article. The first
letter is raised when the sentence is complete, so that templates can be joined.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Pattern, Tuple, Union

KINDS = ("PERSON", "ORG", "PLACE", "WORK", "CITY", "COUNTRY", "SCHOOL")
Relation = Tuple[str, str, str]
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?(?::(\w+))?\}")
_CONDITION = re.compile(r"(?P<var>[a-z])=(?P<kind>\w+)$|(?P<name>[a-z])~(?P<pattern>.+)$")
_FACT = re.compile(r"(?P<no>not )?(?P<relation>\w\w+) (?P<subject>[a-z]) (?P<object>[a-z])$")


@dataclass(frozen=True)
class Template:
    """One line of a template file."""

    text: str
    states: Tuple[Relation, ...] = ()
    forbids: Tuple[Relation, ...] = ()
    kinds: Dict[str, str] = field(default_factory=dict)
    patterns: Dict[str, Pattern[str]] = field(default_factory=dict)

    @property
    def variables(self) -> List[str]:
        """RETURNS (List[str]): All variables, those of stated facts first."""
        stated = [name for _, subject, obj in self.states for name in (subject, obj)]
        return list(dict.fromkeys([*stated, *self.kinds]))


@dataclass(frozen=True)
class Templates:
    """All template files of a folder."""

    facts: List[Template]
    composites: List[Template]
    unrelated: List[Template]
    clauses: List[Template]
    openers: List[Template]
    tails: List[Template]
    frames: List[str]
    roles: Dict[str, List[str]]
    adjectives: List[str]
    articles: Pattern[str]


def read_templates(folder: Union[str, Path]) -> Templates:
    """Read a folder of templates.

    folder (Union[str, Path]): With the files of `assets/grammar`.
    RETURNS (Templates): The templates.
    RAISES (ValueError): With file and line, where a condition cannot be read.
    """
    folder = Path(folder)
    parsed = {
        name: [parse_template(*row, place=place) for place, row in _read_table(folder / f"{name}.tsv")]
        for name in ("facts", "composites", "unrelated", "clauses", "openers", "tails")
    }
    roles: Dict[str, List[str]] = {}
    for _, (kind, role) in _read_table(folder / "fillers.tsv"):
        roles.setdefault(kind, []).append(role)
    return Templates(
        **parsed,
        frames=[text for _, (_, text) in _read_table(folder / "frames.tsv")],
        roles=roles,
        adjectives=[line for _, line in _read_lines(folder / "adjectives.txt")],
        articles=re.compile("|".join(f"(?:{line})" for _, line in _read_lines(folder / "articles.txt"))),
    )


def parse_template(conditions: str, text: str, *, place: str = "template") -> Template:
    """Read one template.

    conditions (str): Separated by `;`, or `-` for none.
    text (str): The text with slots and alternatives.
    place (str): File and line, for errors.
    RETURNS (Template): The template.
    RAISES (ValueError): Where a condition cannot be read, or a slot has no condition.
    """
    states: List[Relation] = []
    forbids: List[Relation] = []
    kinds: Dict[str, str] = {}
    patterns: Dict[str, Pattern[str]] = {}
    for condition in (part.strip() for part in conditions.split(";")):
        fact, other = _FACT.match(condition), _CONDITION.match(condition)
        if fact:
            (forbids if fact["no"] else states).append((fact["relation"], fact["subject"], fact["object"]))
        elif other and other["var"] and other["kind"] in KINDS:
            kinds[other["var"]] = other["kind"]
        elif other and other["name"]:
            patterns[other["name"]] = re.compile(other["pattern"])
        elif condition != "-":
            raise ValueError(f"{place}: {condition!r} is none of 'relation a b', 'not relation a b', 'a=KIND', 'a~x'")
    template = Template(text, tuple(states), tuple(forbids), kinds, patterns)
    slots = {match[1] for match in _SLOT.finditer(text)} - {"clause"}
    if slots != set(template.variables):
        raise ValueError(f"{place}: slots {sorted(slots)} and conditions {sorted(template.variables)} differ")
    return template


def expand(text: str, rng: random.Random) -> str:
    """Choose one of each `[x|y]`, from the inside out.

    text (str): With alternatives.
    rng (random.Random): Random number generator.
    RETURNS (str): The text without them.
    """
    while match := _CHOICE.search(text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text


def slots_of(text: str) -> Iterator[Tuple[str, str, str, str]]:
    """Cut a text at its slots.

    text (str): Expanded.
    YIELDS (Tuple[str, str, str, str]): Text before a slot, its variable, form and ending; at the end only text.
    """
    position = 0
    for match in _SLOT.finditer(text):
        yield text[position : match.start()], match[1], match[2] or "", match[3] or ""
        position = match.end()
    yield text[position:], "", "", ""


def _read_lines(path: Path) -> Iterator[Tuple[str, str]]:
    """Yield ("file:line", line) without comments and blank lines."""
    with path.open(encoding="utf8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line.strip() and not line.startswith("#"):
                yield f"{path}:{number}", line


def _read_table(path: Path) -> Iterator[Tuple[str, Tuple[str, str]]]:
    """Yield ("file:line", (first, second)) for each line after the header."""
    for index, (place, line) in enumerate(_read_lines(path)):
        first, tab, second = line.partition("\t")
        if not tab or "\t" in second:
            raise ValueError(f"{place}: expected two columns separated by a tab")
        if index:
            yield place, (first, second)
