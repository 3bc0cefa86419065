import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.annotation import read_value, write_value
from spacy_relext.corpora.report import format_report

from .tool_records import Record, parse, read, write

NAME = "label-studio"
TEXT = "Ada Holm was born in Bergen."


def span(key: str, start: int, end: int, *labels: str, **more: Any) -> Record:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": list(labels)}
    return {"id": key, "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def relation(subject: str, obj: str, *labels: str, **more: Any) -> Record:
    return {"type": "relation", "from_id": subject, "to_id": obj, "direction": "right", "labels": list(labels), **more}


ADA, BERGEN = span("a", 0, 8, "PERSON"), span("b", 21, 27, "PLACE")
BORN = {"subject": [0, 8], "relation": "born_in", "object": [21, 27]}


def task(*result: Record, **more: Any) -> Record:
    return {"id": 1, "data": {"text": TEXT}, "annotations": [{"id": 5, "completed_by": 1, "result": result}], **more}


def test_a_task() -> None:
    record, losses = parse(NAME, task(ADA, BERGEN, relation("a", "b", "born_in")))
    entities = [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "PLACE"}]
    assert check_record(record) == {"text": TEXT, "entities": entities, "triples": [BORN], "id": 1, "annotator": "1"}
    assert not losses


@pytest.mark.parametrize(
    "by, name", [(7, "7"), ({"id": 7, "email": "ada@example.org"}, "ada@example.org"), (None, None)]
)
def test_annotators(by: Any, name: Any) -> None:
    made = {**task(), "annotations": [{"result": [ADA], "completed_by": by}]}
    assert parse(NAME, made)[0].get("annotator") == name


@pytest.mark.parametrize("direction, ends", [("right", ["a"]), ("left", ["b"]), ("bi", ["a", "b"]), (None, ["a"])])
def test_directions(direction: Any, ends: List[str]) -> None:
    record, _ = parse(NAME, task(ADA, BERGEN, relation("a", "b", "near", direction=direction)))
    assert [triple["subject"] for triple in record["triples"]] == [[0, 8] if end == "a" else [21, 27] for end in ends]


def test_the_annotation_of_one_person(tmp_path: Path) -> None:
    annotations = [{"result": [ADA], "completed_by": 1}, {"result": [BERGEN], "completed_by": 2}]
    made = [{**task(), "annotations": annotations}, {**task(), "annotations": annotations[1:]}]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(made))
    report = convert(NAME, [path], tmp_path / "a.spacy", annotator="1", malformed="refuse")
    assert (report.docs, report.entities) == (1, 1)
    assert +report.losses == {"documents of other annotators": 1}
    with pytest.raises(ValueError, match=r"R103.*Left out: documents of other annotators \(2\)"):
        convert(NAME, [path], tmp_path / "a.spacy", annotator="ada")


def test_attributes_of_relations() -> None:
    """Labels with an equals sign beside others."""
    labels = ("born_in", "negated=true", "source=the press", "a=b=c")
    record, losses = parse(NAME, task(ADA, BERGEN, relation("a", "b", *labels), relation("b", "a", "x=y")))
    attributes = {"negated": True, "source": "the press", "a": "b=c"}
    swapped = {"subject": [21, 27], "relation": "x=y", "object": [0, 8]}
    assert record["triples"] == [{**BORN, "attributes": attributes}, swapped]
    assert not losses


def test_attributes_are_labels_beside_the_relation(tmp_path: Path) -> None:
    entities = [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "PLACE"}]
    attributes = {"negated": True, "a=b": 1}
    triples = [{**BORN, "attributes": attributes}, {**BORN, "relation": "x=y", "attributes": attributes}]
    (path, config), lost = write(NAME, tmp_path, [{"text": TEXT, "entities": entities, "triples": triples}])
    assert lost == {"attributes of relations: a=b": 2, "attributes of relations: negated": 1}
    root = ElementTree.parse(config).getroot()
    assert [each.get("choice") for each in root.iter("Relations")] == ["multiple"]
    assert [each.get("value") for each in root.iter("Relation")] == ["born_in", "negated=true", "x=y"]


