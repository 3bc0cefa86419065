import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.corpora.canonical import KNOWN_KEYS, check_record, record_schema
from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.corpora.records import read_jsonl, record_to_doc, write_jsonl

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
    ({"text": 3}, "text is 3, not a string"),
    ({"text": " \n"}, "text is empty"),
    ({"text": "a\ud83d"}, "character 1 of text is half of a surrogate pair"),
    ({"triples": {}}, "triples is {}, not a list"),
    ({"triples": [5]}, "triples[0] is 5, not an object"),
    ({"triples": [{**TRIPLE, "relation": ""}]}, "triples[0].relation is empty"),
    ({"triples": [{**TRIPLE, "object": [8, 20]}]}, "triples[0].object is [8, 20]; expected 0 <= start < end <= 19"),
    ({"triples": [{**TRIPLE, "object": [8, 8]}]}, "0 <= start < end"),
    ({"triples": [{**TRIPLE, "object": [8, True]}]}, "triples[0].object[1] is True, not a whole number"),
    ({"triples": [{**TRIPLE, "object": [8.0, 9]}]}, "triples[0].object[0] is 8.0, not a whole number"),
    ({"triples": [{**TRIPLE, "object": "Bo"}]}, "triples[0].object is 'Bo', not a list"),
    ({"triples": [{**TRIPLE, "object": [0, 3]}]}, "same span ('Ada')"),
    ({"triples": [{**TRIPLE, "object_text": "Boo"}]}, "but its offsets hold 'Bo'"),
    ({"triples": [{**TRIPLE, "score": 1.5}]}, "triples[0].score is 1.5; input should be less than or equal to 1"),
    ({"triples": [{**TRIPLE, "evidence": 3}]}, "triples[0].evidence is 3, not an object"),
    ({"triples": [{**TRIPLE, "evidence": {"n": 2**70}}]}, "cannot be stored"),
    ({"triples": [{**TRIPLE, "attributes": ["denied"]}]}, "triples[0].attributes is ['denied'], not an object"),
    ({"triples": [{**TRIPLE, "attributes": {"n": 2**70}}]}, "triples[0].attributes cannot be stored"),
    ({"triples": [{**TRIPLE, "weight": 1}]}, "triples[0] has the unknown key 'weight'"),
    (
        {"rejected": [{**TRIPLE, "object": [8, 20]}]},
        "rejected[0].object is [8, 20]; expected 0 <= start < end <= 19",
    ),
    ({"rejected": {}}, "rejected is {}, not a list"),
    ({"coref": {}}, "coref is {}, not a list"),
    ({"coref": [[[0, 3]], []]}, "coref[1] is []; list should have at least 1 item"),
    ({"coref": [[[0, 3], [8, 20]]]}, "coref[0][1] is [8, 20]; expected 0 <= start < end <= 19"),
    ({"triples": [{"subject": [0, 3], "relation": "r"}]}, "triples[0] has no key 'object'"),
    ({"entities": [{"start": 0, "end": 3}]}, "entities[0] has no key 'label'"),
    ({"entities": [{"start": 0, "end": 30, "label": "X"}]}, "entities[0] is [0, 30]; expected 0 <= start < end <= 19"),
    ({"entities": [{"start": 0, "end": 3, "label": "X", "kb_id": 5}]}, "entities[0].kb_id is 5, not a string"),
    ({"sents": []}, "sents is empty; leave the key out"),
    ({"sents": [[0, 5], [4, 9]]}, "sents[1] starts at 4, before the sentence ahead of it ends (5)"),
    ({"pairs": [{"subject": [0, 3], "object": [0, 3]}]}, "same span"),
    ({"id": 2**70}, "id cannot be stored"),
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
    with pytest.raises(ValueError, match=r"R100.*a\.jsonl:3: text is 5, not a string"):
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
    jsonschema.Draft202012Validator.check_schema(record_schema())
    return jsonschema.Draft202012Validator(record_schema())


# What a schema cannot say: it knows no text, and sees whole floats as integers.
BEYOND = ("0 <= start < end", "surrogate", "same span", "its offsets hold", "cannot be stored", "before the sentence")


@pytest.mark.parametrize("change, message", BAD)
def test_the_schema_refuses_the_same(validator: Any, change: Any, message: str) -> None:
    beyond = any(part in message for part in BEYOND)
    assert validator.is_valid(build(change)) or not beyond
    assert beyond or "8.0" in str(change) or not validator.is_valid(build(change))


TRIPLE_KEYS = ["subject", "relation", "object", "score", "evidence", "sent", "label", "start", "end"]
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
