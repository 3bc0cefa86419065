"""project.yml, the Makefile and the scripts fit together."""

import pathlib
import re
import shlex
from typing import Any, Dict, List

import pytest
import srsly

GENERATED = ("assets/encoder", "corpus", "graph", "metrics", "packages", "training")


@pytest.fixture(scope="module")
def project(project_root: pathlib.Path) -> Dict[str, Any]:
    from weasel.util.config import load_project_config

    return load_project_config(project_root)


def words_of(command: Dict[str, Any]) -> List[str]:
    return [word for line in command["script"] for word in shlex.split(line)]


def test_project_is_valid(project_root: pathlib.Path) -> None:
    from weasel.schemas import ProjectConfigSchema, validate

    assert validate(ProjectConfigSchema, srsly.read_yaml(project_root / "project.yml")) == []


def test_scripts_and_configs_exist(project: Dict[str, Any], project_root: pathlib.Path) -> None:
    for command in project["commands"]:
        named = [word for word in words_of(command) if word.startswith(("scripts/", "configs/"))]
        assert [name for name in named if not (project_root / name).exists()] == [], command["name"]


def test_steps_find_what_they_need(project: Dict[str, Any], project_root: pathlib.Path) -> None:
    """Each dependency is in the checkout or comes out of an earlier step, in every workflow."""
    commands = {command["name"]: command for command in project["commands"]}
    for workflow, steps in project["workflows"].items():
        made: List[str] = []
        for step in steps:
            for needed in commands[step].get("deps", []):
                if needed.startswith(GENERATED):
                    assert any(needed.startswith(output) for output in made), f"{workflow}: {step} needs {needed}"
                else:
                    assert (project_root / needed).exists(), f"{step} needs {needed}"
            made += commands[step].get("outputs", [])


def test_every_step_is_in_all(project: Dict[str, Any]) -> None:
    """In the order of the commands, but the demos of all pipelines come last."""
    steps = [command["name"] for command in project["commands"]]
    shown = [name for name in steps if name.startswith("show-")]
    assert project["workflows"]["all"] == [*(name for name in steps if name not in shown), *shown]


def test_steps_can_be_skipped(project: Dict[str, Any]) -> None:
    """A step without outputs runs every time: only the last of a workflow, which shows triples, may."""
    without = [command["name"] for command in project["commands"] if not command.get("outputs")]
    assert all(name.startswith("show-") for name in without)


def test_scripts_of_one_step_are_its_dependencies(project: Dict[str, Any]) -> None:
    for command in project["commands"]:
        scripts = [word for word in words_of(command) if word.startswith("scripts/")]
        assert set(scripts) <= set(command.get("deps", [])), command["name"]


def test_configs_have_a_tiny_twin(project: Dict[str, Any], project_root: pathlib.Path) -> None:
    for command in project["commands"]:
        for word in words_of(command):
            if word.startswith("configs/"):
                assert (project_root / "configs" / "smoke" / pathlib.Path(word).name).exists(), command["name"]


def test_make_help_names_every_target(project_root: pathlib.Path) -> None:
    text = (project_root / "Makefile").read_text(encoding="utf8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    helped = text[text.index("\nhelp:") :]
    assert [target for target in phony.split() if f"make {target}" not in helped and target != "help"] == []
    assert set(phony.split()) <= set(re.findall(r"^([\w-]+):", text, re.M))


def test_no_index_address_is_written_down(project_root: pathlib.Path) -> None:
    for name in ("Makefile", "constraints.txt", "setup.cfg", "pyproject.toml", ".ci/run", "project.yml"):
        text = (project_root / name).read_text(encoding="utf8")
        assert not re.search(r"index-url|find-links|https?://(?!spacy\.io)", text), name