def test_exports_that_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("text,id,label\nAda slept.,1,[]\n")
    with pytest.raises(ValueError, match=r"R124.*export\.csv: it begins with 'text,id,label'.*JSON") as error:
        convert(NAME, [path], tmp_path / "a.spacy")
    assert "\n" not in str(error.value)
    path.write_text(json.dumps([{"id": 1, "text": TEXT, "label": [], "annotator": 1}]))
    with pytest.raises(ValueError, match=r"R103.*export\.csv:1.*R709.*not JSON-MIN or CSV"):
        convert(NAME, [path], tmp_path / "a.spacy")


def test_several_labels_and_a_relation_before_its_spans() -> None:
    record, _ = parse(NAME, task(relation("a", "b", "born_in", "lives_in"), span("a", 0, 8, "PERSON", "NAME"), BERGEN))
    assert [triple["relation"] for triple in record["triples"]] == ["born_in", "lives_in"]
    assert len(record["entities"]) == 3


def test_what_a_record_has_no_place_for_is_counted() -> None:
    bare = {key: value for key, value in relation("a", "b").items() if key not in ("labels", "direction")}
    choice = {"id": "c", "type": "choices", "value": {"choices": ["x"]}}
    results = [ADA, BERGEN, span("d", 4, 8), bare, relation("a", "a", "r"), relation("a", "c", "r"), choice]
    record, losses = parse(NAME, task(*results, predictions=[{"result": []}]))
    assert record["triples"] == [] and losses == {
        "relations without a label": 1,
        "relations of a span with itself": 1,
        "relations of spans that are left out": 1,
        "results of the type choices": 1,
        "spans without a label": 1,
        "predictions": 1,
    }


def test_which_annotation_is_taken() -> None:
    made: List[Record] = [{"result": [ADA]}, {"result": [BERGEN]}, {"result": [], "was_cancelled": True}]
    record, losses = parse(NAME, {**task(), "annotations": made})
    assert [entity["label"] for entity in record["entities"]] == ["PLACE"]
    assert losses == {
        "tasks with several annotations, of which the last one is read": 1,
        "annotations beside the one that is read": 1,
        "cancelled annotations": 1,
    }
    made[0]["ground_truth"] = True
    record, losses = parse(NAME, {**task(), "annotations": made})
    assert [entity["label"] for entity in record["entities"]] == ["PERSON"]
    assert losses["tasks with several annotations, of which the ground truth is read"] == 1


def test_skipped_and_open_tasks(tmp_path: Path) -> None:
    skipped = {**task(), "annotations": [{"result": [ADA], "was_cancelled": True}]}
    assert parse(NAME, skipped) == ({}, {"skipped tasks: all annotations cancelled": 1})
    assert parse(NAME, {**task(), "annotations": []})[0] == {"text": TEXT, "id": 1}
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([skipped, task(ADA)]))
    report = convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")
    assert report.docs == 1 and "left out or changed: skipped tasks: all annotations cancelled" in format_report(report)
    path.write_text(json.dumps([skipped]))
    with pytest.raises(ValueError, match=r"R103.*Left out: skipped tasks: all annotations cancelled \(1\)"):
        convert(NAME, [path], tmp_path / "a.spacy")


BAD: List[Tuple[Any, str]] = [
    ({"id": 1, "text": TEXT, "label": [], "annotator": 1}, "[R709] The task has no 'data'"),
    (7, "the task is 7, not an object"),
    ({"data": {"body": TEXT, "title": "Ada"}}, "data has no key 'text'"),
    ({"data": {"image": 3}}, "data has no key 'text'"),
    ({**task(), "annotations": 3}, "'annotations' of the record is 3, not a list"),
    ({**task(), "annotations": [{}]}, "no key 'result'"),
    (task(ADA, relation("a", "z", "r")), "[R708] result[1] joins the span 'z', which is absent"),
    (task(span("a", 0, 99, "X")), "start and end of result[0] is [0, 99]; expected 0 <= start < end <= 28"),
    (
        task({**ADA, "value": {**BERGEN["value"], "start": 0, "end": 8}}),
        "[R713] The offsets of result[0] hold 'Ada Holm'",
    ),
    (task({**ADA, "value": {"start": 0, "end": "8"}}), "'end' of result[0] is '8', not a whole number"),
    (task(ADA, span("a", 0, 3, "X")), "[R717] result[1] has the id 'a' of another span"),
    (task(span("a", 0, 8, " ")), "the label of result[0] is empty"),
    (task(ADA, BERGEN, relation("a", "b", "r", direction="up")), "'direction' of result[2] is 'up'"),
    (task(ADA, BERGEN, relation("a", "b", "r", labels=[3])), "'labels' of result[2] is [3], not a list of strings"),
    ({**task(), "data": {"text": TEXT, "sents": 3}}, "sents is 3, not a list"),
]


