"""Rules suggested from given predictions."""

import pathlib
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext import set_triples
from spacy_relext.nero.rules.index import RuleIndex
from spacy_relext.nero.rules.mining import SuggestionReport, suggest_rules, write_suggestions
from spacy_relext.nero.rules.rules import from_records, read_rules
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import EntityPairs

NLP = spacy.blank("en")
KINDS = {"Ada": "P", "Eve": "P", "Rome": "G", "Oslo": "G"}
RULES = [
    {"relation": "born_in", "pattern": "SUBJ-P was born in OBJ-G"},
    {"relation": "no_relation", "pattern": "SUBJ-P left OBJ-G"},
]
Predicted = List[Tuple[str, str, str, float]]


def read(text: str, predicted: Predicted) -> Doc:
    """Make a Doc in which a component has stated relations between words."""
    doc = NLP(text)
    doc.ents = [Span(doc, t.i, t.i + 1, KINDS[t.text]) for t in doc if t.text in KINDS]
    doc[0].is_sent_start = True
    words = {token.text: token for token in doc}
    rows = [
        (doc[words[s].i : words[s].i + 1], r, doc[words[o].i : words[o].i + 1], score) for s, r, o, score in predicted
    ]
    set_triples(doc, rows, source="nero")
    set_triples(doc, [((0, 1), "gold", (1, 2))])  # what others say does not count
    return doc


def suggest(docs: Sequence[Doc], **options: Any) -> SuggestionReport:
    index = RuleIndex(from_records(RULES))
    chosen: Dict[str, Any] = {"least": 1, "suggester": EntityPairs(), **options}
    return suggest_rules(docs, index=index, source="nero", **chosen)


def born(text: str, score: float = 0.9) -> Doc:
    person, town = (word for word in text.split() if word in KINDS)
    return read(text, [(person, "born_in", town, score)])


def test_predictions_without_a_rule_are_suggested(tmp_path: pathlib.Path) -> None:
    docs = [
        born("Ada was later born in Rome", 0.8),
        born("Eve was later born in Oslo", 1.0),
        born("Ada was born in Oslo"),
    ]
    docs += [read("Eve was later born in Rome", []), read("Ada left Rome", [("Ada", "visited", "Rome", 1.0)])]
    report = suggest(docs)
    assert report[1:] == (5, 2, 2)
    (rule,) = report.rules
    assert (rule.relation, str(rule.pattern), rule.times) == ("born_in", "SUBJ-P was later born in OBJ-G", 2)
    assert rule.agreement == pytest.approx(2 / 3) and rule.score == pytest.approx(0.9)
    assert rule.examples == ("Ada was later born in Rome",)
    write_suggestions(report.rules, tmp_path / "new" / "out.tsv")
    read_back = read_rules(tmp_path / "new" / "out.tsv")
    assert [(r.relation, r.pattern) for r in read_back.rules] == [(rule.relation, rule.pattern)]
    assert not read_back.problems
    lines = (tmp_path / "new" / "out.tsv").read_text(encoding="utf8").splitlines()
    assert lines[1].split("\t")[3:] == ["2", "0.67", "0.900", "1", "Ada was later born in Rome"]


def test_limits() -> None:
    docs = [born("Ada was later born in Rome", 0.7), born("Eve was later born in Oslo", 1.0)]
    assert not suggest(docs, least=2).rules and suggest(docs, least=2, score=0.7).rules[0].times == 2
    assert suggest(docs, agreement=0.5).rules and not suggest(docs, agreement=0.51).rules
    assert not suggest(docs, longest=3).rules
    assert suggest(docs, examples=0).rules[0].examples == ()
    assert suggest([]) == SuggestionReport([], 0, 0, 0)


def test_the_right_entity_may_be_the_subject(tmp_path: pathlib.Path) -> None:
    two = [("Ada", "born_in", "Rome", 1.0), ("Rome", "home_of", "Ada", 0.9)]
    report = suggest([read("Rome is the home of Ada", two)] * 2)
    assert [(r.relation, str(r.pattern), r.times) for r in report.rules] == [
        ("born_in", "OBJ-G is the home of SUBJ-P", 2),
        ("home_of", "SUBJ-G is the home of OBJ-P", 2),
    ]
    assert report.stated == 2
    write_suggestions(report.rules, tmp_path / "out.tsv")
    assert len(read_rules(tmp_path / "out.tsv").rules) == 2


def test_of_two_relations_of_the_same_words_the_more_frequent_is_suggested() -> None:
    docs = [read("Ada saw Rome", [("Ada", relation, "Rome", 1.0)]) for relation in ("b", "a", "a", "b", "b")]
    assert [(r.relation, r.times, r.agreement) for r in suggest(docs, agreement=0.2).rules] == [("b", 3, 0.6)]


def test_like_words_stand_together_and_the_surest_are_kept() -> None:
    docs = (
        [born("Ada died in Rome")] * 2 + [born("Ada was soon born in Rome")] * 3 + [born("Ada was soon born at Rome")]
    )
    report = suggest(docs)
    assert [(str(r.pattern), r.group) for r in report.rules] == [
        ("SUBJ-P was soon born in OBJ-G", 1),
        ("SUBJ-P was soon born at OBJ-G", 1),
        ("SUBJ-P died in OBJ-G", 2),
    ]
    assert [str(r.pattern) for r in suggest(docs, top=2).rules] == [
        "SUBJ-P was soon born in OBJ-G",
        "SUBJ-P died in OBJ-G",
    ]


@pytest.mark.parametrize("text", ["Ada , Rome", "Ada Rome", "Ada came \n to Rome"])
def test_what_no_rule_could_say(text: str) -> None:
    assert not suggest([born(text)]).rules


def test_a_pair_that_is_marked_twice_counts_once() -> None:
    def in_one_order(docs: Sequence[Doc]) -> Pairs:
        pairs = EntityPairs()(docs)
        pairs.both_orders = False
        return pairs

    report = suggest([born("Ada saw Rome"), born("Ada was born in Rome")], suggester=in_one_order)
    assert report[1:] == (2, 1, 1) and report.rules[0].times == 1 and report.rules[0].agreement == 1.0
