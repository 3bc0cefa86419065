"""Draw precision against recall of one or several systems, as an SVG and a PNG file."""

from pathlib import Path
from typing import List, Mapping, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.triple import Record
from ..corpora.whole import whole_file
from ..errors import Errors, require
from ..scoring.probabilities import Floats
from ..scoring.ranking import RecallCurve

# More points than a page has pixels would only enlarge the files.
MOST_POINTS = 2000


def draw_recall_curves(curves: Mapping[str, RecallCurve], *, target: Path, title: str = "") -> List[Path]:
    """Draw a curve for each system.

    target (Path): The files without their suffix; the folder is made.
    RETURNS (List[Path]): The SVG and the PNG file; the same curves give the same files.
    RAISES (ValueError): If there is no curve, or curves have different units.
    """
    units = sorted({curve.unit for curve in curves.values()})
    if len(units) != 1:
        raise ValueError(Errors.R712.format(found=" and ".join(units) or "none"))
    matplotlib = require("matplotlib", purpose="drawings of curves", extra="viz")
    # Without pyplot: a library must not choose the backend.
    figures = require("matplotlib.figure", purpose="drawings of curves", extra="viz")
    target.parent.mkdir(parents=True, exist_ok=True)
    files = [target.with_name(f"{target.name}.{suffix}") for suffix in ("svg", "png")]
    with matplotlib.rc_context({"svg.hashsalt": "spacy-relext", "font.size": 10}):
        figure = figures.Figure(figsize=(5.6, 4.2), layout="constrained")
        axis = figure.add_subplot()
        lines = []
        for number, curve in enumerate(curves.values()):
            colour = matplotlib.colormaps["viridis"](number / max(1, len(curves)))
            shown = thin_points(curve.recall)
            lines += axis.plot(curve.recall[shown], curve.precision[shown], color=colour)
        axis.set(xlabel=f"recall of {units[0]}s", ylabel=f"precision of {units[0]}s", xlim=(0, 1), ylim=(0, 1.02))
        axis.grid(alpha=0.3)
        legend = axis.legend(lines, [str(number) for number in range(len(lines))], loc="best")
        texts = [*zip(legend.get_texts(), curves), (axis.set_title(""), title)]
        for text, string in texts:  # names are no formulas, and may begin with "_"
            text.set_parse_math(False)
            text.set_text(string)
        drawings: Tuple[Record, ...] = ({"metadata": {"Date": None}}, {"dpi": 130, "metadata": {"Software": None}})
        for file, options in zip(files, drawings):
            with whole_file(file) as stream:
                figure.savefig(stream, format=file.suffix[1:], **options)
    return files


def thin_points(recall: Floats) -> NDArray[numpy.int64]:
    """Choose points at equal steps of recall; at equal steps of rank, most would be negatives. Shapes (S,) → (P,)"""
    if len(recall) <= MOST_POINTS:
        return numpy.arange(len(recall))
    steps = numpy.linspace(recall[0], recall[-1], MOST_POINTS - 2)
    chosen = numpy.concatenate([[0], numpy.searchsorted(recall, steps), [len(recall) - 1]])
    return numpy.unique(chosen).astype(numpy.int64)