def test_a_line_break_in_the_text_of_a_span() -> None:
    value = {"start": 0, "end": 8, "text": "Ada\\nHolm", "labels": ["PERSON"]}
    made = {"data": {"text": "Ada\nHolm slept."}, "annotations": [{"result": [{**ADA, "value": value}]}]}
    assert parse(NAME, made)[0]["entities"] == [{"start": 0, "end": 8, "label": "PERSON"}]


def test_a_region_with_labels_of_two_kinds() -> None:
    choice = {"id": "a", "type": "choices", "value": {"choices": ["x"]}}
    record, losses = parse(NAME, task(choice, ADA, span("a", 0, 8, "X"), BERGEN, relation("a", "b", "born_in")))
    assert len(record["entities"]) == 3 and record["triples"] == [BORN]
    assert losses == {"results of the type choices": 1}


def test_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    (path, _), _ = write(NAME, tmp_path, [{"text": TEXT, "id": float("nan")}])
    assert read(NAME, path)[0] == [{"text": TEXT, "id": None}]


def test_suggestions_and_the_labelling_config(tmp_path: Path) -> None:
    entities = [{"start": 0, "end": 8, "label": 'PERSON "&'}]
    suggested = [
        {**BORN, "score": 0.5, "source": "rere"},
        {**BORN, "relation": "lives_in", "score": 1, "source": "rere"},
    ]
    gold = {"text": TEXT, "entities": entities, "triples": [BORN, {**suggested[1], "source": "kd"}]}
    (path, config), lost = write(NAME, tmp_path, [{"text": TEXT, "entities": entities, "triples": suggested}, gold])
    first, second = json.loads(path.read_text(encoding="utf8"))
    assert "annotations" not in first
    (prediction,) = first["predictions"]
    assert prediction["model_version"] == "rere" and prediction["score"] == 0.75
    assert [result.get("score") for result in prediction["result"]] == [None, None, 0.5, 1]
    assert len(second["annotations"][0]["result"]) == 3 and second["predictions"][0]["model_version"] == "kd"
    assert lost == {"arguments that are no entities, written as ENTITY": 2}
    root = ElementTree.parse(config).getroot()
    assert [each.get("value") for each in root.iter("Relation")] == ["born_in", "lives_in"]
    assert [each.get("value") for each in root.iter("Label")] == ["ENTITY", 'PERSON "&']
    assert read(NAME, path)[1] == {"predictions": 2}


def test_what_the_tool_has_no_place_for_is_counted(tmp_path: Path) -> None:
    entities = [{"start": 0, "end": 8, "label": "P", "kb_id": "Q1"}, {"start": 21, "end": 27, "label": "L"}]
    triple = {**BORN, "score": 0.5, "evidence": {"rule": 1}}
    made = [{"text": TEXT, "entities": entities, "triples": [triple]}, {"text": TEXT, "entities": entities[1:]}]
    _, lost = write(NAME, tmp_path, made)
    assert lost == {
        "ids of a knowledge base": 1,
        "evidence of triples": 1,
        "scores of annotated triples": 1,
        "entities of documents without annotated triples, written as suggestions": 1,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("true", True),
        ('"a"', "a"),
        ("NaN", "NaN"),
        ("1" + 400 * "0", "1" + 400 * "0"),
        ("x", "x"),
    ],
)
def test_values_of_attributes(text: str, value: Any) -> None:
    assert read_value(text) == value and read_value(write_value(value)) == value


