"""Rules in the numbers of a classifier: classes of pairs, votes, and rules as texts."""

from typing import List, Tuple

import numpy
import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_relext.nero.grounding import NO_CLASS, RuleClasses, relations_of, rule_pairs, vote
from spacy_relext.nero.rules.index import RuleIndex, RuleMatches
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import Rule, from_records
from spacy_relext.pairs.gold import PairClass
from spacy_relext.pairs.pairs import Pairs, stack_pairs

RULES = from_records(
    [
        {"relation": "founded", "pattern": "SUBJ-PERSON founded OBJ-ORG"},
        {"relation": "founded", "pattern": "OBJ-ORG was founded by SUBJ-PERSON"},
        {"relation": "likes", "pattern": "SUBJ-* likes OBJ-*"},
        {"relation": "no_relation", "pattern": "SUBJ-PERSON left OBJ-ORG"},
        {"relation": "unheard", "pattern": "SUBJ-* hums OBJ-*"},
    ]
)
CLASSES = [PairClass(name, way) for name in ("founded", "likes") for way in (False, True)]


def pairs_of(rows, types, *, both_orders: bool = False) -> Pairs:
    doc = Doc(spacy.blank("en").vocab, words="a b c d e".split())
    subject, obj = (numpy.asarray([[row[side], row[side] + 1] for row in rows]).reshape(-1, 2) for side in (0, 1))
    text = numpy.asarray([[0, 5]] * len(rows)).reshape(-1, 2)
    return Pairs([doc], numpy.zeros(len(rows), dtype="int64"), text, subject, obj, types, both_orders)


def test_targets_are_shares() -> None:
    classes = RuleClasses(RULES, CLASSES)
    said = [{PairClass("likes"): 1.0, PairClass("founded", True): 3.0}, {}, {PairClass("unheard"): 2.0}]
    expected = [[0, 0, 0.75, 0.25, 0], [0] * 5, [0] * 5]
    assert classes.targets(said).tolist() == expected
    assert classes.targets([{PairClass("no_relation"): 2.0}]).tolist() == [[1, 0, 0, 0, 0]]
    assert classes.targets([]).shape == (0, 5)
    assert relations_of(RULES) == ["founded", "likes", "unheard"]


def test_grid_in_one_order() -> None:
    """A pair marked in one order: a rule whose masks stand the other way round gives the class read backwards."""
    pairs = pairs_of([(0, 4), (4, 0)], [("PERSON", "ORG"), ("ORG", "PERSON")])
    grid = RuleClasses(RULES, CLASSES).grid(pairs)
    # founded, founded backwards, likes, likes backwards are 1 to 4; the second pair has its object first
    assert grid.tolist() == [[1, NO_CLASS, 3, 0, NO_CLASS], [2, NO_CLASS, 4, 0, NO_CLASS]]
    other = pairs_of([(0, 4)], [("ORG", "PERSON")])
    assert RuleClasses(RULES, CLASSES).grid(other).tolist() == [[NO_CLASS, 2, 3, NO_CLASS, NO_CLASS]]


def test_grid_in_both_orders() -> None:
    pairs = pairs_of([(0, 4), (4, 0)], [("PERSON", "ORG"), ("ORG", "PERSON")], both_orders=True)
    grid = RuleClasses(RULES, CLASSES).grid(pairs)
    # a rule for no relation is about both
    assert grid.tolist() == [[1, NO_CLASS, 3, 0, NO_CLASS], [NO_CLASS, NO_CLASS, NO_CLASS, 0, NO_CLASS]]
    assert RuleClasses(RULES, CLASSES).grid(pairs_of([], [])).shape == (0, 5)


def test_types_allow_classes() -> None:
    allowed = RuleClasses(RULES, CLASSES).allowed([("PERSON", "ORG"), ("ORG", "PERSON"), ("", "")])
    assert allowed.tolist() == [
        [True, True, False, True, True],
        [True, False, True, True, True],
        [True, False, False, True, True],
    ]


