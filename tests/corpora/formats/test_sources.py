import json
from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.corpora.formats.sources import parse_json, read_json, read_lines

RECORDS = [{"text": 'a ] , [ "b"\n'}, {"text": "é\u2028"}, {}]


def write(folder: Path, content: Any) -> Path:
    path = folder / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_arrays_and_lines_are_the_same(tmp_path: Path, indent: Any, bom: str) -> None:
    array = write(tmp_path, bom + "\n" + json.dumps(RECORDS, indent=indent, ensure_ascii=False) + "\n")
    assert [item.value for item in read_json(array)] == RECORDS
    lines = write(tmp_path, bom + "\r\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS))
    assert [item.value for item in read_json(lines)] == RECORDS


def test_places(tmp_path: Path) -> None:
    path = write(tmp_path, '\n[\n {"a": 1},\n\n {"a":\n 2}, {"a": 3}]')
    assert [item.where for item in read_json(path)] == [
        f"{path}:3 (element 1)",
        f"{path}:5 (element 2)",
        f"{path}:6 (element 3)",
    ]
    path = write(tmp_path, '{"a": 1}\n\n{"a": 2}')
    assert [item.where for item in read_json(path)] == [f"{path}:1", f"{path}:3"]


@pytest.mark.parametrize("content", ["", " \n", "[]", " [ ] "])
def test_nothing_to_read(tmp_path: Path, content: str) -> None:
    assert list(read_json(write(tmp_path, content))) == []


@pytest.mark.parametrize(
    "content, line",
    [('[{"a": 1},\n{"a" 2}]', 2), ('[{"a": 1}\n{"a": 2}]', 2), ("[1,\n2", 2), ("[1,\n", 2), ("[1]\n]", 2), ("[", 1)],
)
def test_a_broken_array_stops_with_its_line(tmp_path: Path, content: str, line: int) -> None:
    with pytest.raises(ValueError, match=f"R101.*file:{line}: broken JSON array") as error:
        list(read_json(write(tmp_path, content)))
    assert "\n" not in str(error.value)


def test_an_array_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"R101.*not UTF-8 text \(byte 3"):
        list(read_json(write(tmp_path, b'["\xff"]')))


def test_bad_lines_are_items_with_an_error(tmp_path: Path) -> None:
    deep = "[" * 100_000
    items = list(
        read_json(write(tmp_path, b'{"a": 1}\n{"a"}\n{"a": "\xff"}\n{"b": ' + deep.encode() + b'\n{"a": 2}\n'))
    )
    assert [bool(item.error) for item in items] == [False, True, True, True, False]
    assert "column 5" in items[1].error and "byte 8" in items[2].error
    assert [item.line for item in items] == [1, 2, 3, 4, 5]


def test_comments_are_left_out_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff# head\n\none\r\n \n#two\n # three\n")
    assert [item.value for item in read_lines(path, comment="#")] == ["one", " # three"]
    assert len(list(read_lines(path))) == 6


@given(st.lists(st.recursive(st.none() | st.text() | st.floats(allow_nan=False), lambda x: st.lists(x), max_leaves=4)))
def test_any_array(tmp_path_factory: pytest.TempPathFactory, values: List[Any]) -> None:
    path = write(tmp_path_factory.mktemp("array"), json.dumps(values))
    assert [item.value for item in read_json(path)] == values


def test_how_deep_lists_may_be_nested() -> None:
    assert parse_json(100 * "[" + "1" + 100 * "]")
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        parse_json(101 * "[" + "1" + 101 * "]")
