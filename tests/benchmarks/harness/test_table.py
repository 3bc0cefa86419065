"""The commands of a table, as they are and small."""

import pathlib
from typing import Any, List

import pytest

from benchmarks.harness import table
from benchmarks.harness.rows import Row, add_rows, make_row


def row(command: str, benchmark: str = "nyt24", **changes: Any) -> Row:
    options = {"data": "toy", "split": "test", "system": "default", "metric": "exact_f", "values": {0: 0.5}}
    return make_row(benchmark, **{**options, **changes}, command=command)


def test_the_tables_of_the_results(tmp_path: pathlib.Path) -> None:
    rows = [
        row("python -m benchmarks rere nyt24 --peer"),
        row("python -m benchmarks rere nyt24 --peer", metric="macro_f"),
        row("python benchmarks/rere.py nyt24 --only 'ours, too' --seeds 0", system="ablation:x"),
        row("python -m benchmarks rere fair", benchmark="fair"),
    ]
    add_rows(tmp_path / "rere.json", rows)
    tables = table.find_tables(tmp_path)
    assert list(tables) == ["rere-nyt24", "rere-fair"]
    assert table.commands_of(tables["rere-nyt24"]) == [
        ["rere", "nyt24", "--peer"],
        ["rere", "nyt24", "--only", "ours, too", "--seeds", "0"],
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("rere nyt24 --peer --passes 12", "rere nyt24 --peer --passes 1 --limit-train 60 --limit-test 40 --seeds 0"),
        ("kd conll04 scierc --only a,b", "kd conll04 --only a --passes 1 --limit-train 60 --limit-test 40 --seeds 0"),
        ("graph grouping --seeds 0,1", "graph grouping --seeds 0"),  # the program has no passes
    ],
)
def test_small_commands(tmp_path: pathlib.Path, command: str, expected: str) -> None:
    target = tmp_path / "rows.json"
    small = table.make_small(command.split(), results=target)
    end = ["--results", str(target)]
    assert small[: len(expected.split()) + 2] == [*expected.split(), *end]
    assert small[len(expected.split()) + 2 :] in ([], ["--figures", str(tmp_path)])


def test_all_tables_have_commands_that_can_be_small(tmp_path: pathlib.Path) -> None:
    tables = table.find_tables()
    assert len(tables) > 20
    for rows in tables.values():
        assert table.make_small(table.commands_of(rows)[0], results=tmp_path)


def test_the_command(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    rows = [row("python -m benchmarks rere nyt24"), row("python -m benchmarks rere nyt24 --peer", system="peer:x")]
    called: List[List[str]] = []

    class Done:
        returncode = 0

    def run(command: List[str], **_: Any) -> Done:
        called.append(command[1:])
        if "--results" in command:
            add_rows(pathlib.Path(command[command.index("--results") + 1]), rows)
        return Done()

    monkeypatch.setattr(table, "find_tables", lambda: {"rere-nyt24": rows})
    monkeypatch.setattr(table, "ROOT", tmp_path)
    monkeypatch.setattr(table.subprocess, "run", run)
    table.main("rere-nyt24")
    assert [each[2:] for each in called] == [["rere", "nyt24"], ["rere", "nyt24", "--peer"]]
    called.clear()
    table.main("rere-nyt24", small=True)
    assert len(called) == 1 and "--limit-train" in called[0]
    assert "| test | default | 50.0 |" in capsys.readouterr().out
    Done.returncode = 3
    with pytest.raises(SystemExit, match="3"):
        table.main("rere-nyt24")
    with pytest.raises(SystemExit, match="there is no rere-x; known are rere-nyt24"):
        table.main("rere-x")
