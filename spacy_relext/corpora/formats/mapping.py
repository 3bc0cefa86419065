"""The mapping language: a small YAML file that says where the records of a JSON file have text, spans and relations.

`docs/tasks/bring_your_data.md` describes the language, and `mappings/` has one file for each data set that is read this
way. `mapped.py` reads records with a mapping.
"""

import reprlib
from pathlib import Path
from typing import Annotated, Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Type

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ...annotations.yaml_files import Place, find_line, name_line, read_yaml
from ...errors import Errors
from .locate import NO_RELATIONS

# Keys joined by dots; a part that is a number counts elements of a list, from 0.
PathString = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]

# The key of an object that a path went through last, and the element itself.
KEY, VALUE = "$key", "$value"

_PATH = "a key, or keys joined by dots, such as head.position.0"
_EXPECTED = {
    "join": 'what joins tokens, such as ""',
    "offsets": "tokens or characters",
    "ends": "inclusive or exclusive",
    "one_sentence": "true or false",
    "spans": "each, and where each span is",
    "relations": "subject, object and label",
    "subject": "a path to the number or the id of a span; or start and end, indices or string",
    "object": "a path to the number or the id of a span; or start and end, indices or string",
    "markers": "the markers before subject, object and label",
    "attributes": "names of attributes, each with a path",
    **dict.fromkeys(("names", "none", "ignore"), "a list of strings"),
}


class _Block(BaseModel):
    """Keys that a mapping may have at one place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def paths(self) -> Iterator[str]:
        """Yield the paths that are read."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, _Block):
                yield from value.paths()
            elif name == "attributes":
                yield from value.values()
            elif isinstance(value, str) and name not in ("each", "join", "offsets", "ends"):
                yield value


class Span(_Block):
    """Where a span is: its first and last token or character, the numbers of its tokens, or a string to locate.

    A string beside offsets is compared with the text there.
    """

    start: Optional[PathString] = None
    end: Optional[PathString] = None
    # A list of token numbers; or a list of such lists, one for each mention.
    indices: Optional[PathString] = None
    string: Optional[PathString] = None
    label: Optional[PathString] = None
    # Labels by number.
    names: List[str] = []
    kb_id: Optional[PathString] = None

    @model_validator(mode="after")
    def _check_place(self) -> "Span":
        ways = [self.start or self.end, self.indices, getattr(self, "span", None)]
        if len(list(filter(None, ways))) > 1 or (self.start is None) != (self.end is None):
            raise _error(", ".join(self.model_dump(exclude_defaults=True)), "start and end, or indices, or string")
        if not any((*ways, self.string)):
            raise _error("no place", "start and end, or indices, or string")
        return self


class ListedSpan(Span):
    """Spans of a list."""

    each: PathString
    # The spans are referred to by it; without it, by their number in the list.
    id: Optional[PathString] = None


class Argument(Span):
    """An argument of a relation: a reference to a listed span, or a span of its own."""

    span: Optional[PathString] = None


_Argument = Annotated[Argument, BeforeValidator(lambda value: {"span": value} if type(value) in (int, str) else value)]


class Relations(_Block):
    """Where relations are; without `each`, a record has one marked pair."""

    each: Optional[PathString] = None
    # If `each` leads to a string: what precedes each subject, object and label, which become the elements 0, 1 and 2.
    markers: Optional[Annotated[List[str], Field(min_length=3, max_length=3)]] = None
    subject: _Argument
    object: _Argument
    label: PathString
    names: List[str] = []
    # Labels that mean no relation; without `each`, NA, Other and no_relation.
    none: Optional[List[str]] = None
    score: Optional[PathString] = None
    attributes: Dict[str, PathString] = {}

    @property
    def no_relations(self) -> Sequence[str]:
        """Labels that mean no relation."""
        return self.none if self.none is not None else () if self.each else NO_RELATIONS


