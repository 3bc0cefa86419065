"""What is known about relations: a YAML or JSON file, read with errors that name the line, or an ontology."""

import re
import reprlib
import warnings
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Dict, List, Optional

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ..errors import Errors, Warnings
from .linkml import is_linkml, read_linkml
from .ontology import ontology_format, read_ontology
from .triple import Record
from .type_rules import TypeRow, TypeRules
from .yaml_files import Place, find_line, name_line, read_yaml

Name = Annotated[str, Field(min_length=1)]

_BOUNDARY = re.compile(r"[/_.:\-\s]+|(?<=[a-z0-9])(?=[A-Z])")

_EXPECTED = {
    "relations": "a mapping from relations to what is known about them",
    "description": "a text",
    "subject": "a list of entity types, such as [PERSON]",
    "object": "a list of entity types, such as [PERSON]",
    "ids": "a list of identifiers, such as [P569]",
    "inverse": "the name of a relation",
    "implies": "a list of relations, such as [located_in], or [-child] for the other direction",
    **dict.fromkeys(("symmetric", "functional", "acyclic", "transitive"), "true or false"),
}


class RelationSchema(BaseModel):
    """What is known about one relation.

    description (str): The relation in words, between subject and object: "is or was married to".
    subject (List[str]): Entity types that its subject may have; empty: all.
    object (List[str]): Entity types that its object may have; empty: all.
    inverse (Optional[str]): Name of the same relation from object to subject.
    symmetric (bool): Whether it holds in both directions or in none.
    functional (bool): Whether a subject has at most one object.
    acyclic (bool): Whether no chain of it leads back to its start.
    transitive (bool): Whether it holds from the start of a chain of it to the end.
    implies (List[str]): Names of relations that hold between the same subject and object; "-child": child from object
        to subject.
    ids (List[str]): Identifiers elsewhere, such as Wikidata's properties; "-P36": P36 from object to subject.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    subject: List[Name] = []
    object: List[Name] = []
    ids: List[Name] = []
    inverse: Optional[Name] = None
    symmetric: bool = False
    functional: bool = False
    acyclic: bool = False
    transitive: bool = False
    implies: List[Name] = []

    @model_validator(mode="after")
    def _agree(self) -> "RelationSchema":
        if self.symmetric and self.acyclic:
            raise _contradiction("symmetric and acyclic", "at most one of the two")
        if self.symmetric and self.inverse is not None:
            raise _contradiction("symmetric, with an inverse", "at most one of the two")
        if self.symmetric and self.subject and self.object and set(self.subject) != set(self.object):
            raise _contradiction("symmetric, with different types of subject and object", "the same types")
        return self


class Schema(BaseModel):
    """What is known about relations; nothing is known about those that are missing.

    relations (Dict[str, RelationSchema]): By name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    relations: Dict[Name, RelationSchema]

    @field_validator("relations", mode="before")
    @classmethod
    def _fill_in(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {} if relation is None else relation for name, relation in value.items()}

    @model_validator(mode="after")
    def _agree(self) -> "Schema":
        for name, relation in self.relations.items():
            inverse = self.relations.get(relation.inverse or "")
            if relation.inverse == name:
                raise _contradiction("its own inverse", "symmetric: true instead", name)
            if name in relation.implies:
                raise _contradiction("a relation that implies itself", "another relation", name)
            if inverse is not None and inverse.inverse not in (None, name):
                found = f"the inverse of {relation.inverse}, whose inverse is {inverse.inverse}"
                raise _contradiction(found, "two relations that name each other", name)
        return self

    @cached_property
    def type_rules(self) -> TypeRules:
        """RETURNS (TypeRules): The types of arguments that relations allow."""
        rows: List[TypeRow] = []
        for name, relation in self.relations.items():
            subjects, objects = relation.subject, relation.object
            if relation.symmetric:
                subjects = objects = subjects or objects
            if subjects or objects:
                rows += [(subject, name, obj) for subject in subjects or ["*"] for obj in objects or ["*"]]
        return TypeRules(rows)


def readable_label(label: str) -> str:
    """Turn a label into words: `/people/person/place_of_birth` becomes "people person place of birth".

    It is split at / _ . : - and before capitals, and lower-cased; without words it stays as it is.
    """
    words = [word for word in _BOUNDARY.split(label) if word]
    return " ".join(words).lower() or label


def read_schema(path: Path) -> Schema:
    """Read a schema from a YAML file, from a JSON file (`.json`), in LinkML, or from an ontology in RDF.

    Of an ontology, what is said of relations and is of no use is counted in a warning.

    RAISES (ImportError): If it is an ontology or in LinkML, and rdflib or linkml-runtime is not installed.
    RAISES (ValueError): If there is none or it is malformed: one line with the file, the line, the key, what was found
        and what is expected.
    """
    path = Path(path)
    if path.is_file() and (form := ontology_format(path)):
        found = read_ontology(path, form)
        if found.unused:
            what = ", ".join(f"{name} {count}" for name, count in sorted(found.unused.items()))
            message = Warnings.W013.format(path=path, count=sum(found.unused.values()), what=what)
            warnings.warn(message, UserWarning, stacklevel=2)
        return _validate(found.schema, path, None)
    data, root = read_yaml(path, message=Errors.R030)
    return _validate(read_linkml(path), path, None) if is_linkml(data) else _validate(data, path, root)


def schema_from_dict(data: Record) -> Schema:
    """Make a schema from plain values, as `schema_to_dict` returns them. RAISES (ValueError): If they are malformed."""
    return _validate(data, Path("schema"), None)


def schema_to_dict(schema: Schema) -> Record:
    """Return a schema as plain values that JSON can hold, without those left at their defaults."""
    return {"relations": {name: each.model_dump(exclude_defaults=True) for name, each in schema.relations.items()}}


def _validate(data: Any, path: Path, root: Any) -> Schema:
    """Make a schema from the content of a file; `root` is the same with line numbers."""
    try:
        return Schema.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place: Place = tuple(part for part in first["loc"] if part != "[key]")
    kind, found = first["type"], reprlib.repr(first["input"])
    key = ".".join(map(str, place)) or "the schema"
    known = next((_EXPECTED[part] for part in reversed(place) if isinstance(part, str) and part in _EXPECTED), "")
    expected = known if len(place) != 2 else f"a mapping of {', '.join(RelationSchema.model_fields)}"
    if kind == "extra_forbidden":
        key, found = ".".join(map(str, place[:-1])) or "the schema", f"the key {place[-1]!r}"
        expected = ", ".join(RelationSchema.model_fields if len(place) > 1 else Schema.model_fields)
    elif kind == "missing" or not place and kind != "contradiction":
        found, expected = "no key 'relations'" if isinstance(data, dict) else found, "relations: {NAME: {...}}"
    elif kind == "contradiction":
        context = first["ctx"]
        place = place or ("relations", context["relation"])
        key, found, expected = ".".join(map(str, place)), context["found"], context["expected"]
    elif "[key]" in first["loc"]:
        expected = "a name, in quotes if it is a number"
    message = Errors.R031.format(place=name_line(path, find_line(root, place)), key=key, found=found, expected=expected)
    raise ValueError(message)


def _contradiction(found: str, expected: str, relation: str = "") -> PydanticCustomError:
    """Make the error of settings that exclude each other."""
    context = {"found": found, "expected": expected, "relation": relation}
    return PydanticCustomError("contradiction", "{found}; expected {expected}", context)