def test_white_space_at_the_ends_of_a_selection() -> None:
    """Spans of the tool often have a blank more than was meant."""
    results = [span("a", 0, 9, "PERSON"), span("b", 20, 27, "PLACE"), relation("a", "b", "born_in")]
    record, losses = parse(NAME, task(*results))
    assert record["triples"] == [BORN] and losses == {"arguments and entities trimmed of white space": 2}


def on(tag: str, result: Record) -> Record:
    return {**result, "to_name": tag}


@pytest.mark.parametrize(
    "data",
    [
        {"body": TEXT, "title": "Ada"},
        {"text": "Another text.", "body": TEXT},
        {"article": TEXT, "title": "Ada Holm is born"},
    ],
)
def test_the_text_of_the_spans_among_several(data: Record) -> None:
    made = task(on("body", ADA), on("body", BERGEN), relation("a", "b", "born_in"))
    record, _ = parse(NAME, {**made, "data": data})
    assert record["text"] == TEXT and record["triples"] == [BORN]
    bare = {**ADA, "value": {**ADA["value"], "text": None}}
    if "body" in data:
        assert parse(NAME, {**task(on("body", bare)), "data": data})[0]["text"] == TEXT


def test_spans_of_another_text() -> None:
    other = on("title", span("t", 0, 3, "PERSON"))
    made = task(ADA, BERGEN, other, relation("a", "b", "born_in"), relation("t", "b", "born_in"))
    record, losses = parse(NAME, {**made, "data": {"text": TEXT, "title": "Ada"}})
    assert record["triples"] == [BORN] and record["incomplete"]
    assert losses == {"spans of another text": 1, "relations of spans that are left out": 1}


PATHS = ["/data/upload/3/letter.txt", "https://example.org/a", "s3://bucket/a b.txt".replace(" ", ""), "letter.html"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_no_text(path: str) -> None:
    bare = {**ADA, "value": {"start": 0, "end": 4, "labels": ["PERSON"]}}
    with pytest.raises(ValueError, match=r"R747.*'text' of data, is '.*a path or URL, not a text"):
        parse(NAME, {**task(bare), "data": {"text": path}})
    named = {**bare, "value": {**bare["value"], "text": path[:4]}}
    assert parse(NAME, {**task(named), "data": {"text": path}})[0]["text"] == path


HTML = "<title>x</title><h1>Minutes 😀</h1>\n<p><b>Ada Holm</b><br>founded <i>Nor</i> &amp; Co.<!-- no --></p>"


def html_span(key: str, start: int, end: int, text: str) -> Record:
    """A span of HTML: the tool counts `Minutes 😀\\nAda Holm\\nfounded Nor & Co.`"""
    value = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 3, "text": text}
    value.update({"globalOffsets": {"start": start, "end": end}, "hypertextlabels": ["X"]})
    return {"id": key, "to_name": "text", "type": "hypertextlabels", "value": value}


@pytest.mark.parametrize("shift", [0, 1])
def test_spans_of_html(shift: int) -> None:
    pytest.importorskip("lxml", reason="needs the extra [text]")
    results = [html_span("a", 10 + shift, 18 + shift, "Ada Holm"), html_span("b", 27 + shift, 36 + shift, "Nor & Co.")]
    made = {**task(*results, relation("b", "a", "founded_by")), "data": {"text": HTML}}
    record, losses = parse(NAME, made)
    (triple,) = record["triples"]
    assert record["text"] == "Minutes 😀\n\nAda Holm\nfounded Nor & Co.\n"
    assert [record["text"][slice(*triple[role])] for role in ("subject", "object")] == ["Nor & Co.", "Ada Holm"]
    assert losses == ({"documents whose offsets count UTF-16 units": 1} if shift else {})
    del results[0]["value"]["globalOffsets"]
    with pytest.raises(ValueError, match=r"R748.*result\[0\] is a HyperText span"):
        parse(NAME, made)


def test_spans_of_other_kinds_may_be_arguments() -> None:
    sound = {"id": "s", "type": "audio", "value": {"start": 0, "end": 1.5}}
    record, losses = parse(NAME, task(ADA, sound))
    assert record["incomplete"] and losses == {"results of the type audio": 1}
