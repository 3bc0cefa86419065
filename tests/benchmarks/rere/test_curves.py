import pathlib

import pytest

from benchmarks.harness.rows import make_row
from benchmarks.rere.curves import draw_curves, read_learning

CURVE = {"recall": [0.1, 0.5, 0.9], "precision": [1.0, 0.9, 0.6]}


def test_a_panel_for_each_system_with_a_line_for_each_rate(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("matplotlib")

    panels = {"bce": {0.0: CURVE, 0.5: CURVE}, "collective": {0.0: CURVE, 0.5: {"recall": [], "precision": []}}}
    svg, png = draw_curves(panels, title="Toy", target=tmp_path / "figures" / "toy.v1")
    assert (svg.name, png.name) == ("toy.v1.svg", "toy.v1.png")
    first = svg.read_bytes()
    draw_curves(panels, title="Toy", target=tmp_path / "figures" / "toy.v1")
    assert svg.read_bytes() == first
    assert png.stat().st_size > 1000


def test_learning_curves_are_means_over_seeds_in_the_order_of_passes() -> None:
    rows = [
        make_row(
            "fair",
            data=data,
            split=f"tuning, pass {number}",
            system="default",
            metric=metric,
            values=values,
            command="toy",
        )
        for data, number, metric, values in [
            ("toy", 10, "exact_f", {0: 0.6, 1: 0.8}),
            ("toy", 10, "cpu_seconds", {0: 600.0, 1: 620.0}),
            ("toy", 2, "exact_f", {0: 0.2, 1: 0.4}),
            ("toy", 2, "cpu_seconds", {0: 120.0, 1: 122.0}),
            ("other", 1, "exact_f", {0: 0.1}),
        ]
    ]
    ((system, history),) = read_learning(rows, "toy").items()
    assert system == "default"
    assert [seconds for seconds, _ in history] == [121.0, 610.0]
    assert [score for _, score in history] == pytest.approx([0.3, 0.7])
