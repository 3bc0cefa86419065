"""The pages: mkdocs.yml lists them all, they say what the code says, their sentences are short, nothing is remote."""

import importlib.util
import pathlib
import pkgutil
import re
import subprocess
import sys
from configparser import ConfigParser
from typing import Any, Iterator, List

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
REMOTE = re.compile(
    r"<(?:script|img|iframe)[^>]+src=[\"']?https?://|<link[^>]+href=[\"']?https?://|url\([\"']?https?://"
)
# Of all pages but tables of results and what mkdocs makes from the code.
MOST_WORDS = 35_000


def load_script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def registered(kind: str) -> List[str]:
    config = ConfigParser(delimiters=("=",))
    config.optionxform = str  # type: ignore[assignment, method-assign]
    config.read(ROOT / "setup.cfg", encoding="utf8")
    lines = config["options.entry_points"][kind].strip().splitlines()
    return [line.partition(" =")[0].strip() for line in lines]


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf8")))
    assert listed == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


@pytest.mark.parametrize(
    "kind",
    ["factories", "architectures", "readers", "scorers", "callbacks", "misc"],
)
def test_the_page_of_components_has_every_registered_name(kind: str) -> None:
    page = (REFERENCE / "components.md").read_text(encoding="utf8")
    assert [name for name in registered(f"spacy_{kind}") if f"`{name}`" not in page] == []


def test_the_page_of_commands_has_every_command() -> None:
    from typer.main import get_command

    from spacy_relext.cli.main import relext

    page = (REFERENCE / "commands.md").read_text(encoding="utf8")
    names = [name for name, _ in load_script("docs_hooks").leaf_commands(get_command(relext), "")]
    assert [name for name in names if f"`{name.strip()}`" not in page] == []


def test_the_codes_on_the_page_of_messages_exist() -> None:
    from spacy_relext.errors import Errors, Warnings

    codes = re.findall(r"`([RW]\d{3})`", (REFERENCE / "messages.md").read_text(encoding="utf8"))
    assert codes and [code for code in codes if code not in {**vars(Errors), **vars(Warnings)}] == []


def test_the_names_on_the_api_page_exist() -> None:
    for name, members in re.findall(
        r"^::: ([\w.]+)(?:\n +options:(?:\n +show_.*)*\n +members: \[(.*)\])?", (REFERENCE / "api.md").read_text(), re.M
    ):
        module, _, last = name.rpartition(".")
        if members:
            module, wanted = name, members.split(", ")
        else:
            wanted = [last]
        assert all(hasattr(pkgutil.resolve_name(module), each) for each in wanted), name


def test_links_out_of_the_pages_become_text() -> None:
    page = type("Page", (), {"file": type("File", (), {"src_uri": "tasks/a.md"})})()
    text = "[a](../../CONTRIBUTING.md#part) [b](../reference/api.md) ![c](../images/c.png) [d](#part)"
    assert load_script("docs_hooks").on_page_markdown(text, page=page) == text.replace(
        "[a](../../CONTRIBUTING.md#part)", "a"
    )


def test_lists_of_commands_and_messages_are_filled_in() -> None:
    hooks = load_script("docs_hooks")
    commands, messages = "\n".join(hooks.command_lines()), "\n".join(hooks.message_lines())
    assert "## `spacy relext kb train`" in commands and "| `--min-score` |" in commands
    assert "| `R001` | Subject and object" in messages and "| `W001` |" in messages


def test_docstrings_become_lists() -> None:
    pytest.importorskip("griffe")
    text = "Do it.\n\npath (Path): A file,\n    which exists.\nRETURNS (List[int]): Numbers."
    assert load_script("docs_docstrings").to_markdown(text).splitlines() == [
        *("Do it.", "", "- **path** (`Path`): A file,", "    which exists.", "- returns (`List[int]`): Numbers."),
    ]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of the paragraphs and lists of a page; tables, code and headings are left out."""
    text = re.sub(r"^ *```.*?^ *```|<!--.*?-->", "\n\n", text, flags=re.M | re.S)
    text = re.sub(r"^[|#].*$", "\n\n", text, flags=re.M)
    for paragraph in re.split(r"\n\s*\n|^ *(?:[-*]|\d+\.) ", text, flags=re.M):
        plain = re.sub(r"\]\([^)]*\)|[\[*]|`[^`]*`", lambda m: "code" if m[0].startswith("`") else "", paragraph)
        yield from (each for each in re.split(r"(?<=[.!?])\s+", " ".join(plain.split())) if each)


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md") if p.parent.name != "benchmarks")
)
def test_sentences_are_short(page: str) -> None:
    lengths = [(len(each.split()), each) for each in sentences((DOCS / page).read_text(encoding="utf8"))]
    assert max(lengths)[0] <= 45 and sum(length for length, _ in lengths) / len(lengths) <= 25, max(lengths)


def test_there_are_not_too_many_words() -> None:
    pages = [p for p in DOCS.rglob("*.md") if p.parent.name != "benchmarks" and p.name != "api.md"]
    words = [word for page in pages for word in page.read_text(encoding="utf8").split()]
    assert sum(any(map(str.isalnum, word)) for word in words) <= MOST_WORDS, "bars of tables are not counted"


@pytest.mark.slow
def test_the_site_is_built_and_loads_nothing_remote(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    assert [page.name for page in pages if REMOTE.search(page.read_text(encoding="utf8"))] == []
    assert (tmp_path / "site" / "search" / "search_index.json").exists()
