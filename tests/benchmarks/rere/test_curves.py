import pathlib

import pytest

CURVE = {"recall": [0.1, 0.5, 0.9], "precision": [1.0, 0.9, 0.6]}


def test_a_panel_for_each_system_with_a_line_for_each_rate(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks.rere.curves import draw_curves

    panels = {"bce": {0.0: CURVE, 0.5: CURVE}, "collective": {0.0: CURVE, 0.5: {"recall": [], "precision": []}}}
    svg, png = draw_curves(panels, title="Toy", target=tmp_path / "figures" / "toy.v1")
    assert (svg.name, png.name) == ("toy.v1.svg", "toy.v1.png")
    first = svg.read_bytes()
    draw_curves(panels, title="Toy", target=tmp_path / "figures" / "toy.v1")
    assert svg.read_bytes() == first
    assert png.stat().st_size > 1000
