"""Text files as programs of Windows write them."""

import codecs
from pathlib import Path

import pytest

from spacy_relext.annotations.encoding import decode, describe_bytes
from spacy_relext.corpora.formats.sources import read_json, read_lines
from spacy_relext.corpora.texts import TextLog, list_sources

LINES = ["Eva Dahl leads Malmö.", "𝄞 is a clef\u2028of music."]
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
}


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("end", ["", "\r\n", "\x1a", "\r\n\x1a"])
def test_a_byte_order_mark_names_the_encoding(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(MARKS[encoding] + ("\r\n".join(LINES) + end).encode(encoding))
    assert [item.value for item in read_lines(path)] == LINES
    assert decode(path.read_bytes()).split("\r\n")[:2] == LINES
    (source,) = list_sources(path)
    assert [(raw.text, raw.line) for raw in source.read(TextLog(strict=True))] == [(LINES[0], 1), (LINES[1], 2)]


@pytest.mark.parametrize("content", ['{"a": "ö"}\r\n', '{"a": "ö"}\x1a', '{"a": "ö"}\r\n\x1a', '[{"a": "ö"}]\r\n\x1a'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_json_of_windows(tmp_path: Path, content: str, encoding: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(MARKS[encoding] + content.encode(encoding))
    assert [(item.value, item.error) for item in read_json(path)] == [({"a": "ö"}, "")]


def test_a_file_that_is_cut_off_in_the_middle_of_a_character(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le")[:-1])
    whole, cut = read_lines(path)
    assert whole.value == "a" and "not UTF-8 text" in cut.error


@pytest.mark.parametrize(
    "data, line, word",
    [
        (b'a\n{"text": "Lund and Malm\xf6."}\n', 2, "'Malmö'"),
        (b"Lund\x92s \x81\n", 1, "'Lund’s'"),
        (b"\xcf\xf0\xe8\xe2\xe5\xf2\n", 1, ""),
    ],
)
def test_the_line_and_a_guess_are_named(data: bytes, line: int, word: str) -> None:
    with pytest.raises(UnicodeDecodeError) as error:
        decode(data)
    number, what = describe_bytes(error.value)
    assert number == line and what.startswith("not UTF-8 text (byte ")
    assert (f"as Windows-1252 it says {word}" in what) if word else "Windows" not in what
