"""Offsets in each tool's counting, with the counting of JavaScript, Windows line ends and graphemes reproduced here."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest
import spacy

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.annotation import LOSSES
from spacy_relext.corpora.formats.bioc import BioCDocument, parse_bioc
from spacy_relext.corpora.formats.named_spans import parse_opennre
from spacy_relext.corpora.formats.offsets import CODE_POINTS, COUNTINGS, Counting, OffsetMap, fit_counting
from spacy_relext.corpora.shards import iter_docs

from .tool_records import Record, parse, read, write

# An emoji of two units, one of several code points, a combining mark, a Windows line end, a flag.
TEXT = "📉 Ada Ho\u0301lm 👨🏻\u200d🚒\r\nwas born in Bergen 🇳🇴, near Os."
NAMES = ["Ada Ho\u0301lm", "Bergen", "Os"]
PLACES = [(TEXT.index(name), TEXT.index(name) + len(name)) for name in NAMES]
RECORD: Record = {
    "text": TEXT,
    "entities": [{"start": start, "end": end, "label": "X"} for start, end in PLACES],
    "triples": [
        {"subject": list(PLACES[0]), "relation": "born_in", "object": list(PLACES[1])},
        {"subject": list(PLACES[1]), "relation": "near", "object": list(PLACES[2])},
    ],
}


def units(text: str) -> List[int]:
    """The UTF-16 units of a text, which are the elements of JavaScript's strings."""
    data = text.encode("utf-16-le")
    return [int.from_bytes(data[place : place + 2], "little") for place in range(0, len(data), 2)]


def javascript_slice(text: str, start: int, end: int) -> str:
    """`text.slice(start, end)`"""
    return b"".join(unit.to_bytes(2, "little") for unit in units(text)[start:end]).decode("utf-16-le")


def javascript_spread_slice(text: str, start: int, end: int) -> str:
    """`[...text].slice(start, end).join("")`: a high and a low surrogate are one element."""
    elements: List[List[int]] = []
    for unit in units(text):
        if elements and 0xDC00 <= unit < 0xE000 and 0xD800 <= elements[-1][-1] < 0xDC00:
            elements[-1].append(unit)
        else:
            elements.append([unit])
    chosen = [unit for element in elements[start:end] for unit in element]
    return b"".join(unit.to_bytes(2, "little") for unit in chosen).decode("utf-16-le")


COUNTED: Dict[str, Callable[[str], int]] = {
    "code points": len,
    "code points and CR LF as one": lambda text: len(text.replace("\r\n", "\n")),
    "UTF-16 units": lambda text: len(units(text)),
    "UTF-16 units and CR LF as one": lambda text: len(units(text.replace("\r\n", "\n"))),
    "bytes": lambda text: len(text.encode("utf8")),
    "bytes and CR LF as one": lambda text: len(text.replace("\r\n", "\n").encode("utf8")),
    # each of the five has a length of one: the emoji, o with an accent, the fireman, the line end and the flag
    "graphemes": lambda text: len(
        text.replace("o\u0301", "o").replace("👨🏻\u200d🚒", "x").replace("🇳🇴", "x").replace("\r\n", "\n")
    ),
}


def shifted(kind: str) -> List[List[int]]:
    return [[COUNTED[kind](TEXT[:start]), COUNTED[kind](TEXT[:end])] for start, end in PLACES]


@pytest.mark.parametrize("kind", COUNTED)
def test_each_counting_is_found_and_translated_back(kind: str) -> None:
    spans = shifted(kind)
    counting = fit_counting(TEXT, [([span], name) for span, name in zip(spans, NAMES)])
    assert counting is not None and counting.kind == f"documents whose offsets count {kind}"
    places = OffsetMap(TEXT, counting)
    assert [places.to_codepoints(span, "a span") for span in spans] == PLACES
    assert [[places.from_codepoints(place) for place in span] for span in PLACES] == spans


