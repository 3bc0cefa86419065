import pathlib
from typing import List

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.harness.program import command_line
from benchmarks.harness.runs import ROOT


def test_the_command_line_is_written_down_without_folders() -> None:
    arguments = ["rere", "nyt24", "--data", "/somewhere/data", "--seeds", "0", "--runs=/elsewhere", "--config"]
    arguments += [f"{ROOT}/configs/rere.cfg", "--encoder", "--odd", "--models", "/there", "--models=/here", "--peer"]
    expected = "python -m benchmarks rere nyt24 --seeds 0 --config configs/rere.cfg --peer"
    assert command_line(arguments) == expected


@pytest.mark.parametrize(
    "program, arguments, message",
    [
        ("rere", ["nyt25"], "no experiment 'nyt25'"),
        ("rere", ["nyt24", "--only", "peers"], "nyt24 has ours, peer"),
        ("rere", ["nyt24", "--seeds", "a"], "--seeds a"),
        ("rere", ["nyt24", "--config", "nowhere"], "--config nowhere: not found"),
        ("rere", ["missing-labels", "--only", "mse"], "missing-labels has bce, collective-row"),
        ("kd", ["semeval2"], "no experiment 'semeval2'"),
        ("kd", ["conll04", "--only", "ner"], "conll04 has grid, ablations"),
        ("kd", ["labels", "--seeds", "0,0"], "--seeds 0,0"),
        ("kd", ["speed", "--precision", "fp8"], "--precision fp8"),
        ("kd", ["speed", "--encoder", "nowhere"], "--encoder nowhere: not found"),
    ],
)
def test_bad_options_give_one_line(program: str, arguments: List[str], message: str, tmp_path: pathlib.Path) -> None:
    given = ["--data", str(tmp_path), "--runs", str(tmp_path), "--encoder", str(tmp_path)]
    done = CliRunner().invoke(app, [program, *given, *arguments])
    assert done.exit_code == 1
    assert message in done.output
    assert done.output.count("\n") == 1
