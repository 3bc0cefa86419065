"""The import rules of the house: layers, no circles, private names, and spacy.blank() quick."""

import ast
import pathlib
import re
import subprocess
import sys
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

HEAVY = {"matplotlib", "networkx", "pandas", "pyarrow", "ray", "rdflib", "scipy", "sklearn", "spacy_transformers"}
HEAVY |= {"transformers", "jsonschema", "duckdb", "rapidfuzz", "lxml", "markdown_it", "pypdf"}
UNSAFE = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}

# Imports run to a lower floor only; what stands on one floor does not know its neighbours.
METHODS = ("coref", "documents", "hrere", "kd", "nero", "rere", "selfore", "zeroshot")
FLOORS = {
    "errors": 1,
    "annotations": 2,
    "bridge": 2,
    "corpora": 3,
    "encoders": 3,
    "scoring": 3,
    "export": 4,
    "kb": 4,
    "pipeline": 4,
    "visuals": 4,
    "graph": 5,
    "pairs": 5,
    "extraction": 6,
    "integrations": 6,
    **dict.fromkeys(METHODS, 6),
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}
EQUAL_NAMES = ("component.py", "architectures.py", "model.py", "losses.py")
# Which files may import torch together with thinc or spaCy, and which may import torch alone.
JOINS_TORCH = re.compile(r"^bridge/")
TORCH_ONLY = re.compile(r"(^|/)(model|losses)\.py$")


