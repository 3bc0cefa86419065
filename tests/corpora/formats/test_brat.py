from pathlib import Path
from typing import Any, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.locate import ENTITY

from .tool_records import Record, read, write
from .tool_records import parse as parse_raw

NAME = "brat"
TEXT = "Ada Holm was born\nin Bergen 😀 long ago."
SPANS = "T1\tPERSON 0 8\tAda Holm\nT2\tPLACE 21 27\tBergen\n"
BORN = "R1\tborn_in Arg1:T1 Arg2:T2\n"
TRIPLE = {"subject": [0, 8], "relation": "born_in", "object": [21, 27]}


def parse(annotation: str) -> Tuple[Record, Any]:
    record, losses = parse_raw(NAME, (TEXT, annotation))
    return check_record(record), losses


def test_a_document() -> None:
    record, losses = parse(BORN + SPANS + "N1\tReference T2 Wikipedia:64488\tBergen, Norway\n")
    place = {"start": 21, "end": 27, "label": "PLACE", "kb_id": "Wikipedia:64488"}
    entities = [{"start": 0, "end": 8, "label": "PERSON"}, place]
    assert record == {"text": TEXT, "entities": entities, "triples": [TRIPLE]} and not losses


def test_roles_have_any_names_and_offsets_count_characters() -> None:
    record, _ = parse(SPANS + "T7\tTIME 30 38\tlong ago\r\nR1\tborn_in Whole:T7 Part:T1  \n")
    assert record["triples"] == [{"subject": [30, 38], "relation": "born_in", "object": [0, 8]}]
    assert record["text"][30:38] == "long ago"


def test_fragments_with_a_line_break_between_are_one_span() -> None:
    record, losses = parse("T1\tPHRASE 13 17;18 27\tborn in Bergen\n")
    assert record["entities"] == [{"start": 13, "end": 27, "label": "PHRASE"}] and not losses


def test_what_a_record_has_no_place_for_is_counted() -> None:
    lines = [
        "T3\tPERSON 0 3;21 27\tAda Bergen",
        "R1\tnear Arg1:T3 Arg2:T2",
        "R2\tnear Arg1:E1 Arg2:T2",
        "R3\tgives Giver:T1 Gift:T2 Taker:T3",
        "R4\tnear Arg1:T1 Arg2:T1",
        "E1\tBirth:T1 Place:T2",
        "A1\tNegation T1",
        "M1\tSpeculation E1 high",
        "A2\tNegation R9",
        "*\tAlias T1 T2",
        "*\tEquiv T3 T3",
        "#1\tAnnotatorNotes T1\tsure?",
        "N1\tReference T1 KB:Q1\tAda",
        "N2\tReference T1 KB:Q2\tAda",
    ]
    record, losses = parse(SPANS + "\n".join(lines))
    assert record["triples"] == [] and record["incomplete"] and record["entities"][0]["kb_id"] == "Q1"
    assert losses == {
        "discontinuous spans": 1,
        "relations of spans that are left out": 2,
        "relations with more than two arguments": 1,
        "relations of a span with itself": 1,
        "events": 1,
        "attributes": 3,
        "groups of spans": 2,
        "notes": 1,
        "further ids of a knowledge base": 1,
    }


