"""Rules that match together."""

from typing import List, Tuple

import numpy

from spacy_relext.nero.grounding import vote
from spacy_relext.nero.rules.index import RuleMatches
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import Rule
from spacy_relext.pairs.gold import PairClass

RULES = [
    Rule(str(number), relation, parse_pattern(f"SUBJ-* {number} OBJ-*"), weight)
    for number, (relation, weight) in enumerate([("a", 1.0), ("b", 1.0), ("b", 1.0), ("c", 2.5)])
]


def matches(rows: List[Tuple[int, int, bool]]) -> RuleMatches:
    columns = numpy.asarray(rows, dtype="int64").reshape(-1, 3)
    return RuleMatches(columns[:, 0], columns[:, 1], columns[:, 2].astype(bool))


def test_weights_of_rules_that_agree_are_added() -> None:
    found = vote(matches([(0, 0, False), (0, 1, False), (0, 2, False), (2, 0, True), (2, 3, False)]), RULES, pairs=3)
    assert found.rule.tolist() == [1, -1, 3] and found.reversed.tolist() == [False, False, False]
    assert found.answers == [
        {PairClass("a"): 1.0, PairClass("b"): 2.0},
        {},
        {PairClass("a", backwards=True): 1.0, PairClass("c"): 2.5},
    ]
    assert found.answer(0, RULES) == PairClass("b")


def test_the_first_rule_decides_where_answers_weigh_the_same() -> None:
    found = vote(matches([(0, 0, True), (0, 1, False)]), RULES, pairs=1)
    assert found.rule.tolist() == [0] and found.answer(0, RULES) == PairClass("a", backwards=True)
    both = vote(matches([(0, 1, False), (0, 1, True)]), RULES, pairs=1)
    assert both.rule.tolist() == [1] and len(both.answers[0]) == 2


def test_no_relation_has_no_direction() -> None:
    rules = [Rule(name, "no_relation", parse_pattern(f"SUBJ-* {name} OBJ-*")) for name in "ab"]
    found = vote(matches([(0, 0, True), (0, 1, False)]), rules, pairs=1)
    assert found.answers == [{PairClass("no_relation"): 2.0}] and not found.reversed[0]


def test_no_pairs() -> None:
    assert vote(matches([]), RULES, pairs=0).answers == []
