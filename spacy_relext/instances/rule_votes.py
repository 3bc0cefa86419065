"""What the rules that fire at a pair say together."""

from collections import defaultdict
from typing import Dict, List, NamedTuple, Sequence

import numpy

from ..knowledge.rule_index import RuleMatches
from ..knowledge.rules import Rule
from .pair_classes import PairClass

NONE = -1


class RuleVotes(NamedTuple):
    """One answer for each of P pairs.

    said (List[Dict[PairClass, float]]): What its rules say, the weights of those that agree added up; empty where none
        fires.
    rule (NDArray): The rule that stands for the answer with most weight: the first one that gives it, so that rule and
        answer never disagree; -1 where none fires. Shape (P,)
    backwards (NDArray): Whether that rule reads the pair from its object. Shape (P,)
    """

    said: List[Dict[PairClass, float]]
    rule: numpy.ndarray
    backwards: numpy.ndarray

    def answer(self, number: int, rules: Sequence[Rule]) -> PairClass:
        """RETURNS (PairClass): The answer with most weight for a pair at which a rule fires."""
        return PairClass(rules[int(self.rule[number])].relation, bool(self.backwards[number]))


def vote(matches: RuleMatches, rules: Sequence[Rule], *, pairs: int) -> RuleVotes:
    """Let rules vote. Where answers weigh the same, that of the rule that stands first in the file wins.

    matches (RuleMatches): Which rules fire where.
    rules (Sequence[Rule]): The rules, in the file's order.
    pairs (int): P.
    RETURNS (RuleVotes): The answers.
    """
    said: List[Dict[PairClass, float]] = [defaultdict(float) for _ in range(pairs)]
    first: List[Dict[PairClass, int]] = [{} for _ in range(pairs)]
    for pair, number, backwards in zip(*(column.tolist() for column in matches)):
        answer = PairClass(rules[number].relation, backwards)
        said[pair][answer] += rules[number].weight
        first[pair].setdefault(answer, number)  # matches are ordered by rule
    chosen, turned = numpy.full(pairs, NONE, dtype="int64"), numpy.zeros(pairs, dtype=bool)
    for pair, weights in enumerate(said):
        if weights:
            best = min(weights, key=lambda answer: (-weights[answer], first[pair][answer]))
            chosen[pair], turned[pair] = first[pair][best], best.backwards
    return RuleVotes([dict(weights) for weights in said], chosen, turned)
