"""The notebooks run from top to bottom, and are stored without outputs."""

import json
import pathlib
import re
from typing import Any, Dict, List

import pytest

NOTEBOOKS = pathlib.Path(__file__).resolve().parent.parent / "notebooks"
NAMES = ("own_labels", "quickstart")


def read_cells(name: str, project_root: pathlib.Path) -> List[Dict[str, Any]]:
    text = (project_root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def test_all_notebooks_are_tested() -> None:
    assert tuple(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))) in (NAMES, ())  # none in a bare installation


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stripped(name: str, project_root: pathlib.Path) -> None:
    for cell in read_cells(name, project_root):
        assert cell["outputs"] == [] and cell["execution_count"] is None


def printed(notebook: Any) -> str:
    """Join what the cells have printed, of which a line may come in parts, and shown as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") + "\n" for output in outputs)


def run_notebook(name: str, project_root: pathlib.Path, tmp_path: pathlib.Path) -> str:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(project_root / "notebooks" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    client(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    return printed(notebook)


@pytest.mark.timeout(1800)
def test_the_quickstart_finds_its_triple(project_root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    text = run_notebook("quickstart", project_root, tmp_path)
    assert "Mia Berg | place_of_birth | Turku" in text
    assert "SVG object" in text and text.rstrip().endswith("True")


@pytest.mark.timeout(1800)
def test_own_labels_are_learned(project_root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    text = run_notebook("own_labels", project_root, tmp_path)
    score = re.search(r"^exact_f ([\d.]+)$", text, re.M)
    assert score is not None and float(score[1]) > 0.6
    assert re.search(r"^[1-9]\d* errors$", text, re.M) and list(tmp_path.iterdir()) == []
