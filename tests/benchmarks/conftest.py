"""Rows of results for the tests of the benchmarks."""

from typing import Any, Dict, Optional

from benchmarks.harness.rows import make_row


def make(
    metric: str = "exact_f",
    values: Optional[Dict[int, float]] = None,
    seconds: Optional[Dict[int, Optional[float]]] = None,
    **changes: str,
) -> Dict[str, Any]:
    """A row with what a test does not care about filled in."""
    identity = {"data": "toy: 10 training sentences", "split": "test", "system": "default", **changes}
    benchmark, command = identity.pop("benchmark", "toy"), identity.pop("command", "python toy.py")
    options: Dict[str, Any] = {"metric": metric, "values": values or {0: 0.5}, "train_seconds": seconds}
    return make_row(benchmark, command=command, **options, **identity)
