"""What rules say of pairs, in the numbers of a classifier."""

import numpy
import spacy
from spacy.tokens import Doc

from spacy_relext.nero.grounding import NO_CLASS, RuleClasses, relations_of
from spacy_relext.nero.rules.rules import from_records
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
