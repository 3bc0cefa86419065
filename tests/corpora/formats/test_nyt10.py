from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.locate import locate_pair
from spacy_relext.corpora.formats.nyt import END, parse_nyt10
from spacy_relext.corpora.report import Report, format_report

BORN = "/people/person/place_of_birth"


def line(head: str, tail: str, sentence: str, *, relation: str = BORN, end: str = f" {END}") -> str:
    return "\t".join([f"m.{head}", f"m.{tail}", head, tail, relation, sentence + end])


def located(raw: str) -> Dict[str, Any]:
    record = locate_pair(parse_nyt10(raw), Report())
    assert record is not None
    return check_record(record)


def marked(raw: str) -> List[Any]:
    """Where the marked pairs stand."""
    return [(p["subject"], p["object"]) for p in located(raw)["pairs"]]


def test_a_line() -> None:
    record = located(line("ada_holm", "bergen", "the singer ada_holm left bergen ."))
    assert record == {
        "text": "the singer ada holm left bergen .",
        "entities": [
            {"start": 11, "end": 19, "label": "ENTITY", "kb_id": "m.ada_holm"},
            {"start": 25, "end": 31, "label": "ENTITY", "kb_id": "m.bergen"},
        ],
        "triples": [{"subject": [11, 19], "relation": BORN, "object": [25, 31]}],
        "pairs": [{"subject": [11, 19], "object": [25, 31], "label": BORN}],
    }


def test_no_relation_marks_the_pair_without_a_triple() -> None:
    record = located(line("bergen", "ada_holm", "ada_holm left bergen .", relation="NA"))
    assert record["triples"] == [] and record["pairs"][0] == {"subject": [14, 20], "object": [0, 8], "label": "NA"}


@pytest.mark.parametrize("end", [END, f" {END}", f"\t{END}", f" \t {END} "])
def test_the_end_may_be_a_column(end: str) -> None:
    assert located(line("ada", "bo", " ada met bo .", end=end))["text"] == "ada met bo ."


def test_several_occurrences() -> None:
    raw = line("bergen", "ada", "bergen , norway : ada left bergen .")
    assert marked(raw) == [([27, 33], [18, 21])]


def test_whole_tokens_come_before_parts_of_others() -> None:
    # "holm" stands nearer to "oslo" inside the other name, but that is another entity.
    assert marked(line("holm", "oslo", "holm said that ann_holm of oslo left .")) == [([0, 4], [27, 31])]
    raw = line("ann_holm", "holm", "ann_holm is a daughter of holm .")
    assert marked(raw) == [([0, 8], [26, 30])]


def test_a_string_that_no_token_is() -> None:
    # Joined for the shorter name only, the words of the longer one are searched for in the text.
    record = located(line("port_ada", "port_ada_hotel", "she left port_ada for the port_ada hotel of bergen ."))
    assert record["text"] == "she left port ada for the port ada hotel of bergen ."
    assert (record["pairs"][0]["subject"], record["pairs"][0]["object"]) == ([9, 17], [26, 40])


def test_joined_words_inside_other_tokens_come_apart_and_other_underscores_stay() -> None:
    text = located(line("new_york", "ada", "ada , a new_york-born cook , left new_york : ada_1@mail.example"))["text"]
    assert text == "ada , a new york-born cook , left new york : ada_1@mail.example"


def test_pairs_without_a_place_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = [
        line("ada", "bergen", "ada left bergen ."),
        line("ada", "oslo", "ada left bergen ."),
        line("oslo", "bo", "ada left bergen .", relation="NA"),
        line("ada", "ada", "ada left bergen ."),
        "",
        "ada\tbergen",
    ]
    path = tmp_path / "train.txt"
    path.write_text("\n".join(lines), encoding="utf8")
    report = convert("nyt10", [path], tmp_path / "a.spacy", malformed="any")
    assert (report.docs, report.triples, report.pairs_left_out, report.skipped) == (1, 1, 3, 1)
    assert (report.not_located, report.identical, report.not_found) == (1, 1, 3)
    table = format_report(report)
    assert "documents left out: no place for their pair" in table and "train.txt:2: 'oslo'" in table
    assert "train.txt:6: [R700] 2 columns; expected six with tabs between (head id," in table
    path.write_text(lines[1], encoding="utf8")
    with pytest.raises(ValueError, match="R103.*In none of 1 texts stand the two strings"):
        convert("nyt10", [path], tmp_path / "b.spacy")


@given(
    st.lists(st.sampled_from(["ada", "ada_bo", "bo", "bo_ada_cy", "cy", "met", "x_y", "."]), min_size=2, max_size=9),
    st.data(),
)
def test_offsets_hold_the_strings(tokens: List[str], data: st.DataObject) -> None:
    names = sorted({token for token in tokens if token not in ("met", "x_y", ".")})
    if len(names) < 2:
        return
    head, tail = data.draw(st.permutations(names))[:2]
    record = located(line(head, tail, " ".join(tokens)))
    (pair,) = record["pairs"]
    held = [record["text"][slice(*pair[role])] for role in ("subject", "object")]
    assert held == [head.replace("_", " "), tail.replace("_", " ")]
    assert len(record["text"]) == len(" ".join(tokens))


BAD = [
    ("a\tb\tc", "[R700] 3 columns; expected six with tabs between"),
    (line("a", "b", "a b") + "\tmore", "[R700] 7 columns"),
    ("\t".join("abcdefgh"), "[R700] 8 columns"),
    (line("a", "b", "a met b and then", end=""), "[R701] The sentence does not end in ###END###, but in 'a met b and"),
    (line("a", "b", ""), "[R702] The column 'sentence' is empty"),
    (line("a", "b", "a b", relation=" "), "[R702] The column 'relation' is empty"),
    (line("a", "_", "a b"), "[R702] The column 'tail' is empty"),
    ("\tm.b\ta\tb\tr\ta b ###END###", "[R702] The column 'head id' is empty"),
    (line("a", "b\udc00", "a b"), "surrogate"),
]
