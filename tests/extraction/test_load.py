"""The short form of the load test of the service (`python -m benchmarks extraction service`)."""

import signal
from pathlib import Path

import pytest

pytest.importorskip("httpx")
pytest.importorskip("uvicorn")

from benchmarks.extraction.data import save_tiny_pipeline  # noqa: E402
from benchmarks.extraction.service import prepare_load, run_load, serving  # noqa: E402


@pytest.mark.long
def test_no_wrong_answer_under_load_and_restarts(tmp_path: Path) -> None:
    pipeline = save_tiny_pipeline(tmp_path / "pipeline")
    load = prepare_load(pipeline, ["Ada Holm was born in Bergen.", "Bo Lie never saw Turku.", "Nobody came. 😀"])
    assert any(load.expected)
    with serving(pipeline) as server:
        run_load(load, server, requests=150, seed=0, clients=16, restarts=(signal.SIGTERM,))
    assert load.wrong == [] and set(load.statuses) == {200, 400, 413}
    assert load.statuses[200] == len(load.seconds) > 50
