import pathlib

import check_prose
import pytest

LINES = """[P1 Ada Holm] was born in [L2 Vardal]. || 1 place_of_birth 2
[P1 Ada Holm] wrote [W2 Tide]. || 2 author 3
[P1 Ada Holm] wrote [W2 Tide]. || 1 author 2
"""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["check_prose.py", *map(str, arguments)])
    return check_prose.main()


def test_the_prose_of_the_project(
    project_root: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prose = project_root / "assets" / "prose"
    held_out = sorted([prose / "dev.txt", *prose.glob("test_*.txt")])
    status = run(monkeypatch, *held_out, *sorted(prose.glob("train_*.txt")))
    assert status == 0, capsys.readouterr().out
    more = prose / "more"
    others = [*more.glob("train_*.txt"), *(prose / "other").glob("train_*.txt")]
    status = run(monkeypatch, *(more / f"{name}.txt" for name in ("test", "assertions")), *others)
    assert status == 0, capsys.readouterr().out


def test_problems_are_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "part.txt"
    path.write_text(LINES, encoding="utf8")
    assert run(monkeypatch, path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{path}:2: ") and "3" in lines[0]
    assert lines[1] == f"{path}:3: author: subject 'Ada Holm' is ['PERSON']"
    assert run(monkeypatch, "--apart", path, "--", path) == 1
    assert "in both parts: vardal" in capsys.readouterr().out
