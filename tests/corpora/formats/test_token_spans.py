"""Formats of token spans: DocRED, OpenNRE and TACRED; test_registry.py has SpERT's."""

from typing import Any, Callable, Dict, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.formats.annotation import LOSSES
from spacy_relext.corpora.formats.locate import locate_facts
from spacy_relext.corpora.formats.named_spans import parse_docred, parse_opennre
from spacy_relext.corpora.formats.token_spans import parse_tacred
from spacy_relext.corpora.report import Report

Pairs = List[Tuple[List[int], List[int]]]


def mention(sentence: int, start: int, end: int, kind: str = "PER") -> Dict[str, Any]:
    return {"name": "read nowhere", "sent_id": sentence, "pos": [start, end], "type": kind}


# Sentences of 0, 26 and 44 characters on: Bergen stands at 21, 26 and 53, Ada at 0, 35 and (as she) at 44.
DOCUMENT: Dict[str, Any] = {
    "title": "Ada Holm",
    "sents": [
        ["Ada", "Holm", "\u00a0", "sang", "far", "from", "Bergen"],
        ["Bergen", "saw", "Ada", "leave", "."],
        ["She", "left", "Bergen", "for", "Oslo"],
    ],
    "vertexSet": [
        [mention(1, 2, 3), mention(0, 0, 3), mention(0, 0, 2)],
        [mention(0, 6, 7, "LOC"), mention(1, 0, 1, "LOC"), mention(2, 2, 3, "LOC")],
        [mention(2, 4, 5, "LOC")],
    ],
    "labels": [
        {"h": 0, "t": 1, "r": "P19", "evidence": [0]},
        {"h": 0, "t": 2, "r": "P551", "evidence": [2, 1, 2]},
    ],
}
DOCRED_TEXT = "Ada Holm sang far from Bergen Bergen saw Ada leave . She left Bergen for Oslo"


def located(document: Dict[str, Any]) -> Dict[str, Any]:
    return check_record(locate_facts(parse_docred(document), Report()))


def facts_of(record: Dict[str, Any]) -> List[Any]:
    return [(t["subject"], t["relation"], t["object"]) for t in record["triples"]]


def with_labels(*labels: Dict[str, Any]) -> Dict[str, Any]:
    return {**DOCUMENT, "labels": list(labels)}


def test_a_document_of_docred() -> None:
    record = located(DOCUMENT)
    assert record["text"] == DOCRED_TEXT and record["title"] == "Ada Holm"
    assert [DOCRED_TEXT[slice(*sent)] for sent in record["sents"]] == [
        "Ada Holm sang far from Bergen",
        "Bergen saw Ada leave .",
        "She left Bergen for Oslo",
    ]
    assert [(DOCRED_TEXT[e["start"] : e["end"]], e["label"], e["kb_id"]) for e in record["entities"]] == [
        ("Ada Holm", "PER", "Ada Holm#0"),
        ("Bergen", "LOC", "Ada Holm#1"),
        ("Bergen", "LOC", "Ada Holm#1"),
        ("Ada", "PER", "Ada Holm#0"),
        ("Bergen", "LOC", "Ada Holm#1"),
        ("Oslo", "LOC", "Ada Holm#2"),
    ]
    assert record["triples"][0]["evidence"] == {"sentences": [0]}
    assert record["triples"][1]["evidence"] == {"sentences": [1, 2]}


def test_a_fact_stands_in_a_sentence_of_its_evidence() -> None:
    # The nearest two mentions of all would be "Bergen" of the first and "Ada" of the second sentence or less apart.
    first, second = facts_of(located(DOCUMENT))
    assert first == ([0, 8], "P19", [23, 29])
    assert second == ([41, 44], "P551", [73, 77]), "no sentence has both: the nearest of the document"
    (in_evidence,) = facts_of(located(with_labels({"h": 0, "t": 1, "r": "P19", "evidence": [1]})))
    (without,) = facts_of(located(with_labels({"h": 0, "t": 1, "r": "P19"})))
    (elsewhere,) = facts_of(located(with_labels({"h": 0, "t": 1, "r": "P19", "evidence": [2]})))
    assert in_evidence == without == elsewhere == ([41, 44], "P19", [30, 36]), "else the nearest of any sentence"


def test_a_fact_of_one_entity_with_itself_is_left_out() -> None:
    report = Report()
    document = with_labels({"h": 1, "t": 1, "r": "P47", "evidence": []})
    assert locate_facts(parse_docred(document), report)["triples"] == [] and report.identical == 1


