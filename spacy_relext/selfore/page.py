"""One self-contained HTML page about clusters: a map, names to change, sizes, and sentences to search."""

from typing import Sequence

from ..annotations.triple import Record
from ..visuals.templates import draw_page
from .clusters import LONGEST_NAME
from .points import Sample

# Values of a cluster that are shown, and their defaults for pipelines that were saved without them.
_SHOWN = {"id": "", "name": "", "ngrams": (), "sample": "", "fit": 0.5}


def render_clusters(sample: Sample, clusters: Sequence[Record], *, title: str, lang: str) -> str:
    """Draw clusters as a page that needs no network.

    clusters (Sequence[Record]): Records of the component's clusters.
    lang (str): Language code of the texts.
    RETURNS (str): HTML; all text is escaped.
    """
    total, empty = sum(sample.sizes), sample.sizes.count(0)
    about = [f"{total:,} pairs in {len(clusters)} clusters, {len(sample.points):,} of them on the map"]
    if sample.below:
        about.append(f"{sample.below:,} are below the threshold and get no triple")
    if empty:
        about.append(f"{empty} of the {len(sample.sizes)} clusters hold no pair of this corpus")
    shown = [
        {key: each.get(key, default) for key, default in _SHOWN.items()} | {"size": size, "dated": dated}
        for each, size, dated in zip(clusters, sample.sizes, sample.dated)
    ]
    points = [
        {"c": point.cluster, "s": point.score, "t": point.text, "m": point.marks, "x": point.x, "y": point.y}
        | ({"d": 1} if point.is_dated else {})
        for point in sample.points
    ]
    return draw_page(
        "selfore/page.html",
        title=title,
        lang=lang,
        assets=("selfore/page.css", "selfore/page.js"),
        data={"clusters": shown, "points": points, "longest": LONGEST_NAME},
        about=". ".join(about) + ".",
        has_dates=any(sample.dated),
    )
