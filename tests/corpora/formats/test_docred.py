from typing import Any, Dict, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.formats.locate import locate_facts
from spacy_relext.corpora.formats.token_spans import parse_docred
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
TEXT = "Ada Holm sang far from Bergen Bergen saw Ada leave . She left Bergen for Oslo"


def located(document: Dict[str, Any]) -> Dict[str, Any]:
    return check_record(locate_facts(parse_docred(document), Report()))


def facts_of(record: Dict[str, Any]) -> List[Any]:
    return [(t["subject"], t["relation"], t["object"]) for t in record["triples"]]


def with_labels(*labels: Dict[str, Any]) -> Dict[str, Any]:
    return {**DOCUMENT, "labels": list(labels)}


def test_a_document() -> None:
    record = located(DOCUMENT)
    assert record["text"] == TEXT and record["title"] == "Ada Holm"
    assert [TEXT[slice(*sent)] for sent in record["sents"]] == [
        "Ada Holm sang far from Bergen",
        "Bergen saw Ada leave .",
        "She left Bergen for Oslo",
    ]
    assert [(TEXT[e["start"] : e["end"]], e["label"], e["kb_id"]) for e in record["entities"]] == [
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


BAD: List[Tuple[Any, str]] = [
    ([], "the record is [], not an object"),
    ({"sents": [["a"]]}, "no key 'title'"),
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


@pytest.mark.parametrize("value, message", BAD)
def test_what_is_wrong_is_said(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_docred(value)
    assert message in str(error.value) and "\n" not in str(error.value)