def test_without_labels_it_is_not_annotated() -> None:
    bare = {key: value for key, value in DOCUMENT.items() if key != "labels"}
    assert "triples" not in located(bare)
    assert located(with_labels())["triples"] == []


def vertex(**changes: Any) -> Dict[str, Any]:
    return {**DOCUMENT, "vertexSet": [[{**mention(0, 0, 2), **changes}]], "labels": []}


BAD_DOCRED: List[Tuple[Any, str]] = [
    ([], "the record is [], not an object"),
    ({"sents": [["a"]]}, "no title (found: sents;"),
    ({**DOCUMENT, "sents": []}, "'sents' is empty"),
    ({**DOCUMENT, "sents": ["a b"]}, "sents[0] is 'a b', not a list of tokens"),
    ({**DOCUMENT, "sents": [[]]}, "a sentence has no tokens"),
    ({**DOCUMENT, "sents": [[" "]]}, "'sents' hold nothing but white space"),
    ({**DOCUMENT, "vertexSet": [[]]}, "vertexSet[0] is [], not a list of mentions"),
    (vertex(sent_id=3), "[R706] a mention of vertexSet[0] names the sentence 3; expected numbers from 0 of the 3"),
    (vertex(pos=[5, 9]), "'pos' of a mention of vertexSet[0] is [5, 9]; expected 0 <= start < end <= 7"),
    (vertex(pos=[2, 3]), "[R703] Tokens 2 to 3 (exclusive) hold nothing but white space"),
    (vertex(type=""), "'type' of a mention of vertexSet[0] is empty"),
    (vertex(type=None), "'type' of a mention of vertexSet[0] is None, not a string"),
    (with_labels({"h": 0, "t": 3, "r": "P1"}), "[R707] 't' of labels[0] is 3; expected the number, from 0, of one of"),
    (with_labels({"h": "0", "t": 1, "r": "P1"}), "'h' of labels[0] is '0', not a whole number"),
    (with_labels({"h": 0, "t": 1, "r": " "}), "'r' of labels[0] is empty"),
    (
        with_labels({"h": 0, "t": 1, "r": "P1", "evidence": [3]}),
        "[R706] 'evidence' of labels[0] names the sentence [3]",
    ),
    ({**DOCUMENT, "labels": {}}, "'labels' of the record is {}, not a list"),
    ({**DOCUMENT, "title": "\udc00"}, "surrogate"),
]


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
OPENNRE_TEXT = "In Bergen , Norway lives Ada - Lou"


def test_characters() -> None:
    assert check_record(parse_opennre(CHARS)) == {
        "text": CHARS["text"],
        "entities": [
            {"start": 1, "end": 9, "label": "ENTITY", "kb_id": "Q1"},
            {"start": 22, "end": 28, "label": "ENTITY", "kb_id": "Q2"},
        ],
        "triples": [{"subject": [1, 9], "relation": "place of birth", "object": [22, 28]}],
        "pairs": [{"subject": [1, 9], "object": [22, 28], "label": "place of birth"}],
        LOSSES: {},
    }


def test_tokens_of_which_some_are_white_space() -> None:
    record = check_record(parse_opennre(TOKENS))
    assert record["text"] == OPENNRE_TEXT
    assert record["triples"] == [{"subject": [25, 34], "relation": "residence", "object": [3, 18]}]
    assert [OPENNRE_TEXT[e["start"] : e["end"]] for e in record["entities"]] == ["Ada - Lou", "Bergen , Norway"]
    assert [entity["label"] for entity in record["entities"]] == ["PERSON", "ENTITY"]


def test_without_a_relation_it_is_not_annotated() -> None:
    record = check_record(parse_opennre({key: value for key, value in CHARS.items() if key != "relation"}))
    assert "triples" not in record and record["pairs"][0]["label"] is None


@pytest.mark.parametrize("missing", [{}, {"id": ""}, {"id": None, "name": None, "type": None}])
def test_id_name_and_type_may_be_missing(missing: Dict[str, Any]) -> None:
    record = check_record(parse_opennre({**CHARS, "h": {"pos": [1, 9], **missing}}))
    assert record["entities"][0] == {"start": 1, "end": 9, "label": "ENTITY"}


