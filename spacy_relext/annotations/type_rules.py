"""Entity types between which a relation may hold: rules that are given, or learned from counts."""

from collections import Counter
from typing import Collection, Dict, Iterator, List, Mapping, Sequence, Set, Tuple, Union

from ..errors import Errors

LEARNED = "learned"

_ANY = "*"

# Largest estimated share of a relation's triples that a learned rule may forbid.
_MOST_FORBIDDEN = 0.01

# Subject type, relation, object type.
TypeRow = Sequence[str]

TypeSetting = Union[str, Sequence[TypeRow]]


class TypeRules:
    """Subject types and object types of relations; a relation without a rule may hold between all types.

    rows (Sequence[TypeRow]): Subject type, relation and object type each; "*" is any type.
    known (Collection[str]): Types that the rules cover; every rule allows all others. Empty: they cover all.
    RAISES (ValueError): If a row is malformed.
    """

    def __init__(self, rows: Sequence[TypeRow], *, known: Collection[str] = ()) -> None:
        self._types: Dict[str, Set[Tuple[str, str]]] = {}
        self._known = frozenset(known)
        for row in rows:
            if isinstance(row, str) or len(row) != 3:
                expected = '[subject type, relation, object type], "*" for any type'
                raise ValueError(Errors.R007.format(key="an entry of types", found=row, expected=expected))
            subject, relation, obj = row
            self._types.setdefault(relation, set()).add((subject, obj))

    def __len__(self) -> int:
        return len(self._types)

    def allows(self, relation: str, subject: str, obj: str) -> bool:
        """Return True if a relation may hold between two types; "" is no type, which all rules allow."""
        rules = self._types.get(relation)
        return rules is None or any(self._fits(subject, one) and self._fits(obj, two) for one, two in rules)

    def unknown(self, relations: Collection[str], types: Collection[str]) -> Iterator[Tuple[str, str, str]]:
        """Yield what rules name but data lack: "relation" or "entity type", the unknown names, and the known ones."""
        named = {kind for rules in self._types.values() for pair in rules for kind in pair} - {_ANY, ""}
        for kind, given, known in (("relation", set(self._types), relations), ("entity type", named, types)):
            if known and not given <= set(known):
                yield kind, ", ".join(sorted(given - set(known))), ", ".join(sorted(known))

    def _fits(self, kind: str, rule: str) -> bool:
        """Return True if a rule's type covers a type: "*", the same one, or if the type is "" or not a known one."""
        return rule in (_ANY, kind) or not kind or bool(self._known and kind not in self._known)


def read_type_rules(setting: TypeSetting, *, learned: Sequence[TypeRow] = (), known: Collection[str] = ()) -> TypeRules:
    """Read the setting `types`: rows, or "learned".

    learned (Sequence[TypeRow]): Learned rows.
    known (Collection[str]): The types that they were learned from.
    RAISES (ValueError): If it is malformed.
    """
    if setting == LEARNED:
        return TypeRules(learned, known=known)
    if isinstance(setting, str):
        expected = '"learned", or a list of [subject type, relation, object type]'
        raise ValueError(Errors.R007.format(key="types", found=setting, expected=expected))
    return TypeRules(setting)


def learn_type_rules(counts: Mapping[Tuple[str, str, str], int]) -> List[List[str]]:
    """Learn rules for the relations whose triples hardly ever have types other than those counted.

    The share of a relation's triples with types that were never counted is estimated as in Good and Turing:
    (n₁ + 1) / n, with n triples, of which n₁ have types that no other triple of the relation has (Good, Biometrika
    1953; the 1 is a triple yet to come). If it is at most 0.01, which takes at least 100 triples, the counted types
    become the relation's rules.

    counts (Mapping[Tuple[str, str, str], int]): Triples of each subject type, relation and object type.
    RETURNS (List[List[str]]): Rows, sorted.
    """
    total: Counter = Counter()
    single: Counter = Counter()
    for (_, relation, _), count in counts.items():
        total[relation] += count
        single[relation] += count == 1
    closed = {relation for relation, n in total.items() if single[relation] + 1 <= _MOST_FORBIDDEN * n}
    return sorted(list(row) for row in counts if row[1] in closed)
