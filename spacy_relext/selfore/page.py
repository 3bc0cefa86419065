"""One self-contained HTML page about clusters: a sample of pairs on a map, names to change, and sentences to search."""

from typing import Iterable, List, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import minibatch

from ..annotations.triple import Record
from ..corpora.shards import Reservoir
from ..errors import require
from ..pairs.component import PairPipe
from ..pairs.pairs import Pairs
from ..visuals.templates import draw_page
from .clusters import LONGEST_NAME

BATCH = 256

# Characters of context on either side of a pair.
CONTEXT = 160

# Entity types of dates and times.
DATES = frozenset({"DATE", "TIME", "DURATION", "YEAR", "TIMEX", "TIMEX2", "TIMEX3"})

# Values of a cluster that are shown.
_SHOWN = ("id", "name", "ngrams", "sample", "fit")


class Point(NamedTuple):
    """A pair on the map.

    cluster (int): Its cluster, from 0.
    score (float): How well it fits there, 0 to 1.
    text (str): The pair in context.
    marks (List[Tuple[int, int]]): Bounds of both arguments in `text`, in characters, the end exclusive.
    is_dated (bool): Whether an argument is a date or time.
    x, y (float): Coordinates, 0 to 1.
    """

    cluster: int
    score: float
    text: str
    marks: List[Tuple[int, int]]
    is_dated: bool = False
    x: float = 0.5
    y: float = 0.5


class Sample(NamedTuple):
    """A sample of the pairs of a corpus.

    sizes (List[int]): Pairs of each cluster in the corpus.
    dated (List[int]): Those of them with a date or time.
    below (int): Pairs of the corpus whose score is below the threshold of their relation.
    """

    points: List[Point]
    sizes: List[int]
    dated: List[int]
    below: int


def sample_pairs(clusterer: PairPipe, docs: Iterable[Doc], *, most: int, seed: int = 0) -> Sample:
    """Cluster pairs, and map a uniform sample of them.

    clusterer (PairPipe): A trained `selfore_clusterer`.
    docs (Iterable[Doc]): With entities; the component's own triples are ignored.
    most (int): Maximum size of the sample.
    seed (int): Random seed of sample and map.
    RAISES (ValueError): If the component is not initialized.
    """
    clusterer.require_initialized()
    rng = numpy.random.default_rng(seed)
    reservoir: Reservoir[Tuple[Point, NDArray[numpy.floating]]] = Reservoir(most, rng.integers)
    sizes, dated, below = [0] * len(clusterer.labels), [0] * len(clusterer.labels), 0
    for batch in minibatch(docs, BATCH):
        pairs = clusterer.suggest(list(batch))
        outputs = clusterer.run(pairs)
        if outputs is None:
            continue
        best, score = clusterer.choose(pairs, outputs)
        below += int((score < clusterer.answer_thresholds()[best - 1]).sum())
        for number, cluster in enumerate((best - 1).tolist()):
            sizes[cluster] += 1
            dated[cluster] += _is_dated(pairs, number)
            place = reservoir.next_place()
            if place is not None:
                entry = (_point(pairs, number, cluster, float(score[number])), outputs.logits[number])
                reservoir.items[place : place + 1] = [entry]
    if not len(reservoir):
        return Sample([], sizes, dated, below)
    points, logits = zip(*reservoir.items)
    places = _embed_in_plane(numpy.stack(logits), seed=seed).tolist()
    return Sample([p._replace(x=round(x, 4), y=round(y, 4)) for p, (x, y) in zip(points, places)], sizes, dated, below)


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
        {key: each[key] for key in _SHOWN} | {"size": size, "dated": dated}
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


def _embed_in_plane(vectors: NDArray[numpy.floating], *, seed: int) -> NDArray[numpy.floating]:
    """Embed vectors in the unit square by t-SNE (van der Maaten and Hinton, 2008). Shapes (N, D) → (N, 2)"""
    if len(vectors) < 4:
        return numpy.linspace([0.2, 0.5], [0.8, 0.5], len(vectors))
    manifold = require("sklearn.manifold", purpose="a map of clusters", extra="cluster")
    centered = vectors.astype("float32") - vectors.mean(0)
    scaled = centered / max(float(centered.std()), 1e-6)
    perplexity, init = min(30.0, (len(vectors) - 1) / 3), "random" if vectors.shape[1] < 2 else "pca"
    tsne = manifold.TSNE(2, perplexity=perplexity, init=init, random_state=seed)
    places: NDArray[numpy.floating] = tsne.fit_transform(scaled).astype("float64")
    low, high = places.min(0), places.max(0)
    return (places - low) / numpy.maximum(high - low, 1e-9)


def _point(pairs: Pairs, number: int, cluster: int, score: float) -> Point:
    """Make the point of a pair, with its text cut to the context."""
    spans = pairs.spans(number)
    doc, (start, end) = pairs.docs[pairs.doc[number]], pairs.text[number].tolist()
    text = doc[start:end]
    first = max(text.start_char, min(span.start_char for span in spans) - CONTEXT)
    last = min(text.end_char, max(span.end_char for span in spans) + CONTEXT)
    marks = [(span.start_char - first, span.end_char - first) for span in spans]
    return Point(cluster, round(score, 4), doc.text[first:last], marks, _is_dated(pairs, number))


def _is_dated(pairs: Pairs, number: int) -> bool:
    return any(kind.upper() in DATES for kind in pairs.types[number])
