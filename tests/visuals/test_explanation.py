"""What triples are based on, in words."""

from typing import Any, Dict, List

import pytest
import spacy

from spacy_relext import get_records, set_triples
from spacy_relext.visuals.explanation import explain_doc, read_evidence

NLP = spacy.blank("en")


def explain(*evidence: Dict[str, Any]) -> List[str]:
    doc = NLP("Ada wrote\nto Babbage .")
    rows = [((0, 3), f"r{number}", (13, 20), number / 10, each) for number, each in enumerate(evidence)]
    set_triples(doc, rows, source="some")
    assert get_records(doc) is not None
    return explain_doc(doc)


def test_the_best_triple_comes_first() -> None:
    assert explain({}, {}) == [
        "Ada → r1 → Babbage (score 0.100, from some)",
        "Ada → r0 → Babbage (score 0.000, from some)",
    ]
    assert explain() == explain_doc(NLP("")) == ["No triple."]


def test_rules() -> None:
    rule = {"rule": "born", "pattern": "SUBJ-P wrote OBJ-P", "match": 0.8349, "entity_types": ["P", ""]}
    exact = explain({**rule, "how": "exact"})[1:]
    assert exact == ['    rule born "SUBJ-P wrote OBJ-P" (exact)', "    types: P → –"]
    soft = explain({**rule, "how": "soft", "attention": [[4, 9, 0.75], [10, 12, 0.25]]})[1:]
    assert soft[0] == '    like rule born "SUBJ-P wrote OBJ-P", match 0.83'
    assert soft[2] == "    attended words: wrote 0.75, to 0.25"
    assert explain({"how": "soft", "entity_types": ["", ""]})[1:] == [
        "    no rule of this relation fits: by the classifier alone"
    ]


def test_parts() -> None:
    (line,) = explain({"prior": 0.25, "text": 1.0, "types": -0.5, "local": 3, "auxiliary": 0.0})[1:]
    assert line.startswith("    parts: text +1.00, types -0.50, sentence and entities +3.00, ")
    assert line.endswith(", attended tokens +0.00, share of the types 0.25")


def test_all_else_stands_as_it_is() -> None:
    assert explain({"subject": 0.5, "note": "a\nb", "more": {"x": [1]}})[1:] == [
        '    subject: 0.5, note: a b, more: {"x": [1]}'
    ]


@pytest.mark.parametrize(
    "evidence",
    [
        {"text": "some", "prior": None, "types": True},
        {"attention": [[1, 2]]},
        {"attention": "all"},
        {"attention": []},
        {"rule": "r", "pattern": "p", "match": 1.0},
        {"how": ["soft"], "pattern": "p"},
        {"entity_types": "P"},
    ],
)
def test_what_has_another_form_is_not_read(evidence: Dict[str, Any]) -> None:
    parsed = read_evidence(evidence)
    assert [each.partition(":")[0] for each in parsed.rest] == list(evidence)
    assert parsed[:-1] == (None, "", [], None, [], None)


def test_a_rule_without_figures() -> None:
    parsed = read_evidence({"how": "soft", "pattern": "SUBJ-P x OBJ-P", "rule": 7, "match": None})
    assert str(parsed.rule) == 'like rule 7 "SUBJ-P x OBJ-P"' and not parsed.rest


def test_bags() -> None:
    mentions = [[0, 3, 13, 20, 0.25], [0, 3, 13, 20, 0.75]]
    lines = explain({"text": 0.75, "kb": 0.5, "ids": ["Q1", "Q2"], "mentions": mentions, "more": 1})[1:]
    assert lines == [
        "    probability by the text alone 0.75, the knowledge base alone 0.50",
        "    linked to: Q1 → Q2",
        "    mentions: Ada wrote to Babbage . 0.25; Ada wrote to Babbage . 0.75",
        "    more: 1",
    ]
    assert explain({"text": 0.75, "ids": ["", "Q2"], "mentions": mentions[:1]})[1:] == [
        "    probability by the text alone 0.75",
        "    linked to: – → Q2",
    ]
