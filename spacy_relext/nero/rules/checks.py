"""Checks of labelling rules on the entity pairs of a corpus: masks that are too wide, and too few negatives."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Collection, Dict, NamedTuple, Optional, Sequence, Set, Tuple
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


class WideMasks(NamedTuple):
    """Rules whose masks fit most pairs: how many, the widest, and its share of the pairs."""

    wide: int
    widest: Rule
    share: float


class FewNegatives(NamedTuple):
    """Numbers of pairs without a relation: those that a rule for no relation matches, and all."""

    matched: int
    unrelated: int


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
        wide, few = self.wide_masks(rules), self.few_negatives()
        if wide is not None:
            found = {"wide": wide.wide, "rule": wide.widest.id, "pattern": wide.widest.pattern, "share": wide.share}
            lines["wide masks"] = Warnings.W510.format(name=name, total=len(rules), **found)
        if few is not None:
            share = few.matched / few.unrelated
            lines["few negatives"] = Warnings.W511.format(name=name, share=share, least=FEW, **few._asdict())
        return lines

    def wide_masks(self, rules: Sequence[Rule]) -> Optional[WideMasks]:
        """Find the rules for relations that have a mask for several types and fit most pairs; None: there are none."""
        types = {kind or UNTYPED for kinds in self.kinds for kind in kinds}
        shares = [(self._share(rule), rule) for rule in rules if rule.relation != NO_RELATION_LABEL]
        wide = [(share, rule) for share, rule in shares if share >= WIDE and _is_open(rule, types)]
        if not wide:
            return None
        share, widest = max(wide, key=lambda each: each[0])
        return WideMasks(len(wide), widest, share)

    def few_negatives(self) -> Optional[FewNegatives]:
        """Count the pairs without a relation and those that rules for no relation match; None: enough."""
        few = self.negatives < int(FEW * self.unrelated)  # 0 is enough for fewer than 100 pairs
        return FewNegatives(self.negatives, self.unrelated) if few else None

    def _share(self, rule: Rule) -> float:
        """Compute the share of the pairs that a rule's masks fit in one order or the other."""
        allows = rule.pattern.allows
        fitting = sum(count for (a, b), count in self.kinds.items() if allows(a, b) or allows(b, a))
        return fitting / max(sum(self.kinds.values()), 1)


def _is_open(rule: Rule, types: Set[str]) -> bool:
    """Return True if a mask of the rule allows more than one of the types of a corpus."""
    masks = (rule.pattern.types_of(role) for role in (SUBJECT, OBJECT))
    return any(len(types if allowed is None else types & allowed) > 1 for allowed in masks)
