"""Files of labelling rules: parsing, and problems."""

import dataclasses
import json
import pathlib
from typing import Any, List

import pytest

from spacy_relext.nero.rules.patterns import OBJECT, SUBJECT, parse_pattern
from spacy_relext.nero.rules.rules import NO_RELATION_LABEL, Rule, RuleFile, read_rules, usable_rules


def write(path: pathlib.Path, rows: List[Any]) -> pathlib.Path:
    target = path / "rules.jsonl"
    target.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf8")
    return target


def rule(pattern: str, relation: str = "founded_by", **more: Any) -> Any:
    return {"relation": relation, "pattern": pattern, **more}


@pytest.mark.parametrize(
    "text, before, between, after",
    [
        ("SUBJ-ORG was founded by OBJ-PERSON", [], ["was", "founded", "by"], []),
        ("daughter of SUBJ-* , OBJ-* -LRB- born", ["daughter", "of"], [","], ["(", "born"]),
        ("SUBJ-A OBJ-B", [], [], []),
        ("* the SUBJ-A * * of * OBJ-B , *", ["the"], [None, "of", None], [","]),
        ("SUBJ-A \\* OBJ-B", [], ["*"], []),
    ],
)
def test_segments_of_a_pattern(text: str, before: List[str], between: List[str], after: List[str]) -> None:
    parsed = parse_pattern(text)
    assert [list(part) for part in (parsed.before, parsed.between, parsed.after)] == [before, between, after]
    assert parse_pattern(str(parsed)) == parsed


def test_roles_and_types_of_masks() -> None:
    parsed = parse_pattern("OBJ-PERSON , head of SUBJ-ORG|GPE")
    assert parsed.first == OBJECT and parsed.subject_types == {"ORG", "GPE"} and parsed.object_types == {"PERSON"}
    assert str(parsed) == "OBJ-PERSON , head of SUBJ-GPE|ORG"
    assert parsed.allows("GPE", "PERSON") and not parsed.allows("PERSON", "GPE") and not parsed.allows("", "PERSON")
    free = parse_pattern("SUBJ-* , OBJ-O")
    assert free.first == SUBJECT and free.allows("anything", "") and not free.allows("", "ORG")
    assert parsed.swap_roles().swap_roles() == parsed and parsed.swap_roles().first == SUBJECT


def test_types_with_other_characters_and_words_tied_to_masks() -> None:
    parsed = parse_pattern("(SUBJ-PERSON's mother, OBJ-work%20of%20art|B-PER.")
    assert parsed.before == ("(",) and parsed.between == ("'s", "mother,") and parsed.after == (".",)
    assert parsed.subject_types == {"PERSON"} and parsed.object_types == {"work of art", "B-PER"}
    odd = dataclasses.replace(parsed, subject_types=frozenset({"a|b", "50%", "Inc.", "*", "Ärzte"}))
    assert parse_pattern(str(odd)) == odd and "Ärzte" in str(odd)


def test_words_are_split_as_texts_are() -> None:
    parsed = parse_pattern("SUBJ-A cannot co-own OBJ-B", tokenize=lambda word: word.replace("-", " - ").split())
    assert parsed.between == ("cannot", "co", "-", "own")


@pytest.mark.parametrize(
    "text", ["was founded by OBJ-A", "SUBJ-A was", "SUBJ-A SUBJ-B OBJ-C", "SUBJ-A OBJ-B OBJ-C", ""]
)
def test_two_masks_are_needed(text: str) -> None:
    with pytest.raises(ValueError, match="expected one SUBJ-TYPE and one OBJ-TYPE"):
        parse_pattern(text)


def test_rules_of_lines(tmp_path: pathlib.Path) -> None:
    path = write(tmp_path, [rule("SUBJ-A of OBJ-B", id="x", weight=2), "", rule("SUBJ-A and OBJ-B", NO_RELATION_LABEL)])
    parsed = read_rules(path, relations=["founded_by"])
    expected = [("x", "founded_by", 2.0), ("3", NO_RELATION_LABEL, 1.0)]
    assert [(each.id, each.relation, each.weight) for each in parsed.rules] == expected
    assert not parsed.problems and usable_rules(parsed, path) == parsed.rules


