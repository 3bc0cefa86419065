"""A knowledge base as arrays: a fact is three integers that index entities and relations, both sorted by id.

The indices do not depend on the order of the lines. Ten million facts of a million entities need less than 1 GiB.
"""

import hashlib
from array import array
from bisect import bisect_left
from itertools import chain
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
import srsly
from numpy.typing import NDArray

from ..corpora.damage import refuse_damage
from ..corpora.whole import whole_text
from ..errors import Errors
from .files import COLUMNS, FactReader, Statement

Triples = NDArray[numpy.int32]
FactIds = Tuple[str, str, str]

LABEL, ALIAS, TYPE = "label", "alias", "type"

NAMES_AT_ONCE = 100_000


class Names(NamedTuple):
    """Names and types of an entity; aliases and types are sorted."""

    label: str  # "" if unknown
    aliases: Tuple[str, ...] = ()
    types: Tuple[str, ...] = ()

    @property
    def all(self) -> Tuple[str, ...]:
        """Return the label, then the aliases."""
        return (self.label, *self.aliases)


class TripleStore:
    """Facts between indexed entities.

    entities (Sequence[str]): Ids, sorted.
    relations (Sequence[str]): Names, sorted.
    triples (Triples): Distinct facts (subject, relation, object), sorted. Shape (N, 3)
    names (Optional[Dict[str, Names]]): Names by id, also of entities without facts.
    report (Optional[Dict[str, int]]): Counts of `read_store`.
    """

    def __init__(
        self,
        entities: Sequence[str],
        relations: Sequence[str],
        triples: Triples,
        *,
        names: Optional[Dict[str, Names]] = None,
        report: Optional[Dict[str, int]] = None,
    ) -> None:
        self.entities, self.relations, self.triples = list(entities), list(relations), triples
        self.names, self.report = names or {}, report or {}
        self._number = {entity: number for number, entity in enumerate(self.entities)}
        self._relation = {relation: number for number, relation in enumerate(self.relations)}

    def __len__(self) -> int:
        return len(self.triples)

    def __contains__(self, entity: object) -> bool:
        return entity in self._number

    def number_of(self, entity: str) -> int:
        """Return the index of an entity; -1 if it has no fact."""
        return self._number.get(entity, -1)

    def relation_number(self, relation: str) -> int:
        """Return the index of a relation; -1 if it has no fact."""
        return self._relation.get(relation, -1)

    def facts(self) -> Iterator[FactIds]:
        """Yield subject id, relation and object id of each fact, sorted."""
        for subject, relation, obj in self.triples.tolist():
            yield self.entities[subject], self.relations[relation], self.entities[obj]

    def without_pairs(self, pairs: Iterable[Tuple[str, str]]) -> Tuple["TripleStore", Set[Tuple[str, str]]]:
        """Remove all facts between the entities of some pairs of ids, in either direction and of any relation.

        RETURNS (Tuple[TripleStore, Set[Tuple[str, str]]]): The other facts, with the same entities and relations; and
            the pairs that had a fact, each sorted by id.
        """
        total = len(self.entities)
        numbers = {tuple(sorted((self.number_of(one), self.number_of(two)))) for one, two in pairs}
        excluded = numpy.asarray([one * total + two for one, two in numbers if one >= 0], dtype=numpy.int64)
        ends = numpy.sort(self.triples[:, [0, 2]].astype(numpy.int64), axis=1)
        keys = ends[:, 0] * total + ends[:, 1]
        removed = numpy.isin(keys, excluded)
        hit = {(self.entities[k // total], self.entities[k % total]) for k in numpy.unique(keys[removed]).tolist()}
        return TripleStore(self.entities, self.relations, self.triples[~removed], names=self.names), hit

    def digest(self) -> str:
        """Return the SHA-256 of entities, relations and facts."""
        digest = hashlib.sha256()
        for names in (self.entities, self.relations):
            digest.update(f"{len(names)};".encode())
            for start in range(0, len(names), NAMES_AT_ONCE):
                # the length before each name keeps two names apart from their concatenation
                part = "".join(f"{len(name)}:{name}" for name in names[start : start + NAMES_AT_ONCE])
                digest.update(part.encode("utf8", "surrogatepass"))
        digest.update(numpy.ascontiguousarray(self.triples, dtype="<i4").data)
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write the facts as a .tsv table whose first line names the columns."""
        with whole_text(path) as stream:
            stream.writelines("\t".join(fact) + "\n" for fact in chain([COLUMNS], self.facts()))

    def to_bytes(self) -> bytes:
        """Serialize facts and names, without the report."""
        names = {entity: [each.label, list(each.aliases), list(each.types)] for entity, each in self.names.items()}
        triples = self.triples.astype("<i4").tobytes()
        data: bytes = srsly.msgpack_dumps([self.entities, self.relations, triples, names])
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "TripleStore":
        """Deserialize what `to_bytes` returned. RAISES (ValueError): If the bytes are damaged."""
        with refuse_damage("the knowledge base"):
            entities, relations, triples, names = srsly.msgpack_loads(data)
            rows = numpy.frombuffer(triples, dtype="<i4").reshape(-1, 3).astype("int32")
            names_of = {
                entity: Names(label, tuple(aliases), tuple(types)) for entity, (label, aliases, types) in names.items()
            }
            return cls(entities, relations, rows, names=names_of)


class FactIndex:
    """Facts by pair, and entities by name, as alignment looks them up."""

    def __init__(self, store: TripleStore) -> None:
        self.store = store
        order = numpy.lexsort((store.triples[:, 1], store.triples[:, 2], store.triples[:, 0]))
        firsts = numpy.searchsorted(store.triples[order, 0], numpy.arange(len(store.entities) + 1))
        # Start of each subject's facts, then object and relation of each fact. Single elements of an `array` are
        # faster to read than those of a NumPy array.
        self._firsts = array("q", firsts.astype(numpy.int64).tobytes())
        self._objects = array("i", store.triples[order, 2].astype(numpy.intc).tobytes())
        self._between = array("i", store.triples[order, 1].astype(numpy.intc).tobytes())
        self._counts: List[int] = numpy.bincount(
            store.triples[:, [0, 2]].ravel(), minlength=len(store.entities)
        ).tolist()
        ids_by_name: Dict[str, List[str]] = {}
        names_of = [(entity, store.names[entity]) for entity in store.entities if entity in store.names]
        labels = ((names.label, entity) for entity, names in names_of)
        aliases = ((alias, entity) for entity, names in names_of for alias in names.aliases)
        for name, entity in chain(labels, aliases):
            if name:
                ids_by_name.setdefault(name, []).append(entity)
        self.names: Dict[str, List[str]] = {name: list(dict.fromkeys(ids)) for name, ids in ids_by_name.items()}

    def __contains__(self, entity_id: object) -> bool:
        """Return True if an entity has a fact or a name."""
        return entity_id in self.store or entity_id in self.store.names

    def __getitem__(self, entity_id: str) -> Names:
        """Return the names of an entity; its id is the label if it has none."""
        names = self.store.names.get(entity_id, Names(""))
        return names if names.label else names._replace(label=entity_id)

    def relations_between(self, subject: str, obj: str) -> List[str]:
        """Return the relations of an ordered pair, sorted."""
        store, objects = self.store, self._objects
        one, two = store.number_of(subject), store.number_of(obj)
        if one < 0 or two < 0:
            return []
        last = self._firsts[one + 1]
        start = end = bisect_left(objects, two, self._firsts[one], last)
        while end < last and objects[end] == two:
            end += 1
        return [store.relations[number] for number in self._between[start:end]]

    def facts_with(self, entity_id: str, others: Set[str]) -> int:
        """Count the facts that join an entity with any of the others, itself excluded."""
        between = self.relations_between
        return sum(len(between(entity_id, each)) + len(between(each, entity_id)) for each in others - {entity_id})

    def count_facts(self, entity_id: str) -> int:
        """Count the facts about an entity."""
        number = self.store.number_of(entity_id)
        return 0 if number < 0 else self._counts[number]


NamesByKind = Dict[str, List[str]]
Progress = Callable[[Iterable[Statement]], Iterable[Statement]]


def read_store(
    paths: Iterable[Path],
    *,
    reader: Optional[FactReader] = None,
    progress: Progress = iter,
    needs_facts: bool = True,
) -> TripleStore:
    """Read the files of a knowledge base.

    paths (Iterable[Path]): Files with facts, with names, or with both.
    progress (Progress): Wraps the statements of a file.
    needs_facts (bool): Whether files without facts are an error.
    RETURNS (TripleStore): Facts and names; `report` counts `facts`, `repeated` ones, `self_loops` (which are kept),
        `ids_with_several_labels` (the first in order is the label, the others are aliases), and what was skipped.
    RAISES (ValueError): If a file is malformed, or no file holds a fact and `needs_facts` is set.
    """
    reader, paths = reader or FactReader(), list(paths)
    entities: Dict[str, int] = {}
    relations: Dict[str, int] = {}
    columns = array("i"), array("i"), array("i")
    names: Dict[str, NamesByKind] = {}
    for path in paths:
        for subject, relation, obj, is_name in progress(reader.read(path)):
            if is_name:
                names.setdefault(subject, {}).setdefault(relation, []).append(obj)
                continue
            columns[0].append(entities.setdefault(subject, len(entities)))
            columns[1].append(relations.setdefault(relation, len(relations)))
            columns[2].append(entities.setdefault(obj, len(entities)))
    if needs_facts and not columns[0]:
        skipped = ", ".join(f"{what} ({count:,})" for what, count in reader.skipped.items())
        where = ", ".join(map(str, paths)) or "no file"
        raise ValueError(Errors.R725.format(path=where, skipped=f"; left out: {skipped}" if skipped else ""))
    rows = numpy.stack([numpy.frombuffer(column, dtype=numpy.intc) for column in columns], axis=1).astype(numpy.int32)
    entity_ids, entity_numbers = _sorted(entities)
    relation_names, relation_numbers = _sorted(relations)
    for column, numbers in enumerate((entity_numbers, relation_numbers, entity_numbers)):
        rows[:, column] = numbers[rows[:, column]]
    triples = distinct_facts(rows, len(entity_ids), len(relation_names)) if len(rows) else rows
    report = {"facts": len(triples), "repeated": len(rows) - len(triples)}
    report["self_loops"] = int((triples[:, 0] == triples[:, 2]).sum())
    report["ids_with_several_labels"] = sum(len(set(each.get(LABEL, ()))) > 1 for each in names.values())
    report.update(reader.skipped)
    names_of = {entity: _names(each) for entity, each in names.items()}
    return TripleStore(entity_ids, relation_names, triples, names=names_of, report=report)


def _sorted(numbers: Dict[str, int]) -> Tuple[List[str], NDArray[numpy.int32]]:
    """Sort names. RETURNS the names, and the new index for each old one."""
    ordered = sorted(numbers)
    new = numpy.empty(len(ordered), dtype=numpy.int32)
    new[[numbers[name] for name in ordered]] = numpy.arange(len(ordered), dtype=numpy.int32)
    return ordered, new


def distinct_facts(triples: Triples, entities: int, relations: int) -> Triples:
    """Sort facts by subject, relation and object, and remove repeated ones. Shape (N, 3)

    entities (int): Number of entities.
    relations (int): Number of relations.
    """
    if entities * relations * entities >= 2**63:
        distinct: Triples = numpy.unique(triples, axis=0)
        return distinct
    # one integer a fact sorts faster than three
    keys = (triples[:, 0].astype(numpy.int64) * relations + triples[:, 1]) * entities + triples[:, 2]
    keys.sort()
    keys = keys[numpy.concatenate([[True], keys[1:] != keys[:-1]])]
    first, second = keys // entities, keys % entities
    return numpy.stack([first // relations, first % relations, second], axis=1).astype(numpy.int32)


def _names(names: NamesByKind) -> Names:
    """Choose the first label in order; the others are aliases."""
    labels = sorted(set(names.get(LABEL, ())))
    aliases = sorted({*names.get(ALIAS, ()), *labels[1:]}.difference(labels[:1]))
    return Names(labels[0] if labels else "", tuple(aliases), tuple(sorted(set(names.get(TYPE, ())))))
