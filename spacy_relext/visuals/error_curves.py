"""Curves of an error report as SVG: precision and recall, reliability, and F by number of training examples."""

from io import StringIO
from typing import TYPE_CHECKING, Callable, Mapping, Sequence, Tuple

from ..errors import require
from ..scoring.probabilities import calibration_bins
from ..scoring.thresholds import precision_recall_curve
from ..scoring.triples import TripleOutcomes
from .recall_curve import thin_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#2b5fb4", "#b4402b", "#3d8a4c", "#8250a8")

_SETTINGS = {"svg.hashsalt": "spacy-relext", "svg.fonttype": "none", "font.size": 10, "font.family": "sans-serif"}


def draw_precision_recall(written: TripleOutcomes, *, candidates: Mapping[str, TripleOutcomes]) -> str:
    """Draw precision against recall of the triples that a pipeline wrote, and of all candidates of its components.

    candidates (Mapping[str, TripleOutcomes]): Component → its candidates, also those below its threshold.
    RETURNS (str): SVG.
    """

    def draw(axes: "Axes") -> None:
        curves = {"written triples": written, **{f"candidates of {name}": each for name, each in candidates.items()}}
        for number, (name, outcomes) in enumerate(curves.items()):
            precision, recall, _ = precision_recall_curve(outcomes.scores, outcomes.correct, n_gold=outcomes.n_gold)
            shown = thin_points(recall) if len(recall) else slice(0)
            dashes, color = "dashed" if number else "solid", _COLOURS[number % len(_COLOURS)]
            axes.plot(recall[shown], precision[shown], label=name, linestyle=dashes, color=color)
        if len(written.scores):
            correct = int(written.correct.sum())
            axes.plot([correct / max(written.n_gold, 1)], [correct / len(written.scores)], "o", color=_COLOURS[0])
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        for text in axes.legend(loc="lower left").get_texts():
            text.set_parse_math(False)  # names are no formulas

    return _draw(draw)


def draw_reliability(outcomes: TripleOutcomes) -> str:
    """Draw the share of correct triples against their mean score, in ten bins of equal counts. RETURNS (str): SVG."""
    bins = calibration_bins(outcomes.scores, outcomes.correct)

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color="#7b8794", linestyle="dashed")
        points = [each.confidence for each in bins], [each.accuracy for each in bins]
        axes.plot(*points, "o-", color=_COLOURS[0])
        axes.set(xlabel="mean score", ylabel="share of correct triples", xlim=(0, 1), ylim=(0, 1.02))

    return _draw(draw)


def draw_training_sizes(rows: Sequence[Tuple[str, int, float]]) -> str:
    """Draw the F of each relation against its number of training examples, on a logarithmic scale.

    rows (Sequence[Tuple[str, int, float]]): Relation, training examples, F.
    RETURNS (str): SVG.
    """

    def draw(axes: "Axes") -> None:
        axes.plot([count for _, count, _ in rows], [f for _, _, f in rows], "o", color=_COLOURS[0])
        for number, (relation, count, f) in enumerate(sorted(rows, key=lambda row: row[1:])):
            side, shift = ("left", 5) if number % 2 else ("right", -5)
            note = axes.annotate(relation, (count, f), xytext=(shift, -3), textcoords="offset points", fontsize=7)
            note.set(ha=side, parse_math=False)
        if all(count for _, count, _ in rows):
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=1)
        axes.margins(0.35, 0.1)
        axes.set(xlabel="training examples", ylabel="exact F")

    return _draw(draw)


def _draw(draw: "Callable[[Axes], None]") -> str:
    """Draw on new axes; the same curves give the same text."""
    matplotlib = require("matplotlib", purpose="curves of error reports", extra="viz")
    # Without pyplot: a library must not choose the backend.
    figures = require("matplotlib.figure", purpose="curves of error reports", extra="viz")
    file = StringIO()
    with matplotlib.rc_context(_SETTINGS):
        figure = figures.Figure(figsize=(4.6, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.grid(alpha=0.3)
        draw(axes)
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
