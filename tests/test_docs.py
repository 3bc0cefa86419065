"""The code blocks of README and docs run, their commands exist, their links lead somewhere."""

import importlib.util
import pathlib
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# Pages whose code blocks train for a minute or more.
TRAINING = ("start/labels", "start/rules", "start/raw_text")
MARKED = [pytest.param(p, marks=[pytest.mark.long] if p[5:-3] in TRAINING else []) for p in PAGES]


@pytest.fixture(scope="module")
def run_docs(project_root: pathlib.Path) -> Any:
    path = project_root / "scripts" / "run_docs.py"
    spec = importlib.util.spec_from_file_location("run_docs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(1800)  # tutorials train: a minute on a free core, many where others use it
@pytest.mark.parametrize("page", MARKED)
def test_page(run_docs: Any, page: str) -> None:
    assert run_docs.check_file(ROOT / page) == []


PAGE = """# Page
```python
x = 1
```
<!-- skip -->
```python
raise ValueError
```
<!-- needs no/such/folder -->
```python
raise KeyError
```
```python
assert x == 1
```
"""


def test_blocks_share_a_namespace_and_marks_are_heeded(run_docs: Any, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert run_docs.check_file(page) == []


def test_shell_blocks_run_on_request_in_the_folder_of_the_python_blocks(run_docs: Any, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.md"
    shell = "<!-- run -->\n```bash\npython -c \"open('b', 'w').write(open('a').read() * 2)\"\n```\n"
    python = "```python\nassert open('b').read() == 'xx'\n```\n"
    page.write_text(f"```python\nwith open('a', 'w') as file:\n    file.write('x')\n```\n{shell}{python}")
    assert run_docs.check_file(page) == []
    page.write_text("<!-- run -->\n```bash\ncat nothing.txt | cat\necho unreached\n```\n")
    (problem,) = run_docs.check_file(page)
    assert f"{page}:3: exit status 1" in problem and "nothing.txt" in problem and "unreached" not in problem


def test_a_failing_block_is_reported_with_its_line(run_docs: Any, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\na = 1\nassert a == 2\n```\n")
    (problem,) = run_docs.check_file(page)
    assert "AssertionError" in problem and "line 5" in problem


@pytest.mark.parametrize(
    "line",
    [
        "make no-such-target",
        "python scripts/no_such_script.py",
        "python -m no_such_module",
        "python -m spacy no-such-command",
        "spacy relext no-such-command",
        "echo a | no_such_program",
        "python -m spacy project run no-such-workflow",
        "spacy train configs/no_such.cfg",
        "echo 'unclosed",
    ],
)
def test_commands_that_do_not_exist_are_found(run_docs: Any, tmp_path: pathlib.Path, line: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```bash\n{line}\n```\n")
    assert len(run_docs.check_file(page)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "make all && make test ARGS=-x",
        "python -m spacy project run rere . --vars.gpu_id 0   # a comment",
        "OMP_NUM_THREADS=1 python scripts/get_encoder.py \\\n  assets/encoder",
        "cat texts.txt | head -3",
    ],
)
def test_commands_that_exist_are_accepted(run_docs: Any, tmp_path: pathlib.Path, line: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```bash\n{line}\n```\n")
    assert run_docs.check_file(page) == []


def test_dead_links_are_found(run_docs: Any, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Some `part`, here\n[a](page.md) [b](nowhere.md#part) [c](https://example.org) [d](#some-part-here)\n"
    )
    assert run_docs.check_links(page) == [f"{page}: no file nowhere.md"]


def test_dead_anchors_are_found(run_docs: Any, tmp_path: pathlib.Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    page.write_text("# Part\n[a](#part) [b](#no-part) [c](other.md#one) [d](other.md#two)\n```\n# no-part\n```\n")
    other.write_text("## One\n")
    assert run_docs.check_links(page) == [
        f"{page}: no heading #no-part in page.md",
        f"{page}: no heading #two in other.md",
    ]
