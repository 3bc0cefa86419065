import json
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.report import format_report

from .tool_records import Record, parse, read, write

NAME = "prodigy"
TEXT = "Ada Holm was born in Bergen."
ADA = {"start": 0, "end": 8, "token_start": 0, "token_end": 1, "label": "PERSON"}
BERGEN = {"start": 21, "end": 27, "token_start": 5, "token_end": 5, "label": "PLACE"}
BORN = {"head": 1, "child": 5, "label": "born_in", "color": "#fff", "head_span": ADA, "child_span": BERGEN}
TASK = {
    "text": TEXT,
    "tokens": [],
    "spans": [{**ADA, "text": "Ada Holm", "type": "span"}],
    "relations": [BORN],
    "answer": "accept",
    "meta": {"page": 3},
    "_input_hash": 1,
    "_task_hash": 2,
    "_view_id": "relations",
    "_session_id": None,
}
TRIPLE = {"subject": [0, 8], "relation": "born_in", "object": [21, 27]}
ENTITIES = [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "PLACE"}]
RECORD = {"text": TEXT, "entities": ENTITIES, "triples": [TRIPLE]}


def test_a_task_with_a_span_in_its_relation_only() -> None:
    record, losses = parse(NAME, TASK)
    assert check_record(record) == {**RECORD, "meta": {"page": 3}} and not losses


def test_arguments_by_their_last_token() -> None:
    relation = {"head": 5, "child": 1, "label": "birthplace_of"}
    record, _ = parse(NAME, {**TASK, "spans": [ADA, BERGEN], "relations": [relation]})
    assert record["triples"] == [{"subject": [21, 27], "relation": "birthplace_of", "object": [0, 8]}]


def test_accepted_without_relations_is_annotated_and_empty() -> None:
    task = {key: value for key, value in TASK.items() if key != "relations"}
    assert parse(NAME, task)[0]["triples"] == []
    record, _ = parse(NAME, {**task, "_view_id": "ner_manual"})
    assert "triples" not in record and record["entities"] == ENTITIES[:1]


def test_answers(tmp_path: Path) -> None:
    bare = {**TASK, "relations": []}
    assert parse(NAME, {**bare, "answer": "reject"}) == ({}, {"rejected tasks without a relation": 1})
    assert parse(NAME, {**TASK, "answer": "ignore"}) == ({}, {"ignored tasks": 1})
    record, losses = parse(NAME, {**TASK, "answer": None})
    assert record == {"text": TEXT, "meta": {"page": 3}}
    assert losses == {"suggestions in tasks without an answer": 2}
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n".join(json.dumps({**TASK, "answer": answer}) for answer in ("ignore", "accept", "ignore")))
    report = convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")
    assert (report.docs, report.triples, report.skipped) == (1, 1, 0)
    assert "left out or changed: ignored tasks" in format_report(report)


def test_rejected_relations_are_rejected_triples() -> None:
    relation = {**BORN, "source": "rere", "score": 0.5, "attributes": {"negated": True}}
    record, losses = parse(NAME, {**TASK, "relations": [relation], "answer": "reject"})
    triple = {**TRIPLE, "attributes": {"negated": True}}
    assert record == {
        "text": TEXT,
        "entities": ENTITIES,
        "rejected": [{**triple, "source": "rere", "score": 0.5}],
        "meta": {"page": 3},
    }
    assert not losses
    assert parse(NAME, {**TASK, "relations": [relation]})[0]["triples"] == [triple]


def test_annotators(tmp_path: Path) -> None:
    ids = {"_annotator_id": "data-ada", "_session_id": "data-bo"}
    assert parse(NAME, {**TASK, **ids})[0]["annotator"] == "data-ada"
    assert parse(NAME, {**TASK, "_session_id": "data-bo"})[0]["annotator"] == "data-bo"
    (path,), _ = write(NAME, tmp_path, [{**RECORD, "annotator": "ada"}])
    task = json.loads(path.read_text(encoding="utf8"))
    assert task["_annotator_id"] == "ada" and "annotator" not in task


