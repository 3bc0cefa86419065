import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.formats.nyt import parse_cotype, parse_duie, parse_nyt
from spacy_relext.corpora.formats.registry import FORMATS, get_format
from spacy_relext.corpora.formats.semeval2010 import parse_semeval2010, read_semeval2010
from spacy_relext.corpora.formats.token_spans import parse_spert

from . import test_brat, test_doccano, test_label_studio, test_nyt10, test_prodigy, test_token_spans

Triples = List[Tuple[str, str, str]]


def in_words(record: Dict[str, Any]) -> Triples:
    """The triples of a canonical record in words."""
    text = check_record(record)["text"]
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record["triples"]]


def strings(record: Dict[str, Any]) -> Triples:
    return [(t["subject"], t["relation"], t["object"]) for t in record["string_triples"]]


def test_nyt() -> None:
    record = parse_nyt({"text": " Ada met Bo . ", "triple_list": [["Ada", "/p/knows", "Bo"]], "id": 3})
    assert record["text"] == "Ada met Bo ." and strings(record) == [("Ada", "/p/knows", "Bo")]
    assert parse_nyt({"text": "Ada slept .", "triple_list": []})["string_triples"] == []


def test_cotype() -> None:
    mentions = [
        {"em1Text": "Bo", "em2Text": "Oslo", "label": "lives_in"},
        {"em1Text": "Oslo", "em2Text": "Bo", "label": "None"},
    ]
    record = parse_cotype({"sentText": "Bo likes Oslo", "relationMentions": mentions})
    assert strings(record) == [("Bo", "lives_in", "Oslo")] and "string_entities" not in record
    entities = [{"start": 0, "text": "Oslo", "label": "PLACE"}]
    record = parse_cotype({"sentText": "Bo likes Oslo", "relationMentions": [], "entityMentions": entities})
    assert record["string_entities"] == [{"text": "Oslo", "label": "PLACE"}]


def test_duie_1() -> None:
    spo = {"subject": "红楼梦", "predicate": "作者", "object": "曹雪芹", "subject_type": "书", "object_type": "人物"}
    record = parse_duie({"text": "曹雪芹写了红楼梦", "spo_list": [spo], "postag": []})
    assert strings(record) == [("红楼梦", "作者", "曹雪芹")]
    assert (record["string_triples"][0]["subject_label"], record["string_triples"][0]["object_label"]) == ("书", "人物")


def test_duie_2_has_a_label_for_each_role() -> None:
    spo = {
        "subject": "小红",
        "predicate": "饰演",
        "object": {"@value": "王后", "inWork": "白雪"},
        "subject_type": "人物",
        "object_type": {"@value": "人物", "inWork": "影视作品"},
    }
    record = parse_duie({"text": "小红在白雪里演王后", "spo_list": [spo]})
    assert strings(record) == [("小红", "饰演", "王后"), ("小红", "饰演.inWork", "白雪")]
    assert [t["object_label"] for t in record["string_triples"]] == ["人物", "影视作品"]


def test_duie_as_casrel() -> None:
    assert strings(parse_duie({"text": "小红生于上海", "triple_list": [["小红", "出生地", "上海"]]}))


TOKENS = ["Ada", "Holm", ",", "of", "Bergen", ",", "sings", "."]


def test_spert_sentence() -> None:
    entities = [{"type": "Loc", "start": 4, "end": 5}, {"type": "Peop", "start": 0, "end": 2}]
    relations = [{"type": "Live_In", "head": 1, "tail": 0}]
    record = parse_spert({"tokens": TOKENS, "entities": entities, "relations": relations, "orig_id": 1})
    assert record["text"] == "Ada Holm , of Bergen , sings ." and in_words(record) == [
        ("Ada Holm", "Live_In", "Bergen")
    ]
    assert [(e["start"], e["end"], e["label"]) for e in record["entities"]] == [(14, 20, "Loc"), (0, 8, "Peop")]


@pytest.mark.parametrize(
    "tags", [["B-P", "L-P", "O", "O", "U-L", "O", "O", "O"], ["B-P", "I-P", "O", "O", "B-L", "O", "O", "O"]]
)
def test_spert_with_tags(tags: List[str]) -> None:
    relation = {"type": "Live_In", "head": 0, "tail": 1}
    assert in_words(parse_spert({"tokens": TOKENS, "tags": tags, "relations": [relation]})) == [
        ("Ada Holm", "Live_In", "Bergen")
    ]


def test_spert_document() -> None:
    record = parse_spert(
        {
            "doc_key": "x",
            "sentences": [["We", "train", "parsers", "."], ["They", "beat", "rule", "systems"]],
            "ner": [[[2, 2, "Method"]], [[4, 4, "Generic"], [6, 7, "Method"]]],
            "relations": [[], [[4, 4, 6, 7, "COMPARE"]]],
        }
    )
    assert record["text"] == "We train parsers . They beat rule systems"
    assert record["sents"] == [[0, 18], [19, 41]] and in_words(record) == [("They", "COMPARE", "rule systems")]
    assert [record["text"][e["start"] : e["end"]] for e in record["entities"]] == ["parsers", "They", "rule systems"]