def test_a_text_that_all_count_alike_has_code_points() -> None:
    assert fit_counting("Ada slept.", [([(0, 3)], "Ada")]) == CODE_POINTS
    assert fit_counting("Ada slept.", [([(1, 4)], "Ada")]) is None
    with pytest.raises(
        ValueError, match=r"R745.*\[1, 3\], which begins or ends inside a character.*UTF-16 units.*--offsets"
    ):
        OffsetMap(TEXT, Counting("utf16")).to_codepoints([1, 3], "a span")


def task_of(name: str, spans: List[List[int]], *, has_text: bool = True) -> Any:
    """A record of a tool with the three spans."""
    texts = [{"text": each} if has_text else {} for each in NAMES]
    pairs = [(0, 1, "born_in"), (1, 2, "near")]
    if name == "brat":
        lines = [f"T{i}\tX {start} {end}\t{NAMES[i]}" for i, (start, end) in enumerate(spans)]
        return TEXT, "\n".join([*lines, *(f"R{i}\t{r} Arg1:T{i} Arg2:T{o}" for i, o, r in pairs)])
    if name == "label-studio":
        kind = {"type": "labels", "to_name": "text"}
        results: List[Record] = [
            {**kind, "id": str(i), "value": {"start": start, "end": end, "labels": ["X"], **texts[i]}}
            for i, (start, end) in enumerate(spans)
        ]
        ends = [{"type": "relation", "from_id": str(i), "to_id": str(o), "labels": [r]} for i, o, r in pairs]
        return {"data": {"text": TEXT}, "annotations": [{"result": [*results, *ends]}]}
    if name == "prodigy":
        given = [{"start": start, "end": end, "label": "X", **texts[i]} for i, (start, end) in enumerate(spans)]
        links = [{"label": r, "head_span": given[i], "child_span": given[o]} for i, o, r in pairs]
        return {"text": TEXT, "spans": given, "relations": links, "answer": "accept"}
    entities = [{"id": i, "start_offset": s, "end_offset": e, "label": "X"} for i, (s, e) in enumerate(spans)]
    return {
        "text": TEXT,
        "entities": entities,
        "relations": [{"from_id": i, "to_id": o, "type": r} for i, o, r in pairs],
    }


@pytest.mark.parametrize("kind", COUNTED)
@pytest.mark.parametrize("name", ["brat", "label-studio", "prodigy"])
def test_the_texts_of_spans_tell_the_counting(name: str, kind: str) -> None:
    record, losses = parse(name, task_of(name, shifted(kind)))
    expected = {} if kind == "code points" else {f"documents whose offsets count {kind}": 1}
    assert record == RECORD and losses == expected


@pytest.mark.parametrize("kind, unit", [*((kind, None) for kind in COUNTED), *((k, u) for u, k in COUNTINGS.items())])
def test_bioc_by_the_texts_of_annotations_or_the_option(kind: str, unit: Optional[str]) -> None:
    first = "📉 Os"
    start = COUNTED[kind](first) + 1
    annotations = [
        {
            "id": i,
            "infons": {"type": "X"},
            "locations": [{"offset": start + span[0], "length": span[1] - span[0]}],
            **({} if unit else {"text": NAMES[i]}),
        }
        for i, span in enumerate(shifted(kind))
    ]
    ends = [(0, 1, "born_in"), (1, 2, "near")]
    relations = [{"infons": {"type": r}, "nodes": [{"refid": i}, {"refid": o}]} for i, o, r in ends]
    passages = [
        {"offset": 0, "text": first},
        {"offset": start, "text": TEXT, "annotations": annotations, "relations": relations},
    ]
    document = BioCDocument({"passages": passages}, True)
    record = parse_bioc(document, offsets=unit)
    assert [record["text"][each["start"] : each["end"]] for each in record["entities"]] == NAMES
    assert [triple["relation"] for triple in record["triples"]] == ["born_in", "near"]
    assert +record[LOSSES] == ({} if kind == "code points" else {f"documents whose offsets count {kind}": 1})


