"""Check the hand-written knowledge base: ids, types, duplicates, names, order, sizes, one birth and death place each.

python scripts/check_kb.py assets/kb
"""

import argparse
import collections
import pathlib
import sys
from typing import Counter, Dict, List, NamedTuple, Set, Tuple

ENTITY_HEADER = ["id", "label", "type", "aliases"]
FACT_HEADER = ["subject", "relation", "object"]
PREFIXES = {"PERSON": "per:", "ORG": "org:", "PLACE": "loc:", "WORK": "work:"}
RELATIONS = {
    "place_of_birth": ({"PERSON"}, {"PLACE"}),
    "place_of_death": ({"PERSON"}, {"PLACE"}),
    "country_of_citizenship": ({"PERSON"}, {"PLACE"}),
    "spouse": ({"PERSON"}, {"PERSON"}),
    "employer": ({"PERSON"}, {"ORG"}),
    "educated_at": ({"PERSON"}, {"ORG"}),
    "founded_by": ({"ORG"}, {"PERSON"}),
    "headquarters_location": ({"ORG"}, {"PLACE"}),
    "capital_of": ({"PLACE"}, {"PLACE"}),
    "located_in": ({"PLACE"}, {"PLACE"}),
    "author": ({"WORK"}, {"PERSON"}),
    "director": ({"WORK"}, {"PERSON"}),
    "parent_organization": ({"ORG"}, {"ORG"}),
    "member_of": ({"PERSON", "ORG", "PLACE"}, {"ORG"}),
}
SINGLE_VALUED = ("place_of_birth", "place_of_death")
MINIMUM_PER_RELATION = 80
MINIMUM_FACTS = 1600


class Entity(NamedTuple):
    """One line of entities.tsv."""

    id: str
    label: str
    type: str
    aliases: List[str]


Fact = Tuple[str, str, str]


def read_rows(path: pathlib.Path, header: List[str]) -> Tuple[List[List[str]], List[str]]:
    """Read the rows of a table and name those that do not fit its header."""
    lines = path.read_text(encoding="utf8").split("\n")
    rows, problems = [], []
    if lines[0].split("\t") != header:
        problems.append(f"{path.name}:1: the header is not {header}")
    if lines.pop() != "":
        problems.append(f"{path.name}: no newline at the end")
    for number, line in enumerate(lines[1:], 2):
        row = line.split("\t")
        if len(row) != len(header) or any(cell != cell.strip() for cell in row):
            problems.append(f"{path.name}:{number}: malformed line {line!r}")
        else:
            rows.append(row)
    if rows != sorted(rows):
        problems.append(f"{path.name}: not sorted")
    return rows, problems


def entity_problems(entities: List[Entity]) -> List[str]:
    """Name what is wrong with the entities on their own."""
    problems = []
    ids = collections.Counter(entity.id for entity in entities)
    labels = collections.Counter((entity.type, entity.label) for entity in entities)
    problems += [f"{id_}: the id stands twice" for id_, count in ids.items() if count > 1]
    problems += [f"two entities {label!r} of type {type_}" for (type_, label), count in labels.items() if count > 1]
    for entity in entities:
        if entity.type not in PREFIXES:
            problems.append(f"{entity.id}: unknown type {entity.type!r}")
        elif not entity.id.startswith(PREFIXES[entity.type]):
            problems.append(f"{entity.id}: the prefix does not fit {entity.type}")
        names = [entity.label, *entity.aliases]
        if "" in names or len(set(names)) < len(names):
            problems.append(f"{entity.id}: an empty or repeated name in {names}")
    return problems


def shared_name_problems(entities: List[Entity]) -> List[str]:
    """Name the labels and aliases that stand for more than one entity."""
    owners: Dict[str, Set[str]] = collections.defaultdict(set)
    for entity in entities:
        for name in (entity.label, *entity.aliases):
            owners[name].add(entity.id)
    return [f"{name!r} names {sorted(ids)}" for name, ids in owners.items() if len(ids) > 1]


def type_problems(fact: Fact, types: Dict[str, str]) -> List[str]:
    """Name the arguments of one fact that are unknown or of a type that its relation does not take."""
    subject, relation, object_ = fact
    if relation not in RELATIONS:
        return [f"{fact}: unknown relation"]
    problems = [f"{fact}: a fact about itself"] if subject == object_ else []
    for id_, allowed in zip((subject, object_), RELATIONS[relation]):
        if id_ not in types:
            problems.append(f"{fact}: {id_} is no entity")
        elif types[id_] not in allowed:
            problems.append(f"{fact}: {id_} is a {types[id_]}")
    return problems


def fact_problems(facts: List[Fact], types: Dict[str, str]) -> List[str]:
    """Name what is wrong with the facts: their arguments, duplicates, and second birth or death places."""
    problems: List[str] = []
    seen: Set[Fact] = set()
    values: Counter[Tuple[str, str]] = collections.Counter()
    for fact in facts:
        subject, relation, object_ = fact
        problems += type_problems(fact, types)
        if fact in seen or (relation == "spouse" and (object_, relation, subject) in seen):
            problems.append(f"{fact}: stands twice")
        seen.add(fact)
        values[subject, relation] += relation in SINGLE_VALUED
    problems += [f"{subject}: more than one {relation}" for (subject, relation), count in values.items() if count > 1]
    return problems


def size_problems(counts: Counter[str]) -> List[str]:
    """Name the relations with too few facts, and too few facts in all."""
    problems = [f"{name}: only {counts[name]} facts" for name in RELATIONS if counts[name] < MINIMUM_PER_RELATION]
    if sum(counts.values()) < MINIMUM_FACTS:
        problems.append(f"only {sum(counts.values())} facts in all")
    return problems


def report(entities: List[Entity], facts: List[Fact]) -> None:
    """Print the counts per type and per relation."""
    kinds = collections.Counter(entity.type for entity in entities)
    counts = collections.Counter(relation for _, relation, _ in facts)
    places: Dict[str, Dict[str, str]] = {relation: {} for relation in SINGLE_VALUED}
    for subject, relation, object_ in facts:
        if relation in places:
            places[relation][subject] = object_
    born, died = (places[relation] for relation in SINGLE_VALUED)
    coincide = sum(died.get(person) == place for person, place in born.items())
    print(f"{len(entities)} entities ({', '.join(f'{kinds[kind]} {kind}' for kind in PREFIXES)}), {len(facts)} facts")
    for relation in RELATIONS:
        print(f"  {relation:24}{counts[relation]}")
    print(f"born and died in the same place: {coincide}")


def main() -> int:
    """Check the folder named on the command line, print counts and problems, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    entity_rows, problems = read_rows(folder / "entities.tsv", ENTITY_HEADER)
    fact_rows, more = read_rows(folder / "facts.tsv", FACT_HEADER)
    entities = [Entity(*row[:3], row[3].split("|") if row[3] else []) for row in entity_rows]
    facts = [(subject, relation, object_) for subject, relation, object_ in fact_rows]
    problems += more + entity_problems(entities) + shared_name_problems(entities)
    problems += fact_problems(facts, {entity.id: entity.type for entity in entities})
    problems += size_problems(collections.Counter(relation for _, relation, _ in facts))
    for problem in problems:
        print(problem)
    report(entities, facts)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
