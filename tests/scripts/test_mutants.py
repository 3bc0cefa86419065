"""Mutation testing: which mutants there are, and which of them a test notices."""

import json
import pathlib
import sys
from typing import Any, Dict

import pytest

pytest.importorskip("mutmut")

import mutants  # noqa: E402

CODE = """LIMIT: float = 0.5


def is_likely(score, least=LIMIT):
    if score < 0:
        raise ValueError(f"score is {score - 0}, expected " + "a number from 0")
    return score >= least


def clamp(score):
    return min(max(score, least=0.1), 1.0)
"""
TEST = """from area import is_likely


def test_scores():
    assert is_likely(0.75) and not is_likely(0.25)
"""


def test_mutants_of_a_module() -> None:
    found = {(each.line, each.key["before"], each.key["after"]) for each in mutants.make_mutants("area.py", CODE)}
    assert {(1, "0.5", "1.5"), (5, "< 0", "<= 0"), (7, ">= least", "> least")} <= found
    assert (11, "max(score, least=0.1)", "max(score, )") in found, "a keyword argument is left out"
    assert not [each for each in found if each[0] == 6], "nothing in an exception"
    assert not list(mutants.make_mutants("area.py", 'HELP = "a text for people"\n'))
    assert not list(mutants.make_mutants("area.py", "zeros(3, dtype=int)\n".replace("3", "n")))
    assert not [each for each in found if "None" in each[2]]


def test_a_seed_chooses_lines_and_prefers_operators() -> None:
    made = list(mutants.make_mutants("area.py", CODE))
    chosen = mutants.choose_mutants(made, count=10, seed=0)
    assert sorted(each.line for each in chosen) == [1, 5, 7, 11]
    assert all(each.is_plain for each in chosen)
    same = mutants.choose_mutants(made, count=2, seed=3)
    assert [each.key for each in same] == [each.key for each in mutants.choose_mutants(made, count=2, seed=3)]


def test_a_mutant_meets_the_tests_of_its_module(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, log = tmp_path / "area.py", tmp_path / "log"
    path.write_text(CODE, encoding="utf8")
    (tmp_path / "test_area.py").write_text(TEST, encoding="utf8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(mutants, "PYTEST", ("-q", "-p", "no:cacheprovider", "-p", "no:xdist"))
    times = mutants.time_tests([("test_area.py",)], log=log)
    assert times[("test_area.py",)] > 0.0
    killed: Dict[str, Any] = {}
    for mutant in mutants.make_mutants("area.py", CODE):
        if mutant.line in (1, 7):
            killed[mutant.key["after"]] = mutants.is_killed(mutant, path, times, log=log)
        assert path.read_text(encoding="utf8") == CODE
    assert killed == {"1.5": True, "> least": False}


def test_survivors_are_written(tmp_path: pathlib.Path) -> None:
    (mutant,) = (each for each in mutants.make_mutants("area.py", "BITS = 1 | 2\n") if each.key["after"] == "1 & 2")
    mutants.write_report(tmp_path / "survivors.md", [mutant], "1 of 1")
    lines = (tmp_path / "survivors.md").read_text(encoding="utf8").splitlines()
    assert "| area.py:1 | `1 \\| 2` | `1 & 2` |" in lines
    listed = {"module": "area.py", "line": "BITS = 1 | 2", "before": "1 | 2", "after": "1 & 2", "reason": ""}
    assert json.dumps(listed) in lines


def test_every_module_has_tests_and_every_reason_a_place(project_root: pathlib.Path) -> None:
    modules = mutants.find_modules(project_root)
    assert len(modules) > 30
    for parts in modules.values():
        assert all((project_root / name).exists() for part in parts for name in part)
    for line in mutants.EQUIVALENT.read_text(encoding="utf8").splitlines():
        entry = json.loads(line)
        text = (project_root / entry["module"]).read_text(encoding="utf8")
        places = [each.strip() for each in text.splitlines()]
        assert entry["line"] in places and len(entry["reason"]) > 10, entry
