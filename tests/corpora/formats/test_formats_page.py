"""The examples of docs/reference/formats.md and docs/research/data_sets.md are what the converter reads."""

import json
import re
from pathlib import Path
from typing import Dict, List

import pytest
import spacy

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.registry import FORMATS
from spacy_relext.corpora.report import Report
from tests.fuzz.samples import PAGES, SAMPLES, format_of, read_examples

# Documents, triples and entities of each example.
EXPECTED = {
    "brat": (1, 1, 2),
    "cas": (1, 1, 2),
    "doccano": (1, 1, 2),
    "docred": (1, 2, 4),
    "duie": (2, 3, 5),
    "jsonl": (3, 1, 1),
    "label-studio": (1, 1, 2),
    "markup": (3, 3, 9),
    "nyt": (2, 2, 0),
    "nyt10": (3, 2, 6),
    "opennre": (2, 1, 4),
    "prodigy": (1, 1, 2),
    "cotype": (2, 1, 1),
    "semeval2010": (2, 1, 4),
    "spert": (3, 3, 7),
    "tacred": (2, 1, 4),
    "text": (2, 0, 0),
}

# Of which the page has the .ann file.
BRAT_TEXT = "Ada Holm was born in Bergen."


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return "\n".join((project_root / "docs" / page).read_text(encoding="utf8") for page in PAGES)


@pytest.fixture(scope="module")
def examples() -> Dict[str, str]:
    return read_examples()


def convert_example(folder: Path, name: str, text: str) -> Report:
    path = folder / {"brat": "example.ann", "cas": "example.json"}.get(name, "example")
    path.with_suffix(".txt").write_text(BRAT_TEXT, encoding="utf8")
    path.write_text(text, encoding="utf8")
    nlp = spacy.blank("zh" if name == "duie" else "en")
    return convert(name, [path], folder / "a.spacy", nlp=nlp, malformed="refuse")


def test_every_format_is_described(page: str) -> None:
    assert sorted({*EXPECTED, *map(format_of, SAMPLES)}) == sorted(FORMATS)
    assert all(f"## `{name}`" in page for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_examples_are_read(examples: Dict[str, str], tmp_path: Path, name: str) -> None:
    report = convert_example(tmp_path, name, examples[name])
    assert (report.docs, report.triples, report.entities) == EXPECTED[name]
    assert report.not_found == report.identical == report.duplicates == report.entities_widened == 0


@pytest.mark.parametrize(
    "name", ["doccano", "docred", "duie", "jsonl", "nyt", "prodigy", "opennre", "cotype", "spert", "tacred"]
)
def test_the_examples_are_read_as_arrays_too(examples: Dict[str, str], tmp_path: Path, name: str) -> None:
    records: List[object] = [json.loads(line) for line in examples[name].splitlines()]
    assert convert_example(tmp_path, name, json.dumps(records, indent=1)).docs == len(records)


def test_the_canonical_examples_fit_the_schema(examples: Dict[str, str]) -> None:
    for line in examples["jsonl"].splitlines():
        assert check_record(json.loads(line))


def test_the_options_exist(page: str) -> None:
    from typer.main import get_command

    from spacy_relext.cli.main import relext

    command = get_command(relext).commands["convert"]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    section = page.partition("\n## Options")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(--[\w-]+)`", section)) <= options
