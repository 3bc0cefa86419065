"""Facts that follow from others by what a schema says of relations.

    inverse      r(a, b) → s(b, a)               s is the inverse of r
    implies      r(a, b) → s(a, b), or s(b, a)   r implies s, or -s
    transitive   r(a, b), r(b, c) → r(a, c)      a ≠ c

The score of a derived fact is the product of the scores of the facts that it follows from: the best product over all
derivations, found best first, as the shortest paths of Dijkstra's algorithm are.
"""

import heapq
from typing import Callable, Collection, Dict, Iterator, List, Mapping, NamedTuple, Set, Tuple

from .doc_entities import FactKey
from .schema import Schema

RULES = ("inverse", "implies", "transitive")

# Returns True if a relation may hold between two entities.
Allows = Callable[[FactKey], bool]


class Derived(NamedTuple):
    """How a fact follows from others.

    score (float): 0 to 1.
    rule (str): The last of RULES that was applied.
    sources (Tuple[FactKey, ...]): The facts that it follows from, none of which is derived.
    """

    score: float
    rule: str
    sources: Tuple[FactKey, ...]


def derive_facts(
    stated: Mapping[FactKey, float],
    schema: Schema,
    *,
    allows: Allows,
    rules: Collection[str] = RULES,
    least: float = 0.0,
) -> Dict[FactKey, Derived]:
    """Derive what follows from the facts of a document, and is not among them.

    stated (Mapping[FactKey, float]): Facts with their scores, 0 to 1.
    allows (Allows): Says whether entity types permit a fact.
    rules (Collection[str]): Those of RULES that are applied.
    least (float): Lowest score of a derived fact.
    """
    inverse = _inverses(schema) if "inverse" in rules else {}
    implied = {name: each.implies for name, each in schema.relations.items()} if "implies" in rules else {}
    transitive = {name for name, each in schema.relations.items() if each.transitive and "transitive" in rules}
    found: Dict[FactKey, Derived] = {}
    starts: Dict[Tuple[str, int], List[int]] = {}
    ends: Dict[Tuple[str, int], List[int]] = {}

    def conclusions(key: FactKey) -> Iterator[Tuple[FactKey, str, Tuple[FactKey, ...]]]:
        subject, relation, obj = key
        if relation in inverse:
            yield (obj, inverse[relation], subject), "inverse", (key,)
        for other in implied.get(relation, ()):
            turned = other.startswith("-")
            yield (obj, other[1:], subject) if turned else (subject, other, obj), "implies", (key,)
        if relation in transitive:
            for end in starts.get((relation, obj), ()):
                yield (subject, relation, end), "transitive", (key, (obj, relation, end))
            for start in ends.get((relation, subject), ()):
                yield (start, relation, obj), "transitive", ((start, relation, subject), key)

    queue: List[Tuple[float, FactKey, str, Tuple[FactKey, ...]]] = [
        (-score, key, "", (key,)) for key, score in stated.items()
    ]
    heapq.heapify(queue)
    done: Set[FactKey] = set()
    while queue:
        cost, key, rule, sources = heapq.heappop(queue)
        if key in done:
            continue
        done.add(key)
        found[key] = Derived(-cost, rule, sources)
        subject, relation, obj = key
        for conclusion, by, premises in conclusions(key):
            score = 1.0
            for premise in premises:
                score *= found[premise].score
            is_new = conclusion not in done and conclusion not in stated and conclusion[0] != conclusion[2]
            if is_new and score >= least and allows(conclusion):
                origin = tuple(dict.fromkeys(each for premise in premises for each in found[premise].sources))
                heapq.heappush(queue, (-score, conclusion, by, origin))
        starts.setdefault((relation, subject), []).append(obj)
        ends.setdefault((relation, obj), []).append(subject)
    return {key: each for key, each in found.items() if each.rule}


def _inverses(schema: Schema) -> Dict[str, str]:
    """Map each relation to its inverse, which one of the two names."""
    found: Dict[str, str] = {}
    for name, relation in schema.relations.items():
        if relation.inverse is not None:
            found[name] = relation.inverse
            found.setdefault(relation.inverse, name)
    return found