@pytest.mark.parametrize("with_name", [True, False])
@pytest.mark.parametrize("unit", COUNTINGS)
def test_opennre_by_the_names_of_arguments_or_the_option(unit: str, with_name: bool) -> None:
    kind = COUNTINGS[unit]
    places = [{"pos": span, **({"name": name} if with_name else {})} for span, name in zip(shifted(kind), NAMES)]
    parsed = parse_opennre(
        {"text": TEXT, "h": places[0], "t": places[1], "relation": "born_in"}, offsets=None if with_name else unit
    )
    assert parsed["triples"] == RECORD["triples"][:1]
    assert +parsed[LOSSES] == ({} if unit == "codepoint" else {f"documents whose offsets count {kind}": 1})


@pytest.mark.parametrize("unit", COUNTINGS)
@pytest.mark.parametrize("name", ["doccano", "label-studio", "prodigy"])
def test_the_option_tells_it_where_spans_have_no_text(name: str, unit: str) -> None:
    given = task_of(name, shifted(COUNTINGS[unit]), has_text=False)
    assert parse(name, given, offsets=unit)[0] == RECORD
    with pytest.raises(ValueError, match=r"R206.*--offsets is 'utf8'; expected one of: codepoint, utf16"):
        parse(name, given, offsets="utf8")


def test_doccano_counts_like_javascript_by_default() -> None:
    assert parse("doccano", task_of("doccano", shifted("UTF-16 units")))[0] == RECORD
    other = task_of("doccano", shifted("code points"))
    other["entities"], other["relations"] = other["entities"][1:], other["relations"][1:]
    _, losses = parse("doccano", other)
    assert (
        losses["documents whose offsets may count otherwise"]
        == losses["documents whose offsets count UTF-16 units"]
        == 1
    )


def test_jsonl_by_the_texts_of_its_arguments(tmp_path: Path) -> None:
    spans = shifted("UTF-16 units")
    entities = [{"start": start, "end": end, "label": "X"} for start, end in spans]
    triple = {"subject": spans[0], "relation": "born_in", "object": spans[1], "subject_text": NAMES[0]}
    path = tmp_path / "a.jsonl"
    full: Record = {
        "text": TEXT,
        "entities": entities,
        "triples": [triple],
        "coref": [[spans[1]]],
        "sents": [[0, spans[2][1]]],
    }
    path.write_text(json.dumps(full))
    report = convert("jsonl", [path], tmp_path / "a.spacy", malformed="refuse")
    assert +report.losses == {"documents whose offsets count UTF-16 units": 1}
    (doc,) = iter_docs(tmp_path / "a.spacy", spacy.blank("en").vocab)
    (found,) = doc._.triples
    assert (found.subject.text, found.object.text) == (NAMES[0], "Bergen")
    path.write_text(json.dumps({"text": TEXT, "entities": entities}))
    with pytest.raises(ValueError, match=r"entities\[2\] is \[52, 54\].* Offsets are read as code points.*--offsets"):
        convert("jsonl", [path], tmp_path / "a.spacy", malformed="refuse")
    path.write_text(json.dumps({"text": TEXT, "entities": entities[:2], "triples": []}))
    assert convert("jsonl", [path], tmp_path / "a.spacy").losses["documents whose offsets may count otherwise"] == 1


SLICES = {"doccano": javascript_slice, "label-studio": javascript_spread_slice}


@pytest.mark.parametrize("name", ["brat", "doccano", "jsonl", "label-studio", "prodigy"])
def test_what_is_written_counts_as_the_tool_does(tmp_path: Path, name: str) -> None:
    (path, *_), lost = write(name, tmp_path, [RECORD])
    found, losses = read(name, path)
    assert found == [RECORD] and not lost
    assert losses == ({"documents whose offsets count UTF-16 units": 1} if name == "doccano" else {})
    if name in SLICES:
        text = path.read_text(encoding="utf8")
        written = json.loads(text)
        spans = (
            [(each["start_offset"], each["end_offset"]) for each in written["entities"]]
            if name == "doccano"
            else [(r["value"]["start"], r["value"]["end"]) for r in written[0]["annotations"][0]["result"][:3]]
        )
        assert [SLICES[name](TEXT, *span) for span in spans] == NAMES
