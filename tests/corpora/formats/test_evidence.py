"""Copies of data sets that count otherwise, odd tokens, unknown keys and columns: what `convert` makes of them."""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import doc_to_record
from spacy_relext.corpora.report import Report, format_report
from spacy_relext.corpora.shards import iter_docs

from .test_registry import in_words

Records = List[Dict[str, Any]]


def read(folder: Path, format: str, *values: Any) -> Tuple[Records, Report]:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf8")
    report = convert(format, [path], folder / "a.spacy")
    return [doc_to_record(doc) for doc in iter_docs(folder / "a.spacy", spacy.blank("en").vocab)], report


TOKENS = ["Yesterday", "Eva", "Dahl", "joined", "Lysverk", "in", "Bergen"]
TAGS = ["DATE", "PERSON", "PERSON", "O", "ORG", "O", "CITY"]
EVA, BERGEN = {"type": "Peop", "start": 1, "end": 3}, {"type": "Loc", "start": 6, "end": 7}
LIVES: List[Any] = [("Eva Dahl", "lives_in", "Bergen")]


def tacred(*ends: int, **more: Any) -> Dict[str, Any]:
    places = dict(zip(("subj_start", "subj_end", "obj_start", "obj_end"), ends))
    return {"token": TOKENS, "relation": "lives_in", "subj_type": "A", "obj_type": "B", **places, **more}


def spert(*ends: int) -> Dict[str, Any]:
    entities = [{"type": "A", "start": ends[0], "end": ends[1]}, {"type": "B", "start": ends[2], "end": ends[3]}]
    return {"tokens": TOKENS, "entities": entities, "relations": [{"type": "lives_in", "head": 0, "tail": 1}]}


def dygie(*ends: int) -> Dict[str, Any]:
    ner = [[*ends[:2], "A"], [*ends[2:], "B"]]
    return {"sentences": [TOKENS[:5], TOKENS[5:]], "ner": [ner, []], "relations": [[[*ends, "lives_in"]], []]}


def docred(*places: List[int]) -> Dict[str, Any]:
    names = [("Eva Dahl", 0), ("Bergen", 1)]
    vertices = [[{"name": n, "sent_id": s, "pos": at, "type": "X"}] for (n, s), at in zip(names, places)]
    labels = [{"h": 0, "t": 1, "r": "lives_in", "evidence": []}]
    return {"title": "t", "sents": [TOKENS[:5], TOKENS[5:]], "vertexSet": vertices, "labels": labels}


def opennre(*places: List[int]) -> Dict[str, Any]:
    h, t = ({"name": name, "pos": at} for name, at in zip(("eva_dahl", "bergen"), places))
    return {"token": TOKENS, "h": h, "t": t, "relation": "lives_in"}


@pytest.mark.parametrize(
    "format, value, note",
    [
        ("tacred", tacred(1, 2, 6, 6), ""),
        ("tacred", tacred(1, 3, 6, 7), "ends are exclusive (an end is the number of tokens)"),
        ("tacred", {**tacred(1, 2, 6, 6), "token": [*TOKENS, "."]}, ""),
        (
            "tacred",
            {**tacred(1, 3, 6, 7), "token": [*TOKENS, "."], "stanford_ner": [*TAGS, "O"]},
            "ends are exclusive (tags of entities)",
        ),
        ("spert", spert(1, 3, 6, 7), ""),
        ("spert", spert(1, 2, 6, 6), "ends are inclusive (a span ends where it begins)"),
        ("spert", dygie(1, 2, 6, 6), ""),
        ("spert", dygie(1, 3, 6, 7), "ends are exclusive (an end is the number of tokens)"),
        ("docred", docred([1, 3], [1, 2]), ""),
        ("docred", docred([1, 3], [6, 7]), "pos counts the tokens of the document (the names of mentions)"),
        ("docred", docred([1, 2], [1, 1]), "ends are inclusive (the names of mentions)"),
        ("opennre", opennre([1, 3], [6, 7]), ""),
        ("opennre", opennre([1, 2], [6, 6]), "ends are inclusive (the names of arguments)"),
    ],
)
def test_what_a_file_holds_decides_how_it_is_read(tmp_path: Path, format: str, value: Any, note: str) -> None:
    (record,), report = read(tmp_path, format, value)
    assert in_words(record) == LIVES and list(report.conventions) == ([note] if note else [])
    assert (note in format_report(report)) if note else "offset convention" not in format_report(report)


def test_evidence_of_one_record_is_for_the_whole_file(tmp_path: Path) -> None:
    first = {**tacred(1, 3, 4, 5), "token": [*TOKENS, "."]}
    records, report = read(tmp_path, "tacred", first, tacred(1, 3, 6, 7))
    assert [in_words(record)[0][::2] for record in records] == [("Eva Dahl", "Lysverk"), ("Eva Dahl", "Bergen")]
    assert report.conventions == {"ends are exclusive (an end is the number of tokens)": 2}


