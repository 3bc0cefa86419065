"""Reading decisions of people about entities, and one line for what is none."""

from pathlib import Path

import pytest

from spacy_relext.graph.decisions import Decision, read_decisions


def test_decisions(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"same": ["A", "B"]}\n\n{"rename": [3, "C"]}\n{"different": [1, 2]}\n')
    assert read_decisions(path) == [
        Decision("same", "A", "B", f"{path}:1"),
        Decision("rename", 3, "C", f"{path}:3"),
        Decision("different", 1, 2, f"{path}:4"),
    ]
    assert str(Decision("rename", 3, "C")) == '{"rename": [3, "C"]}'
    assert str(Decision("same", "Łódź", 3)) == '{"same": ["Łódź", 3]}'


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"merge": ["a", "b"]}', '{"same": ["a"]}', '{"same": ["a", "a"]}', '{"same": ["a", 1.5]}',
     '{"same": "ab"}', '{"same": ["a", "b", "c"]}', '{"same": [1, 1]}', '{"same": ["a", "b"], "rename": ["a", "b"]}',
     '{"same": [null, "b"]}', '{"rename": ["a", 3]}', '{"same": ["a", " "]}', '{"same": ["a", true]}'],
)  # fmt: skip
def test_malformed_decisions(tmp_path: Path, line: str) -> None:
    (tmp_path / "d.jsonl").write_text('{"same": ["x", "y"]}\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"R832\] {tmp_path}/d\.jsonl:2: "):
        read_decisions(tmp_path / "d.jsonl")


def test_contradicting_decisions(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    lines = ['{"rename": ["x", "y"]}', '{"same": ["x", "y"]}', '{"same": ["y", "x"]}', '{"different": ["x", "z"]}']
    path.write_text("\n".join(lines))
    assert len(read_decisions(path)) == 4
    path.write_text("\n".join([*lines, '{"different": ["y", "x"]}']))
    with pytest.raises(ValueError, match=r"R833.*d\.jsonl:5.*contradicts.*d\.jsonl:2"):
        read_decisions(path)
    with pytest.raises(ValueError, match="R832"):
        read_decisions(tmp_path / "missing.jsonl")