def test_what_a_record_has_no_place_for_is_counted() -> None:
    bare = {key: value for key, value in ADA.items() if key != "label"}
    relations = [{**BORN, "label": None}, {**BORN, "child_span": ADA, "head_span": bare}]
    record, losses = parse(NAME, {**TASK, "spans": [bare], "relations": relations})
    assert record["triples"] == [] and losses == {
        "relations without a label": 1,
        "relations of a span with itself": 1,
        "spans without a label": 1,
    }


def test_records_of_another_format() -> None:
    """Their annotation is not read as if it were the tool's."""
    record, losses = parse(NAME, RECORD)
    assert record == {"text": TEXT} and losses == {
        "key that is no annotation of the tool: entities": 1,
        "key that is no annotation of the tool: triples": 1,
    }


BAD: List[Tuple[Any, str]] = [
    (7, "the task is 7, not an object"),
    ({"answer": "accept"}, "the task has no key 'text'"),
    ({**TASK, "answer": "yes"}, "'answer' of the task is 'yes'; expected accept, reject or ignore"),
    ({**TASK, "spans": [{**ADA, "end": 99}]}, "start and end of spans[0] is [0, 99]"),
    ({**TASK, "spans": [{**ADA, "text": "Ada"}]}, "[R713] The offsets of spans[0] hold 'Ada Holm', but its text is"),
    ({**TASK, "spans": [{**ADA, "label": 3}]}, "'label' of spans[0] is 3, not a string"),
    ({**TASK, "relations": [{"head": 1, "child": 5}]}, "[R708] relations[0] joins the span that ends in token 5"),
    ({**TASK, "relations": [{**BORN, "child_span": 5}]}, "'child_span' of relations[0] is 5, not an object"),
    ({**TASK, "relations": [{**BORN, "child_span": {}}]}, "child_span of relations[0] has no key 'start'"),
]


@pytest.mark.parametrize("span", [(0, 4), (3, 8), (3, 4), (2, 10)])
def test_spans_that_begin_or_end_in_a_space_or_a_word(tmp_path: Path, span: Tuple[int, int]) -> None:
    record = {"text": TEXT, "entities": [{"start": span[0], "end": span[1], "label": "X"}], "triples": []}
    (path,), _ = write(NAME, tmp_path, [record])
    (entity,) = read(NAME, path)[0][0]["entities"] if TEXT[slice(*span)].strip() else [None]
    assert entity is None or TEXT[entity["start"] : entity["end"]] == TEXT[slice(*span)].strip()
    task = json.loads(path.read_text(encoding="utf8"))
    assert "".join(token["text"] + " " * token["ws"] for token in task["tokens"]) == TEXT


def test_suggestions_have_no_answer(tmp_path: Path) -> None:
    suggested = {**RECORD, "triples": [{**TRIPLE, "source": "rere", "score": 0.5}]}
    (path,), lost = write(NAME, tmp_path, [suggested, RECORD])
    first, second = map(json.loads, path.read_text(encoding="utf8").splitlines())
    assert "answer" not in first and second["answer"] == "accept"
    assert first["relations"][0]["score"] == 0.5 and first["relations"][0]["source"] == "rere"
    assert second["relations"][0] == {"head": 1, "child": 5, "label": "born_in", "head_span": ADA, "child_span": BERGEN}
    assert not lost and read(NAME, path) == ([{"text": TEXT}, RECORD], {"suggestions in tasks without an answer": 3})


def test_what_the_tool_has_no_place_for_is_counted(tmp_path: Path) -> None:
    made: List[Record] = [
        {"text": TEXT, "entities": [{**ENTITIES[0], "kb_id": "Q1"}], "triples": [TRIPLE], "answer": 1, "_x": 2},
        {"text": TEXT, "entities": ENTITIES},
    ]
    assert write(NAME, tmp_path, made)[1] == {
        "ids of a knowledge base": 1,
        "arguments that are no entities, written as ENTITY": 1,
        "other key that the tool has itself: answer": 1,
        "other key that the tool has itself: _x": 1,
        "entities of documents without annotated triples, written as suggestions": 2,
    }
