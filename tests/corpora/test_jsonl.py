import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.corpora.jsonl import (
    ENTITY_KEYS,
    PAIR_KEYS,
    SCHEMA_PATH,
    TRIPLE_KEYS,
    check_record,
    read_jsonl,
    to_json,
    write_jsonl,
)
from spacy_relext.corpora.records import KNOWN_KEYS, record_to_doc

TEXT = "Ada met Bo in Oslo."
GOOD: Dict[str, Any] = {
    "text": TEXT,
    "entities": [{"start": 0, "end": 3, "label": "PER", "kb_id": "Q1"}],
    "triples": [{"subject": [0, 3], "relation": "knows", "object": [8, 10], "subject_text": "Ada"}],
    "sents": [[0, 19]],
    "pairs": [{"subject": [0, 3], "object": [8, 10], "label": None}],
    "rejected": [{"subject": [0, 3], "relation": "kin", "object": [8, 10], "score": 0.5, "source": "rere"}],
    "coref": [[[0, 3], [8, 10]]],
    "id": 7,
}
TRIPLE = GOOD["triples"][0]
BAD = [
    ([], "the record is [], not an object"),
    ({}, "no key 'text'"),
    ({"text": 3}, "'text' of the record is 3, not a string"),
    ({"text": " \n"}, "'text' is empty"),
    ({"text": "a\ud83d"}, "character 1 of 'text' is half of a surrogate pair"),
    ({"triples": {}}, "'triples' of the record is {}, not a list"),
    ({"triples": [5]}, "triples[0] is 5, not an object"),
    ({"triples": [{**TRIPLE, "relation": ""}]}, "'relation' of triples[0] is empty"),
    ({"triples": [{**TRIPLE, "object": [8, 20]}]}, "object of triples[0] is [8, 20]; expected 0 <= start < end <= 19"),
    ({"triples": [{**TRIPLE, "object": [8, 8]}]}, "0 <= start < end"),
    ({"triples": [{**TRIPLE, "object": [8, True]}]}, "is [8, True], not [start, end]"),
    ({"triples": [{**TRIPLE, "object": [8.0, 9]}]}, "not [start, end]"),
    ({"triples": [{**TRIPLE, "object": "Bo"}]}, "'object' of triples[0] is 'Bo', not a list"),
    ({"triples": [{**TRIPLE, "object": [0, 3]}]}, "same span ('Ada')"),
    ({"triples": [{**TRIPLE, "object_text": "Boo"}]}, "but its offsets hold 'Bo'"),
    ({"triples": [{**TRIPLE, "score": 1.5}]}, "'score' of triples[0] is 1.5; expected 0 to 1"),
    ({"triples": [{**TRIPLE, "evidence": 3}]}, "'evidence' of triples[0] is 3, not an object"),
    ({"triples": [{**TRIPLE, "evidence": {"n": 2**70}}]}, "cannot be stored"),
    ({"triples": [{**TRIPLE, "attributes": ["denied"]}]}, "'attributes' of triples[0] is ['denied'], not an object"),
    ({"triples": [{**TRIPLE, "attributes": {"n": 2**70}}]}, "'attributes of triples[0]' cannot be stored"),
    ({"triples": [{**TRIPLE, "weight": 1}]}, "triples[0] has the unknown key 'weight'"),
    (
        {"rejected": [{**TRIPLE, "object": [8, 20]}]},
        "object of rejected[0] is [8, 20]; expected 0 <= start < end <= 19",
    ),
    ({"rejected": {}}, "'rejected' of the record is {}, not a list"),
    ({"coref": {}}, "'coref' of the record is {}, not a list"),
    ({"coref": [[[0, 3]], []]}, "coref[1] is [], not a list of [start, end]"),
    ({"coref": [[[0, 3], [8, 20]]]}, "coref[0][1] is [8, 20]; expected 0 <= start < end <= 19"),
    ({"triples": [{"subject": [0, 3], "relation": "r"}]}, "triples[0] has no key 'object'"),
    ({"entities": [{"start": 0, "end": 3}]}, "entities[0] has no key 'label'"),
    ({"entities": [{"start": 0, "end": 30, "label": "X"}]}, "start and end of entities[0] is [0, 30]"),
    ({"entities": [{"start": 0, "end": 3, "label": "X", "kb_id": 5}]}, "'kb_id' of entities[0] is 5, not a string"),
    ({"sents": []}, "'sents' is empty"),
    ({"sents": [[0, 5], [4, 9]]}, "sents[1] starts at 4, before the sentence ahead of it ends (5)"),
    ({"pairs": [{"subject": [0, 3], "object": [0, 3]}]}, "same span"),
    ({"id": 2**70}, "'id' cannot be stored"),
]


