import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.export import export, format_export_report
from spacy_relext.corpora.formats.registry import FORMATS, WRITABLE
from spacy_relext.corpora.jsonl import write_jsonl
from spacy_relext.corpora.records import doc_to_record
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
    convert(name, [report.files[0]], tmp_path / "out.spacy", strict=True)
    assert [doc_to_record(doc) for doc in iter_docs(tmp_path / "out.spacy", spacy.blank("en").vocab)] == RECORDS


def test_suggestions_and_losses_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    write_jsonl(source, [{"text": TEXT, "triples": [{**TRIPLE, "source": "rere"}]}, {"text": TEXT}])
    report = export("doccano", source, tmp_path / "out.jsonl")
    assert (report.docs, report.triples, report.suggestions, report.not_annotated) == (2, 1, 1, 1)
    assert "left out or changed: arguments that are no entities, written as ENTITY" in format_export_report(report)


def test_bad_input(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.json"
    source.write_text(json.dumps(RECORDS[0]) + '\n{"text": 3}\n')
    with pytest.raises(ValueError, match=r"R102.*'nyt'.*brat"):
        export("nyt", source, output)
    with pytest.raises(ValueError, match=r"R209.*out\.json.*ends in \.jsonl"):
        export("prodigy", source, output)
    with pytest.raises(ValueError, match="R121"):
        export("brat", source, tmp_path)
    with pytest.raises(ValueError, match="R105"):
        export("doccano", source, source)
    with pytest.raises(ValueError, match=r"R118.*none\.jsonl"):
        export("label-studio", tmp_path / "none.jsonl", output)
    with pytest.raises(ValueError, match=r"R100.*in\.jsonl:2"):
        export("label-studio", source, output)
    source.write_text("")
    with pytest.raises(ValueError, match="R117"):
        export("label-studio", source, output)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
