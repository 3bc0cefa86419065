import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.checks import TRIMMED
from spacy_relext.corpora.formats.mapped import locate_mapped, parse_mapped, split_markers
from spacy_relext.corpora.formats.mapping import read_mappings
from spacy_relext.corpora.formats.registry import FORMATS
from spacy_relext.corpora.report import Report

RELATIONS = "relations: {each: triples, subject: {string: s}, object: {string: o}, label: r}"
TOKENS = ["Ada", "Holm", "left", "Bergen", "and", "Holm", "."]


def read(folder: Path, mapping: str, record: Dict[str, Any], **options: str) -> Tuple[Dict[str, Any], Report]:
    """Read one record by a mapping."""
    path, report = folder / "my.yaml", Report()
    path.write_text(mapping, encoding="utf8")
    located = locate_mapped(parse_mapped(record, mappings=read_mappings(path), **options), report)
    return check_record(located), report


def in_words(record: Dict[str, Any]) -> List[Tuple[str, str, str]]:
    text = record["text"]
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record["triples"]]


BY_TOKENS = "tokens: words\nends: {ends}\nspans: {{each: ents, start: 0, end: 1}}\n{relations}"


@pytest.mark.parametrize(
    "mapping, record",
    [
        (  # the numbers of spans, inclusive ends
            "tokens: words\nends: inclusive\nspans: {each: ents, start: from, end: to, label: type}\n"
            "relations: {each: rels, subject: head, object: tail, label: type}",
            {
                "words": TOKENS,
                "ents": [{"from": 0, "to": 1, "type": "P"}, {"from": 3, "to": 3, "type": "L"}],
                "rels": [{"head": 0, "tail": 1, "type": "left"}],
            },
        ),
        (  # ids of spans, exclusive ends of characters, labels by number
            "text: t\nends: exclusive\nspans: {each: e, start: s, end: x, id: id}\n"
            "relations: {each: r, subject: a.0, object: a.1, label: l, names: [knows, left]}",
            {
                "t": " ".join(TOKENS),
                "e": [{"id": "T1", "s": 0, "x": 8}, {"id": "T2", "s": 14, "x": 20}],
                "r": [{"a": ["T1", "T2"], "l": 1}],
            },
        ),
        (  # characters of a text that also has tokens
            "text: t\ntokens: words\noffsets: characters\nends: exclusive\n"
            "relations: {each: r, subject: {start: 0, end: 1}, object: {indices: 2}, label: 3}",
            {"t": " ".join(TOKENS), "words": TOKENS, "r": [[0, 8, [3], "left"]]},
        ),
        (  # strings, in an object by relation
            "text: t\nrelations: {each: rels.*, subject: {string: 0}, object: {string: 1}, label: $key}",
            {"t": " ".join(TOKENS), "rels": {"left": [["Ada Holm", "Bergen"]], "met": []}},
        ),
        (  # the pair of the record, at lists of token numbers
            "tokens: words\nrelations: {subject: {indices: h}, object: {indices: t}, label: r, names: [NA, left]}",
            {"words": TOKENS, "h": [0, 1], "t": [[3]], "r": 1},
        ),
        (  # sentences of tokens, whose numbers go through the document
            "tokens: sents\nends: inclusive\nspans: {each: ner.*, start: 0, end: 1, label: 2}\n"
            "relations: {each: rels.*, subject: {start: 0, end: 1}, object: {start: 2, end: 3}, label: 4}",
            {
                "sents": [["Hi", "."], TOKENS],
                "ner": [[], [[2, 3, "P"]]],
                "rels": [[], [[2, 3, 5, 5, "left"]]],
            },
        ),
    ],
)
def test_ways_to_name_arguments(mapping: str, record: Dict[str, Any], tmp_path: Path) -> None:
    parsed, report = read(tmp_path, mapping, record)
    assert in_words(parsed) == [("Ada Holm", "left", "Bergen")] and not +report.losses


def test_tokens_without_spaces(tmp_path: Path) -> None:
    joined = 'tokens: w\njoin: ""\nrelations: {each: r, subject: {indices: 0}, object: {indices: 1}, label: 2}'
    record = {"w": ["小红", "生于", "上海"], "r": [[[0], [2], "出生地"]]}
    assert read(tmp_path, joined, record)[0]["triples"] == [{"subject": [0, 2], "relation": "出生地", "object": [4, 6]}]
    aligned = joined.replace('join: ""', "text: t")
    assert read(tmp_path, aligned, {"t": "小红 生于上海", **record})[0]["triples"][0]["object"] == [5, 7]
    with pytest.raises(ValueError, match="R750.*where the text goes on: found '住在上海'; expected the token '生于'"):
        read(tmp_path, aligned, {"t": "小红住在上海", **record})


