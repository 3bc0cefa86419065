from pathlib import Path
from typing import Any, List

import pytest
import spacy

from spacy_relext import has_triples
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import doc_to_record
from spacy_relext.corpora.report import format_report
from spacy_relext.corpora.shards import iter_docs

CONTENT = "Ada slept.\nBo 😀 woke.\n\n \nBergen\n"


def read(path: Path, output: Path, **options: Any) -> List[Any]:
    convert("text", [path], output / "a.spacy", **options)
    docs = list(iter_docs(output / "a.spacy", spacy.blank("en").vocab))
    assert not any(has_triples(doc) for doc in docs)
    return [doc_to_record(doc) for doc in docs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.txt").write_text(CONTENT, encoding="utf8", newline="\r\n")
    return tmp_path / "in" / "b.txt"


def test_units(path: Path, tmp_path: Path) -> None:
    assert read(path, tmp_path) == [{"text": text} for text in ("Ada slept.", "Bo 😀 woke.", "Bergen")]
    assert read(path, tmp_path, unit="line") == read(path, tmp_path)
    paragraphs = read(path, tmp_path, unit="paragraph")
    assert paragraphs == [{"text": "Ada slept.\nBo 😀 woke."}, {"text": "Bergen"}]
    assert read(path, tmp_path, unit="file") == [{"text": CONTENT}]


def test_a_folder(path: Path, tmp_path: Path) -> None:
    (path.parent / "a.txt").write_text("First.\n\nSecond.", encoding="utf8")
    (path.parent / "c.md").write_text("*Last*\nfile.")
    assert read(path.parent, tmp_path)[0] == {"text": "First.\n\nSecond.", "file": "a.txt"}
    place = {"start": 0, "end": 10, "line": 1, "element": "p"}
    assert read(path.parent, tmp_path)[2] == {"text": "Last file.", "file": "c.md", "passages": [place]}
    (path.parent / "c.md").unlink()
    assert [record["file"] for record in read(path.parent, tmp_path, unit="paragraph")] == ["a.txt"] * 2 + ["b.txt"] * 2


def test_entities_that_a_pipeline_finds(path: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PLACE", "pattern": "Bergen"}])  # type: ignore[attr-defined]
    report = convert("text", [path], tmp_path / "a.spacy", nlp=nlp)
    assert report.entities_found == 1 and "entities in doc.ents after the pipeline" in format_report(report)


def test_bytes_that_are_no_text(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"Ada.\n\xff\nBo.")
    report = convert("text", [path], tmp_path / "a.spacy", malformed="any")
    assert (report.docs, report.skipped) == (2, 1) and "line 2: not UTF-8 text" in report.problems[0]


def test_bad_input(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R107.*--unit is 'page'; expected line or paragraph or file"):
        read(path, tmp_path, unit="page")
    with pytest.raises(ValueError, match=r"R125.*b\.jsonl.*convert jsonl"):
        read(path.rename(path.with_suffix(".jsonl")), tmp_path)
    with pytest.raises(ValueError, match="R812"):
        read(path.parent, tmp_path)


def test_options_of_other_formats(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R123.*--unit is not an option of the format 'brat', but of text") as error:
        convert("brat", [path], tmp_path / "a.spacy", unit="line")
    assert "\n" not in str(error.value)
    with pytest.raises(TypeError, match="unit_of"):
        convert("text", [path], tmp_path / "a.spacy", unit_of="line")