class Mapping(_Block):
    """How one form of record is read."""

    # `$key`: the file is one object with a list of records for each key. Otherwise, the path of the list.
    records: Optional[PathString] = None
    text: Optional[PathString] = None
    # A list of tokens, or a list of sentences; with `text`, they are found in it.
    tokens: Optional[PathString] = None
    join: str = " "
    # What start and end count; tokens if there are any.
    offsets: Optional[Literal["tokens", "characters"]] = None
    ends: Optional[Literal["inclusive", "exclusive"]] = None
    # Whether each record is one sentence.
    one_sentence: bool = False
    spans: Optional[ListedSpan] = None
    relations: Relations
    # Keys of the record that are not kept.
    ignore: List[str] = []

    @model_validator(mode="after")
    def _check_offsets(self) -> "Mapping":
        if not (self.text or self.tokens):
            raise _error("neither text nor tokens", "text, tokens or both")
        blocks = [block for block in (self.spans, self.relations.subject, self.relations.object) if block is not None]
        if self.ends is None and any(block.start for block in blocks):
            raise _error("start and end without ends", "ends: inclusive, or ends: exclusive")
        if self.tokens is None and (self.offsets == "tokens" or any(block.indices for block in blocks)):
            raise _error("numbers of tokens without tokens", "tokens, the path of their list")
        if self.spans is None and (self.relations.subject.span or self.relations.object.span):
            raise _error("a reference to spans, but no spans", "spans, with each and the place of a span")
        return self

    @property
    def counts_characters(self) -> bool:
        """Whether start and end count characters."""
        return (self.offsets or ("tokens" if self.tokens else "characters")) == "characters"

    @property
    def required(self) -> List[str]:
        """Paths that a record of this form has."""
        relations = self.relations
        paths = [self.text, self.tokens] if relations.each else [self.text, self.tokens, *relations.subject.paths()]
        return [path for path in paths if path is not None]


def read_mappings(path: Path) -> List[Mapping]:
    """Read a mapping, or a list of them for a data set with several forms, of which a record has the first that fits.

    RAISES (ValueError): If the file is missing or malformed: one line with the file, the line, the key, what was found
        and what is expected.
    """
    data, root = read_yaml(path, message=Errors.R760)
    several = isinstance(data, list) and bool(data)
    mappings = []
    for number, value in enumerate(data if several else [data]):
        try:
            mappings.append(Mapping.model_validate(value))
        except ValidationError as error:
            place, key, found, expected = _describe(error)
            line = find_line(root, (number, *place) if several else place)
            where = name_line(path, line)
            raise ValueError(Errors.R031.format(place=where, key=key, found=found, expected=expected)) from None
    return mappings


class _Mistake(NamedTuple):
    """What is wrong with a mapping."""

    place: Place
    key: str
    found: str
    expected: str


def _describe(error: ValidationError) -> _Mistake:
    """Describe the first mistake."""
    first = error.errors(include_url=False)[0]
    place: Place = first["loc"]
    key, found = ".".join(map(str, place)) or "the mapping", reprlib.repr(first["input"])
    if first["type"] == "mapping":
        return _Mistake(place, key, first["ctx"]["found"], first["ctx"]["expected"])
    if first["type"] == "missing":
        parent = ".".join(map(str, place[:-1])) or "the mapping"
        return _Mistake(place[:-1], parent, f"no key {place[-1]!r}", _expected(place))
    if first["type"] == "extra_forbidden":
        parent = ".".join(map(str, place[:-1])) or "the mapping"
        return _Mistake(place, parent, f"the key {place[-1]!r}", ", ".join(_block(place[:-1]).model_fields))
    return _Mistake(place, key, found, _expected(place) if place else ", ".join(Mapping.model_fields))


def _expected(place: Place) -> str:
    names = [part for part in place if isinstance(part, str)]
    return _EXPECTED.get(names[-1], _PATH)


def _block(place: Sequence[object]) -> Type[_Block]:
    """Find the block at a place."""
    blocks: Dict[object, Type[_Block]] = {"spans": ListedSpan, "relations": Relations}
    return Argument if len(place) > 1 else blocks[place[0]] if place else Mapping


def _error(found: str, expected: str) -> PydanticCustomError:
    """Make the error of keys that do not fit together."""
    context: Dict[str, Any] = {"found": found, "expected": expected}
    return PydanticCustomError("mapping", "{found}; expected {expected}", context)
