"""Facts that contradict each other, or the schema."""

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..annotations.schema import Schema
from ..errors import require
from .paths import find_path
from .periods import Period, may_overlap

# A subject with more objects of a functional relation is hardly one entity.
_MOST_COMPARED = 20


class Fact(NamedTuple):
    """The part of a fact that is needed to find conflicts."""

    fact_id: int
    subject: int
    relation: str
    object: int
    probability: float
    start: Optional[str] = None
    end: Optional[str] = None
    at: Optional[str] = None

    @property
    def period(self) -> Period:
        """RETURNS (Period): When it holds."""
        return Period(self.start, self.end, self.at)


class Conflict(NamedTuple):
    """A row of the table of conflicts.

    score (Optional[float]): Of a denial: how certain it is.
    """

    kind: str
    relation: str
    fact_id: int
    other_fact_id: Optional[int]
    detail: str
    score: Optional[float] = None


def find_conflicts(
    facts: Sequence[Fact],
    *,
    labels: Mapping[int, Optional[str]],
    names: Mapping[int, str],
    schema: Optional[Schema] = None,
) -> List[Conflict]:
    """Find facts that cannot all be true: the less probable one comes first, with what it contradicts.

    Kinds: "self" (an entity and itself), and with a schema "type", "functional" and "acyclic". Facts that a text denies
    are added in `build`, as "denied".

    labels, names (Mapping): Types and names of the entities.
    """
    conflicts = [
        Conflict("self", fact.relation, fact.fact_id, None, names[fact.subject])
        for fact in facts
        if fact.subject == fact.object
    ]
    if schema is None:
        return conflicts
    by_relation: Dict[str, List[Fact]] = {}
    for fact in facts:
        kinds = labels[fact.subject] or "", labels[fact.object] or ""
        if not schema.type_rules.allows(fact.relation, *kinds):
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
    """Yield each pair of facts of one subject (in symmetric relations, argument) whose periods may overlap.

    A fact is compared with the most probable ones of its subject.
    """
    better: Dict[int, List[Fact]] = {}
    for fact in facts:
        ends = (fact.subject, fact.object) if symmetric else (fact.subject,)
        for end in ends:
            others = better.setdefault(end, [])
            for other in others:
                if not may_overlap(fact.period, other.period):
                    continue
                mine, theirs = (each.object if each.subject == end else each.subject for each in (fact, other))
                detail = f"{names[end]}: {names[mine]} or {names[theirs]}"
                yield Conflict("functional", fact.relation, fact.fact_id, other.fact_id, detail)
            if len(others) < _MOST_COMPARED:
                others.append(fact)


def _find_cycles(facts: Sequence[Fact], names: Mapping[int, str]) -> Iterator[Conflict]:
    """Yield facts that close a cycle of more probable ones."""
    component = _components(facts)
    after: Dict[int, List[Fact]] = {}

    def edges_of(entities: List[int]) -> Iterator[Tuple[int, int, Fact]]:
        return ((entity, each.object, each) for entity in entities for each in after.get(entity, ()))

    for fact in facts:
        if component[fact.subject] != component[fact.object]:
            continue
        path = find_path([fact.object], {fact.subject}, edges_of)
        if path:
            steps = [fact.subject, fact.object, *(each.object for each in path)]
            detail = " → ".join(names[entity] for entity in steps)
            yield Conflict("acyclic", fact.relation, fact.fact_id, path[0].fact_id, detail)
        else:
            after.setdefault(fact.subject, []).append(fact)


def _components(facts: Sequence[Fact]) -> Dict[int, int]:
    """Number the strongly connected components of entities."""
    networkx = require("networkx", purpose="cycles of relations", extra="export")
    graph = networkx.DiGraph((fact.subject, fact.object) for fact in facts)
    components = networkx.strongly_connected_components(graph)
    return {entity: number for number, component in enumerate(components) for entity in component}
