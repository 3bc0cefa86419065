"""Schemas: what they say, and errors that name file, line and key."""

import json
import pathlib
from typing import Any, Dict

import pytest
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_relext.annotations.schema import (
    RelationSchema,
    Schema,
    read_schema,
    readable_label,
    schema_from_dict,
    schema_to_dict,
)

WHOLE = """
relations:
  spouse: {description: is or was married to, subject: [PERSON], symmetric: true}
  parent:
    subject: [ORG]
    object: [ORG, GPE]
    inverse: child
    acyclic: true
  in:
"""


def write(folder: pathlib.Path, text: str, name: str = "schema.yaml") -> pathlib.Path:
    (folder / name).write_text(text, encoding="utf8")
    return folder / name


def test_a_schema(tmp_path: pathlib.Path) -> None:
    schema = read_schema(write(tmp_path, WHOLE))
    assert list(schema.relations) == ["spouse", "parent", "in"]
    assert schema.relations["spouse"].description == "is or was married to" and schema.relations["spouse"].symmetric
    assert schema.relations["in"] == RelationSchema()
    rules = schema.type_rules
    assert len(rules) == 2 and rules.allows("in", "ORG", "TIME")
    assert rules.allows("spouse", "PERSON", "PERSON") and not rules.allows("spouse", "PERSON", "ORG")
    assert rules.allows("parent", "ORG", "GPE") and not rules.allows("parent", "GPE", "ORG")
    assert schema_to_dict(schema)["relations"]["in"] == {}
    as_json = write(tmp_path, json.dumps(schema_to_dict(schema), indent="\t"), "schema.json")
    assert read_schema(as_json) == schema == schema_from_dict(schema_to_dict(schema))


def test_one_side_may_have_any_type() -> None:
    rules = Schema(relations={"r": RelationSchema(object=["PLACE"])}).type_rules
    assert rules.allows("r", "ORG", "PLACE") and rules.allows("r", "ORG", "") and not rules.allows("r", "ORG", "ORG")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("relations:\n  a:\n    symetric: true\n", 3, ["relations.a: found the key 'symetric'", "symmetric"]),
        ("relation:\n  a:\n", 1, ["found no key 'relations'", "relations: {NAME"]),
        ("extra: 1\nrelations: {}\n", 1, ["the key 'extra'"]),
        ("- a\n", 1, ["found ['a']"]),
        ("relations: 5\n", 1, ["relations: found 5", "a mapping from relations"]),
        ("relations:\n  1: {}\n", 2, ["relations.1: found 1", "in quotes"]),
        ("relations:\n  '': {}\n", 2, ["a name"]),
        ("relations:\n  a: x\n", 2, ["relations.a: found 'x'", "description, subject"]),
        ("relations:\n  a:\n    subject: PERSON\n", 3, ["relations.a.subject: found 'PERSON'", "such as [PERSON]"]),
        ("relations:\n  a:\n    object:\n    - P\n    - 5\n", 5, ["relations.a.object.1: found 5"]),
        ("relations:\n  a:\n    symmetric: maybe\n", 3, ["found 'maybe'", "true or false"]),
        ("relations:\n  a: {description: 5}\n", 2, ["relations.a.description: found 5", "a text"]),
        ("relations:\n  a:\n  a:\n", 3, ['found duplicate key "a"']),
        ("relations:\n  b:\n  a: {symmetric: true, acyclic: true}\n", 3, ["found symmetric and acyclic"]),
        ("relations:\n  a: {symmetric: true, subject: [A], object: [B]}\n", 2, ["different types"]),
        ("relations:\n  a: {symmetric: true, inverse: b}\n", 2, ["with an inverse"]),
        ("relations:\n  b:\n  a: {inverse: a}\n", 3, ["its own inverse", "symmetric: true"]),
        ("relations:\n  b: {inverse: c}\n  a: {inverse: b}\n", 3, ["the inverse of b, whose inverse is c"]),
        ("relations:\n\ta: {", 2, ["cannot start any token"]),
        ("relations:\n  a: {x\n", 3, ["expected ',' or '}'"]),
        ("relations:\n  a: !!python/object:os.system {}\n", 2, ["could not determine a constructor"]),
        ("relations:\n  a: &x [*x]\n", 2, ["relations.a: found [["]),
        ("relations:\n\n\nname\x00", 4, ["special characters are not allowed"]),
        ('{"relations":\n {a: {}}}', 2, ["Expecting property name"]),
        ('{"relations":\n\t{"a": {"functional": true,\n\t"x": 1}}}', 3, ["the key 'x'"]),
        ('{"relations":\n {"a": {}, "a": {}}}', 2, ['found duplicate key "a"']),
    ],
)
def test_errors_name_the_line(text: str, line: int, words: Any, tmp_path: pathlib.Path) -> None:
    path = write(tmp_path, text, "schema.json" if text.startswith("{") else "schema.yaml")
    with pytest.raises(ValueError, match=r"^\[R03[01]\] ") as caught:
        read_schema(path)
    message = str(caught.value)
    assert f"{path}, line {line}: " in message and "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_characters_that_are_none(suffix: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / f"schema{suffix}"
    path.write_text('{"relations": {"\\U00110000": {}}}')
    with pytest.raises(ValueError, match=rf"\[R030\] .*schema{suffix}"):
        read_schema(path)