def test_odd_tokens_and_relations_cost_only_themselves(tmp_path: Path) -> None:
    tokens = ["Eva", "", "Dahl", "\u2028", "of", "\u200b", "Bergen"]
    entities = [
        {"type": "Peop", "start": 0, "end": 3},
        {"type": "Loc", "start": 6, "end": 7},
        {"type": "Org", "start": 0, "end": 3},
        {"type": "X", "start": 3, "end": 4},
    ]
    links = [(0, 1), (0, 1), (0, 2), (3, 1)]
    relations = [{"type": "r", "head": head, "tail": tail} for head, tail in links]
    (record,), report = read(tmp_path, "spert", {"tokens": tokens, "entities": entities, "relations": relations})
    assert in_words(record) == [("Eva Dahl", "r", "Bergen")] and report.duplicates == 1 and not report.skipped
    assert report.losses == {
        "relations of a span with itself": 1,
        "blank spans": 1,
        "relations of spans that are left out": 1,
    }


def test_a_relation_of_a_span_with_itself_leaves_the_sentence_annotated(tmp_path: Path) -> None:
    sentence = spert(1, 3, 6, 7)
    sentence["relations"].append({"type": "r", "head": 0, "tail": 0})
    (record,), report = read(tmp_path, "spert", sentence)
    assert in_words(record) == LIVES and not report.incomplete and not report.not_annotated


def test_clusters_scores_and_ids_of_a_document(tmp_path: Path) -> None:
    document = {
        **dygie(1, 2, 6, 6),
        "relations": [[[1, 2, 6, 6, "lives_in", 0.7, 1.2], [6, 6, 1, 2, "home_of", 3.5, 4.5]], []],
        "ner": [[[1, 2, "A", 0.9, 2.0]], []],
        "clusters": [[[1, 2], [4, 4]], []],
        "doc_key": "d1",
        "predicted_ner": [[], []],
        "predicted_relations": [[[1, 2, 4, 4, "r"]], []],
    }
    (record,), report = read(tmp_path, "spert", document)
    assert [triple.get("score") for triple in record["triples"]] == [0.7, None]
    assert record["coref"] == [[[10, 18], [26, 33]]] and record["doc_key"] == "d1"
    assert report.losses == {
        "scores of entities": 1,
        "scores that are not one number between 0 and 1": 1,
        "key that is not read: predicted_relations": 1,
    }


@pytest.mark.parametrize(
    "format, value, kept, lost",
    [
        ("nyt", {"text": "Eva.", "triple_list": [], "id": 3, "tags": [1], "none": []}, {"id": 3}, ["tags"]),
        (
            "cotype",
            {"sentText": "Eva.", "relationMentions": [], "page": "a", "text": "x"},
            {"page": "a"},
            ["text"],
        ),
        ("duie", {"text": "Eva.", "spo_list": [], "id": 4, "postag": [{"word": "Eva"}]}, {"id": 4}, ["postag"]),
        ("docred", {**docred([1, 3], [1, 2]), "split": "dev", "big": 2**70}, {"split": "dev", "title": "t"}, ["big"]),
        ("opennre", {**opennre([1, 3], [6, 7]), "id": "x", "s": "\udc00"}, {"id": "x"}, ["s"]),
        (
            "semeval2010",
            {"sentence": "<e1>a</e1> <e2>b</e2>", "relation": "Other", "id": 7, "x": [1]},
            {"id": 7},
            ["x"],
        ),
    ],
)
def test_keys_are_kept_or_counted(tmp_path: Path, format: str, value: Any, kept: Any, lost: List[str]) -> None:
    (record,), report = read(tmp_path, format, value)
    assert {key: record[key] for key in kept} == kept and report.other_keys == dict.fromkeys(kept, 1)
    assert +report.losses == {f"key that is not read: {key}": 1 for key in lost}


def test_keys_of_mentions_are_counted(tmp_path: Path) -> None:
    value = docred([1, 3], [1, 2])
    value["vertexSet"][0][0].update(kb_id="Q1", name="Eve")
    value["labels"][0]["confidence"] = 0.4
    _, report = read(tmp_path, "docred", value)
    assert report.losses == {
        "key of vertexSet that is not read: kb_id": 1,
        "mentions whose name is not the text at their place": 1,
        "key of labels that is not read: confidence": 1,
    }


def columns(rows: Records) -> Dict[str, List[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def test_columns_of_the_hub_are_rows(tmp_path: Path) -> None:
    sentence = spert(1, 3, 6, 7)
    sentence.update({key: columns(sentence[key]) for key in ("entities", "relations")})
    (record,), report = read(tmp_path, "spert", sentence)
    assert in_words(record) == LIVES
    assert report.losses == {
        f"columns read as rows (Sequence of Hugging Face): {key}": 1 for key in ("entities", "relations")
    }
    document = docred([1, 3], [1, 2])
    document["vertexSet"] = [columns(vertex) for vertex in document["vertexSet"]]
    document["labels"] = {
        "head": [0],
        "tail": [1],
        "relation_id": ["lives_in"],
        "relation_text": ["x"],
        "evidence": [[]],
    }
    (record,), _ = read(tmp_path, "docred", document)
    assert in_words(record) == LIVES
    canonical = {"text": "Eva left Bergen", "triples": {"subject": [[0, 3]], "relation": ["left"], "object": [[9, 15]]}}
    (record,), _ = read(tmp_path, "jsonl", canonical)
    assert in_words(record) == [("Eva", "left", "Bergen")]
