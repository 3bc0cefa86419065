"""Draws precision against recall at several rates of dropped triples, as Figure 3 of the RERE paper."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

Curve = Mapping[str, Sequence[float]]


def draw_curves(panels: Mapping[str, Mapping[float, Curve]], *, title: str, target: Path) -> list[Path]:
    """Draw a panel per system with a line per rate.

    panels (Mapping[str, Mapping[float, Curve]]): System → rate of dropped triples → `precision` and `recall`.
    RETURNS (list[Path]): The SVG and the PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    target.parent.mkdir(parents=True, exist_ok=True)
    with pyplot.rc_context({"svg.hashsalt": "spacy-relext", "font.size": 10}):
        options = {"figsize": (4.2 * len(panels), 3.8), "sharey": True, "squeeze": False, "layout": "constrained"}
        figure, axes = pyplot.subplots(1, len(panels), **options)
        for axis, (system, curves) in zip(axes[0], panels.items()):
            for number, (rate, curve) in enumerate(sorted(curves.items())):
                colour = matplotlib.colormaps["viridis"](number / max(1, len(curves)))
                axis.plot(curve["recall"], curve["precision"], label=f"{rate:.0%} dropped", color=colour)
            axis.set(title=system, xlabel="recall", xlim=(0, 1), ylim=(0, 1.02))
            axis.grid(alpha=0.3)
            axis.legend(loc="lower left")
        axes[0][0].set_ylabel("precision")
        figure.suptitle(textwrap.fill(title, 45 * len(panels)))
        files = [target.with_name(f"{target.name}.{suffix}") for suffix in ("svg", "png")]
        figure.savefig(files[0], metadata={"Date": None})
        figure.savefig(files[1], dpi=130, metadata={"Software": None})
        pyplot.close(figure)
    return files