SEMEVAL = """1\t"The <e1>fire</e1> came from a <e2>spark</e2>."
Cause-Effect(e2,e1)
Comment: the spark is the cause

2\t"A <e1>boat</e1> with "<e2> oars </e2>" lay there."
Component-Whole(e1,e2)
Comment:
\x20
3 The <e1>cat</e1> saw the <e2>moon</e2>.
Other
4\t"No <e1>label</e1> for this <e2>one</e2>."
"""


def parse_blocks(path: Path, content: str) -> List[Any]:
    path.write_text(content, encoding="utf8")
    return [item.error or parse_semeval2010(item.value) for item in read_semeval2010(path)]


def test_semeval2010(tmp_path: Path) -> None:
    fire, boat, cat, bare = parse_blocks(tmp_path / "a", SEMEVAL)
    assert fire["text"] == "The fire came from a spark." and in_words(fire) == [("spark", "Cause-Effect", "fire")]
    assert in_words(boat) == [("boat", "Component-Whole", "oars")] and boat["text"] == 'A boat with " oars " lay there.'
    assert cat["triples"] == [] and "triples" not in bare
    # The pair stays in the marked order, whatever the direction of the relation.
    assert fire["pairs"] == [{"subject": [4, 8], "object": [21, 26], "label": "Cause-Effect(e2,e1)"}]
    assert [record["pairs"][0]["label"] for record in (cat, bare)] == ["Other", None]
    assert [entity["label"] for entity in fire["entities"]] == ["NOMINAL", "NOMINAL"]


def test_semeval2010_with_lines_out_of_place(tmp_path: Path) -> None:
    lost, good, extra = parse_blocks(
        tmp_path / "a", "Other\n1 <e1>a</e1> <e2>b</e2>\nOther\nCause-Effect(e1,e2)\nComment\n"
    )
    assert "neither a numbered sentence" in lost and "neither a numbered sentence" in good
    assert extra["pairs"][0]["label"] == "Other"


def test_markup_skips_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "prose.txt"
    path.write_text("# a remark\n\n[P1 Ada] left [L2 Oslo]. || 1 place_of_birth 2\n", encoding="utf8")
    (item,) = FORMATS["markup"].read(path)
    assert item.line == 3 and in_words(FORMATS["markup"].parse(item.value)) == [("Ada", "place_of_birth", "Oslo")]


def test_markup_has_brackets_of_the_text() -> None:
    record = FORMATS["markup"].parse(r"[P1 Ada \[“Addie”\] Holm] left \[sic\] \ [L2 Oslo]. || 1 place_of_birth 2")
    assert record["text"] == r"Ada [“Addie”] Holm left [sic] \ Oslo."
    assert in_words(record) == [("Ada [“Addie”] Holm", "place_of_birth", "Oslo")]
    for line in ("Ada [sic] left. ||", "Ada sic] left. ||"):
        with pytest.raises(ValueError, match=r"Write '\\[\[\]]' for a bracket of the text"):
            FORMATS["markup"].parse(line)


