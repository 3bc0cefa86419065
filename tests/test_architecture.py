"""docs/architecture.md and CONTRIBUTING.md say the same as the tree: every path and every name in them exists."""

import ast
import pathlib
import re
from typing import Iterator, Set

import pytest

PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
IDENTIFIER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?")
# A registered name, an attribute of spaCy's objects, a file that each method has.
REGISTERED = re.compile(r"spacy_relext\.\w+\.v\d+")
# Words of spaCy, thinc and the tools, and names that a reader chooses.
FOREIGN = {
    "default_score_weights",
    "vX.Y.Z",
    "Model",
    "Doc",
    "Example",
    "spacy.blank",
    "RETURNS",
    "RAISES",
    "NAME",
    "all",
    "dev",
    "name",
    "spaCy",
    "pytest",
}
ANYWHERE = {"component.py", "architectures.py", "model.py", "losses.py", "models.py"}


def spans_of(text: str) -> Iterator[str]:
    """Yield what stands in backticks outside code blocks."""
    yield from CODE.findall(FENCE.sub("", text))


def names_of(root: pathlib.Path) -> Set[str]:
    """Collect the names that the package, its tests and benchmarks define."""
    names: Set[str] = set()
    for folder in ("spacy_relext", "tests", "benchmarks"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    names.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    names.add(node.attr)
                elif isinstance(node, ast.arg):
                    names.add(node.arg)
    return names


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(project_root: pathlib.Path, page: str) -> None:
    spans = spans_of((project_root / page).read_text(encoding="utf8"))
    paths = [span for span in spans if re.fullmatch(r"[\w.\-]+(/[\w.\-]*)+", span) and "NAME" not in span]
    bases = (project_root, project_root / "spacy_relext", (project_root / page).parent)
    assert paths
    assert [path for path in paths if not any((base / path).exists() for base in bases)] == []


@pytest.mark.parametrize("page", PAGES)
def test_names_exist(project_root: pathlib.Path, page: str) -> None:
    """A bare file name must exist somewhere in the package, an identifier must be defined there."""
    files = {path.name for path in (project_root / "spacy_relext").rglob("*.py")} | ANYWHERE
    names = names_of(project_root)
    missing = []
    for span in spans_of((project_root / page).read_text(encoding="utf8")):
        if span in FOREIGN or REGISTERED.fullmatch(span) or (project_root / span).exists():
            continue
        if re.fullmatch(r"\w+\.py", span):
            missing += [] if span in files else [span]
        elif IDENTIFIER.fullmatch(span) and "._." not in span:
            last = span.removesuffix("()").split(".")[-1]
            missing += [] if last in names else [span]
    assert missing == []
