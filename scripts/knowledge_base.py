"""The hand-written knowledge base in memory: entities with names and types, facts between them, and look-ups.

`read_kb` reads it from a folder of two tab-separated files. The package's own store of facts is `TripleStore`.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple, Union

import numpy

from spacy_relext.kb.facts import FactIndex, Names, TripleStore

ENTITIES_FILE = "entities.tsv"

FACTS_FILE = "facts.tsv"

ENTITY_TYPES = ("PERSON", "ORG", "PLACE", "WORK")

_ALIAS_SEPARATOR = "|"

_USED_TWICE = "Entity id {id!r} is used twice. Ids must be unique."


@dataclass(frozen=True, order=True)
class Entity:
    """Something that facts are about.

    id (str): Stable identifier.
    label (str): The usual name.
    type (str): PERSON, ORG, PLACE or WORK.
    aliases (Tuple[str, ...]): Other names; nationality words belong to the country.
    """

    id: str
    label: str
    type: str
    aliases: Tuple[str, ...] = ()

    @property
    def names(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The label, then the aliases."""
        return (self.label, *self.aliases)


@dataclass(frozen=True, order=True)
class Fact:
    """A relation between two entities, given by their ids."""

    subject: str
    relation: str
    object: str


class KnowledgeBase:
    """Entities and facts in a stable order, with the look-ups that alignment and training need.

    entities (Iterable[Entity]): Each id once.
    facts (Iterable[Fact]): Between those entities; a repeated fact counts once.
    RAISES (ValueError): Where an id is used twice, or a fact names an unknown id or relates an entity to itself.
    """

    def __init__(self, entities: Iterable[Entity], facts: Iterable[Fact]) -> None:
        self._entities: Dict[str, Entity] = {}
        for entity in sorted(entities):
            if entity.id in self._entities:
                raise ValueError(_USED_TWICE.format(id=entity.id))
            self._entities[entity.id] = entity
        self._facts = tuple(sorted(set(facts)))
        for fact in self._facts:
            _check_fact(fact, self._entities)
        self._by_name = _index_names(self._entities.values())
        self._by_pair: Dict[Tuple[str, str], List[str]] = {}
        self._of_entity: Dict[str, List[Fact]] = {}
        for fact in self._facts:
            self._by_pair.setdefault((fact.subject, fact.object), []).append(fact.relation)
            self._of_entity.setdefault(fact.subject, []).append(fact)
            self._of_entity.setdefault(fact.object, []).append(fact)

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, entity_id: object) -> bool:
        return entity_id in self._entities

    def __getitem__(self, entity_id: str) -> Entity:
        return self._entities[entity_id]

    @property
    def entities(self) -> Tuple[Entity, ...]:
        """RETURNS (Tuple[Entity, ...]): Sorted by id."""
        return tuple(self._entities.values())

    @property
    def facts(self) -> Tuple[Fact, ...]:
        """RETURNS (Tuple[Fact, ...]): Sorted by subject, relation and object."""
        return self._facts

    @property
    def relations(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The relations that have a fact, sorted."""
        return tuple(sorted({fact.relation for fact in self._facts}))

    @property
    def names(self) -> Mapping[str, Tuple[str, ...]]:
        """RETURNS (Mapping[str, Tuple[str, ...]]): Name → ids; see `find`."""
        return self._by_name

    def find(self, name: str) -> Tuple[str, ...]:
        """Look up a label or alias, case-sensitively.

        name (str): As written in text.
        RETURNS (Tuple[str, ...]): Ids of all entities so called, those with this label before those with this alias.
        """
        return self._by_name.get(name, ())

    def relations_between(self, subject: str, obj: str) -> Tuple[str, ...]:
        """Look up an ordered pair of entities.

        subject (str): Id of the subject.
        obj (str): Id of the object.
        RETURNS (Tuple[str, ...]): Their relations, sorted.
        """
        return tuple(self._by_pair.get((subject, obj), ()))

    def facts_of(self, entity_id: str) -> Tuple[Fact, ...]:
        """Look up the facts that have an entity as subject or object.

        entity_id (str): Id of the entity.
        RETURNS (Tuple[Fact, ...]): Sorted.
        """
        return tuple(self._of_entity.get(entity_id, ()))

    def without(self, facts: Iterable[Fact]) -> "KnowledgeBase":
        """Make a copy that lacks some facts.

        facts (Iterable[Fact]): What to leave out.
        RETURNS (KnowledgeBase): All entities, the remaining facts.
        """
        left_out = set(facts)
        return KnowledgeBase(self.entities, (fact for fact in self._facts if fact not in left_out))

    def index(self) -> FactIndex:
        """RETURNS (FactIndex): The same facts and names for alignment."""
        numbers = {entity_id: number for number, entity_id in enumerate(self._entities)}
        relations = {relation: number for number, relation in enumerate(self.relations)}
        rows = [(numbers[fact.subject], relations[fact.relation], numbers[fact.object]) for fact in self._facts]
        names = {each.id: Names(each.label, each.aliases, (each.type,)) for each in self.entities}
        return FactIndex(TripleStore(list(numbers), list(relations), numpy.asarray(rows, dtype="int32"), names=names))


def read_kb(folder: Union[str, Path]) -> KnowledgeBase:
    """Read a knowledge base from `entities.tsv` (id, label, type, aliases) and `facts.tsv` (subject, relation, object).

    The first line of each file names the columns; aliases are separated by `|`; lines that begin with `#` are skipped.

    folder (Union[str, Path]): Folder of the two files.
    RETURNS (KnowledgeBase): Their content.
    RAISES (FileNotFoundError): Where a file is missing.
    RAISES (ValueError): With file and line, where a line is malformed.
    """
    folder = Path(folder)
    entities: Dict[str, Entity] = {}
    for place, row in _read_rows(folder / ENTITIES_FILE, ("id", "label", "type", "aliases")):
        entity = _parse_entity(row, place)
        if entity.id in entities:
            raise ValueError(f"{place}: {_USED_TWICE.format(id=entity.id)}")
        entities[entity.id] = entity
    facts = []
    for place, row in _read_rows(folder / FACTS_FILE, ("subject", "relation", "object")):
        fact = Fact(*row)
        try:
            _check_fact(fact, entities)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        facts.append(fact)
    return KnowledgeBase(entities.values(), facts)


def _read_rows(path: Path, columns: Sequence[str]) -> Iterator[Tuple[str, List[str]]]:
    """Yield ("file:line", values) for each line of a table, after checking its header."""
    if not path.is_file():
        raise FileNotFoundError(
            f"No file {path}. A knowledge base folder holds entities.tsv and facts.tsv; it has the columns "
            f"{', '.join(columns)}."
        )
    with path.open(encoding="utf8", newline="") as lines:
        header = None
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in rows:
            place = f"{path}:{rows.line_num}"
            values = [value.strip() for value in row]
            if not any(values) or values[0].startswith("#"):
                continue
            if header is None:
                header = values
                if header != list(columns):
                    expected = f"expected {list(columns)}, separated by tabs"
                    raise ValueError(f"{place}: The first line names the columns {header}; {expected}.")
                continue
            if len(values) == len(columns) - 1 and columns[-1] == "aliases":
                values.append("")  # editors strip the last, empty column
            if len(values) != len(columns):
                raise ValueError(
                    f"{place}: {len(values)} tab-separated values; expected one for each of {', '.join(columns)}."
                )
            yield place, values


def _parse_entity(row: Sequence[str], place: str) -> Entity:
    """Turn one line of the entity table into an Entity and check its values."""
    entity_id, label, entity_type, aliases = row
    if not entity_id or not label:
        raise ValueError(f"{place}: An entity needs an id and a label.")
    if entity_type not in ENTITY_TYPES:
        raise ValueError(f"{place}: Entity type {entity_type!r} is none of {', '.join(ENTITY_TYPES)}.")
    names = [name.strip() for name in aliases.split(_ALIAS_SEPARATOR)]
    return Entity(entity_id, label, entity_type, tuple(name for name in names if name))


def _check_fact(fact: Fact, entities: Mapping[str, Entity]) -> None:
    """Refuse a fact about unknown entities, about an entity and itself, or without a relation."""
    for entity_id in (fact.subject, fact.object):
        if entity_id not in entities:
            raise ValueError(
                f"{fact} names {entity_id!r}, which is no entity. Add it to entities.tsv or remove the fact."
            )
    if fact.subject == fact.object or not fact.relation:
        raise ValueError(f"{fact} needs a relation and two different entities.")


def _index_names(entities: Iterable[Entity]) -> Dict[str, Tuple[str, ...]]:
    """Map each name to its entities: labels first, because a bare name means its most usual bearer."""
    ids_by_name: Dict[str, List[str]] = {}
    seen: Set[Tuple[str, str]] = set()
    ordered = list(entities)
    pairs = [(e.label, e.id) for e in ordered] + [(alias, e.id) for e in ordered for alias in e.aliases]
    for name, entity_id in pairs:
        if (name, entity_id) not in seen:
            seen.add((name, entity_id))
            ids_by_name.setdefault(name, []).append(entity_id)
    return {name: tuple(ids) for name, ids in ids_by_name.items()}