SPERT = {"tokens": ["a", "b"], "entities": [{"type": "X", "start": 0, "end": 1}], "relations": []}
DOCUMENT = {"sentences": [["a", "b"]], "ner": [[]], "relations": [[]]}
BAD: List[Tuple[str, Any, str]] = [
    ("nyt", {"text": "a", "triple_list": [["a", "r"]]}, "triple_list[0] is ['a', 'r'], not [subject"),
    ("nyt", {"text": "a", "triple_list": [["a", " ", "b"]]}, "the relation of triple_list[0] is empty"),
    ("nyt", {"text": "a", "triple_list": [["a", "r", "\udc00"]]}, "surrogate"),
    ("nyt", {"text": "a"}, "no triple_list (found: text; expected: text, triple_list)"),
    ("nyt", 7, "the record is 7, not an object"),
    ("cotype", {"text": "a"}, "no sentText (found: text; "),
    ("cotype", {"sentText": "a", "relationMentions": [{"label": "r", "em1Text": "a"}]}, "no key 'em2Text'"),
    ("cotype", {"sentText": "a", "relationMentions": [], "entityMentions": ["a"]}, "entityMentions[0] is 'a'"),
    (
        "duie",
        {"text": "a", "spo_list": [{"subject": "a", "predicate": "p", "object": {}}]},
        "'object' of spo_list[0] is {}",
    ),
    (
        "duie",
        {"text": "a", "spo_list": [{"subject": "a", "predicate": "p", "object": {"@value": 5}}]},
        "is 5, not a string",
    ),
    (
        "duie",
        {"text": "a", "spo_list": [{"subject": "a", "predicate": "p", "object": "o", "subject_type": 4}]},
        "subject_type of spo_list[0] is 4",
    ),
    (
        "duie",
        {"text": "a", "spo_list": [{"subject": "a", "predicate": "p", "object": {"@value": "o"}, "object_type": "T"}]},
        "'object_type' of spo_list[0] is 'T'",
    ),
    ("spert", {**SPERT, "tokens": ["a", 3]}, "token 1 is 3, not a string with something in it"),
    ("spert", {**SPERT, "tokens": [" "]}, "'tokens' is empty"),
    ("spert", {**SPERT, "tokens": []}, "no tokens"),
    ("spert", {**SPERT, "relations": [{"type": "r", "head": 0, "tail": 1}]}, "joins the span 1, which is absent"),
    ("spert", {**SPERT, "relations": [{"type": "r", "head": True, "tail": 0}]}, "'head' of relations[0] is True"),
    ("spert", {**SPERT, "entities": [{"type": "X", "start": 0, "end": 3}]}, "expected 0 <= start < end <= 2"),
    ("spert", {"tokens": ["a"], "tags": ["O", "O"], "relations": []}, "2 tags for 1 tokens"),
    ("spert", {"tokens": ["a"], "tags": ["I-X"], "relations": []}, "continues no entity"),
    ("spert", {"tokens": ["a"], "tags": ["X"], "relations": []}, "expected O, or B-"),
    ("spert", {"tokens": ["a"], "relations": []}, "no entities or tags or ner (found: relations, tokens; "),
    ("spert", {**DOCUMENT, "ner": []}, "'ner' has 0 elements for 1 sentences"),
    ("spert", {**DOCUMENT, "ner": [[[0, "X"]]]}, "expected 2 token numbers, a label and scores"),
    ("spert", {**DOCUMENT, "relations": [[[0, 0, 1, 2, "r"]]]}, "a token span of relations[0] is [1, 3]"),
    ("semeval2010", ("1 <e1>a</e1> b", "Other"), "no <e2>...</e2>"),
    ("semeval2010", ("1 <e1>a</e1> <e2>b", "Other"), "no <e2>...</e2>"),
    ("semeval2010", ("1 <e1>a</e1> b</e2>", "Other"), "'</e2>' at character 12 has no partner"),
    ("semeval2010", ("1 <e1><e1>a</e1> <e2>b</e2>", "Other"), "has no partner"),
    ("semeval2010", ("1 <e1>a</e1> <e2>b</e2> <e2>c</e2>", "Other"), "has no partner"),
    ("semeval2010", ("1 <e1> </e1> <e2>b</e2>", "Other"), "<e1> is empty"),
    ("semeval2010", ("1 <e1><e2>b</e2></e1>", "Other"), "mark the same span"),
    ("semeval2010", ("1 <e1>a</e1> <e2>b</e2>", "Cause-Effect"), "label 'Cause-Effect' is neither 'Other'"),
    ("semeval2010", ("<e1>a</e1> <e2>b</e2>", "Other"), "no number before the sentence"),
    ("markup", "[P1 Ada] left.", "no '||'"),
    # of formats that have files of their own
    *(("brat", (test_brat.TEXT, annotation), message) for annotation, message in test_brat.BAD),
    *(("doccano", *each) for each in test_doccano.BAD),
    *(("docred", *each) for each in test_token_spans.BAD_DOCRED),
    *(("label-studio", json.loads(json.dumps(value)), message) for value, message in test_label_studio.BAD),
    *(("nyt10", *each) for each in test_nyt10.BAD),
    *(("opennre", *each) for each in test_token_spans.BAD_OPENNRE),
    *(("prodigy", *each) for each in test_prodigy.BAD),
    *(("tacred", *each) for each in test_token_spans.BAD_TACRED),
]


@pytest.mark.parametrize("name, value, message", BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_is_said(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        FORMATS[name].parse(value)
    assert message in str(error.value) and "\n" not in str(error.value)


# What these take is made by their own reader or by a library; tests/fuzz has junk in files.
_OBJECTS = {"bioc", "bionlp", "cas", "conll04", "drugprot", "pubtator", "spacy-rel", "webanno"}


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - _OBJECTS))
@pytest.mark.parametrize("value", [None, 3, "x", [], [[]], {}, {"text": None}, {"tokens": 3}, {"sentences": [3]}])
def test_junk_never_ends_in_another_error(name: str, value: Any) -> None:
    junk = (
        ("1 " + str(value), "Other") if name == "semeval2010" else str(value) if name in ("markup", "nyt10") else value
    )
    with pytest.raises(ValueError):
        FORMATS[name].parse(("text", str(value)) if name == "brat" else junk)


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="R102.*'conll'.*jsonl"):
        get_format("conll")