def test_what_else_a_record_has(tmp_path: Path) -> None:
    mapping = (
        "text: t\nends: exclusive\none_sentence: true\nspans: {each: e, start: 0, end: 1, label: 2, kb_id: 3}\n"
        "relations: {each: r, subject: a, object: b, label: l, score: p, attributes: {time: year, place: at}}\n"
        "ignore: [note, r.by]"
    )
    ents = [[0, 8, "P", "Q1"], [14, 20, "L", "None"], [0, 3, "P", "1951-05-08^^date"], [9, 13, "V", 7]]
    relation = {"a": 0, "b": 1, "l": "left", "p": 0.5, "year": 1951, "at": "", "by": "me", "rank": 2}
    record = {"t": " ".join(TOKENS), "e": ents, "r": [relation], "note": "x", "url": "y", "pairs": 3}
    parsed, report = read(tmp_path, mapping, record)
    assert [entity.get("kb_id") for entity in parsed["entities"]] == ["Q1", None, None, "7"]
    assert parsed["triples"][0]["score"] == 0.5 and parsed["triples"][0]["attributes"] == {"time": 1951}
    assert parsed["sents"] == [[0, 31]] and parsed["url"] == "y" and "note" not in parsed
    assert +report.losses == {
        "values in place of ids, such as dates": 1,
        "key that has another meaning in a record: pairs": 1,
        "key that is not read: r.rank": 1,
    }


LISTED = "tokens: w\nspans: {each: e, indices: at}\nrelations: {each: r, subject: 0, object: 1, label: 2}"
LOST = "relations without a place of subject or object"


@pytest.mark.parametrize(
    "mapping, record, losses, strings",
    [
        (
            LISTED,
            {"w": TOKENS, "e": [{"at": [0, 5]}, {"at": [3]}], "r": [[0, 1, "left"]]},
            ["discontinuous spans", LOST],
            0,
        ),
        (
            LISTED,
            {"w": TOKENS, "e": [{"at": []}, {"at": [3]}], "r": [[0, 1, "left"]]},
            ["spans without a place", LOST],
            0,
        ),
        (f"text: t\n{RELATIONS}", {"t": "Ada left.", "triples": [{"s": "Ada", "r": "left"}]}, [LOST], 0),
        (f"text: t\n{RELATIONS}", {"t": "Ada left.", "triples": [{"s": "Ada", "o": "Bo", "r": "left"}]}, [], 1),
    ],
)
def test_a_record_that_lost_relations_is_incomplete(
    mapping: str, record: Dict[str, Any], losses: List[str], strings: int, tmp_path: Path
) -> None:
    parsed, report = read(tmp_path, mapping, record)
    assert parsed["triples"] == [] and parsed["incomplete"] and report.not_found == report.not_located == strings
    assert set(+report.losses) >= set(losses)


def test_without_the_lists_nothing_is_annotated(tmp_path: Path) -> None:
    parsed, _ = read(tmp_path, f"text: t\n{RELATIONS}", {"t": "Ada left."})
    assert parsed == {"text": "Ada left."}
    assert read(tmp_path, f"text: t\n{RELATIONS}", {"t": "Ada left.", "triples": []})[0]["triples"] == []


def test_a_pair_that_is_not_found_is_not_annotated(tmp_path: Path) -> None:
    mapping = "text: t\nrelations: {subject: {string: h}, object: {string: o}, label: r}"
    parsed, report = read(tmp_path, mapping, {"t": "Ada left.", "h": "Ada", "o": "Bo", "r": "left"})
    assert parsed == {"text": "Ada left."} and report.not_located == 1


def test_columns_are_rows(tmp_path: Path) -> None:
    mapping = f"text: t\nends: exclusive\nspans: {{each: e, start: s, end: x}}\n{RELATIONS}"
    columns = {"s": ["Ada", "Bo"], "r": ["met", "met"], "o": ["Bo", "Ada"]}
    parsed, _ = read(tmp_path, mapping, {"t": "Ada met Bo.", "e": {"s": [0, 8], "x": [3, 10]}, "triples": columns})
    assert in_words(parsed) == [("Ada", "met", "Bo"), ("Bo", "met", "Ada")] and len(parsed["entities"]) == 2


