"""Joint constraints on the triples of a document: which of them a schema does not allow together.

Of all consistent subsets, the one with the largest sum of weights is kept. Types are checked for each triple by itself;
the other constraints apply within a relation, whose conflicting entity pairs are grouped by the entities they share.
Each group is solved by beam search: exactly for up to eight pairs, and never worse than the greedy choice.
"""

from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc

from .entities import doc_entities, entity_links, make_type_finder
from .schema import RelationSchema, Schema
from .store import plain
from .triple import CharSpan, Record

# Triples removed from a Doc: records as `get_records` returns them, with `removed`.
REMOVED_KEY = "relext_removed"

# Largest beam width, and largest product of beam width and pairs.
_BEAM, _STEPS = 256, 4_000


class Argument(NamedTuple):
    """A subject or object."""

    span: CharSpan
    name: str  # mentions with the same name are the same entity
    kind: str  # entity type; "" if it is unknown


class Claim(NamedTuple):
    """A triple as constraints see it."""

    subject: Argument
    relation: str
    object: Argument
    weight: float  # above 0

    @property
    def names(self) -> Tuple[str, str]:
        """RETURNS (Tuple[str, str]): The entities that it joins."""
        return self.subject.name, self.object.name


class Violation(NamedTuple):
    """A triple to remove, and why.

    constraint (str): "types", "symmetric", "functional" or "acyclic".
    position (int): Position of the triple.
    other (Optional[int]): Position of a triple that stays and contradicts it; None: it is not allowed by itself.
    """

    constraint: str
    position: int
    other: Optional[int] = None


class _Edge(NamedTuple):
    """All triples of a relation between two entities, which are kept or removed together."""

    subject: str
    object: str
    weight: float
    positions: Tuple[int, ...]


def find_violations(
    claims: Sequence[Claim],
    schema: Schema,
    *,
    type_penalty: Optional[float] = None,
) -> List[Violation]:
    """Find the triples of a document to remove, so that the rest is consistent and has the largest sum of weights.

    A triple that contradicts no other is never removed, unless its types are not allowed. If a symmetric relation is
    claimed in both directions between the same mentions, only one is kept. A triple whose arguments have the same name
    is never part of a cycle.

    claims (Sequence[Claim]): Triples of one document; earlier ones win where weights are equal.
    type_penalty (Optional[float]): Weight that a triple with types that are not allowed loses; it is removed if none is
        left. None: it is removed in any case.
    RETURNS (List[Violation]): In the order of the triples.
    """
    violations, weighed = [], list(claims)
    by_relation: Dict[str, List[int]] = {}
    for position, (subject, relation, obj, weight) in enumerate(claims):
        if not schema.type_rules.allows(relation, subject.kind, obj.kind):
            if type_penalty is None or weight <= type_penalty:
                violations.append(Violation("types", position))
                continue
            weighed[position] = claims[position]._replace(weight=weight - type_penalty)
        if relation in schema.relations:
            by_relation.setdefault(relation, []).append(position)
    for relation, positions in by_relation.items():
        known = schema.relations[relation]
        if known.symmetric:
            doubled = list(_merge_directions(weighed, positions))
            violations += doubled
            positions = sorted(set(positions) - {each.position for each in doubled})
        if known.functional or known.acyclic:
            violations += _resolve(_join_claims(weighed, positions, known), known)
    return sorted(violations, key=lambda each: each.position)


def make_claims(doc: Doc, records: Sequence[Record], weights: Sequence[float]) -> List[Claim]:
    """Turn the triples of a Doc into claims: mentions with the same id, or else the same text, are the same entity.

    records (Sequence[Record]): As `get_records` returns them.
    weights (Sequence[float]): One per triple, above 0.
    """
    find_type = make_type_finder([(_characters(doc, bounds), kind) for bounds, kind in doc_entities(doc)])
    find_link = make_type_finder([(_characters(doc, bounds), link) for bounds, link in entity_links(doc).items()])
    text = doc.text if records else ""

    def argument(span: CharSpan) -> Argument:
        words = text[slice(*span)].casefold().split()
        name = " ".join(words[1:] if words[:1] == ["the"] and len(words) > 1 else words)
        link = find_link(span)
        return Argument(span, f"id {link}" if link else f"name {name}", find_type(span))

    return [
        Claim(argument(record["subject"]), record["relation"], argument(record["object"]), weight)
        for record, weight in zip(records, weights)
    ]


def get_removed(doc: Doc) -> List[Record]:
    """Read the triples that constraints removed from a Doc.

    RETURNS (List[Record]): As from `get_records`, with `removed`: `by` (name of the component), `constraint`, `reason`.
    """
    return [
        {**record, "subject": tuple(record["subject"]), "object": tuple(record["object"])}
        for record in plain(doc.user_data.get(REMOVED_KEY, []))
    ]


def _characters(doc: Doc, bounds: Tuple[int, int]) -> CharSpan:
    """Convert token bounds to character offsets."""
    last = doc[bounds[1] - 1]
    return doc[bounds[0]].idx, last.idx + len(last)