def test_stacked_pairs_point_at_their_own_docs() -> None:
    one, two = pairs_of([(0, 4)], [("A", "B")]), pairs_of([(1, 2), (3, 2)], [("C", "D"), ("E", "F")])
    both = stack_pairs([one, two, one])
    assert both.doc.tolist() == [0, 1, 1, 2] and len(both.docs) == 3 and len(both) == 4
    assert both.types == [("A", "B"), ("C", "D"), ("E", "F"), ("A", "B")]
    assert both.subject[:, 0].tolist() == [0, 1, 3, 0]
    assert [span.text for span in both.spans(2)] == ["d", "c"]


# Votes

VOTERS = [
    Rule(str(number), relation, parse_pattern(f"SUBJ-* {number} OBJ-*"), weight)
    for number, (relation, weight) in enumerate([("a", 1.0), ("b", 1.0), ("b", 1.0), ("c", 2.5)])
]


def matches(rows: List[Tuple[int, int, bool]]) -> RuleMatches:
    columns = numpy.asarray(rows, dtype="int64").reshape(-1, 3)
    return RuleMatches(columns[:, 0], columns[:, 1], columns[:, 2].astype(bool))


def test_weights_of_rules_that_agree_are_added() -> None:
    found = vote(matches([(0, 0, False), (0, 1, False), (0, 2, False), (2, 0, True), (2, 3, False)]), VOTERS, pairs=3)
    assert found.rule.tolist() == [1, -1, 3] and found.reversed.tolist() == [False, False, False]
    assert found.answers == [
        {PairClass("a"): 1.0, PairClass("b"): 2.0},
        {},
        {PairClass("a", backwards=True): 1.0, PairClass("c"): 2.5},
    ]
    assert found.answer(0, VOTERS) == PairClass("b")


def test_the_first_rule_decides_where_answers_weigh_the_same() -> None:
    found = vote(matches([(0, 0, True), (0, 1, False)]), VOTERS, pairs=1)
    assert found.rule.tolist() == [0] and found.answer(0, VOTERS) == PairClass("a", backwards=True)
    both = vote(matches([(0, 1, False), (0, 1, True)]), VOTERS, pairs=1)
    assert both.rule.tolist() == [1] and len(both.answers[0]) == 2


def test_no_relation_has_no_direction() -> None:
    rules = [Rule(name, "no_relation", parse_pattern(f"SUBJ-* {name} OBJ-*")) for name in "ab"]
    found = vote(matches([(0, 0, True), (0, 1, False)]), rules, pairs=1)
    assert found.answers == [{PairClass("no_relation"): 2.0}] and not found.reversed[0]


def test_votes_without_pairs() -> None:
    assert vote(matches([]), VOTERS, pairs=0).answers == []


# Texts

PATTERNS = ["SUBJ-ORG was founded by OBJ-PERSON", "the * OBJ-A|B of SUBJ-* , now", "SUBJ-A OBJ-A"]


def test_texts_of_rules() -> None:
    rules = [Rule(str(number), "r", parse_pattern(each)) for number, each in enumerate(PATTERNS)]
    pairs = rule_pairs(rules, Vocab(), placeholder="x")
    assert [doc.text.strip() for doc in pairs.docs] == ["x was founded by x", "the x of x , now", "x x"]
    assert pairs.subject.tolist() == [[0, 1], [3, 4], [0, 1]] and pairs.object.tolist() == [[4, 5], [1, 2], [1, 2]]
    assert pairs.text.tolist() == [[0, 5], [0, 6], [0, 2]]
    assert pairs.types == [("ORG", "PERSON"), ("", ""), ("A", "A")] and not pairs.both_orders


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_rule_matches_its_own_text(pattern: str) -> None:
    rule = Rule("0", "r", parse_pattern(pattern.replace("A|B", "*")))
    found = RuleIndex([rule], max_gap=1).match(rule_pairs([rule], Vocab(), placeholder="x"))
    assert found.rule.tolist() == [0] and found.reversed.tolist() == [False]


def test_texts_of_no_rules() -> None:
    assert len(rule_pairs([], Vocab(), placeholder="x")) == 0
