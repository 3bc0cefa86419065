"""Draw precision against recall."""

from io import BytesIO
from typing import Mapping, Optional, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.triple import Record
from ..errors import require
from ..scoring.probabilities import Floats
from ..scoring.thresholds import RecallCurve

# More points than a page has pixels would only enlarge the files.
MOST_POINTS = 2000

_COLOURS = ("#2b5fb4", "#b4402b", "#3d8a4c", "#8250a8")
_SETTINGS = {"svg.hashsalt": "spacy-relext", "svg.fonttype": "none", "font.size": 10, "font.family": "sans-serif"}
# What makes a file the same each time.
_OPTIONS: Mapping[str, Record] = {"svg": {"metadata": {"Date": None}}, "png": {"metadata": {"Software": None}}}


def draw_recall_curves(
    curves: Mapping[str, RecallCurve],
    *,
    unit: str = "triples",
    title: str = "",
    marked: Optional[Tuple[float, float]] = None,
    form: str = "svg",
) -> bytes:
    """Draw curves by their names; the first one is solid.

    unit (str): What is ranked, for the axes.
    marked (Optional[Tuple[float, float]]): Recall and precision at the thresholds of a pipeline: a dot.
    form (str): "svg" or "png".
    RETURNS (bytes): The file; the same curves give the same bytes.
    """
    matplotlib = require("matplotlib", purpose="drawings of curves", extra="viz")
    # Without pyplot: a library must not choose the backend.
    figures = require("matplotlib.figure", purpose="drawings of curves", extra="viz")
    file = BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure = figures.Figure(figsize=(5.6, 4.2), dpi=130, layout="constrained")
        axes = figure.add_subplot()
        lines = []
        for number, curve in enumerate(curves.values()):
            shown, colour = thin_points(curve.recall), _COLOURS[number % len(_COLOURS)]
            dashes = "dashed" if number else "solid"
            lines += axes.plot(curve.recall[shown], curve.precision[shown], linestyle=dashes, color=colour)
        if marked is not None:
            axes.plot([marked[0]], [marked[1]], "o", color=_COLOURS[0])
        axes.set(xlabel=f"recall of {unit}", ylabel=f"precision of {unit}", xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
        legend = axes.legend(lines, [str(number) for number in range(len(lines))], loc="best")
        for text, name in [*zip(legend.get_texts(), curves), (axes.set_title(""), title)]:
            text.set_parse_math(False)  # names are no formulas, and may begin with "_"
            text.set_text(name)
        figure.savefig(file, format=form, **_OPTIONS[form])
    return file.getvalue()


def thin_points(recall: Floats) -> NDArray[numpy.int64]:
    """Choose points at equal steps of recall; at equal steps of rank, most would be negatives. Shapes (S,) → (P,)"""
    if len(recall) <= MOST_POINTS:
        return numpy.arange(len(recall))
    steps = numpy.linspace(recall[0], recall[-1], MOST_POINTS - 2)
    chosen = numpy.concatenate([[0], numpy.searchsorted(recall, steps), [len(recall) - 1]])
    return numpy.unique(chosen).astype(numpy.int64)