CHARACTERS = "text: t\nends: exclusive\nspans: {each: e, start: 0, end: 1, string: 2}\n"
CHARACTERS += "relations: {each: r, subject: 0, object: 1, label: 2}"


@pytest.mark.parametrize("strings, options", [(["Ada", "Bo"], {}), ([None, None], {"offsets": "utf16"})])
def test_offsets_that_count_otherwise(strings: List[Any], options: Dict[str, str], tmp_path: Path) -> None:
    record = {"t": "😀 Ada met Bo.", "e": [[3, 6, strings[0]], [11, 13, strings[1]]], "r": [[0, 1, "met"]]}
    parsed, report = read(tmp_path, CHARACTERS, record, **options)
    assert in_words(parsed) == [("Ada", "met", "Bo")]
    assert +report.losses == {"documents whose offsets count UTF-16 units": 1}


def test_white_space_around_a_span_is_trimmed(tmp_path: Path) -> None:
    record = {"t": "Ada met Bo.", "e": [[0, 4, "Ada "], [8, 10]], "r": [[0, 1, "met"]]}
    parsed, report = read(tmp_path, CHARACTERS, record)
    assert in_words(parsed) == [("Ada", "met", "Bo")] and +report.losses == {TRIMMED: 1}


@pytest.mark.parametrize("choice, subject", [("cover", "Ada Holm left Bergen"), ("longest", "Ada Holm")])
def test_discontinuous_spans(choice: str, subject: str, tmp_path: Path) -> None:
    record = {"w": TOKENS, "e": [{"at": [0, 1, 3]}, {"at": [5]}], "r": [[0, 1, "met"]]}
    parsed, report = read(tmp_path, LISTED, record, discontinuous=choice)
    assert in_words(parsed) == [(subject, "met", "Holm")] and sum((+report.losses).values()) == 1


@pytest.mark.parametrize("label, triples", [("no_relation", 0), ("Other", 0), ("left", 1)])
def test_labels_of_no_relation(label: str, triples: int, tmp_path: Path) -> None:
    mapping = "text: t\nrelations: {subject: {string: h}, object: {string: o}, label: r}"
    parsed, _ = read(tmp_path, mapping, {"t": "Ada left Bo.", "h": "Ada", "o": "Bo", "r": label})
    assert len(parsed["triples"]) == triples and parsed["pairs"][0]["label"] == label


def test_strings_of_listed_spans_come_first(tmp_path: Path) -> None:
    mapping = f"text: t\nends: exclusive\nspans: {{each: e, start: 0, end: 1}}\n{RELATIONS}"
    record = {"t": "Ada met Ada and Bo.", "e": [[0, 3], [16, 18]], "triples": [{"s": "Ada", "r": "met", "o": "Bo"}]}
    parsed, report = read(tmp_path, mapping, record)
    assert parsed["triples"][0]["subject"] == [0, 3] and report.ambiguous == 0


MISTAKES = [
    ("text: [", "R760.*line 1: "),
    ("text: a", "R031.*the mapping: found no key 'relations'; expected subject, object and label"),
    ("3", "R031.*the mapping: found 3; expected records, text"),
    (f"{RELATIONS}", "R031.*the mapping: found neither text nor tokens"),
    (f"text: a\ntexts: b\n{RELATIONS}", "R031.*line 2: the mapping: found the key 'texts'; expected records, text"),
    (f"text: a\nends: 1\n{RELATIONS}", "R031.*line 2: ends: found 1; expected inclusive or exclusive"),
    (f"text: true\n{RELATIONS}", "R031.*line 1: text: found True; expected a key, or keys joined by dots"),
    (f"text: a\nspans: {{start: 0, end: 1}}\n{RELATIONS}", "R031.*line 2: spans: found no key 'each'"),
    (f"text: a\nspans: {{each: e, start: 0, end: 1}}\n{RELATIONS}", "R031.*start and end without ends"),
    (f"text: a\nspans: {{each: e, start: 0}}\n{RELATIONS}", "R031.*spans: found start, each; expected start and end"),
    (f"text: a\nspans: {{each: e}}\n{RELATIONS}", "R031.*line 2: spans: found no place; expected start and end"),
    (f"text: a\nspans: {{each: e, indices: i}}\n{RELATIONS}", "R031.*numbers of tokens without tokens"),
    ("text: a\nrelations: {subject: 0, object: 1, label: 2}", "R031.*a reference to spans, but no spans"),
    (
        "text: a\nrelations:\n  subject: {at: 0}\n  object: 1\n  label: 2",
        "R031.*line 3: relations.subject: found.*'at'",
    ),
    (f"- text: a\n  {RELATIONS}\n- text: a\n", "R031.*line 3: the mapping: found no key 'relations'"),
]


