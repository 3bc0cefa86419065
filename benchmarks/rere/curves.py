"""Draws precision against recall at several rates of dropped triples, as RERE's Figure 3, and learning curves."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.rows import Row

Curve = Mapping[str, Sequence[float]]


def draw_curves(panels: Mapping[str, Mapping[float, Curve]], *, title: str, target: Path) -> list[Path]:
    """Draw a panel per system with a line per rate.

    panels (Mapping[str, Mapping[float, Curve]]): System → rate of dropped triples → `precision` and `recall`.
    RETURNS (list[Path]): The SVG and the PNG file.
    """

    def draw(axes: Sequence[Any]) -> None:
        for axis, (system, curves) in zip(axes, panels.items()):
            lines = {
                f"{rate:.0%} dropped": (curve["recall"], curve["precision"]) for rate, curve in sorted(curves.items())
            }
            _draw_lines(axis, lines)
            axis.set(title=system, xlabel="recall", xlim=(0, 1), ylim=(0, 1.02))
            axis.legend(loc="lower left")
        axes[0].set_ylabel("precision")

    return _save(draw, width=4.2, panels=len(panels), title=title, target=target)


def read_learning(rows: Sequence[Row], data: str) -> dict[str, list[tuple[float, float]]]:
    """Read learning curves from the rows of a `*_progress.json`.

    data (str): The data set, as the rows name it.
    RETURNS (dict[str, list[tuple[float, float]]]): System → for each epoch, the processor seconds of training so far,
        and exact F; means over the seeds.
    """
    passes: dict[str, dict[int, dict[str, float]]] = {}
    for row in rows:
        if row["data"] == data:
            number = int(row["split"].rpartition(" ")[2])
            passes.setdefault(row["system"], {}).setdefault(number, {})[row["metric"]] = row["mean"]
    return {
        system: [(entry["cpu_seconds"], entry["exact_f"]) for _, entry in sorted(history.items())]
        for system, history in sorted(passes.items())
    }


def draw_learning(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, target: Path) -> list[Path]:
    """Draw learning curves: exact F against the processor time of training.

    lines (Mapping[str, Sequence[tuple[float, float]]]): System → processor seconds and exact F after each epoch.
    RETURNS (list[Path]): The SVG and the PNG file.
    """

    def draw(axes: Sequence[Any]) -> None:
        points = {
            system: ([seconds / 60 for seconds, _ in history], [score for _, score in history])
            for system, history in lines.items()
        }
        _draw_lines(axes[0], points, marker=".")
        axes[0].set(xlabel="processor time of training, minutes", ylabel="exact F", xlim=(0, None), ylim=(0, 1))
        axes[0].legend(loc="lower right")

    return _save(draw, width=6.4, panels=1, title=title, target=target)


def _draw_lines(axis: Any, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], **options: str) -> None:
    """Draw lines in different colours, and a grid."""
    import matplotlib

    for number, (label, (across, up)) in enumerate(lines.items()):
        colour = matplotlib.colormaps["viridis"](number / max(1, len(lines)))
        axis.plot(across, up, label=label, color=colour, **options)
    axis.grid(alpha=0.3)


def _save(draw: Callable[[Sequence[Any]], None], *, width: float, panels: int, title: str, target: Path) -> list[Path]:
    """Make a row of panels and write it, the same bytes for the same figures. RETURNS (list[Path]): SVG and PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    target.parent.mkdir(parents=True, exist_ok=True)
    with pyplot.rc_context({"svg.hashsalt": "spacy-relext", "font.size": 10}):
        options: dict[str, Any] = {"figsize": (width * panels, 3.8), "sharey": True, "squeeze": False}
        figure, axes = pyplot.subplots(1, panels, layout="constrained", **options)
        draw(axes[0])
        figure.suptitle(textwrap.fill(title, round(10.7 * width) * panels))
        files = [target.with_name(f"{target.name}.{suffix}") for suffix in ("svg", "png")]
        figure.savefig(files[0], metadata={"Date": None})
        figure.savefig(files[1], dpi=130, metadata={"Software": None})
        pyplot.close(figure)
    return files