def test_no_file_and_no_text(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"\[R030\] .*none\.yaml: No such file"):
        read_schema(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"relations:\n  a: {description: caf\xe9}\n")
    with pytest.raises(ValueError, match=r"latin\.yaml, line 2: not UTF-8 text"):
        read_schema(tmp_path / "latin.yaml")
    with pytest.raises(ValueError, match="nested too deeply"):
        read_schema(write(tmp_path, "[" * 5_000))
    with pytest.raises(ValueError, match=r"the schema: found None; expected relations: \{NAME"):
        read_schema(write(tmp_path, ""))


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
relations = st.builds(
    lambda description, sides, flags: {"description": description, **sides, **flags},
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.fixed_dictionaries({"subject": st.lists(names, max_size=2), "object": st.lists(names, max_size=2)}),
    st.sampled_from([{}, {"functional": True}, {"acyclic": True}, {"inverse": "someone else's"}]),
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(names, relations, max_size=4))
def test_what_is_written_is_read(data: Dict[str, Any]) -> None:
    import tempfile

    schema = schema_from_dict({"relations": data})
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (
            ("s.yaml", srsly.yaml_dumps(schema_to_dict(schema))),
            ("s.json", json.dumps(schema_to_dict(schema))),
            ("t.json", json.dumps(schema_to_dict(schema), ensure_ascii=False)),
        ):
            assert read_schema(write(pathlib.Path(folder), text, name)) == schema


def test_the_schema_of_the_project(project_root: pathlib.Path) -> None:
    schema = read_schema(project_root / "assets" / "schema.yaml")
    guidelines = (project_root / "assets" / "prose" / "GUIDELINES.md").read_text(encoding="utf8")
    rows = [line.split("|")[1].strip() for line in guidelines.splitlines() if line.startswith("| ")]
    described = {name for row in rows for name in row.split(", ")} - {"relation"}
    assert described <= set(schema.relations) and len(described) == 34
    properties = [each for relation in schema.relations.values() for each in relation.ids]
    assert len(set(properties)) == len(properties) and all(each.lstrip("-P").isdigit() for each in properties)
    assert all(each.description and each.subject and each.object for each in schema.relations.values())


@pytest.mark.parametrize(
    "label, text",
    [
        ("/people/person/place_of_birth", "people person place of birth"),
        ("per:city_of_birth", "per city of birth"),
        ("placeOfBirth", "place of birth"),
        ("place-of  birth.", "place of birth"),
        ("P69", "p69"),
        ("NASA", "nasa"),
        ("出生地", "出生地"),
        ("//", "//"),
        ("", ""),
    ],
)
def test_readable_labels(label: str, text: str) -> None:
    assert readable_label(label) == text