BAD_OPENNRE: List[Tuple[Any, str]] = [
    (7, "the record is 7, not an object"),
    ({**CHARS, "text": " "}, "'text' is empty"),
    ({"h": {}, "t": {}}, "no text or token (found: h, t;"),
    ({**CHARS, "h": "Ada"}, "'h' of the record is 'Ada', not an object"),
    ({**CHARS, "h": {"name": "Ada"}}, "h has no key 'pos'"),
    ({**CHARS, "h": {"pos": [1, 99]}}, "'pos' of h is [1, 99]; expected 0 <= start < end <= 29"),
    ({**CHARS, "h": {"pos": [1, "9"]}}, "'pos' of h is [1, '9'], not [start, end]"),
    ({**CHARS, "h": {"pos": [1, 9], "id": 5}}, "'id' of h is 5, not a string"),
    ({**CHARS, "h": {"pos": [1, 9], "id": "\udc00"}}, "surrogate"),
    ({**CHARS, "h": {"pos": [0, 8], "name": "Ada Holm"}}, "[R704] The offsets of 'h' hold ' Ada Hol', but its name is"),
    ({**CHARS, "h": CHARS["t"]}, "[R705] Subject and object are the same span ('Bergen')"),
    ({**CHARS, "relation": " "}, "'relation' is empty"),
    ({**CHARS, "relation": 3}, "[R756] 'relation' of the record is 3, the number of a class"),
    ({**TOKENS, "token": []}, "a sentence has no tokens"),
    ({**TOKENS, "token": ["a", 3]}, "token 1 is 3, not a string"),
    ({**TOKENS, "h": {"pos": [9, 10]}}, "[R703] Tokens 9 to 10 (exclusive) hold nothing but white space"),
    ({**TOKENS, "h": {"pos": [9, 11]}}, "expected 0 <= start < end <= 10"),
]


# Written for this test.
TACRED: Dict[str, Any] = {
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
TACRED_TEXT = "Bergen -LRB- rainy -RRB- is where Ada Holm was born ."


def test_a_record_of_tacred() -> None:
    record = check_record(parse_tacred(TACRED))
    assert not +record.pop(LOSSES)
    assert record == {
        "text": TACRED_TEXT,
        "entities": [{"start": 34, "end": 42, "label": "PERSON"}, {"start": 0, "end": 6, "label": "CITY"}],
        "triples": [{"subject": [34, 42], "relation": "per:city_of_birth", "object": [0, 6]}],
        "pairs": [{"subject": [34, 42], "object": [0, 6], "label": "per:city_of_birth"}],
    }
    assert (TACRED_TEXT[34:42], TACRED_TEXT[0:6]) == ("Ada Holm", "Bergen")


NONE = [(parse_opennre, CHARS, label) for label in ("NA", "Other", "no_relation")]


@pytest.mark.parametrize("parse, raw, label", [*NONE, (parse_tacred, TACRED, "no_relation")])
def test_no_relation_is_annotated_and_empty(parse: Callable[[object], Any], raw: Dict[str, Any], label: str) -> None:
    record = check_record(parse({**raw, "relation": label}))
    assert record["triples"] == [] and record["pairs"][0]["label"] == label


def test_arguments_may_overlap() -> None:
    record = check_record(parse_tacred({**TACRED, "obj_start": 7, "obj_end": 7, "obj_type": "PERSON"}))
    assert record["triples"][0]["subject"] == [34, 42] and record["triples"][0]["object"] == [38, 42]


def without(key: str) -> Dict[str, Any]:
    return {name: value for name, value in TACRED.items() if name != key}


BAD_TACRED: List[Any] = [
    (7, "the record is 7, not an object"),
    (without("token"), "no token (found: "),
    (without("relation"), "no relation (found: "),
    (without("obj_end"), "no obj_end (found: "),
    (without("subj_type"), "no subj_type (found: "),
    ({**TACRED, "token": "Ada"}, "'token' of the record is 'Ada', not a list"),
    ({**TACRED, "token": []}, "'token' is empty"),
    ({**TACRED, "subj_type": 13}, "[R756] 'subj_type' of the record is 13, the number of a class"),
    ({**TACRED, "relation": " "}, "'relation' is empty"),
    ({**TACRED, "obj_type": ""}, "'obj_type' is empty"),
    ({**TACRED, "subj_end": 11}, "subj_start is 6 and subj_end 11; expected 0 <= start <= end < 11"),
    ({**TACRED, "subj_end": 5}, "subj_start is 6 and subj_end 5; expected"),
    ({**TACRED, "obj_start": -1}, "obj_start is -1 and obj_end 0; expected"),
    ({**TACRED, "obj_start": "0"}, "'obj_start' of the record is '0', not a whole number"),
    ({**TACRED, "obj_start": 6, "obj_end": 7}, "subject and object are the same tokens, 6 to 7"),
    ({**TACRED, "subj_type": "\udc00"}, "surrogate"),
]
