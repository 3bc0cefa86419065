from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacy_relext import errors as optional
from spacy_relext.scoring.ranking import Ranking, RecallCurve, recall_curve
from spacy_relext.visuals.recall_curve import MOST_POINTS, draw_recall_curves, thin_points


def curve(n_cells: int, *, unit: str = "bag") -> RecallCurve:
    rng = np.random.default_rng(n_cells)
    return recall_curve(Ranking(unit, rng.random(n_cells), rng.random(n_cells) < 0.3, unscored=2))


def test_several_systems_in_one_drawing(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curves = {"text": curve(40), "_with $kb$ <a>": curve(60), "nothing scored": curve(0)}
    svg, png = draw_recall_curves(curves, target=tmp_path / "new" / "pr.v1", title="A & B")
    assert (svg.name, png.name) == ("pr.v1.svg", "pr.v1.png")
    assert png.read_bytes().startswith(b"\x89PNG")
    first = svg.read_text(encoding="utf8")
    for words in ("recall of bags", "precision of bags", "text", "_with $kb$ &lt;a&gt;", "A &amp; B"):
        assert f"<!-- {words} -->" in first
    draw_recall_curves(curves, target=tmp_path / "new" / "pr.v1", title="A & B")
    assert svg.read_text(encoding="utf8") == first


def test_many_points_are_thinned_by_recall() -> None:
    gold = np.arange(200_000) < 3 * MOST_POINTS  # the last 97 % find nothing more
    recall = recall_curve(Ranking("bag", -np.arange(200_000.0), gold, unscored=0)).recall
    chosen = thin_points(recall)
    assert (chosen[0], chosen[-1]) == (0, 199_999) and len(chosen) <= MOST_POINTS
    assert np.diff(recall[chosen]).max() < 2 / MOST_POINTS
    assert thin_points(recall[:5]).tolist() == [0, 1, 2, 3, 4]


def test_units_are_never_mixed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R712.*bag and mention"):
        draw_recall_curves({"a": curve(9), "b": curve(9, unit="mention")}, target=tmp_path / "x")
    with pytest.raises(ValueError, match="R712.*none"):
        draw_recall_curves({}, target=tmp_path / "x")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"R006.*matplotlib.*spacy-relext\[viz\]"):
        draw_recall_curves({"a": curve(9)}, target=tmp_path / "x")
