from typing import Any, Dict, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.formats.token_spans import parse_opennre

CHARS: Dict[str, Any] = {
    "text": " Ada Holm was born in Bergen.",
    "h": {"id": "Q1", "name": "Ada Holm", "pos": [1, 9]},
    "t": {"id": "Q2", "name": "Bergen", "pos": [22, 28]},
    "relation": "place of birth",
}
TOKENS: Dict[str, Any] = {
    "token": ["In", "Bergen", ",", "Norway", "\n ", "lives", "Ada", "-", "Lou", "\u00a0"],
    "h": {"id": "Q1", "name": "ada-lou", "pos": [6, 9], "type": "PERSON"},
    "t": {"id": "Q2", "name": "bergen, norway", "pos": [1, 5]},
    "relation": "residence",
}
TEXT = "In Bergen , Norway lives Ada - Lou"


def test_characters() -> None:
    assert check_record(parse_opennre(CHARS)) == {
        "text": CHARS["text"],
        "entities": [
            {"start": 1, "end": 9, "label": "ENTITY", "kb_id": "Q1"},
            {"start": 22, "end": 28, "label": "ENTITY", "kb_id": "Q2"},
        ],
        "triples": [{"subject": [1, 9], "relation": "place of birth", "object": [22, 28]}],
        "pairs": [{"subject": [1, 9], "object": [22, 28], "label": "place of birth"}],
    }


def test_tokens_of_which_some_are_white_space() -> None:
    record = check_record(parse_opennre(TOKENS))
    assert record["text"] == TEXT
    assert record["triples"] == [{"subject": [25, 34], "relation": "residence", "object": [3, 18]}]
    assert [TEXT[e["start"] : e["end"]] for e in record["entities"]] == ["Ada - Lou", "Bergen , Norway"]
    assert [entity["label"] for entity in record["entities"]] == ["PERSON", "ENTITY"]


@pytest.mark.parametrize("label", ["NA", "Other", "no_relation"])
def test_no_relation_is_annotated_and_empty(label: str) -> None:
    record = check_record(parse_opennre({**CHARS, "relation": label}))
    assert record["triples"] == [] and record["pairs"][0]["label"] == label


def test_without_a_relation_it_is_not_annotated() -> None:
    record = check_record(parse_opennre({key: value for key, value in CHARS.items() if key != "relation"}))
    assert "triples" not in record and record["pairs"][0]["label"] is None


@pytest.mark.parametrize("missing", [{}, {"id": ""}, {"id": None, "name": None, "type": None}])
def test_id_name_and_type_may_be_missing(missing: Dict[str, Any]) -> None:
    record = check_record(parse_opennre({**CHARS, "h": {"pos": [1, 9], **missing}}))
    assert record["entities"][0] == {"start": 1, "end": 9, "label": "ENTITY"}


BAD: List[Tuple[Any, str]] = [
    (7, "the record is 7, not an object"),
    ({**CHARS, "text": " "}, "'text' is empty"),
    ({"h": {}, "t": {}}, "no key 'text'"),
    ({**CHARS, "h": "Ada"}, "'h' of the record is 'Ada', not an object"),
    ({**CHARS, "h": {"name": "Ada"}}, "h has no key 'pos'"),
    ({**CHARS, "h": {"pos": [1, 99]}}, "'pos' of h is [1, 99]; expected 0 <= start < end <= 29"),
    ({**CHARS, "h": {"pos": [1, "9"]}}, "'pos' of h is [1, '9'], not [start, end]"),
    ({**CHARS, "h": {"pos": [1, 9], "id": 5}}, "'id' of h is 5, not a string"),
    ({**CHARS, "h": {"pos": [1, 9], "id": "\udc00"}}, "surrogate"),
    ({**CHARS, "h": {"pos": [0, 8], "name": "Ada Holm"}}, "[R704] The offsets of 'h' hold ' Ada Hol', but its name is"),
    ({**CHARS, "h": CHARS["t"]}, "[R705] Subject and object are the same span ('Bergen')"),
    ({**CHARS, "relation": " "}, "'relation' is empty"),
    ({**CHARS, "relation": 3}, "'relation' of the record is 3, not a string"),
    ({**TOKENS, "token": []}, "a sentence has no tokens"),
    ({**TOKENS, "token": ["a", 3]}, "token 1 is 3, not a string"),
    ({**TOKENS, "h": {"pos": [9, 10]}}, "[R703] Tokens 9 to 10 (exclusive) hold nothing but white space"),
    ({**TOKENS, "h": {"pos": [9, 11]}}, "expected 0 <= start < end <= 10"),
]


@pytest.mark.parametrize("value, message", BAD)
def test_what_is_wrong_is_said(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_opennre(value)
    assert message in str(error.value) and "\n" not in str(error.value)
