import numpy as np
import pytest

from spacy_relext.scoring.thresholds import RecallCurve, recall_curve
from spacy_relext.visuals.curves import MOST_POINTS, draw_recall_curves, thin_points


def curve(n_cells: int) -> RecallCurve:
    rng = np.random.default_rng(n_cells)
    return recall_curve(rng.random(n_cells), rng.random(n_cells) < 0.3, n_gold=n_cells)


def test_several_systems_in_one_drawing() -> None:
    pytest.importorskip("matplotlib")
    curves = {"text": curve(40), "_with $kb$ <a>": curve(60), "nothing scored": curve(0)}
    svg = draw_recall_curves(curves, unit="bags", title="A & B", marked=(0.5, 0.5))
    for words in ("recall of bags", "precision of bags", "text", "_with $kb$ &lt;a&gt;", "A &amp; B"):
        assert f">{words}</text>" in svg.decode("utf8")
    assert draw_recall_curves(curves, unit="bags", title="A & B", marked=(0.5, 0.5)) == svg
    assert draw_recall_curves(curves, form="png").startswith(b"\x89PNG")


def test_many_points_are_thinned_by_recall() -> None:
    gold = np.arange(200_000) < 3 * MOST_POINTS  # the last 97 % find nothing more
    recall = recall_curve(-np.arange(200_000.0), gold, n_gold=int(gold.sum())).recall
    chosen = thin_points(recall)
    assert (chosen[0], chosen[-1]) == (0, 199_999) and len(chosen) <= MOST_POINTS
    assert np.diff(recall[chosen]).max() < 2 / MOST_POINTS
    assert thin_points(recall[:5]).tolist() == [0, 1, 2, 3, 4]