def test_the_authors_list(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pattern.json"
    rows = [["Cause-Effect(e2,e1)", "SUBJ-O caused by OBJ-TITLE"], ["per:spouse", "OBJ-PERSON married SUBJ-PERSON"]]
    path.write_text(json.dumps([*rows, rows[1], ["X(e1,e2)", "SUBJ-O is * OBJ-O"]]), encoding="utf8")
    parsed = read_rules(path)
    assert [each.relation for each in parsed.rules] == ["Cause-Effect", "per:spouse"]
    swapped = parsed.rules[0].pattern
    assert swapped.first == OBJECT and swapped.object_types == {"O"} and swapped.subject_types == {"TITLE"}
    assert [problem.fatal for problem in parsed.problems] == [False, False]
    assert "the same as" in parsed.problems[0].message and "element 2" in parsed.problems[0].message
    assert "is left out" in parsed.problems[1].message and "max_gap" in parsed.problems[1].message
    assert len(read_rules(path, max_gap=2).rules) == 3


@pytest.mark.parametrize(
    "row, message",
    [
        ("{", "not JSON"),
        ("3", "expected an object"),
        (["a", 3], "expected an object"),
        (["", "SUBJ-A OBJ-B"], "no relation"),
        ({"relation": "r", "pattern": "SUBJ-A OBJ-B", "wieght": 1}, "unknown key 'wieght'"),
        ({"pattern": "SUBJ-A OBJ-B"}, "relation is None"),
        ({"relation": "founded_by", "pattern": 3}, "pattern is 3"),
        (rule("SUBJ-A", "founded_by"), "masks: SUBJ"),
        (rule("SUBJ-A x OBJ-B", "invented"), "unknown relation 'invented'"),
        (rule("SUBJ-A of OBJ-B", "other"), "is 'other' here and 'founded_by' in"),
        (rule("SUBJ-A x OBJ-B", weight=0), "weight is 0"),
        (rule("SUBJ-A x OBJ-B", weight=True), "weight is True"),
        (rule("SUBJ-A x OBJ-B", weight="\r\nx"), "weight is x;"),
        (rule("SUBJ-A x OBJ-B", weight=10**400), "weight is 1000000"),
        (rule("SUBJ-A x OBJ-B", id=7), "id is 7"),
        (rule("SUBJ-A x OBJ-B", id="first"), "the id 'first'"),
    ],
)
def test_problems_have_their_line(row: Any, message: str, tmp_path: pathlib.Path) -> None:
    path = write(tmp_path, [rule("SUBJ-A of OBJ-B", id="first"), row])
    parsed = read_rules(path, relations=["founded_by", "other"])
    (problem,) = parsed.problems
    assert problem.fatal and message in problem.message and problem.where == f"{path}:2"
    with pytest.raises(ValueError, match="R500") as error:
        usable_rules(parsed, path)
    assert f"{path}:2: " in str(error.value)


def test_words_in_upper_and_lower_case(tmp_path: pathlib.Path) -> None:
    rows = [rule("SUBJ-A of OBJ-B"), rule("SUBJ-A Of OBJ-B"), rule("SUBJ-A OF OBJ-B", "other")]
    assert len(read_rules(write(tmp_path, rows)).rules) == 3
    parsed = read_rules(write(tmp_path, rows), lower=True)
    assert [(problem.fatal, problem.where[-1]) for problem in parsed.problems] == [(False, "2"), (True, "3")]


def test_known_rules(tmp_path: pathlib.Path) -> None:
    known = [Rule("old", "founded_by", parse_pattern("SUBJ-A of OBJ-B"))]
    rows = [rule("SUBJ-A of OBJ-B"), rule("SUBJ-A by OBJ-B"), rule("SUBJ-A of OBJ-B", "other")]
    parsed = read_rules(write(tmp_path, rows), known=known)
    assert [str(each.pattern) for each in parsed.rules] == ["SUBJ-A by OBJ-B"]
    assert parsed.problems[0].message == "the same as rule 'old'" and not parsed.problems[0].fatal
    assert parsed.problems[1].fatal and "'founded_by' in rule 'old'" in parsed.problems[1].message


def test_names_of_relations(tmp_path: pathlib.Path) -> None:
    rows = [rule("SUBJ-A of OBJ-B", " born "), rule("SUBJ-A by OBJ-B", "NO_Relation"), ["x ", "SUBJ-A , OBJ-B"]]
    assert [each.relation for each in read_rules(write(tmp_path, rows)).rules] == ["born", NO_RELATION_LABEL, "x"]


def test_a_folder_of_rules(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"R209.*without rules.*\.jsonl"):
        read_rules(folder)
    (folder / "b.jsonl").write_text(json.dumps(rule("SUBJ-A of OBJ-B")) + "\n" + json.dumps(rule("SUBJ-A by OBJ-B")))
    (folder / "a.tsv").write_text('relation\tpattern\tid\tweight\nr\tSUBJ-A ""of"" OBJ-B\tx\t2\n\nr\tSUBJ-A of OBJ-B\n')
    (folder / "notes.txt").write_text("no rules")
    parsed = read_rules(folder)
    assert [(each.id, each.weight) for each in parsed.rules] == [("x", 2.0), ("a:4", 1.0), ("b:2", 1.0)]
    assert parsed.rules[1].where == f"{folder / 'a.tsv'}:4"
    (problem,) = parsed.problems
    assert problem.fatal and problem.where.endswith("b.jsonl:1")
    assert "is 'founded_by' here and 'r' in" in problem.message


def test_default_ids_are_unique(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mined.tsv"
    path.write_text("relation\treversed\tpattern\na\tb\tSUBJ-X of OBJ-X\n", encoding="utf8")
    assert [each.id for each in read_rules(path).rules] == ["2", "2-2"]


def test_many_problems_are_cut_short(tmp_path: pathlib.Path) -> None:
    parsed = read_rules(write(tmp_path, ["nothing"] * 14))
    with pytest.raises(ValueError, match="and 4 more"):
        usable_rules(parsed, "rules.jsonl")


def test_a_file_without_a_usable_rule(tmp_path: pathlib.Path) -> None:
    parsed = read_rules(write(tmp_path, [rule("SUBJ-A * of OBJ-B")]))
    with pytest.raises(ValueError, match="is left out"):
        usable_rules(parsed, "rules.jsonl")
    with pytest.raises(ValueError, match="no rule"):
        read_rules(write(tmp_path, [""]))
    with pytest.raises(ValueError, match="R216"):
        read_rules(tmp_path / "nowhere.jsonl")
    assert usable_rules(RuleFile([], []), "x") == []
