"""Draw precision against recall of one or several systems, as an SVG and a PNG file."""

from pathlib import Path
from typing import List, Mapping

import numpy as np
import numpy.typing as npt

from ..errors import Errors, require
from ..scoring.probabilities import Floats
from ..scoring.ranking import RecallCurve

# More points than a page has pixels only make the files large.
MOST_POINTS = 2000


def draw_recall_curves(curves: Mapping[str, RecallCurve], *, target: Path, title: str = "") -> List[Path]:
    """Draw a line for each system, all of the same unit.

    curves (Mapping[str, RecallCurve]): System → its curve, from `scoring.ranking.recall_curve`.
    target (Path): The files without their suffix; the folder is made where it is missing.
    title (str): Heading; none where it is empty.
    RETURNS (List[Path]): The SVG and the PNG file; the same curves give the same files.
    RAISES (ValueError): Where there is no curve, or curves are of different units.
    RAISES (ImportError): Where matplotlib is not installed.
    """
    units = sorted({curve.unit for curve in curves.values()})
    if len(units) != 1:
        raise ValueError(Errors.R712.format(found=" and ".join(units) or "none"))
    matplotlib = require("matplotlib", purpose="drawings of curves", extra="viz")
    # Without pyplot: a library does not choose the backend of whoever calls it.
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
        for text, string in texts:  # names of systems are no formulas, and may begin with "_"
            text.set_parse_math(False)
            text.set_text(string)
        figure.savefig(files[0], metadata={"Date": None})
        figure.savefig(files[1], dpi=130, metadata={"Software": None})
    return files


def thin_points(recall: Floats) -> npt.NDArray[np.int64]:
    """Choose points at equal steps of recall: at equal steps of rank, millions of negatives would hide the rest.

    recall (Floats): Of a curve; never falls. Shape (S,)
    RETURNS (npt.NDArray[np.int64]): Which points to draw, in order: all where they are few.
    """
    if len(recall) <= MOST_POINTS:
        return np.arange(len(recall))
    steps = np.linspace(recall[0], recall[-1], MOST_POINTS - 2)
    return np.unique(np.concatenate([[0], np.searchsorted(recall, steps), [len(recall) - 1]])).astype(np.int64)
