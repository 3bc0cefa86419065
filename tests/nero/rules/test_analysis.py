"""Analysis of rules on a corpus."""

from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext import set_triples
from spacy_relext.nero.rules.analysis import AnalysisReport, analyze_rules, unseen_types
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import NO_RELATION_LABEL, Rule
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


def analyze(docs: List[Doc], *patterns: Any, **options: Any) -> AnalysisReport:
    rules = [Rule(f"rule{n}", relation, parse_pattern(pattern)) for n, (relation, pattern) in enumerate(patterns)]
    return analyze_rules(rules, docs, suggester=EntityPairs(), **options)


def test_coverage_precision_and_conflicts() -> None:
    docs = [
        text("Ada was born in Rome", gold=[("Ada", "born_in", "Rome")]),
        text("Eve was born in Rome", gold=[]),
        text("Ada was born in Rome"),
        text("Ada likes Eve", gold=[]),
        text("Nothing"),
    ]
    report = analyze(
        docs,
        ("born_in", "SUBJ-P was born in OBJ-G"),
        ("lives_in", "SUBJ-* was born in OBJ-*"),
        (NO_RELATION_LABEL, "SUBJ-P likes OBJ-P"),
    )
    assert (report.pairs, report.covered, report.conflicting) == (4, 4, 3)
    born, lives, nothing = report.rules
    assert (born.matches, born.unique, born.labelled, born.correct) == (3, 0, 2, 1) and born.conflicts == {"rule1": 3}
    assert (lives.labelled, lives.correct) == (2, 0)
    assert (nothing.matches, nothing.unique, nothing.labelled, nothing.correct) == (1, 1, 1, 1)


def test_type_mismatch() -> None:
    (report,) = analyze([text("Ada met Eve")], ("met", "SUBJ-P met OBJ-G")).rules
    assert report.matches == 0 and report.type_mismatches == {("P", "P"): 1}


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
def test_near_misses(words: str, near: bool) -> None:
    (report,) = analyze([text(words)], ("born_in", "SUBJ-P was born in OBJ-G")).rules
    # the pair in the other order has the same words, and the rule does not match it
    missed = [each for each in report.near_misses if report.matches == 0]
    assert bool(missed) == near and all(each == words for each in missed)


@pytest.mark.parametrize(
    "pattern, words, near",
    [
        ("the painter SUBJ-P was born in OBJ-G", "the poet Ada was born in Rome", 1),
        ("SUBJ-P was born in OBJ-G long ago", "Ada was born in Rome", 1),
        ("SUBJ-P was * born in OBJ-G", "Ada was in those bad days born in Rome", 1),
        ("SUBJ-P was * born in OBJ-G", "Ada was born and raised in Rome", 0),
        ("SUBJ-P was born by OBJ-P", "Ada was born in Rome", 0),
        ("SUBJ-P OBJ-G tour", "Ada of Rome", 0),
    ],
)
def test_near_misses_of_other_kinds(pattern: str, words: str, near: int) -> None:
    (report,) = analyze([text(words)], ("r", pattern), max_gap=2).rules
    assert (report.matches, len(report.near_misses)) == (0, near)


def test_a_pair_counts_once_in_both_directions() -> None:
    report = analyze(
        [text("Ada was born in Rome")], ("a", "SUBJ-P was born in OBJ-G"), ("b", "OBJ-P was born in SUBJ-G")
    )
    assert (report.pairs, report.covered, report.conflicting) == (1, 1, 1)
    assert [(each.matches, each.unique) for each in report.rules] == [(1, 0), (1, 0)]


def test_counts_of_the_corpus() -> None:
    report = analyze([text("Ada of Rome", gold=[("Ada", "of", "Rome")])], ("of", "SUBJ-Q of OBJ-G|O"))
    assert (report.docs, report.lemmatized, report.types, report.relations) == (1, 0, {"P", "G"}, {"of"})
    assert list(unseen_types([each.rule for each in report.rules], report.types)) == ["Q"]


def test_no_rules_and_no_pairs() -> None:
    assert analyze([text("Nothing")], ("a", "SUBJ-* of OBJ-*")).rules[0].matches == 0
    assert analyze([text("Ada of Rome")]).pairs == 1
