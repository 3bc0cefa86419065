import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_relext import set_triples
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.export import export, format_export_report
from spacy_relext.corpora.formats.registry import FORMATS, WRITABLE
from spacy_relext.corpora.records import doc_to_record, write_jsonl
from spacy_relext.corpora.shards import iter_docs

TEXT = "Ada Holm was born in Bergen."
ENTITIES = [{"start": 0, "end": 8, "label": "PERSON"}, {"start": 21, "end": 27, "label": "PLACE"}]
TRIPLE = {"subject": [0, 8], "relation": "born_in", "object": [21, 27]}
RECORDS: List[Dict[str, Any]] = [
    {"text": TEXT, "entities": ENTITIES, "triples": [TRIPLE]},
    {"text": "No one slept.", "entities": [], "triples": []},
]


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("as_corpus", [True, False])
def test_a_corpus_comes_back(tmp_path: Path, name: str, as_corpus: bool) -> None:
    source = tmp_path / "in.jsonl"
    write_jsonl(source, RECORDS)
    if as_corpus:
        convert("jsonl", [source], tmp_path / "in.spacy")
        source = tmp_path / "in.spacy"
    output = tmp_path / f"out{FORMATS[name].suffix}"
    report = export(name, source, output)
    assert (report.docs, report.triples, report.suggestions) == (2, 1, 0) and not +report.losses
    assert all(path.exists() for path in report.files) and "documents" in format_export_report(report)
    convert(name, [report.files[0]], tmp_path / "out.spacy", malformed="refuse")
    assert [doc_to_record(doc) for doc in iter_docs(tmp_path / "out.spacy", spacy.blank("en").vocab)] == RECORDS


def test_suggestions_and_losses_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    write_jsonl(source, [{"text": TEXT, "triples": [{**TRIPLE, "source": "rere"}]}, {"text": TEXT}])
    report = export("doccano", source, tmp_path / "out.jsonl")
    assert (report.docs, report.triples, report.suggestions, report.not_annotated) == (2, 1, 1, 1)
    assert "left out or changed: arguments that are no entities, written as ENTITY" in format_export_report(report)


@pytest.fixture
def nlp() -> Language:
    """Finds people by rule, and a triple in each text with two."""
    nlp = spacy.blank("en")
    people = [{"label": "PERSON", "pattern": name} for name in ("Ada", "Bo")]
    nlp.add_pipe("entity_ruler").add_patterns(people)  # type: ignore[attr-defined]
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("meets")
    return nlp


@Language.component("meets")
def meets(doc: Doc) -> Doc:
    found = [(first, "met", second, 0.5) for first, second in zip(doc.ents, doc.ents[1:])]
    set_triples(doc, found, source="meets")
    return doc


def test_what_a_pipeline_finds_is_suggested(nlp: Language, tmp_path: Path) -> None:
    source, output = tmp_path / "texts.txt", tmp_path / "tasks.json"
    source.write_text("Ada saw Bo 😀.\n\nBo slept.\nNo one came.\n", encoding="utf8")
    report = export("label-studio", source, output, nlp=nlp)
    assert (report.docs, report.not_annotated, report.suggestions) == (3, 2, 1)
    first, second, third = json.loads(output.read_text(encoding="utf8"))
    assert [task.keys() for task in (first, second, third)] == [{"data", "predictions"}] * 2 + [{"data"}]
    (prediction,) = first["predictions"]
    assert prediction["model_version"] == "meets" and prediction["result"][-1]["labels"] == ["met"]
    assert first["data"] == {"text": "Ada saw Bo 😀."}  # sentences are not written


def test_a_random_sample_without_near_duplicates(nlp: Language, tmp_path: Path) -> None:
    source, output = tmp_path / "pool.jsonl", tmp_path / "sample.jsonl"
    texts = [f"Ada saw Bo near the old house in the old town, number {number}." for number in range(3)]
    texts += [f"Rain {number} fell." for number in range(4)] + ["Rain 0 fell!"]
    write_jsonl(source, [{"text": text, "id": number} for number, text in enumerate(texts)])
    drawn = []
    for seed in (0, 0, 1):
        report = export("jsonl", source, output, nlp=nlp, sample=10, seed=seed)
        drawn.append([json.loads(line) for line in output.read_text(encoding="utf8").splitlines()])
        assert (report.docs, report.duplicates, report.suggestions) == (5, 3, 1)
        assert "texts left out as near-duplicates" in format_export_report(report)
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({each["text"].rstrip(".!") for each in drawn[0]}) == 5
    assert all(each["id"] in range(8) for each in drawn[0])
    assert export("jsonl", source, output, sample=2).docs == 2
    assert export("jsonl", source, output).docs == len(texts)


def test_gold_remains_beside_suggestions(nlp: Language, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "tasks.json"
    gold = {"subject": [0, 3], "relation": "saw", "object": [8, 10]}
    write_jsonl(source, [{"text": "Ada saw Bo.", "triples": [gold], "id": 3}, {"text": "Bo slept.", "triples": []}])
    report = export("label-studio", source, output, nlp=nlp)
    assert (report.triples, report.suggestions, report.not_annotated) == (2, 1, 0)
    first, second = json.loads(output.read_text(encoding="utf8"))
    assert first["data"]["id"] == 3 and len(first["annotations"]) == len(first["predictions"]) == 1
    assert second["annotations"][0]["result"][0]["value"]["text"] == "Bo" and "predictions" not in second


def test_texts_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Ada slept.", encoding="utf8")
    assert export("doccano", tmp_path / "in", tmp_path / "out.jsonl").docs == 1
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"text": "Ada slept.", "file": "a.txt"}
    (tmp_path / "in" / "a.txt").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"R203.*a\.txt"):
        export("doccano", tmp_path / "in", tmp_path / "out.jsonl")


def test_texts_that_are_too_long(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ada.\nAda saw Bo.\n")
    nlp.max_length = 5
    with pytest.raises(ValueError, match="R205.*document 2: 11 characters"):
        export("prodigy", tmp_path / "a.txt", tmp_path / "out.jsonl", nlp=nlp)


def test_bad_input(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.json"
    source.write_text(json.dumps(RECORDS[0]) + '\n{"text": 3}\n')
    for name, given, written, problem in (
        ("nyt", source, output, r"R102.*'nyt'.*brat"),
        ("prodigy", source, output, r"R209.*out\.json.*ends in \.jsonl"),
        ("brat", source, tmp_path, "R121"),
        ("doccano", source, source, "R105"),
        ("label-studio", tmp_path / "none.jsonl", output, r"R202.*none\.jsonl"),
        ("label-studio", source, output, r"R100.*in\.jsonl:2"),
    ):
        with pytest.raises(ValueError, match=problem):
            export(name, given, written)
    source.write_text("")
    with pytest.raises(ValueError, match="R117"):
        export("label-studio", source, output)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
