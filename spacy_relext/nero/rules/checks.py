"""Checks of labelling rules on the entity pairs of a corpus: masks that are too wide, and too few negatives."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Collection, Dict, List, Sequence, Set, Tuple
from typing import Counter as CounterType

from ...errors import Warnings
from ...pairs.pairs import Pairs
from .patterns import OBJECT, SUBJECT, UNTYPED
from .rules import NO_RELATION_LABEL, Rule

# Lowest share of the pairs that wide masks fit. In the corpus of the default workflow, masks of one type each fit at
# most 29 % of the pairs, the widest that a relation needs (a member can be a person, a company or a country) 31 %, and
# masks with one open side 58 %.
WIDE = 0.5

# Lowest share of the pairs without a relation that rules for no relation should match. The first 13 such rules of the
# default workflow matched 0.1 % and prevented few wrong triples; the present ones match 8 %.
FEW = 0.01

Place = Tuple[int, ...]  # of a pair; see `Pairs.place`


@dataclass
class PairCounts:
    """Counts of entity pairs, each in one order."""

    kinds: CounterType[Tuple[str, str]] = field(default_factory=Counter)  # types of both, sorted
    unrelated: int = 0  # without a relation
    negatives: int = 0  # those that a rule for no relation matches

    def add(self, pairs: Pairs, *, unrelated: Collection[Place], negatives: Collection[Place]) -> None:
        """Count a batch, with the places of pairs without a relation and of those that a rule for none matches."""
        numbers = {pairs.place(number): number for number in range(len(pairs))}
        self.kinds.update(tuple(sorted(pairs.types[number])) for number in numbers.values())  # type: ignore[misc]
        self.unrelated += len(unrelated)
        self.negatives += len(set(unrelated) & set(negatives))

    def warnings(self, rules: Sequence[Rule], *, name: str) -> Dict[str, str]:
        """Return a message for each failed check, by a key; `name` is that of the component or of the rules."""
        lines: Dict[str, str] = {}
        if wide := self.wide_masks(rules):
            share, widest = max(wide, key=lambda each: each[0])
            found = {"wide": len(wide), "rule": widest.id, "pattern": widest.pattern, "share": share}
            lines["wide masks"] = Warnings.W510.format(name=name, total=len(rules), **found)
        if self.has_few_negatives():
            counts = {"matched": self.negatives, "unrelated": self.unrelated, "least": FEW}
            lines["few negatives"] = Warnings.W511.format(name=name, share=self.negatives / self.unrelated, **counts)
        return lines

    def wide_masks(self, rules: Sequence[Rule]) -> List[Tuple[float, Rule]]:
        """Find the rules for relations that have a mask for several types and fit most pairs, with their shares."""
        types = {kind or UNTYPED for kinds in self.kinds for kind in kinds}
        shares = [(self._share(rule), rule) for rule in rules if rule.relation != NO_RELATION_LABEL]
        return [(share, rule) for share, rule in shares if share >= WIDE and _is_open(rule, types)]

    def has_few_negatives(self) -> bool:
        """Return True if rules for no relation match few of the pairs without one; of under 100, none is enough."""
        return self.negatives < int(FEW * self.unrelated)

    def _share(self, rule: Rule) -> float:
        """Compute the share of the pairs that a rule's masks fit in one order or the other."""
        allows = rule.pattern.allows
        fitting = sum(count for (a, b), count in self.kinds.items() if allows(a, b) or allows(b, a))
        return fitting / max(sum(self.kinds.values()), 1)


def _is_open(rule: Rule, types: Set[str]) -> bool:
    """Return True if a mask of the rule allows more than one of the types of a corpus."""
    masks = (rule.pattern.types_of(role) for role in (SUBJECT, OBJECT))
    return any(len(types if allowed is None else types & allowed) > 1 for allowed in masks)
