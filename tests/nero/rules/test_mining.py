"""Mined patterns, and tables of them with relations filled in."""

import pathlib
from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext.nero.rules.mining import MinedPattern, mine_patterns, write_patterns
from spacy_relext.nero.rules.rules import read_rules, read_table
from spacy_relext.pairs.suggesters import EntityPairs

NLP = spacy.blank("en")
KINDS = {"Ada": "P", "Eve": "P", "Rome": "G", "Oslo": "G"}
TEXTS = [
    *["Ada was born in Rome"] * 3,
    *["Eve was later born in Oslo"] * 2,
    *["Eve , mayor of Oslo"] * 4,
    *["Ada , Eve"] * 9,
    "Ada left Oslo",
]


def text(words: str) -> Doc:
    doc = NLP(words)
    doc.ents = [Span(doc, t.i, t.i + 1, KINDS[t.text]) for t in doc if t.text in KINDS]
    doc[0].is_sent_start = True
    return doc


def mine(**options: Any) -> List[MinedPattern]:
    return mine_patterns([text(each) for each in TEXTS], suggester=EntityPairs(), **{"least": 2, **options})


def test_frequent_patterns() -> None:
    mined = mine()
    assert [(str(each.pattern), each.times) for each in mined] == [
        ("SUBJ-P , mayor of OBJ-G", 4),
        ("SUBJ-P was born in OBJ-G", 3),
        ("SUBJ-P was later born in OBJ-G", 2),
    ]
    assert mined[1].examples == ("Ada was born in Rome",)


def test_limits() -> None:
    assert [each.times for each in mine(least=4)] == [4] and len(mine(least=1)) == 4
    assert {str(each.pattern) for each in mine(longest=3)} == {"SUBJ-P was born in OBJ-G", "SUBJ-P , mayor of OBJ-G"}
    assert len(mine(top=1)) == 1 and mine(examples=0)[0].examples == ()
    assert mine_patterns([], suggester=EntityPairs()) == []


def test_white_space_is_not_part_of_patterns() -> None:
    mined = mine_patterns([text("Ada moved\nto Rome"), text("Ada moved to Rome")], suggester=EntityPairs(), least=1)
    assert [(str(each.pattern), each.times) for each in mined] == [("SUBJ-P moved to OBJ-G", 2)]


def test_a_filled_table_is_a_file_of_rules(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mined.tsv"
    write_patterns(mine(), path)
    lines = path.read_text(encoding="utf8").splitlines()
    with pytest.raises(ValueError, match="no line names a relation"):
        read_rules(path)
    lines[2] = "born_in" + lines[2]
    lines[1] = lines[1].replace("\t\t", "\tled_by\t", 1)
    path.write_text("\n".join(lines), encoding="utf8")
    mined = read_rules(path)
    assert [(each.relation, str(each.pattern)) for each in mined.rules] == [
        ("led_by", "OBJ-P , mayor of SUBJ-G"),
        ("born_in", "SUBJ-P was born in OBJ-G"),
    ]
    assert not mined.problems


def test_a_table_with_other_columns(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mined.tsv"
    path.write_text("pattern\trelation\nSUBJ-A x OBJ-B\tr\nSUBJ-A\tr\nshort\n", encoding="utf8")
    mined = read_rules(path)
    assert [each.relation for each in mined.rules] == ["r"]
    assert [problem.where for problem in mined.problems] == [f"{path}:3"]
    path.write_text("a\tb\n", encoding="utf8")
    (item,) = read_table(path)
    assert "expected relation, reversed, pattern" in item.error


def test_cells_that_a_spreadsheet_quotes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mined.tsv"
    docs = [text('Ada " the " Rome') for _ in range(3)]
    write_patterns(mine_patterns(docs, suggester=EntityPairs()), path)
    path.write_text(path.read_text(encoding="utf8").replace("\n\t", '\n"a, b"\t'), encoding="utf8")
    (mined,) = read_rules(path).rules
    assert mined.relation == "a, b" and str(mined.pattern) == 'SUBJ-P " the " OBJ-G'


@pytest.mark.parametrize("weight", ["heavy", "0", "1e400"])
def test_weights_in_a_table(weight: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mined.tsv"
    path.write_text(f"relation\tpattern\tweight\nr\tSUBJ-A x OBJ-B\t{weight}\n", encoding="utf8")
    (problem,) = read_rules(path).problems
    assert problem.fatal and "weight is" in problem.message and problem.where == f"{path}:2"
