from typing import Any, Dict, List

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.formats.token_spans import parse_tacred

# Written for this test.
RECORD: Dict[str, Any] = {
    "id": "x1",
    "docid": "y",
    "relation": "per:city_of_birth",
    "token": ["Bergen", "-LRB-", "rainy", "-RRB-", "is", "where", "Ada", "Holm", "was", "born", "."],
    "subj_start": 6,
    "subj_end": 7,
    "obj_start": 0,
    "obj_end": 0,
    "subj_type": "PERSON",
    "obj_type": "CITY",
    "stanford_pos": ["NNP"] * 11,
    "stanford_head": ["5"] * 11,
}
TEXT = "Bergen -LRB- rainy -RRB- is where Ada Holm was born ."


def test_a_record() -> None:
    record = check_record(parse_tacred(RECORD))
    assert record == {
        "text": TEXT,
        "entities": [{"start": 34, "end": 42, "label": "PERSON"}, {"start": 0, "end": 6, "label": "CITY"}],
        "triples": [{"subject": [34, 42], "relation": "per:city_of_birth", "object": [0, 6]}],
        "pairs": [{"subject": [34, 42], "object": [0, 6], "label": "per:city_of_birth"}],
    }
    assert (TEXT[34:42], TEXT[0:6]) == ("Ada Holm", "Bergen")


def test_no_relation_is_annotated_and_empty() -> None:
    record = check_record(parse_tacred({**RECORD, "relation": "no_relation"}))
    assert record["triples"] == [] and record["pairs"][0]["label"] == "no_relation"


def test_arguments_may_overlap() -> None:
    record = check_record(parse_tacred({**RECORD, "obj_start": 7, "obj_end": 7, "obj_type": "PERSON"}))
    assert record["triples"][0]["subject"] == [34, 42] and record["triples"][0]["object"] == [38, 42]


def without(key: str) -> Dict[str, Any]:
    return {name: value for name, value in RECORD.items() if name != key}


BAD: List[Any] = [
    (7, "the record is 7, not an object"),
    (without("token"), "no key 'token'"),
    (without("relation"), "no key 'relation'"),
    (without("obj_end"), "no key 'obj_end'"),
    (without("subj_type"), "no key 'subj_type'"),
    ({**RECORD, "token": "Ada"}, "'token' of the record is 'Ada', not a list"),
    ({**RECORD, "token": []}, "'token' is empty"),
    ({**RECORD, "token": [*RECORD["token"][:-1], " "]}, "token 10 is ' ', not a string with something in it"),
    ({**RECORD, "relation": " "}, "'relation' is empty"),
    ({**RECORD, "obj_type": ""}, "'obj_type' is empty"),
    ({**RECORD, "subj_end": 11}, "subj_start is 6 and subj_end 11; expected 0 <= start <= end < 11"),
    ({**RECORD, "subj_end": 5}, "subj_start is 6 and subj_end 5; expected"),
    ({**RECORD, "obj_start": -1}, "obj_start is -1 and obj_end 0; expected"),
    ({**RECORD, "obj_start": "0"}, "'obj_start' of the record is '0', not a whole number"),
    ({**RECORD, "obj_start": 6, "obj_end": 7}, "subject and object are the same tokens, 6 to 7"),
    ({**RECORD, "subj_type": "\udc00"}, "surrogate"),
]


@pytest.mark.parametrize("value, message", BAD)
def test_what_is_wrong_is_said(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_tacred(value)
    assert message in str(error.value) and "\n" not in str(error.value)
