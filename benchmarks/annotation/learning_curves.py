"""Draws scores against the number of annotated sentences."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path


def draw_learning_curves(lines: Mapping[str, Mapping[int, Sequence[float]]], *, title: str, target: Path) -> list[Path]:
    """Draw a line per order, with the standard deviation over seeds as a band.

    lines (Mapping[str, Mapping[int, Sequence[float]]]): Order → number of annotated sentences → F of each seed.
    RETURNS (list[Path]): The SVG and the PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    target.parent.mkdir(parents=True, exist_ok=True)
    with pyplot.rc_context({"svg.hashsalt": "spacy-relext", "font.size": 10}):
        figure, axis = pyplot.subplots(figsize=(5.2, 3.8), layout="constrained")
        for order, sizes in lines.items():
            known = sorted(sizes)
            means = [100 * statistics.fmean(sizes[size]) for size in known]
            spreads = [100 * statistics.stdev(sizes[size]) if len(sizes[size]) > 1 else 0.0 for size in known]
            (line,) = axis.plot(known, means, marker="o", markersize=4, label=order)
            low, high = ([m + sign * s for m, s in zip(means, spreads)] for sign in (-1, 1))
            axis.fill_between(known, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axis.set(title=title, xlabel="annotated sentences", ylabel="exact F, %", xscale="log")
        ticks = sorted({size for sizes in lines.values() for size in sizes})
        axis.set_xticks(ticks, [str(size) for size in ticks])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(loc="lower right")
        files = [target.with_name(f"{target.name}.{suffix}") for suffix in ("svg", "png")]
        figure.savefig(files[0], metadata={"Date": None})
        figure.savefig(files[1], dpi=130, metadata={"Software": None})
        pyplot.close(figure)
    return files
