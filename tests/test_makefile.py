"""The Makefile: every target is explained, and torch is installed as the machine needs it."""

import os
import pathlib
import re
import shutil
import subprocess
from typing import Dict, List

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
if not (ROOT / "Makefile").exists() or shutil.which("make") is None:
    pytest.skip("needs a checkout of the project, and make", allow_module_level=True)

FILES = ["Makefile", "setup.cfg", "pyproject.toml", "constraints.txt"]
# In place of the environment's python: notes what it is called with; $WITHOUT is a part of the calls that fail.
PYTHON = '#!/bin/sh\necho "$*" >> log\ncase "$*" in *"$WITHOUT"*) exit 1;; esac\n'
GPU = "#!/bin/sh\necho 'GPU 0: a card'\n"


def run_make(folder: pathlib.Path, *arguments: str, **variables: str) -> str:
    """Run make without the variables of a make around it, and without a GPU unless `PATH` has one."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env={**environment, **variables}, capture_output=True, text=True, check=True
    ).stdout


def test_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    patterns = [name.replace("%", "NAME") for name in re.findall(r"^([\w-]+-%[\w-]*):", makefile, re.M)]
    explained = re.findall(r"^make ([\w-]+) +\S", run_make(ROOT, "help"), re.M)
    assert sorted(explained) == sorted([*targets.split(), *patterns]) and len(patterns) == 2


def test_make_alone_installs_and_shows_the_shipped_pipeline(tmp_path: pathlib.Path) -> None:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    commands = run_make(tmp_path, "-n")
    steps = ["-m venv .venv", '-e ".[project]"', "relext extract default assets/demo", "demo/graph.html", "Next"]
    places = [commands.index(step) for step in steps]
    assert places == sorted(places) and "spacy train" not in commands and commands == run_make(tmp_path, "-n", "demo")


def test_all_says_first_what_it_does(tmp_path: pathlib.Path) -> None:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    plan = run_make(tmp_path, "plan")
    assert re.search(r"\d GB of disk .* \d+ minutes", plan)
    commands = run_make(tmp_path, "-n", "all")
    steps = [commands.index(step) for step in ("GB of disk", "-m venv .venv", "+cpu", '-e ".[project]"', "run all")]
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    ("has_gpu", "without", "torch", "expected"),
    [
        (False, "import torch", "", [r"-c import torch", r"--only-binary :all: torch==[\d.]+\+cpu"]),
        (False, "torch", "", [r"-c import torch", r"--only-binary :all: torch==[\d.]+\+cpu"]),  # no such build
        (False, "nothing", "", [r"-c import torch"]),  # it is installed
        (True, "nothing", "", []),
        (False, "nothing", "torch --pre", [r"constraints.txt torch --pre"]),
    ],
)
def test_torch_is_a_cpu_build_without_a_gpu(
    has_gpu: bool, without: str, torch: str, expected: List[str], tmp_path: pathlib.Path
) -> None:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    programs: Dict[str, str] = {".venv/bin/pip": "", ".venv/bin/python": PYTHON}
    programs["bin/nvidia-smi"] = GPU if has_gpu else "#!/bin/sh\nexit 9\n"
    for path, code in programs.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code, encoding="utf8")
        (tmp_path / path).chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    run_make(tmp_path, ".venv/.installed", f"TORCH={torch}", PATH=path, WITHOUT=without)
    calls = (tmp_path / "log").read_text(encoding="utf8").splitlines()
    assert len(calls) == len(expected) + 1 and calls[-1].endswith("-e .[project]")
    for call, pattern in zip(calls, expected):
        assert re.search(pattern, call)
