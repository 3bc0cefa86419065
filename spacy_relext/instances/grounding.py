"""What rules say of pairs in the terms of a classifier: classes, targets, and which class each rule would give."""

from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..knowledge.rule_patterns import SUBJECT
from ..knowledge.rules import NO_RELATION, Rule
from .pair_classes import PairClass
from .pairs import Pairs

IntArray = NDArray[numpy.int64]
# A rule that cannot hold for a pair.
BARRED = -1


class RuleClasses:
    """Numbers the classes of rules: 0 is no relation.

    rules (Sequence[Rule]): J rules.
    classes (Sequence[PairClass]): The classes after no relation.
    """

    def __init__(self, rules: Sequence[Rule], classes: Sequence[PairClass]) -> None:
        self.rules = list(rules)
        self._number = {each: index + 1 for index, each in enumerate(classes)}
        self._subject_first = numpy.asarray([rule.pattern.first == SUBJECT for rule in self.rules], dtype=bool)
        both = [[self.number(PairClass(rule.relation, turned)) for rule in self.rules] for turned in (False, True)]
        self._classes = numpy.asarray(both, dtype="int64").reshape(2, -1)  # (2, J)
        self._allowed: Dict[Tuple[str, str], NDArray[numpy.bool_]] = {}

    def number(self, answer: PairClass) -> int:
        """RETURNS (int): Class of what a rule says; `BARRED` where the classifier has none for it."""
        return 0 if answer.relation == NO_RELATION else self._number.get(answer, BARRED)

    def targets(self, said: Sequence[Mapping[PairClass, float]]) -> NDArray[numpy.float32]:
        """Share out what rules say.

        said (Sequence[Mapping[PairClass, float]]): Weight of each answer, of P pairs.
        RETURNS (NDArray): Shares of the classes; all 0 where no answer is known. Shape (P, R)
        """
        found = numpy.zeros((len(said), len(self._number) + 1), dtype="float32")
        for row, answers in enumerate(said):
            for answer, weight in answers.items():
                column = self.number(answer)
                if column != BARRED:
                    found[row, column] += weight
        return found / numpy.maximum(found.sum(axis=1, keepdims=True), 1e-9)

    def grid(self, pairs: Pairs) -> IntArray:
        """Say which class each rule would give each pair, if the pair's text were like it.

        pairs (Pairs): P pairs.
        RETURNS (IntArray): `BARRED` where types forbid it, or where the pair stands there in the other order too, which
            is the one that the rule is about. Shape (P, J)
        """
        forwards = (pairs.subject[:, 0] <= pairs.object[:, 0])[:, None]  # (P, 1)
        turned = forwards != self._subject_first[None]  # (P, J)
        found = numpy.where(turned, self._classes[1], self._classes[0])
        if pairs.both_orders:
            found = numpy.where(turned, BARRED, found)
        allowed = numpy.stack([self._both_ways(kinds) for kinds in pairs.types]) if len(pairs) else found[:, None]
        if not len(pairs):
            return found
        straight, reverse = allowed[:, 0], allowed[:, 1]  # (P, J)
        return numpy.where(numpy.where(turned, reverse, straight), found, BARRED)

    def allowed(self, types: Sequence[Tuple[str, str]]) -> NDArray[numpy.bool_]:
        """Say which classes the types of pairs allow: those that some rule states between such types.

        types (Sequence[Tuple[str, str]]): Of subject and object, of P pairs.
        RETURNS (NDArray): No relation is always allowed. Shape (P, R)
        """
        found = numpy.zeros((len(types), len(self._number) + 1), dtype=bool)
        found[:, 0] = True
        for row, kinds in enumerate(types):
            for ways, classes in zip(self._both_ways(kinds), self._classes):
                found[row, classes[ways & (classes != BARRED)]] = True
        return found

    def _both_ways(self, kinds: Tuple[str, str]) -> NDArray[numpy.bool_]:
        """Say which rules allow two types, in this order and in the other. Shape (2, J)"""
        if kinds not in self._allowed:
            rows = [[rule.pattern.allows(*order) for rule in self.rules] for order in (kinds, kinds[::-1])]
            self._allowed[kinds] = numpy.asarray(rows, dtype=bool).reshape(2, -1)
        return self._allowed[kinds]


class Grounding(NamedTuple):
    """One training input: pairs that rules match, pairs that none matches, and bodies of rules, in this order.

    pairs (Pairs): All of them.
    matched (int): M, how many rules match.
    unmatched (int): U, how many none matches.
    targets (NDArray): What rules say of the matched ones. Shape (M, R)
    grid (IntArray): Class that each rule would give each unmatched one. Shape (U, J)
    rules (IntArray): Which rules the others are. Shape (K,)
    behind (IntArray): The rule that stands for what is said of each matched one, -1 for none. Shape (M,)
    """

    pairs: Pairs
    matched: int
    unmatched: int
    targets: NDArray[numpy.float32]
    grid: IntArray
    rules: IntArray
    behind: IntArray

    def __len__(self) -> int:
        return self.matched + self.unmatched


def relations_of(rules: Sequence[Rule]) -> List[str]:
    """RETURNS (List[str]): The relations that rules state, sorted, without no relation."""
    return sorted({rule.relation for rule in rules} - {NO_RELATION})
