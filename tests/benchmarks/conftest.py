"""The benchmarks are no package: they are imported the way Python runs them, with their folder on the path."""

import pathlib
import sys
from typing import Any, Dict, Iterator, Optional

import pytest


@pytest.fixture(scope="session", autouse=True)
def benchmarks_on_path(project_root: pathlib.Path) -> Iterator[None]:
    sys.path.insert(0, str(project_root / "benchmarks"))
    yield
    sys.path.remove(str(project_root / "benchmarks"))


def make(
    metric: str = "exact_f",
    values: Optional[Dict[int, float]] = None,
    seconds: Optional[Dict[int, Optional[float]]] = None,
    **changes: str,
) -> Dict[str, Any]:
    """A row with what a test does not care about filled in."""
    from rows import make_row

    identity = {"data": "toy: 10 training sentences", "split": "test", "system": "default", **changes}
    benchmark, command = identity.pop("benchmark", "toy"), identity.pop("command", "python toy.py")
    options: Dict[str, Any] = {"metric": metric, "values": values or {0: 0.5}, "train_seconds": seconds}
    return make_row(benchmark, command=command, **options, **identity)
