"""The page of 50,000 facts opens in time."""

from pathlib import Path

import pytest

from benchmarks.graph.page import MOST_FACTS, TRIPLES, measure
from benchmarks.graph.scale import draw
from tests.visuals.browser import needs_browser


@needs_browser
def test_figures_of_a_small_page(tmp_path: Path) -> None:
    draw(tmp_path / "drawn.jsonl", 200)
    metrics = measure(tmp_path / "drawn.jsonl", openings=1)
    assert 100 < metrics["facts_found"] <= 200 and 0 < metrics["open_seconds"] < metrics["browser_seconds"]
    assert {"search_seconds", "filter_seconds", "choose_seconds", "page_mib"} < metrics.keys()


@pytest.mark.slow
@needs_browser
def test_it_opens_in_three_seconds(tmp_path: Path) -> None:
    draw(tmp_path / "drawn.jsonl", TRIPLES)
    metrics = measure(tmp_path / "drawn.jsonl", openings=1)
    assert metrics["facts_found"] == MOST_FACTS == 50_000
    assert metrics["open_seconds"] < metrics["browser_seconds"] < 3