@pytest.mark.parametrize("mapping, message", MISTAKES)
def test_mistakes_of_a_mapping_are_one_line(mapping: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, mapping, {})
    assert "\n" not in str(error.value) and str(tmp_path / "my.yaml") in str(error.value)


TOKEN_SPANS = "tokens: w\nends: inclusive\nspans: {each: e, start: 0, end: 1, string: 2}\n"
TOKEN_SPANS += "relations: {each: r, subject: 0, object: 1, label: 2}"


@pytest.mark.parametrize(
    "record, message",
    [
        ({"words": ["a"]}, r"R761.*no 'w' \(found: \['words'\]\)"),
        ({"w": "a"}, "'w' of the record is 'a', not a list"),
        ({"w": ["a"], "e": 3}, "e is 3, not a list or an object"),
        ({"w": ["a"], "e": [[0, 1]]}, r"start and exclusive end of e\[0\] is \[0, 2\]"),
        ({"w": ["a"], "e": [["0", "0"]]}, r"start and exclusive end of e\[0\] is \['0', '0'\]"),
        ({"w": ["a", "b"], "e": [[0, 1, "a"]]}, r"R713.*e\[0\]"),
        ({"w": ["a", "b"], "e": [[0, 0], [1, 1]], "r": [[0, 2, "x"]]}, r"R708.*object of r\[0\]"),
        ({"w": ["a", "b"], "e": [[0, 0], [1, 1]], "r": [[0, [1], "x"]]}, r"R708.*object of r\[0\]"),
        (
            {"w": ["a", "b"], "e": [[0, 0], [1, 1]], "r": [[0, 1, 4]]},
            r"R750.*label of r\[0\]: found 4; expected a string, or the number",
        ),
    ],
)
def test_malformed_records(record: Dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, TOKEN_SPANS, record)


def test_markers() -> None:
    markers = ["<t>", "<s>", "<o>"]
    triples = [["Ada", "Oslo", "lives in"], ["Ada", "Bo", "knows"], ["Bo", "Ada", "met"]]
    assert split_markers(" <t> Ada <s> Oslo <o> lives in <s> Bo <o> knows <t>Bo<s>Ada<o>met", markers) == triples
    assert split_markers(" ", markers) == []
    for text in ("Ada", "<t> Ada", "<t> Ada <s> Oslo", "<t> Ada <s> <o> x", "<t> a <s> b <o> c <o> d"):
        with pytest.raises(ValueError, match="R750"):
            split_markers(text, markers)


def test_a_mapping_of_ones_own(tmp_path: Path) -> None:
    mapping, data = tmp_path / "my.yaml", tmp_path / "data.json"
    mapping.write_text(f"records: docs.all\ntext: t\n{RELATIONS}", encoding="utf8")
    record = {"t": "Ada met Bo.", "triples": [{"s": "Ada", "r": "met", "o": "Bo"}]}
    data.write_text(json.dumps({"docs": {"all": [record, record]}}, indent=1), encoding="utf8")
    report = convert(str(mapping), [data], tmp_path / "a.spacy", nlp=spacy.blank("en"))
    assert (report.docs, report.triples) == (2, 2)
    with pytest.raises(ValueError, match=r"R102.*the path of a mapping \(.yaml\)"):
        convert("mine", [data], tmp_path / "a.spacy")
    with pytest.raises(ValueError, match="R760.*none.yml: No such file"):
        convert(str(tmp_path / "none.yml"), [data], tmp_path / "a.spacy")


def test_mappings_of_the_package() -> None:
    for name in ("crossre", "fewrel", "gliner", "gliner2", "glirel", "rebel", "uie"):
        with pytest.raises(ValueError, match="R761"):
            FORMATS[name].parse({"other": "x"})
