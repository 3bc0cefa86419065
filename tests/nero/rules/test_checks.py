"""Warnings about the rules as a whole."""

from collections import Counter
from typing import List, Optional

from spacy_relext.nero.rules.analysis import analyze_rules
from spacy_relext.nero.rules.checks import PairCounts
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import Rule
from spacy_relext.pairs.suggesters import EntityPairs
from tests.nero.rules.test_analysis import text

KINDS = Counter({("L", "P"): 40, ("P", "P"): 20, ("L", "L"): 40})


def rules(*patterns: str, relation: str = "r") -> List[Rule]:
    return [Rule(f"{relation}{number}", relation, parse_pattern(pattern)) for number, pattern in enumerate(patterns, 1)]


def widest(*patterns: str, kinds: Counter = KINDS, relation: str = "r") -> Optional[tuple]:
    wide = PairCounts(kinds).wide_masks(rules(*patterns, relation=relation))
    share, first = max(wide, key=lambda each: each[0], default=(0.0, None))
    return None if first is None else (len(wide), first.id, share)


def test_masks_that_fit_most_pairs() -> None:
    assert widest("SUBJ-P in OBJ-L", "SUBJ-P|L of OBJ-L", "SUBJ-* by OBJ-*") == (2, "r3", 1.0)
    assert widest("SUBJ-P of OBJ-*", "SUBJ-P|L of OBJ-P") == (2, "r1", 0.6), "either order counts"
    assert widest("SUBJ-P in OBJ-L", "SUBJ-L in OBJ-L") is None
    assert widest("SUBJ-* by OBJ-*", relation="no_relation") is None, "no relation is allowed between all types"


def test_masks_of_one_type_are_never_wide() -> None:
    """All that the texts have to tell apart is told apart, however many pairs fit."""
    kinds = Counter({("L", "P"): 100})
    assert widest("SUBJ-P in OBJ-L", kinds=kinds) is None and widest("SUBJ-P in OBJ-L|O", kinds=kinds) is None
    assert widest("SUBJ-* in OBJ-L", kinds=kinds) == (1, "r1", 1.0)
    assert (
        widest("SUBJ-* in OBJ-*", kinds=Counter({("", ""): 100})) is None
        and widest("SUBJ-* a OBJ-*", kinds=Counter()) is None
    )


def test_few_negatives() -> None:
    assert not PairCounts(unrelated=1000, negatives=10).has_few_negatives()
    assert PairCounts(unrelated=1000, negatives=9).has_few_negatives()
    assert not PairCounts(unrelated=99).has_few_negatives()


def test_pairs_without_a_relation_are_those_without_gold() -> None:
    """In texts without gold they are those that no rule for a relation matches; a pair counts once."""
    docs = [
        text("Ada in Rome", gold=[("Ada", "r", "Rome")]),
        text("Ada at Rome", gold=[]),
        text("Ada in Rome", gold=[]),
    ]
    docs += [text(words) for words in ("Ada in Rome", "Ada of Rome", "Ada at Rome")]
    every = rules("SUBJ-P in OBJ-G") + rules("SUBJ-P at OBJ-G", "SUBJ-P hates OBJ-G", relation="no_relation")
    counts = analyze_rules(every, docs, suggester=EntityPairs()).counts
    assert counts == PairCounts(Counter({("G", "P"): 6}), unrelated=4, negatives=2)
    assert counts.warnings(every, name="x") == {}


def test_lines() -> None:
    every = rules("SUBJ-* by OBJ-*", "SUBJ-P in OBJ-L")
    wide, few = PairCounts(KINDS, unrelated=1000, negatives=2).warnings(every, name="rules.jsonl").values()
    assert "rules.jsonl: the masks of 1 of 2 rules" in wide and "'r1' (SUBJ-* by OBJ-*) 100%" in wide
    assert "rules.jsonl: rules for no_relation match 2 of 1,000 pairs" in few and "0.2%, less than 1%" in few