BAD: List[Tuple[str, str]] = [
    ("T1\tPERSON 0 99\tAda", "start and end of line 1 is [0, 99]; expected 0 <= start < end <= 39"),
    ("\nT1\tPERSON 0 8\tAda Hol", "[R713] The offsets of line 2 hold 'Ada Holm', but its text is 'Ada Hol'"),
    ("T1\tPERSON a b\tAda", "[R716] line 1 is 'T1\\tPERSON a b\\tAda'; expected BRAT's standoff"),
    ("Ada Holm", "[R716] line 1"),
    ("T1", "[R716] line 1"),
    (SPANS + "T1\tPERSON 0 3\tAda", "[R717] line 3 has the id 'T1' of another span"),
    (SPANS + "R1\tborn_in Arg1:T1 Arg2:T9", "[R708] line 3 joins the span 'T9', which is absent"),
    (SPANS + "R1\tborn_in T1 T2", "[R716] line 3"),
    (SPANS + "N1\tReference T9 KB:Q1\tAda", "[R708] line 3 joins the span 'T9'"),
    (SPANS + "N1\tT1", "[R716] line 3"),
]


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    for name in ("a.txt", "more/b.txt"):
        (folder / name).write_text(TEXT, encoding="utf8")
    (folder / "more" / "b.ann").write_text(SPANS + BORN, encoding="utf8")
    (folder / "c.ann").write_text(SPANS, encoding="utf8")
    (folder / "annotation.conf").write_text("[entities]\n")
    report = convert(NAME, [folder], tmp_path / "a.spacy", malformed="any")
    assert (report.docs, report.not_annotated, report.triples) == (2, 1, 1)
    missing = "[R715] The text file 'c.txt' is missing beside it; copy both files of each document"
    assert report.problems == [f"{folder / 'c.ann'}:1: {missing}"]
    assert convert(NAME, [folder / "more" / "b.ann"], tmp_path / "b.spacy", malformed="refuse").triples == 1
    with pytest.raises(ValueError, match=r"R209.*a\.txt.*no \.ann file"):
        convert(NAME, [folder / "a.txt"], tmp_path / "b.spacy")
    (folder / "more" / "b.ann").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"R100.*b\.ann:1: not UTF-8 text"):
        convert(NAME, [folder / "more"], tmp_path / "b.spacy", malformed="refuse")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="R209.*no .ann file"):
        convert(NAME, [tmp_path / "empty"], tmp_path / "b.spacy")


def test_the_configuration(tmp_path: Path) -> None:
    entities = [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "a place"}]
    (path,), lost = write(NAME, tmp_path, [{"text": TEXT, "entities": entities, "triples": [TRIPLE]}])
    assert lost == {"label 'a place', written as a_place": 1}
    lines = (path / "annotation.conf").read_text(encoding="utf8").splitlines()
    assert lines[:6] == ["[entities]", "PERSON", "a_place", "", "[relations]", "born_in\tArg1:PERSON, Arg2:a_place"]
    assert (path / "doc000000.ann").read_text(encoding="utf8") == (SPANS + BORN).replace("PLACE", "a_place")
    with pytest.raises(ValueError, match="R121"):
        write(NAME, tmp_path, [])


def test_labels_that_would_be_the_same_name_stay_apart(tmp_path: Path) -> None:
    triples = [{**TRIPLE, "relation": relation} for relation in ("関係", "親子", "__", "--")]
    (path,), lost = write(NAME, tmp_path, [{"text": TEXT, "triples": triples}])
    (record,), _ = read(NAME, path)
    assert [triple["relation"] for triple in record["triples"]] == ["__", "__-2", "__-3", "_"]
    assert lost["label '親子', written as __-2"] == lost["label '__', written as __-3"] == 1


def test_what_the_tool_has_no_place_for_is_counted(tmp_path: Path) -> None:
    entities = [{"start": 16, "end": 18, "label": "P", "kb_id": "a\tb"}, {"start": 17, "end": 18, "label": "P"}]
    suggested: List[Record] = [{**TRIPLE, "source": "rere"}, {"subject": [17, 18], "relation": "r", "object": [0, 8]}]
    made: List[Record] = [{"text": TEXT, "entities": entities, "triples": suggested, "id": 3}, {"text": TEXT}]
    (path,), lost = write(NAME, tmp_path, made)
    assert lost == {
        "arguments that are no entities, written as ENTITY": 2,
        "sources and scores of suggested triples, written as annotated": 1,
        "documents not annotated with triples, written as annotated": 1,
        "line breaks at the ends of spans": 2,
        "relations of spans that are left out": 1,
        "ids of a knowledge base": 1,
        "other key: id": 1,
    }
    (first, second), _ = read(NAME, path)
    assert [entity["label"] for entity in first["entities"]] == ["P", ENTITY, ENTITY]
    assert len(first["triples"]) == 1 and second["triples"] == []
