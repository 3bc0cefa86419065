"""The import rules that keep the stations of the data path apart, and spacy.blank() quick."""

import ast
import pathlib
import subprocess
import sys
from typing import Dict, Iterator, List, NamedTuple, Set

import pytest

HEAVY = {"matplotlib", "networkx", "pandas", "pyarrow", "ray", "rdflib", "scipy", "sklearn", "spacy_transformers"}
HEAVY |= {"transformers", "jsonschema"}
UNSAFE = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


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


@pytest.mark.parametrize("station", ["models", "encoders"])
def test_networks_do_not_know_spacy_or_thinc(package_root: pathlib.Path, station: str) -> None:
    assert found_in(package_root / station, {"spacy", "thinc", "spacy_transformers"}, anywhere=True) == []


def test_components_do_no_tensor_arithmetic(package_root: pathlib.Path) -> None:
    assert found_in(package_root / "components", {"torch"}, anywhere=True) == []


def test_only_the_bridge_joins_torch_and_thinc(package_root: pathlib.Path) -> None:
    joined = []
    for path in package_root.rglob("*.py"):
        if {"torch", "thinc"} <= {name for name, _, _ in imports_of(path)}:
            joined.append(str(path.relative_to(package_root)))
    assert set(joined) <= {"bridge.py", "pair_bridge.py", "shim.py"}


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
print(time.process_time() - started, "spacy_relext.components" in sys.modules)
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
        if slower < 0.2:
            return
    pytest.fail(f"spacy.blank('en') takes {slower:.2f} s longer: a factory's module imports too much")
