"""Rules as texts."""

import pytest
from spacy.vocab import Vocab

from spacy_relext.nero.grounding import rule_pairs
from spacy_relext.nero.rules.index import RuleIndex
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import Rule

PATTERNS = [
    "SUBJ-ORG was founded by OBJ-PERSON",
    "the * OBJ-A|B of SUBJ-* , now",
    "SUBJ-A OBJ-A",
]


def test_words_entities_and_types() -> None:
    rules = [Rule(str(number), "r", parse_pattern(each)) for number, each in enumerate(PATTERNS)]
    pairs = rule_pairs(rules, Vocab(), placeholder="x")
    assert [doc.text.strip() for doc in pairs.docs] == ["x was founded by x", "the x of x , now", "x x"]
    assert pairs.subject.tolist() == [[0, 1], [3, 4], [0, 1]] and pairs.object.tolist() == [[4, 5], [1, 2], [1, 2]]
    assert pairs.text.tolist() == [[0, 5], [0, 6], [0, 2]]
    assert pairs.types == [("ORG", "PERSON"), ("", ""), ("A", "A")] and not pairs.both_orders


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_rule_matches_its_own_text(pattern: str) -> None:
    rule = Rule("0", "r", parse_pattern(pattern, any_type=True))
    found = RuleIndex([rule], max_gap=1).match(rule_pairs([rule], Vocab(), placeholder="x"))
    assert found.rule.tolist() == [0] and found.reversed.tolist() == [False]


def test_no_rules() -> None:
    assert len(rule_pairs([], Vocab(), placeholder="x")) == 0