def _merge_directions(claims: Sequence[Claim], positions: Sequence[int]) -> Iterator[Violation]:
    """Yield the triples of a symmetric relation whose reverse, between the same mentions, has more weight."""
    pairs: Dict[Tuple[CharSpan, CharSpan], List[int]] = {}
    for position in positions:
        claim = claims[position]
        pairs.setdefault((claim.subject.span, claim.object.span), []).append(position)
    for (subject, obj), same in pairs.items():
        reverse = pairs.get((obj, subject), [])
        if reverse and _strength(claims, reverse) > _strength(claims, same):
            yield from (Violation("symmetric", position, reverse[0]) for position in same)


def _strength(claims: Sequence[Claim], positions: Sequence[int]) -> Tuple[float, int]:
    """Return the sum of weights, and a tie-breaker by which the earlier triples win."""
    return sum(claims[position].weight for position in positions), -positions[0]


def _join_claims(claims: Sequence[Claim], positions: Sequence[int], limits: RelationSchema) -> List[_Edge]:
    """Join the triples between the same entities; in a symmetric relation those of both directions."""
    joined: Dict[Tuple[str, str], List[int]] = {}
    for position in positions:
        one, two = claims[position].names
        joined.setdefault((min(one, two), max(one, two)) if limits.symmetric else (one, two), []).append(position)
    return [
        _Edge(*names, sum(claims[position].weight for position in same), tuple(same)) for names, same in joined.items()
    ]


def _resolve(edges: Sequence[_Edge], limits: RelationSchema) -> Iterator[Violation]:
    """Yield the triples that must be removed because their relation is functional or acyclic."""
    for group in _conflicting(edges, limits):
        order = sorted(group, key=lambda edge: (-edge.weight, edge.positions))
        width = max(1, min(_BEAM, _STEPS // len(order)))
        greedy, best = (_search(order, limits, width=each) for each in (1, width))
        chosen = best if _total(best) > _total(greedy) else greedy
        for edge in order:
            if edge not in chosen:
                constraint, other = _contradiction(edge, chosen, limits)
                yield from (Violation(constraint, position, other) for position in edge.positions)


def _total(edges: Sequence[_Edge]) -> float:
    return sum(edge.weight for edge in edges)


def _conflicting(edges: Sequence[_Edge], limits: RelationSchema) -> List[List[_Edge]]:
    """Group the pairs that take part in a conflict, by the entities that they share."""
    after = _graph(edges)
    counts: Dict[str, int] = {}
    for edge in edges:
        for name in _owners(edge, limits):
            counts[name] = counts.get(name, 0) + 1
    groups: List[Tuple[Set[str], List[_Edge]]] = []
    for edge in edges:
        is_shared = limits.functional and any(counts[name] > 1 for name in _owners(edge, limits))
        if not is_shared and not (limits.acyclic and _path(after, edge.object, edge.subject)):
            continue
        names, members = {edge.subject, edge.object}, [edge]
        apart = [group for group in groups if names.isdisjoint(group[0])]
        for joined in groups:
            if joined not in apart:
                names, members = names | joined[0], joined[1] + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _owners(edge: _Edge, limits: RelationSchema) -> Set[str]:
    """Return the entities that may take part in only one such pair if the relation is functional."""
    return {edge.subject, edge.object} if limits.symmetric else {edge.subject}


def _search(order: Sequence[_Edge], limits: RelationSchema, *, width: int) -> Tuple[_Edge, ...]:
    """Choose pairs by beam search, in the given order; a width of 1 is the greedy choice."""
    states: List[Tuple[float, Tuple[_Edge, ...]]] = [(0.0, ())]
    for edge in order:
        extended = []
        for weight, chosen in states:
            if _contradiction(edge, chosen, limits)[1] is None:
                extended.append((weight + edge.weight, (*chosen, edge)))
            extended.append((weight, chosen))
        states = sorted(extended, key=lambda state: -state[0])[:width]
    return states[0][1]


def _contradiction(edge: _Edge, chosen: Sequence[_Edge], limits: RelationSchema) -> Tuple[str, Optional[int]]:
    """Find the constraint that a pair breaks beside chosen ones, and the first triple of one; "" and None if none."""
    if limits.functional:
        owners = _owners(edge, limits)
        for other in chosen:
            if owners & _owners(other, limits):
                return "functional", other.positions[0]
    if limits.acyclic and (path := _path(_graph(chosen), edge.object, edge.subject)):
        return "acyclic", path[0].positions[0]
    return "", None


def _graph(edges: Sequence[_Edge]) -> Dict[str, List[_Edge]]:
    """Map each entity to the pairs of which it is the subject."""
    after: Dict[str, List[_Edge]] = {}
    for edge in edges:
        after.setdefault(edge.subject, []).append(edge)
    return after


def _path(after: Dict[str, List[_Edge]], start: str, goal: str) -> List[_Edge]:
    """Find a shortest path between two entities; empty if there is none, or they are the same."""
    visited: Dict[str, _Edge] = {}
    front = [start]
    for name in front:
        for edge in after.get(name, ()):
            if edge.object not in visited and edge.object != start:
                visited[edge.object] = edge
                front.append(edge.object)
    path: List[_Edge] = []
    while goal in visited:
        path.append(visited[goal])
        goal = path[-1].subject
    return path[::-1]
