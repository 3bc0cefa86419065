"""Run the notebooks and store what their cells print and draw.

    python scripts/run_notebooks.py [NAME ...]

Names are those of the files in `notebooks/`, without ending; all by default. It needs the extra "dev".
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def run_notebook(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in an empty folder.

    RETURNS (NotebookNode): With outputs, but without what changes from run to run: times, and warnings that name
        paths of the machine.
    """
    notebook = nbformat.read(path, as_version=4)
    metadata = dict(notebook.metadata)
    with tempfile.TemporaryDirectory() as folder:
        options = {"timeout": 900, "kernel_name": "python3", "resources": {"metadata": {"path": folder}}}
        NotebookClient(notebook, record_timing=False, coalesce_streams=True, **options).execute()
        if left := sorted(found.name for found in Path(folder).iterdir()):
            raise ValueError(f"{path}: its cells have left {', '.join(left)} in the folder. Let them remove it.")
    notebook.metadata = nbformat.from_dict(metadata)
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def main(names: list[str]) -> None:
    """Run notebooks and write them back."""
    for path in [FOLDER / f"{name}.ipynb" for name in names] or sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(run_notebook(path), path)
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
