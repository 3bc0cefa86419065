"""The pages: mkdocs.yml lists them all, they say what the code says, their sentences are short, nothing is remote."""

import importlib.util
import pathlib
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
GENERATED = re.compile(r"<!-- (?:commands|messages|api|results|data sets)\b.*?<!-- end -->", re.S)
NUMBER = re.compile(r"(?<![\w.-])(?<!± )\d[\d.,]*(?![\w-])")
# Words for which the field has others, or which leave open what is meant.
AVOIDED = re.compile(
    r"\b(the same|that of|those of|passes|peers?|fires?|fired|rivals?|settled?|surest|quiet|lately|readings?|temper)\b",
    re.I,
)


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
    names = [name for name, _ in load_script("write_reference").leaf_commands(get_command(relext), "")]
    assert [name for name in names if f"`{name.strip()}`" not in page] == []


def test_the_codes_on_the_page_of_messages_exist() -> None:
    from spacy_relext.errors import Errors, Warnings

    codes = re.findall(r"`([RW]\d{3})`", (REFERENCE / "messages.md").read_text(encoding="utf8"))
    assert codes and [code for code in codes if code not in {**vars(Errors), **vars(Warnings)}] == []


def test_links_out_of_the_pages_become_text() -> None:
    page = type("Page", (), {"file": type("File", (), {"src_uri": "tasks/a.md"})})()
    text = "[a](../../CONTRIBUTING.md#part) [b](../reference/api.md) ![c](../images/c.png) [d](#part)"
    assert load_script("docs_hooks").on_page_markdown(text, page=page) == text.replace(
        "[a](../../CONTRIBUTING.md#part)", "a"
    )


def test_the_parts_that_come_from_the_code_are_current() -> None:
    reference = load_script("write_reference")
    pages = {page.name: page.read_text(encoding="utf8") for page in REFERENCE.glob("*.md")}
    stale = [name for name, text in pages.items() if reference.fill(text) != text]
    assert stale == [], "python scripts/write_reference.py"
    assert "## `spacy relext kb train`" in pages["commands.md"] and "| `--min-score` |" in pages["commands.md"]
    assert "| `R001` | Subject and object" in pages["messages.md"] and "| `W001` |" in pages["messages.md"]


def test_docstrings_become_lists() -> None:
    text = "Do it.\n\npath (Path): A file,\n    which exists.\nRETURNS (List[int]): Numbers."
    assert load_script("write_reference").to_markdown(text).splitlines() == [
        *("Do it.", "", "- **path** (`Path`): A file,", "    which exists.", "- returns (`List[int]`): Numbers."),
    ]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of the paragraphs and lists of a page; tables, code and headings are left out."""
    text = re.sub(r"^ *```.*?^ *```|<!--.*?-->", "\n\n", text, flags=re.M | re.S)
    text = re.sub(r"^[|#].*$", "\n\n", text, flags=re.M)
    for paragraph in re.split(r"\n\s*\n|^ *(?:[-*]|\d+\.) ", text, flags=re.M):
        plain = re.sub(r"\]\([^)]*\)|[\[*]|`[^`]*`", lambda m: "code" if m[0].startswith("`") else "", paragraph)
        yield from (each for each in re.split(r"(?<=[.!?])\s+", " ".join(plain.split())) if each)


def own_text(page: str) -> str:
    """Read a page without the parts that are generated."""
    return GENERATED.sub("", (ROOT / page).read_text(encoding="utf8"))


PAGES = ["README.md", *sorted(p.relative_to(ROOT).as_posix() for p in DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_sentences_are_short_and_plain(page: str) -> None:
    found = list(sentences(own_text(page)))
    is_research = page.startswith("docs/research/")
    mean, longest, numbers = (20, 40, 4) if is_research else (16, 35, 2)
    lengths = [len(each.split()) for each in found] or [0]
    assert sum(lengths) / len(lengths) <= mean
    assert [each for each in found if len(each.split()) > longest] == []
    assert [each for each in found if len(NUMBER.findall(each)) > numbers] == []
    assert [each for each in found if AVOIDED.search(each)] == []


@pytest.mark.parametrize("page", [p for p in PAGES if not p.startswith("docs/research/")])
def test_machines_seeds_and_intervals_are_for_research(page: str) -> None:
    assert re.findall(r"±|\bAMD\b|\bEPYC\b|\bXeon\b|\b\w+ seeds\b", own_text(page)) == []


def words_of(page: str) -> int:
    """Count the words of a page without its code and without what is generated; bars of tables are none."""
    text = re.sub(r"^ *```.*?^ *```|<!--.*?-->", "", own_text(page), flags=re.M | re.S)
    return sum(any(map(str.isalnum, word)) for word in text.split())


def test_there_are_not_too_many_words() -> None:
    research = {page: words_of(page) for page in PAGES if page.startswith("docs/research/")}
    assert sum(map(words_of, PAGES)) - sum(research.values()) <= 25_000
    long = {page for page, count in research.items() if count > 1_100}
    assert long <= {"docs/research/differences.md"} and sum(research.values()) <= 16_000


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