def build(change: Any) -> Any:
    return {**GOOD, **change} if change and isinstance(change, dict) else change


def test_a_good_record_passes() -> None:
    assert check_record(GOOD) is GOOD


@pytest.mark.parametrize("change, message", BAD)
def test_what_is_wrong_is_said(change: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        check_record(build(change))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_the_message_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{json.dumps(GOOD)}\n\n{{"text": 5}}\n')
    records = read_jsonl(path)
    assert next(records) == GOOD
    with pytest.raises(ValueError, match=r"R100.*a\.jsonl:3: 'text' of the record is 5, not a string"):
        next(records)


def test_written_and_read_again(tmp_path: Path) -> None:
    record = {key: value for key, value in GOOD.items() if key != "triples"}
    record["text"] = "Zoë\u2028met Bo in Oslo."  # a line separator of Unicode ends no line of a file
    path = tmp_path / "a.jsonl"
    assert write_jsonl(path, [record, record_to_doc(spacy.blank("en").make_doc, record)]) == 2
    assert list(read_jsonl(path)) == [record, record]


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


# What a schema cannot say: it knows no text, and sees whole floats as integers.
BEYOND = ("0 <= start < end", "surrogate", "same span", "its offsets hold", "cannot be stored", "before the sentence")


@pytest.mark.parametrize("change, message", BAD)
def test_the_schema_refuses_the_same(validator: Any, change: Any, message: str) -> None:
    beyond = any(part in message for part in BEYOND) or message.startswith("start and end")
    assert validator.is_valid(build(change)) or not beyond
    assert beyond or "8.0" in str(change) or not validator.is_valid(build(change))


def test_the_schema_has_the_same_keys(validator: Any) -> None:
    properties = validator.schema["properties"]
    assert tuple(sorted(properties)) == tuple(sorted(KNOWN_KEYS))
    for name, keys in (("entities", ENTITY_KEYS), ("pairs", PAIR_KEYS)):
        assert sorted(properties[name]["items"]["properties"]) == sorted(keys)
    assert sorted(validator.schema["$defs"]["triple"]["properties"]) == sorted(TRIPLE_KEYS)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 20) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TRIPLE_KEYS), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KNOWN_KEYS), values), st.booleans())
def test_what_passes_the_check_passes_the_schema(validator: Any, record: Dict[str, Any], with_text: bool) -> None:
    record = {**record, "text": TEXT} if with_text else record
    problems: List[str] = []
    try:
        check_record(record)
    except ValueError as error:
        problems.append(str(error))
    assert problems or validator.is_valid(record)


def test_what_is_written_is_json(tmp_path: Path) -> None:
    values = {"a": [float("nan"), {"b": (float("inf"), 1.5)}], "c": "\ud800", "d": "Zoë"}
    assert to_json(values) == '{"a": [null, {"b": [null, 1.5]}], "c": "\\ud800", "d": "Zo\\u00eb"}'
    assert to_json({"d": "Zoë", "a": 1}, sort_keys=True) == '{"a": 1, "d": "Zoë"}'
    write_jsonl(tmp_path / "a.jsonl", [values])
    assert "NaN" not in (tmp_path / "a.jsonl").read_text(encoding="utf8")
