"""A knowledge base as arrays: facts are numbers of entities and relations, which are sorted by their ids.

Whatever the order of its lines, the same knowledge base has the same numbers. A fact takes 12 bytes, and an entity its
id: ten million facts of a million entities need less than 1 GiB.
"""

import hashlib
from array import array
from bisect import bisect_left
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import Errors
from .files import COLUMNS, Example, Reading, Statement
from .kb import Entity

Triples = npt.NDArray[np.int32]

LABEL, ALIAS, TYPE = "label", "alias", "type"

LOOPS, SEVERAL = "self_loops", "ids_with_several_labels"

NAMES_AT_ONCE = 100_000


class Names(NamedTuple):
    """What an entity is called.

    label (str): The usual name; "" where nobody says.
    aliases (Tuple[str, ...]): Other names, sorted.
    types (Tuple[str, ...]): Sorted.
    """

    label: str
    aliases: Tuple[str, ...] = ()
    types: Tuple[str, ...] = ()


class TripleStore:
    """Facts between numbered entities.

    entities (Sequence[str]): Their ids, sorted.
    relations (Sequence[str]): Their names, sorted.
    triples (Triples): Subject, relation and object of each fact, each once, sorted. Shape (N, 3)
    names (Optional[Dict[str, Names]]): Of entities, where known; also of such that no fact is about.
    report (Optional[Dict[str, int]]): What was counted in reading.
    examples (Optional[Dict[str, Example]]): One of what was counted, by the keys of the report.
    """

    def __init__(
        self,
        entities: Sequence[str],
        relations: Sequence[str],
        triples: Triples,
        *,
        names: Optional[Dict[str, Names]] = None,
        report: Optional[Dict[str, int]] = None,
        examples: Optional[Dict[str, Example]] = None,
    ) -> None:
        self.entities, self.relations, self.triples = list(entities), list(relations), triples
        self.names, self.report, self.examples = names or {}, report or {}, examples or {}
        self._number = {entity: number for number, entity in enumerate(self.entities)}
        self._relation = {relation: number for number, relation in enumerate(self.relations)}

    def __len__(self) -> int:
        return len(self.triples)

    def __contains__(self, entity: object) -> bool:
        return entity in self._number

    def number_of(self, entity: str) -> int:
        """RETURNS (int): Number of an entity; -1 where no fact is about it."""
        return self._number.get(entity, -1)

    def relation_number(self, relation: str) -> int:
        """RETURNS (int): Number of a relation; -1 where no fact has it."""
        return self._relation.get(relation, -1)

    def facts(self) -> Iterator[Tuple[str, str, str]]:
        """Yield the facts in words, sorted."""
        for subject, relation, obj in self.triples.tolist():
            yield self.entities[subject], self.relations[relation], self.entities[obj]

    def fact(self, row: int) -> Tuple[str, str, str]:
        """RETURNS (Tuple[str, str, str]): One fact in words."""
        subject, relation, obj = self.triples[row].tolist()
        return self.entities[subject], self.relations[relation], self.entities[obj]

    def without_pairs(self, pairs: Iterable[Tuple[str, str]]) -> Tuple["TripleStore", Set[Tuple[str, str]]]:
        """Leave out all facts between the entities of some pairs, in either direction and of any relation.

        pairs (Iterable[Tuple[str, str]]): Ids.
        RETURNS (Tuple[TripleStore, Set[Tuple[str, str]]]): The other facts, with the same entities and relations; and
            the pairs that had one, in order of their ids.
        """
        total = len(self.entities)
        found = {tuple(sorted((self.number_of(one), self.number_of(two)))) for one, two in pairs}
        wanted = np.asarray([one * total + two for one, two in found if one >= 0], dtype=np.int64)
        ends = np.sort(self.triples[:, [0, 2]].astype(np.int64), axis=1)
        keys = ends[:, 0] * total + ends[:, 1]
        out = np.isin(keys, wanted)
        hit = {(self.entities[key // total], self.entities[key % total]) for key in np.unique(keys[out]).tolist()}
        kept = TripleStore(self.entities, self.relations, self.triples[~out], names=self.names)
        return kept, hit

    def digest(self) -> str:
        """RETURNS (str): The same of two stores with the same entities, relations and facts, and of no others."""
        found = hashlib.sha256()
        for names in (self.entities, self.relations):
            found.update(f"{len(names)};".encode())
            for start in range(0, len(names), NAMES_AT_ONCE):
                # with its length before it no name can be taken for parts of two
                part = "".join(f"{len(name)}:{name}" for name in names[start : start + NAMES_AT_ONCE])
                found.update(part.encode("utf8", "surrogatepass"))
        return digest_facts(self.triples, found)

    def write(self, path: Path) -> None:
        """Write the facts as a table with a first line that names the columns.

        path (Path): A .tsv file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf8") as stream:
            stream.write("\t".join(COLUMNS) + "\n")
            for fact in self.facts():
                stream.write("\t".join(fact) + "\n")


class NamedFacts:
    """A store as alignment asks it.

    store (TripleStore): Facts, and the names of their entities; those without a name cannot be found.
    """

    def __init__(self, store: TripleStore) -> None:
        self.store = store
        order = np.lexsort((store.triples[:, 1], store.triples[:, 2], store.triples[:, 0]))
        firsts = np.searchsorted(store.triples[order, 0], np.arange(len(store.entities) + 1))
        # Where the facts of each subject begin, then of each fact object and relation: arrays whose elements are quick
        # to get one by one, as a search in a sentence needs them.
        self._firsts, self._objects, self._between = array("q"), array("i"), array("i")
        self._firsts.frombytes(firsts.astype(np.int64).tobytes())
        self._objects.frombytes(store.triples[order, 2].astype(np.intc).tobytes())
        self._between.frombytes(store.triples[order, 1].astype(np.intc).tobytes())
        found: Dict[str, List[str]] = {}
        for rank in (LABEL, ALIAS):
            for entity in store.entities:
                said = store.names.get(entity)
                if said is not None:
                    for name in filter(None, (said.label,) if rank == LABEL else said.aliases):
                        found.setdefault(name, []).append(entity)
        self.names: Dict[str, List[str]] = {name: list(dict.fromkeys(ids)) for name, ids in found.items()}

    def __contains__(self, entity_id: object) -> bool:
        """RETURNS (bool): Whether an entity has a fact or a name."""
        return entity_id in self.store or entity_id in self.store.names

    def __getitem__(self, entity_id: str) -> Entity:
        """RETURNS (Entity): With its names, and the first of its types."""
        said = self.store.names.get(entity_id, Names(""))
        return Entity(entity_id, said.label or entity_id, said.types[0] if said.types else "", said.aliases)

    def relations_between(self, subject: str, obj: str) -> List[str]:
        """RETURNS (List[str]): Relations of an ordered pair, sorted."""
        store, objects = self.store, self._objects
        one, two = store.number_of(subject), store.number_of(obj)
        if one < 0 or two < 0:
            return []
        last = self._firsts[one + 1]
        start = end = bisect_left(objects, two, self._firsts[one], last)
        while end < last and objects[end] == two:
            end += 1
        return [store.relations[number] for number in self._between[start:end]]


def read_store(paths: Iterable[Path], *, reading: Optional[Reading] = None, progress: Any = None) -> TripleStore:
    """Read the files of a knowledge base.

    paths (Iterable[Path]): Files with facts, with names, or with both.
    reading (Optional[Reading]): How they are read.
    progress (Any): Wraps the statements of each file, to show how far it is.
    RETURNS (TripleStore): What they hold; `report` counts `facts`, `repeated` ones, `self_loops` (which are kept),
        `ids_with_several_labels` (the first in order is the label, the others are aliases), `marked_rows` (complete
        ones that begin with #, which are read), and what was left out; `examples` has one of each, where there is one.
    RAISES (ValueError): Where a file is malformed, or no file holds a fact.
    """
    reading, paths = reading or Reading(), list(paths)
    entities: Dict[str, int] = {}
    relations: Dict[str, int] = {}
    columns = array("i"), array("i"), array("i")
    said: Dict[str, Dict[str, List[str]]] = {}
    odd: Dict[str, Tuple[str, str, Path]] = {}
    for path in paths:
        statements: Iterable[Statement] = reading.read(path)
        for subject, relation, obj, is_name in progress(statements, path.name) if progress else statements:
            if is_name:
                others = said.setdefault(subject, {}).setdefault(relation, [])
                others.append(obj)
                if relation == LABEL and obj != others[0]:
                    odd.setdefault(SEVERAL, (subject, relation, path))
                continue
            if subject == obj:
                odd.setdefault(LOOPS, (subject, relation, path))
            columns[0].append(entities.setdefault(subject, len(entities)))
            columns[1].append(relations.setdefault(relation, len(relations)))
            columns[2].append(entities.setdefault(obj, len(entities)))
    if not columns[0]:
        skipped = ", ".join(f"{what} ({count:,})" for what, count in reading.skipped.items())
        where = ", ".join(map(str, paths)) or "no file"
        raise ValueError(Errors.R725.format(path=where, skipped=f"; left out: {skipped}" if skipped else ""))
    triples = np.stack([np.frombuffer(column, dtype=np.intc) for column in columns], axis=1).astype(np.int32)
    names_of, numbers = _sorted(entities)
    names_of_relations, relation_numbers = _sorted(relations)
    for column, new in ((0, numbers), (1, relation_numbers), (2, numbers)):
        triples[:, column] = new[triples[:, column]]
    read = len(triples)
    triples = distinct_facts(triples, len(names_of), len(names_of_relations))
    report = {"facts": len(triples), "repeated": read - len(triples)}
    report[LOOPS] = int((triples[:, 0] == triples[:, 2]).sum())
    report[SEVERAL] = sum(len(set(each.get(LABEL, ()))) > 1 for each in said.values())
    report.update(reading.noted + reading.skipped)
    names = {entity: _names(each) for entity, each in said.items()}
    examples = {**reading.examples, **_examples(odd, said)}
    return TripleStore(names_of, names_of_relations, triples, names=names, report=report, examples=examples)


def _examples(odd: Dict[str, Tuple[str, str, Path]], said: Dict[str, Dict[str, List[str]]]) -> Dict[str, Example]:
    """Put into words what is odd."""
    found = {}
    for what, (subject, relation, path) in odd.items():
        if what == LOOPS:
            text = f"{subject} {relation}"
        else:
            first, second, *more = sorted(set(said[subject][LABEL]))
            others = f" and {len(more):,} more are aliases" if more else " is an alias"
            text = f"{subject}: {first!r} counts, {second!r}{others}"
        found[what] = Example(text, str(path))
    return found


def digest_facts(triples: Triples, found: Any = None) -> str:
    """Tell lists of facts apart.

    triples (Triples): Shape (N, 3)
    found (Any): A hash that has seen what the numbers stand for.
    RETURNS (str): The same of the same numbers in the same order, on every machine.
    """
    found = found or hashlib.sha256()
    found.update(np.ascontiguousarray(triples, dtype="<i4").data)
    return str(found.hexdigest())


def _sorted(numbers: Dict[str, int]) -> Tuple[List[str], npt.NDArray[np.int32]]:
    """Sort names. RETURNS the names, and the new number for each old one."""
    ordered = sorted(numbers)
    new = np.empty(len(ordered), dtype=np.int32)
    for number, name in enumerate(ordered):
        new[numbers[name]] = number
    return ordered, new


def distinct_facts(triples: Triples, entities: int, relations: int) -> Triples:
    """Sort facts by subject, relation and object, and keep each once: as one number each, which is quick."""
    if entities * relations * entities < 2**63:
        keys = (triples[:, 0].astype(np.int64) * relations + triples[:, 1]) * entities + triples[:, 2]
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        first, second = keys // entities, keys % entities
        return np.stack([first // relations, first % relations, second], axis=1).astype(np.int32)
    found: Triples = np.unique(triples, axis=0)
    return found


def _names(said: Dict[str, List[str]]) -> Names:
    """Of several labels the first in order counts, and the others are aliases."""
    labels = sorted(set(said.get(LABEL, ())))
    aliases = sorted({*said.get(ALIAS, ()), *labels[1:]}.difference(labels[:1]))
    return Names(labels[0] if labels else "", tuple(aliases), tuple(sorted(set(said.get(TYPE, ())))))
