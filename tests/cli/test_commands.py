"""What all commands have in common: their groups, the number of options, and one spelling for one meaning."""

from collections import defaultdict
from typing import Any, DefaultDict, Dict, List, Set, Tuple

import pytest
from typer.main import get_command

from spacy_relext.cli.main import COMMANDS, Group, relext

TOP = "init-config convert debug-data tune evaluate compare explain view extract pack serve"
GROUPS = {
    "annotate": "export correct agree retrain",
    "rules": "check mine",
    "kb": "align filter train",
    "graph": "build query view review export",
    "clusters": "view rename",
    "research": "teach folds drop-triples",
}
MAX_OPTIONS = 14

# Options of one meaning whose default depends on the command.
DEFAULTS_DIFFER = {
    "--top": "lists differ in length",
    "--html": "graph view and clusters view write nothing else, and so require it",
}
# Options whose help differs: `kb train` evaluates facts, `annotate retrain` documents.
HELP_DIFFERS = {"--html", "--test"}


def leaves() -> Dict[str, Any]:
    """Every command by its full name."""
    found: Dict[str, Any] = {}
    for name, command in get_command(relext).commands.items():  # type: ignore[attr-defined]
        children = getattr(command, "commands", None)
        found.update({name: command} if children is None else {f"{name} {each}": children[each] for each in children})
    return found


LEAVES = leaves()


def options_of(command: Any) -> List[Any]:
    return [each for each in command.params if each.param_type_name == "option"]


def test_the_commands_and_their_groups() -> None:
    groups = {name: " ".join(entry) for name, entry in COMMANDS.items() if isinstance(entry, Group)}
    assert " ".join(name for name in COMMANDS if name not in groups) == TOP
    assert groups == GROUPS


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_has_few_options_and_help_for_each(name: str) -> None:
    options = options_of(LEAVES[name])
    assert len(options) <= MAX_OPTIONS
    assert LEAVES[name].help and all(each.help for each in LEAVES[name].params)


def meanings() -> DefaultDict[str, Set[Tuple[str, str, str]]]:
    """Help, kind and default of each option."""
    found: DefaultDict[str, Set[Tuple[str, str, str]]] = defaultdict(set)
    for command in LEAVES.values():
        for each in options_of(command):
            (name,) = (option for option in each.opts if option.startswith("--"))
            default = "" if name in DEFAULTS_DIFFER else repr(each.default)
            help_text = "" if name in HELP_DIFFERS else each.help
            kind = repr((each.multiple, each.is_flag, getattr(each, "min", None), getattr(each, "max", None)))
            found[name].add((help_text, kind, default))
    return found


@pytest.mark.parametrize(("name", "meaning"), meanings().items())
def test_an_option_means_the_same_everywhere(name: str, meaning: Set[Tuple[str, str, str]]) -> None:
    assert len(meaning) == 1


def test_a_pipeline_is_loaded_with_its_code() -> None:
    without = [
        name
        for name, command in LEAVES.items()
        if {"pipeline", "first", "teacher"}.intersection(each.name for each in command.params)
        and "code" not in {each.name for each in command.params}
    ]
    assert without == []


def test_pages_and_overwriting_are_spelt_alike() -> None:
    """A page is --html, and never an argument; nothing is overwritten by another word than --force."""
    for name, command in LEAVES.items():
        for each in command.params:
            is_html = ".html" in f"{each.metavar} {each.help}" and each.name not in ("svg", "serve", "source")
            assert not is_html or each.opts == ["--html"], name
            assert "overwrite" not in each.name, name
            assert not each.multiple or each.metavar == "KEY=VALUE", f"{name}: lists are given by commas"
