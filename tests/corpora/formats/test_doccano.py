import json
from pathlib import Path
from typing import Any, List, Tuple
from zipfile import ZipFile

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.registry import FORMATS

from .tool_records import Record, parse, write

NAME = "doccano"
TEXT = "Ada Holm was born in Bergen."
ENTITIES = [
    {"id": 4, "start_offset": 0, "end_offset": 8, "label": "PERSON"},
    {"id": 9, "start_offset": 21, "end_offset": 27, "label": "PLACE"},
]
BORN = {"id": 0, "from_id": 4, "to_id": 9, "type": "born_in"}
RECORD = {"id": 3, "text": TEXT, "entities": ENTITIES, "relations": [BORN], "Comments": []}
READ: Record = {
    "text": TEXT,
    "entities": [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "PLACE"}],
    "triples": [{"subject": [0, 8], "relation": "born_in", "object": [21, 27]}],
    "id": 3,
}


def test_a_record() -> None:
    record, losses = parse(NAME, RECORD)
    assert check_record(record) == READ and not losses


def test_what_is_absent_is_not_annotated() -> None:
    assert parse(NAME, {"text": TEXT})[0] == {"text": TEXT}
    record, _ = parse(NAME, {"text": TEXT, "entities": ENTITIES})
    assert len(record["entities"]) == 2 and "triples" not in record


def test_comments_are_counted() -> None:
    assert parse(NAME, {**RECORD, "Comments": [{"text": "sure?"}]}) == (READ, {"comments": 1})


def test_the_zip_of_an_export(tmp_path: Path) -> None:
    """It has a file for each annotator."""
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in ("ada", "all"):
            archive.writestr(f"{name}.jsonl", json.dumps(RECORD) + "\n[]\n")
    spec = FORMATS[NAME]
    items = list(spec.read(tmp_path / "export.zip"))
    assert [item.where.partition("export.zip/")[2] for item in items[:2]] == ["ada.jsonl:1", "ada.jsonl:2"]
    assert [parse(NAME, item.value)[0] for item in items[::2]] == [{**READ, "annotator": "ada"}, READ]
    assert convert(NAME, [tmp_path / "export.zip"], tmp_path / "a.spacy", malformed="any").docs == 2
    (tmp_path / "export.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"R101.*export\.zip"):
        convert(NAME, [tmp_path / "export.zip"], tmp_path / "a.spacy")


def test_relations_that_a_record_has_no_place_for() -> None:
    relations = [{**BORN, "type": None}, {**BORN, "to_id": 4}]
    record, losses = parse(NAME, {**RECORD, "relations": relations})
    assert record["triples"] == []
    assert losses == {"relations without a label": 1, "relations of a span with itself": 1}


BAD: List[Tuple[Any, str]] = [
    (7, "the record is 7, not an object"),
    ({"text": " "}, "'text' is empty"),
    ({"text": TEXT, "label": [[0, 3, "PERSON"]]}, "[R714] The record has 'label'"),
    ({"text": TEXT, "entities": [3]}, "entities[0] is 3, not an object"),
    ({"text": TEXT, "entities": [{"id": 1, "start_offset": 0, "label": "X"}]}, "entities[0] has no key 'end_offset'"),
    ({"text": TEXT, "entities": [{**ENTITIES[0], "end_offset": 99}]}, "start and end of entities[0] is [0, 99]"),
    ({"text": TEXT, "entities": [ENTITIES[0], {**ENTITIES[1], "id": 4}]}, "[R717] entities[1] has the id 4 of another"),
    ({**RECORD, "relations": [{**BORN, "to_id": 5}]}, "[R708] relations[0] joins the span 5, which is absent"),
    ({**RECORD, "relations": [{**BORN, "type": 5}]}, "'type' of relations[0] is 5, not a string"),
    ({**RECORD, "relations": [{**BORN, "type": ""}]}, "the label of relations[0] is empty"),
]


def test_documents_that_were_not_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    lines = [{**RECORD, "relations": []}, {"text": "No one slept.", "entities": [], "relations": []}]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ValueError, match=r"R120.*all\.jsonl: 1 documents have entities.*Confirm"):
        convert(NAME, [path], tmp_path / "a.spacy")
    assert not (tmp_path / "a.spacy").exists()
    path.write_text("\n".join(map(json.dumps, [*lines, RECORD])))
    assert convert(NAME, [path], tmp_path / "a.spacy").docs == 3


def test_what_the_tool_has_no_place_for_is_counted(tmp_path: Path) -> None:
    entities = [{"start": 0, "end": 8, "label": "P", "kb_id": "Q1"}]
    triple = {**READ["triples"][0], "source": "rere", "score": 0.5, "attributes": {"negated": True}}
    _, lost = write(NAME, tmp_path, [{"text": TEXT, "entities": entities, "triples": [triple], "relations": 3}])
    assert lost == {
        "ids of a knowledge base": 1,
        "attributes of triples": 1,
        "arguments that are no entities, written as ENTITY": 1,
        "sources and scores of suggested triples, written as annotated": 1,
        "other key that the tool has itself: relations": 1,
    }
