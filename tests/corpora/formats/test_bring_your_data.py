"""docs/tasks/bring_your_data.md has all formats, the samples as they are, and a mapping that reads its records."""

import re
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.registry import FORMATS
from tests.fuzz.samples import SAMPLES


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs" / "tasks" / "bring_your_data.md").read_text(encoding="utf8")


def test_each_format_has_a_row(page: str) -> None:
    assert {*re.findall(r"^\| `convert ([\w.-]+) .*\[", page, re.M)} == {*FORMATS, "my.yaml"}


def test_the_samples_are_the_files(page: str) -> None:
    quoted = dict(re.findall(r"^### ([\w.-]+)\n\n```json\n(.*?)^```", page, re.M | re.S))
    assert quoted and {name: SAMPLES[name].read_text(encoding="utf8") for name in quoted} == quoted
    assert all(SAMPLES[name].name in page for name in SAMPLES.keys() - quoted.keys())


def test_the_mapping_reads_the_records(page: str, tmp_path: Path) -> None:
    for name, kind in ("data.jsonl", "json"), ("my.yaml", "yaml"):
        (tmp_path / name).write_text(re.findall(rf"^```{kind}\n(.*?)^```", page, re.M | re.S)[0], encoding="utf8")
    nlp = spacy.blank("en")
    mapping, data = tmp_path / "my.yaml", tmp_path / "data.jsonl"
    report = convert(str(mapping), [data], tmp_path / "a.spacy", nlp=nlp, malformed="refuse")
    (doc,) = DocBin().from_disk(tmp_path / "a.spacy").get_docs(nlp.vocab)
    (triple,) = doc._.triples
    assert (triple.subject.text, triple.relation, triple.object.text) == ("Ada Holm", "leads", "Havgass")
    assert triple.score == 0.9 and report.entities_linked == 1 and not +report.losses
