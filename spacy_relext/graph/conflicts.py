"""Facts that contradict each other, or the schema."""

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..annotations.schema import Schema
from ..annotations.type_rules import TypeRules


class Fact(NamedTuple):
    """The part of a fact that is needed to find conflicts."""

    fact_id: int
    subject: int
    relation: str
    object: int
    probability: float


class Conflict(NamedTuple):
    """A row of the table of conflicts."""

    kind: str
    relation: str
    fact_id: int
    other_fact_id: Optional[int]
    detail: str


def find_conflicts(
    facts: Sequence[Fact],
    *,
    labels: Mapping[int, Optional[str]],
    names: Mapping[int, str],
    schema: Optional[Schema] = None,
) -> List[Conflict]:
    """Find facts that cannot all be true: the less probable one comes first, with what it contradicts.

    Kinds: "self" (an entity and itself), and with a schema "type", "functional" and "acyclic".

    labels, names (Mapping): Types and names of the entities.
    """
    conflicts = [
        Conflict("self", fact.relation, fact.fact_id, None, names[fact.subject])
        for fact in facts
        if fact.subject == fact.object
    ]
    if schema is None:
        return conflicts
    rules = TypeRules(schema.type_rows())
    by_relation: Dict[str, List[Fact]] = {}
    for fact in facts:
        kinds = labels[fact.subject] or "", labels[fact.object] or ""
        if not rules.allows(fact.relation, *kinds):
            detail = f"{names[fact.subject]} ({kinds[0]}), {names[fact.object]} ({kinds[1]})"
            conflicts.append(Conflict("type", fact.relation, fact.fact_id, None, detail))
        if fact.relation in schema.relations and fact.subject != fact.object:
            by_relation.setdefault(fact.relation, []).append(fact)
    for relation, group in by_relation.items():
        known = schema.relations[relation]
        group.sort(key=lambda fact: (-fact.probability, fact.fact_id))
        if known.functional:
            conflicts += _find_second_objects(group, names, symmetric=known.symmetric)
        if known.acyclic:
            conflicts += _find_cycles(group, names)
    return conflicts


def _find_second_objects(facts: Sequence[Fact], names: Mapping[int, str], *, symmetric: bool) -> Iterator[Conflict]:
    """Yield facts whose subject (in symmetric relations, either argument) has a more probable object."""
    best: Dict[int, Fact] = {}
    for fact in facts:
        ends = (fact.subject, fact.object) if symmetric else (fact.subject,)
        for end in ends:
            other = best.setdefault(end, fact)
            if other is not fact:
                mine, theirs = (each.object if each.subject == end else each.subject for each in (fact, other))
                detail = f"{names[end]}: {names[mine]} or {names[theirs]}"
                yield Conflict("functional", fact.relation, fact.fact_id, other.fact_id, detail)


def _find_cycles(facts: Sequence[Fact], names: Mapping[int, str]) -> Iterator[Conflict]:
    """Yield facts that close a cycle of more probable ones."""
    component = _components(facts)
    after: Dict[int, List[Fact]] = {}
    for fact in facts:
        if component[fact.subject] != component[fact.object]:
            continue
        path = _find_path(after, fact.object, fact.subject)
        if path:
            steps = [fact.subject, fact.object, *(each.object for each in path)]
            detail = " → ".join(names[entity] for entity in steps)
            yield Conflict("acyclic", fact.relation, fact.fact_id, path[0].fact_id, detail)
        else:
            after.setdefault(fact.subject, []).append(fact)


def _find_path(after: Mapping[int, List[Fact]], start: int, goal: int) -> List[Fact]:
    """Find a shortest path of facts between two entities; empty if there is none."""
    arrived: Dict[int, Optional[Fact]] = {start: None}
    front = [start]
    for entity in front:
        for fact in after.get(entity, ()):
            if fact.object not in arrived:
                arrived[fact.object] = fact
                front.append(fact.object)
        if goal in arrived:
            break
    path: List[Fact] = []
    step = arrived.get(goal)
    while step is not None:
        path.append(step)
        step = arrived[step.subject]
    return path[::-1]


def _components(facts: Sequence[Fact]) -> Dict[int, int]:
    """Number the strongly connected components of entities (Tarjan, SIAM J. Comput. 1972), without recursion."""
    after: Dict[int, List[int]] = {}
    for fact in facts:
        after.setdefault(fact.subject, []).append(fact.object)
        after.setdefault(fact.object, [])
    index: Dict[int, int] = {}
    low: Dict[int, int] = {}
    component: Dict[int, int] = {}
    stack: List[int] = []
    for start in after:
        work: List[Tuple[int, int]] = [(start, 0)] if start not in index else []
        while work:
            entity, at = work.pop()
            if not at:
                index[entity] = low[entity] = len(index)
                stack.append(entity)
            for position in range(at, len(after[entity])):
                other = after[entity][position]
                if other not in index:
                    work += [(entity, position + 1), (other, 0)]
                    break
                if other not in component:
                    low[entity] = min(low[entity], index[other])
            else:
                if low[entity] == index[entity]:
                    while entity not in component:
                        component[stack.pop()] = entity
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[entity])
    return component
