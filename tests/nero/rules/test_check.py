"""What a person who writes rules is told of them."""

from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext import set_triples
from spacy_relext.nero.rules.check import CheckReport, check_rules, unseen_types
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import NO_RELATION, Rule
from spacy_relext.pairs.suggesters import EntityPairs

NLP = spacy.blank("en")


def text(words: str, *, gold: Any = None) -> Doc:
    """Ada and Rome are a person and a place where they stand."""
    doc = NLP(words)
    kinds = {"Ada": "P", "Eve": "P", "Rome": "G"}
    doc.ents = [Span(doc, token.i, token.i + 1, kinds[token.text]) for token in doc if token.text in kinds]
    doc[0].is_sent_start = True
    if gold is not None:
        spans = {ent.text: ent for ent in doc.ents}
        set_triples(doc, [{"subject": spans[s], "relation": r, "object": spans[o]} for s, r, o in gold])
    return doc


def check(docs: List[Doc], *patterns: Any, **options: Any) -> CheckReport:
    rules = [Rule(f"rule{n}", relation, parse_pattern(pattern)) for n, (relation, pattern) in enumerate(patterns)]
    return check_rules(rules, docs, suggester=EntityPairs(), **options)


def test_coverage_precision_and_conflicts() -> None:
    docs = [
        text("Ada was born in Rome", gold=[("Ada", "born_in", "Rome")]),
        text("Eve was born in Rome", gold=[]),
        text("Ada was born in Rome"),
        text("Ada likes Eve", gold=[]),
        text("Nothing"),
    ]
    found = check(
        docs,
        ("born_in", "SUBJ-P was born in OBJ-G"),
        ("lives_in", "SUBJ-* was born in OBJ-*"),
        (NO_RELATION, "SUBJ-P likes OBJ-P"),
    )
    assert (found.pairs, found.matched, found.contradicted) == (4, 4, 3)
    born, lives, nothing = found.rules
    assert (born.fires, born.alone, born.judged, born.correct) == (3, 0, 2, 1) and born.against == {"rule1": 3}
    assert (lives.judged, lives.correct) == (2, 0)
    assert (nothing.fires, nothing.alone, nothing.judged, nothing.correct) == (1, 1, 1, 1)


def test_words_between_other_types() -> None:
    (report,) = check([text("Ada met Eve")], ("met", "SUBJ-P met OBJ-G")).rules
    assert report.fires == 0 and report.other_types == {("P", "P"): 1}


@pytest.mark.parametrize(
    "words, near",
    [
        ("Ada was once born in Rome", True),
        ("Ada was raised in Rome", True),
        ("Ada was in Rome", True),
        ("Ada born was in Rome", False),
        ("Ada was not ever born in Rome", False),
        ("Ada Was born in Rome", True),
        ("Ada was born in Rome", False),
    ],
)
def test_texts_that_a_rule_just_misses(words: str, near: bool) -> None:
    (report,) = check([text(words)], ("born_in", "SUBJ-P was born in OBJ-G")).rules
    # the pair in the other order has the same words, and the rule does not fire at it
    missed = [each for each in report.near if report.fires == 0]
    assert bool(missed) == near and all(each == words for each in missed)


@pytest.mark.parametrize(
    "pattern, words, near, far",
    [
        ("the painter SUBJ-P was born in OBJ-G", "the poet Ada was born in Rome", 1, 0),
        ("SUBJ-P was born in OBJ-G long ago", "Ada was born in Rome", 1, 0),
        ("SUBJ-P was * born in OBJ-G", "Ada was in those bad days born in Rome", 1, 0),
        ("SUBJ-P was * born in OBJ-G", "Ada was born and raised in Rome", 0, 0),
        ("SUBJ-P was born by OBJ-P", "Ada was born in Rome", 0, 1),
        ("SUBJ-P OBJ-G tour", "Ada of Rome", 0, 0),
    ],
)
def test_other_ways_of_missing(pattern: str, words: str, near: int, far: int) -> None:
    (report,) = check([text(words)], ("r", pattern), max_gap=2).rules
    assert (report.fires, len(report.near), len(report.far)) == (0, near, far)


def test_a_pair_counts_once_whichever_way_rules_read_it() -> None:
    found = check([text("Ada was born in Rome")], ("a", "SUBJ-P was born in OBJ-G"), ("b", "OBJ-P was born in SUBJ-G"))
    assert (found.pairs, found.matched, found.contradicted) == (1, 1, 1)
    assert [(each.fires, each.alone) for each in found.rules] == [(1, 0), (1, 0)]


def test_what_the_corpus_has() -> None:
    found = check([text("Ada of Rome", gold=[("Ada", "of", "Rome")])], ("of", "SUBJ-Q of OBJ-G|O"))
    assert (found.docs, found.lemmas, found.types, found.relations) == (1, 0, {"P", "G"}, {"of"})
    assert list(unseen_types([each.rule for each in found.rules], found.types)) == ["Q"]


def test_no_rules_and_no_pairs() -> None:
    assert check([text("Nothing")], ("a", "SUBJ-* of OBJ-*")).rules[0].fires == 0
    assert check([text("Ada of Rome")]).pairs == 1