class Module(NamedTuple):
    """A file of the package, and what it takes from the package: (module, name) and the line."""

    path: str
    taken: List[Tuple[str, str, int]]

    @property
    def folder(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")


@pytest.fixture(scope="module")
def modules(package_root: pathlib.Path) -> Dict[str, Module]:
    """Every module of the package by its dotted name."""
    paths = [path for path in sorted(package_root.rglob("*.py"))]
    names = {dotted(path.relative_to(package_root)): path for path in paths}
    return {
        name: Module(path.relative_to(package_root).as_posix(), list(taken_by(path, package_root, set(names))))
        for name, path in names.items()
    }


def dotted(path: pathlib.Path) -> str:
    parts = ["spacy_relext", *path.with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def taken_by(path: pathlib.Path, root: pathlib.Path, names: Set[str]) -> Iterator[Tuple[str, str, int]]:
    """Yield what a file imports from the package, as (module, name, line)."""
    here = ["spacy_relext", *path.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = here[: len(here) - node.level + 1] if node.level else []
        module = ".".join([*base, *(node.module.split(".") if node.module else [])])
        if module.split(".")[0] != "spacy_relext":
            continue
        for alias in node.names:
            deeper = f"{module}.{alias.name}"
            yield (deeper, "", node.lineno) if deeper in names else (module, alias.name, node.lineno)


def test_imports_run_to_a_lower_floor(modules: Dict[str, Module]) -> None:
    upward = []
    for module in modules.values():
        for target, name, line in module.taken:
            there = modules[target].folder
            if there == module.folder or module.folder == "__init__":
                continue
            if FLOORS[there] >= FLOORS[module.folder]:
                upward.append(f"{module.path}:{line}: {module.folder} imports {name} of {target}")
    assert upward == []


def test_every_folder_has_a_floor(modules: Dict[str, Module]) -> None:
    assert {module.folder for module in modules.values()} <= set(FLOORS)


def test_there_are_no_circles(modules: Dict[str, Module]) -> None:
    needed = {name: {target for target, _, _ in module.taken} - {name} for name, module in modules.items()}
    while ready := [name for name, targets in needed.items() if not targets & needed.keys()]:
        for name in ready:
            del needed[name]
    assert sorted(needed) == []


def test_no_module_stands_loose(package_root: pathlib.Path) -> None:
    assert {path.stem for path in package_root.glob("*.py")} == {"__init__", "__main__", "errors"}


def test_methods_have_equal_names(package_root: pathlib.Path) -> None:
    missing = [
        f"{method}/{name}" for method in METHODS for name in EQUAL_NAMES if not (package_root / method / name).exists()
    ]
    assert missing == []


def test_nothing_below_a_method_names_one(package_root: pathlib.Path) -> None:
    """Neither in names nor in strings: `rere`, `nero_grounder`, `KdPipe`."""
    word = re.compile(r"(?<![a-z])(rere|nero|selfore|hrere|kd4nre|kd)(?![a-z])", re.IGNORECASE)
    named = []
    for path in sorted(package_root.rglob("*.py")):
        place = path.relative_to(package_root).as_posix()
        if FLOORS[place.split("/")[0].removesuffix(".py")] >= 6 or place == "errors.py":
            continue
        lines = enumerate(path.read_text(encoding="utf8").splitlines(), 1)
        named += [f"{place}:{number}: {line.strip()}" for number, line in lines if word.search(line)]
    assert named == []


def test_private_names_stay_in_their_file(modules: Dict[str, Module], package_root: pathlib.Path) -> None:
    private = [
        f"{module.path}:{line}: {name} of {target}"
        for module in modules.values()
        for target, name, line in module.taken
        if name.startswith("_") and not name.startswith("__")
    ]
    tests = package_root.parent / "tests"
    for path in sorted(tests.rglob("*.py")) if (package_root.parent / "setup.cfg").exists() else []:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spacy_relext"):
                names = [a.name for a in node.names if a.name.startswith("_") and not a.name.startswith("__")]
                private += [f"{path.name}:{node.lineno}: {name}" for name in names]
    assert private == []


def test_where_torch_may_be(package_root: pathlib.Path) -> None:
    misplaced = []
    for path in sorted(package_root.rglob("*.py")):
        place, packages = path.relative_to(package_root).as_posix(), {name for name, _, _ in imports_of(path)}
        joins = "torch" in packages and packages & {"spacy", "thinc"}
        if joins and not JOINS_TORCH.search(place):
            misplaced.append(f"{place} imports torch beside {joins}")
        if TORCH_ONLY.search(place) and packages & {"spacy", "thinc", "spacy_transformers"}:
            misplaced.append(f"{place} is for torch only")
        if place.endswith("component.py") and "torch" in packages:
            misplaced.append(f"{place} imports torch")
    assert misplaced == []


def test_circles_and_floors_are_seen(tmp_path: pathlib.Path) -> None:
    (tmp_path / "kd").mkdir()
    (tmp_path / "kd" / "a.py").write_text("from ..nero import b\nfrom .c import _d\n")
    names = {"spacy_relext.nero.b", "spacy_relext.kd.c"}
    assert list(taken_by(tmp_path / "kd" / "a.py", tmp_path, names)) == [
        ("spacy_relext.nero.b", "", 1),
        ("spacy_relext.kd.c", "_d", 2),
    ]


class Import(NamedTuple):
    """One imported name: the top-level package, the line, and whether importing the file imports it."""

    package: str
    line: int
    at_module_level: bool


def imports_of(path: pathlib.Path) -> Iterator[Import]:
    """Yield every absolute import of a file."""
    yield from _walk(ast.parse(path.read_text(encoding="utf8")), at_module_level=True)


def _walk(node: ast.AST, *, at_module_level: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name.split(".")[0], child.lineno, at_module_level)
        elif isinstance(child, ast.ImportFrom):
            if child.level == 0 and child.module:
                yield Import(child.module.split(".")[0], child.lineno, at_module_level)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _walk(child, at_module_level=False)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _walk(child, at_module_level=at_module_level and not inside)


def found_in(folder: pathlib.Path, packages: Set[str], *, anywhere: bool) -> List[str]:
    """List `file:line imports package` for the files below a folder."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for name, line, at_module_level in imports_of(path):
            if name in packages and (anywhere or at_module_level):
                found.append(f"{path.relative_to(folder.parent)}:{line} imports {name}")
    return found


def test_imports_are_seen_where_they_stand(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import a.b\nfrom c.d import e\nfrom . import f\ntry:\n    import g\nexcept ImportError:\n    pass\n"
        "if TYPE_CHECKING:\n    import h\nclass K:\n    import i\n    def m(self):\n        import j\n"
    )
    rows = {(name, at_module_level) for name, _, at_module_level in imports_of(path)}
    assert rows == {("a", True), ("c", True), ("g", True), ("h", False), ("i", True), ("j", False)}


def test_heavy_packages_are_imported_inside_functions(package_root: pathlib.Path) -> None:
    assert found_in(package_root, HEAVY, anywhere=False) == []


def test_nothing_reads_pickles(package_root: pathlib.Path) -> None:
    assert found_in(package_root, UNSAFE, anywhere=True) == []
    loads = []
    for path in package_root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load":
                loads.append(f"{path.name}:{node.lineno}")
    assert loads == []


# Both processes leave other packages' factories out: they cost more than ours and differ between machines.
BLANK = """
import sys, time
import catalogue
kept = {kept!r}
blocked = {blocked!r}
every = catalogue.Registry._get_entry_points
catalogue.Registry._get_entry_points = lambda self: [e for e in every(self) if e.value.split(".")[0] in kept]
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(f"{{name}} must not be imported by spacy.blank()")
sys.meta_path.insert(0, Block())
import spacy
started = time.process_time()
nlp = spacy.blank("en")
print(time.process_time() - started, "spacy_relext.pipeline" in sys.modules)
"""


def blank(*, kept: Set[str], blocked: Set[str]) -> List[str]:
    """Run spacy.blank("en") in a fresh process.

    RETURNS (List[str]): Seconds of the processor, and whether our components were imported.
    """
    code = BLANK.format(kept=sorted(kept), blocked=sorted(blocked))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_blank_imports_nothing_heavy() -> None:
    # torch is not in the list: thinc itself imports it where it is installed.
    _, imported = blank(kept={"spacy_relext"}, blocked=HEAVY)
    assert imported == "True"


def test_blank_is_not_slower() -> None:
    seconds: Dict[bool, List[float]] = {True: [], False: []}
    for _ in range(4):  # a busy machine gets further tries; the quickest runs are the least disturbed
        for installed in (True, False):
            took, imported = blank(kept={"spacy_relext"} if installed else set(), blocked=set())
            assert imported == str(installed)
            seconds[installed].append(float(took))
        slower = min(seconds[True]) - min(seconds[False])
        if slower < max(0.2, 0.15 * min(seconds[False])):  # seconds, or a share of what a slow machine takes anyway
            return
    pytest.fail(f"spacy.blank('en') takes {slower:.2f} s longer: a factory's module imports too much")
