"""Files and folders as numbered units."""

import gzip
import json
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext.corpora.raw_text import TextLog
from spacy_relext.corpora.texts import list_sources

pyarrow = pytest.importorskip("pyarrow")


def read(path: Path, **options: Any) -> List[Any]:
    """Read all units; ids, texts and other keys."""
    found = []
    for source in list_sources(path, **options):
        units = list(source.units())
        assert source.count() == len(units)
        found += [(each.number, each.text, each.extra) for each in source.read(TextLog(), units)]
    return found


def compress(path: Path, data: bytes) -> None:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data))
    else:
        with pyarrow.CompressedOutputStream(path, "zstd") as stream:
            stream.write(data)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_lines_and_json_lines(tmp_path: Path, suffix: str) -> None:
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(data) if not suffix else compress(path, data)
        return path

    path = write("in.txt", "One å.\n\nTwo.\n".encode())
    assert read(path) == [(f"{path.name}:1", "One å.", {}), (f"{path.name}:3", "Two.", {})]
    assert read(path, input_format="paragraph")[1][:2] == (f"{path.name}:3", "Two.")
    path = write("in.jsonl", b'{"text": "One.", "id": 7}\n{"text": "Two."}\n')
    assert read(path) == [(f"{path.name}:1", "One.", {"id": 7}), (f"{path.name}:2", "Two.", {})]


def test_parquet(tmp_path: Path) -> None:
    import datetime

    import pandas

    when = datetime.date(2020, 1, 2)
    rows = {"text": ["One.", None, "Three."], "id": [1, 2, 3], "day": [when] * 3}
    pandas.DataFrame(rows).to_parquet(tmp_path / "in.parquet")
    source, *_ = list_sources(tmp_path / "in.parquet")
    messages: List[str] = []
    found = source.read(TextLog(report=messages.append))
    assert [(raw.text, raw.extra) for raw in found] == [
        ("One.", {"id": 1, "day": "2020-01-02"}),
        ("Three.", {"id": 3, "day": "2020-01-02"}),
    ]
    assert messages and "R811" in messages[0] and "row 2" in messages[0]
    pandas.DataFrame({"a": [1]}).to_parquet(tmp_path / "in.parquet")
    assert read(tmp_path / "in.parquet") == []


def test_compressed_texts_of_a_folder(tmp_path: Path) -> None:
    for name in ("a.txt.gz", "b.txt.zst"):
        compress(tmp_path / name, f"Text of {name}\r\nin two lines.".encode())
    assert [(text, extra) for _, text, extra in read(tmp_path)] == [
        (f"Text of {name}\nin two lines.", {"file": name}) for name in ("a.txt.gz", "b.txt.zst")
    ]


def test_a_folder_of_many_kinds(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.txt").write_bytes(b"Whole\r\ntext.")
    (tmp_path / "deep" / "a.txt").write_text("Other text.")
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": "Line."}) + "\n")
    (tmp_path / "notes.md").write_text("# Notes\n\nOf *Ada*.")
    (tmp_path / "minutes.docx").write_text("no")
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "_work").mkdir()
    (tmp_path / "_work" / "x.txt").write_text("no")
    DocBin(docs=[spacy.blank("en")("Doc text.")]).to_disk(tmp_path / "d.spacy")
    with pytest.warns(UserWarning, match=r"W202.* 1 \.docx, such as minutes\.docx"):
        found = read(tmp_path)
    assert [(text, extra.get("file")) for _, text, extra in found] == [
        ("Whole\ntext.", "b.txt"),
        ("Other text.", "deep/a.txt"),
        ("Notes\n\nOf Ada.", "notes.md"),
        ("Line.", None),
        ("Doc text.", None),
    ]
    (tmp_path / "minutes.docx").unlink()
    (tmp_path / "notes.md").unlink()
    assert [text for _, text, _ in read(tmp_path, input_format="text")][:2] == ["Whole", "text."]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"R812.*\.parquet.*\.spacy"):
        list_sources(tmp_path / "empty")
    with pytest.raises(ValueError, match="R202"):
        list_sources(tmp_path / "absent")


@pytest.mark.parametrize("name", ["x.txt.gz", "x.txt.zst", "x.jsonl.gz", "x.parquet", "x.spacy"])
@pytest.mark.parametrize("data", [b"", b"junk that is none", "half"])
def test_damaged_files_are_one_line(tmp_path: Path, name: str, data: Any) -> None:
    path = tmp_path / name
    if data == "half":
        if path.suffix not in (".gz", ".zst"):
            pytest.skip("only of compressed files")
        compress(path, "".join(f"text number {number * 7919}\n" for number in range(5000)).encode())
        data = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(data)
    if not data and path.suffix in (".gz", ".zst"):
        return  # an empty file is empty
    with pytest.raises(ValueError, match=r"^\[R\d+\]") as raised:
        read(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)
