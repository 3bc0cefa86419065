"""Limits that keep files readable, and habits that a linter does not know."""

import ast
import pathlib
import re
from typing import Iterator, List, Tuple

import pytest

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?|misc|common)(_|$)")
MACHINE_PATH = re.compile(r"(^|[\s\"'=(])/(work|home|root|Users|tmp/\w+)/")
UNFINISHED = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")

Sources = List[Tuple[str, str]]


@pytest.fixture(scope="module")
def sources(package_root: pathlib.Path) -> Sources:
    """Name and text of every Python file of the package, and of the checkout where there is one."""
    folders = [package_root]
    root = package_root.parent
    if (root / "setup.cfg").exists():
        folders += [root / "scripts", root / "benchmarks", root / "tests"]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts]
    assert len(paths) > 10
    return [(path.relative_to(root).as_posix(), path.read_text(encoding="utf8")) for path in paths]


def functions_of(text: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node  # type: ignore[misc]


def lines_matching(sources: Sources, pattern: "re.Pattern[str]") -> List[str]:
    found = []
    for name, text in sources:
        if name.endswith("test_style.py"):
            continue
        lines = enumerate(text.splitlines(), 1)
        found += [f"{name}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)]
    return found


def test_files_are_short(sources: Sources) -> None:
    long = {name: text.count("\n") for name, text in sources if text.count("\n") > MAX_FILE_LINES}
    assert long.keys() - {"spacy_relext/errors.py"} == set()


def test_functions_are_short(sources: Sources) -> None:
    long = []
    for name, text in sources:
        for node in functions_of(text):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                long.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    assert long == []


def test_file_names_say_what_is_inside(sources: Sources) -> None:
    vague = [name for name, _ in sources if VAGUE_NAMES.search(pathlib.PurePosixPath(name).stem)]
    assert vague == []


def test_no_path_of_one_machine(sources: Sources) -> None:
    assert lines_matching(sources, MACHINE_PATH) == []


def test_nothing_is_left_unfinished(sources: Sources) -> None:
    assert lines_matching(sources, UNFINISHED) == []


def test_modules_begin_with_a_docstring(sources: Sources) -> None:
    bare = [
        name for name, text in sources if name.startswith("spacy_relext") and not ast.get_docstring(ast.parse(text))
    ]
    assert bare == []


def test_public_functions_are_typed_and_documented(sources: Sources) -> None:
    found = []
    for name, text in sources:
        if not name.startswith("spacy_relext/"):
            continue
        for node in public_functions(ast.parse(text)):
            found += [f"{name}:{node.lineno}: {node.name}: {problem}" for problem in problems_of(node)]
    assert found == []


def public_functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield public functions of a module and public methods of its public classes."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for child in node.body:
                if isinstance(child, ast.FunctionDef) and not child.name.startswith("_"):
                    yield child


def problems_of(node: ast.FunctionDef) -> Iterator[str]:
    """Name what the signature or docstring of a function lacks."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments = [argument for argument in arguments if argument.arg not in ("self", "cls")]
    untyped = [argument.arg for argument in arguments if argument.annotation is None]
    if untyped or node.returns is None:
        yield f"no annotation of {untyped or 'the result'}"
    text = ast.get_docstring(node)
    if not text:
        yield "no docstring"
