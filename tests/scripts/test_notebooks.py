"""The notebooks run from top to bottom, and are stored with their outputs."""

import json
import pathlib
import re
from typing import Any, Dict, List

import pytest

NOTEBOOKS = pathlib.Path(__file__).resolve().parents[2] / "notebooks"
NAMES = ("own_labels", "quickstart")


def read_cells(name: str, project_root: pathlib.Path) -> List[Dict[str, Any]]:
    text = (project_root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def test_all_notebooks_are_tested() -> None:
    assert tuple(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stored_and_name_no_path(name: str, project_root: pathlib.Path) -> None:
    counts = [cell["execution_count"] for cell in read_cells(name, project_root)]
    assert counts == list(range(1, len(counts) + 1)), "run scripts/run_notebooks.py"
    outputs = [output for cell in read_cells(name, project_root) for output in cell["outputs"]]
    assert outputs and not any(output["output_type"] == "error" for output in outputs)
    assert str(project_root) not in json.dumps(outputs) and "site-packages" not in json.dumps(outputs)


def printed(notebook: Any) -> str:
    """Join what the cells have printed and shown as text."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join("".join(text).rstrip() for text in shown)


def run_notebook(name: str, project_root: pathlib.Path) -> str:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from run_notebooks import run_notebook as run

    return printed(run(project_root / "notebooks" / f"{name}.ipynb"))


@pytest.mark.timeout(1800)
def test_the_quickstart_prints_what_is_stored(project_root: pathlib.Path) -> None:
    found = run_notebook("quickstart", project_root)
    stored = printed(json.loads((project_root / "notebooks/quickstart.ipynb").read_text(encoding="utf8")))
    score = re.compile(r"\b[01]\.\d+")
    assert score.sub("", found) == score.sub("", stored)
    assert [float(value) for value in score.findall(found)] == pytest.approx(
        [float(value) for value in score.findall(stored)], abs=0.03
    )


@pytest.mark.timeout(1800)
def test_own_labels_are_learned(project_root: pathlib.Path) -> None:
    text = run_notebook("own_labels", project_root)
    score = re.search(r"^exact_f ([\d.]+)$", text, re.M)
    assert score is not None and float(score[1]) > 0.6
    assert re.search(r"^[1-9]\d* errors$", text, re.M)
