"""The short form of the proof by kill (`python -m benchmarks extraction kill`)."""

from pathlib import Path

import pytest

from benchmarks.extraction.data import save_tiny_pipeline, write_texts
from benchmarks.extraction.kill import hash_sorted, run_killed, run_undisturbed


@pytest.mark.long
def test_a_run_that_is_killed_gives_the_same(tmp_path: Path) -> None:
    pipeline, texts = save_tiny_pipeline(tmp_path / "pipeline"), write_texts(tmp_path / "texts.jsonl", 3000)
    expected, seconds = run_undisturbed(pipeline, texts, tmp_path / "whole", n_process=1)
    killed = run_killed(pipeline, texts, tmp_path / "killed", n_process=2, kills=3, seconds=seconds, seed=1)
    assert killed.whole + killed.workers > 0
    assert hash_sorted(tmp_path / "killed") == expected
