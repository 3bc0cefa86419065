"""What a page about clusters shows: a sample of pairs, where each lies on a map, and what its text says."""

from typing import Any, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc
from spacy.util import minibatch

from ..errors import require
from ..pairs.pairs import Pairs

BATCH = 256

# Characters of a text that are shown on either side of a pair.
AROUND = 160


class Point(NamedTuple):
    """One pair.

    cluster (int): Its cluster, from 0.
    score (float): How well it fits there, 0 to 1.
    text (str): Its text, cut to what stands around the pair.
    marks (Tuple[Tuple[int, int], Tuple[int, int]]): First character of each argument in it, and the one after.
    x, y (float): Its place on the map, 0 to 1.
    """

    cluster: int
    score: float
    text: str
    marks: Tuple[Tuple[int, int], Tuple[int, int]]
    x: float = 0.5
    y: float = 0.5


class Sample(NamedTuple):
    """What was read.

    points (List[Point]): The pairs that are shown.
    sizes (List[int]): Pairs of each cluster, all that were read.
    below (int): Pairs whose score is below the component's threshold.
    """

    points: List[Point]
    sizes: List[int]
    below: int


def sample_points(clusterer: Any, docs: Iterable[Doc], *, most: int, seed: int = 0) -> Sample:
    """Read pairs, and lay a sample of them out on a map.

    clusterer (Any): A trained `selfore_clusterer`.
    docs (Iterable[Doc]): With entities; what it wrote on them is not read.
    most (int): Pairs that are shown, drawn from all (Vitter, 1985).
    seed (int): Of the draw and of the map.
    RETURNS (Sample): Pairs with their places.
    RAISES (ValueError): Where the component is not initialized.
    """
    clusterer.require_initialized()
    dice = np.random.default_rng(seed)
    kept: List[Tuple[Point, npt.NDArray[np.float32]]] = []
    sizes, below, seen = [0] * len(clusterer.labels), 0, 0
    for batch in minibatch(docs, BATCH):
        pairs = clusterer.suggest(list(batch))
        outputs = clusterer.run(pairs)
        if outputs is None:
            continue
        best, score = clusterer.choose(pairs, outputs)
        for number in range(len(pairs)):
            cluster = int(best[number]) - 1
            sizes[cluster] += 1
            below += bool(score[number] < clusterer.cfg["threshold"])
            seen += 1
            place = len(kept) if len(kept) < most else int(dice.integers(seen))
            if place < most:
                entry = (_point(pairs, number, cluster, float(score[number])), outputs.logits[number])
                kept[place : place + 1] = [entry]
    if not kept:
        return Sample([], sizes, below)
    places = lay_out(np.stack([logits for _, logits in kept]), seed=seed)
    points = [point._replace(x=round(x, 4), y=round(y, 4)) for (point, _), (x, y) in zip(kept, places.tolist())]
    return Sample(points, sizes, below)


def lay_out(vectors: npt.NDArray[Any], *, seed: int) -> npt.NDArray[np.float64]:
    """Find places on a map so that neighbours stay neighbours: t-SNE (van der Maaten and Hinton, 2008).

    vectors (NDArray): Shape (N, D)
    seed (int): Of its start.
    RETURNS (NDArray): 0 to 1 in both directions. Shape (N, 2)
    """
    if len(vectors) < 4:
        return np.linspace([0.2, 0.5], [0.8, 0.5], len(vectors))
    manifold = require("sklearn.manifold", purpose="a map of clusters", extra="cluster")
    centered = vectors.astype("float32") - vectors.mean(0)
    scaled = centered / max(float(centered.std()), 1e-6)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    options = {"init": "random" if vectors.shape[1] < 2 else "pca", "random_state": seed}
    places = manifold.TSNE(2, perplexity=perplexity, **options).fit_transform(scaled).astype("float64")
    low, high = places.min(0), places.max(0)
    found: npt.NDArray[np.float64] = (places - low) / np.maximum(high - low, 1e-9)
    return found


def _point(pairs: Pairs, number: int, cluster: int, score: float) -> Point:
    """Cut a pair's text to what stands around it."""
    spans = pairs.spans(number)
    doc, (start, end) = pairs.docs[pairs.doc[number]], pairs.text[number].tolist()
    text = doc[start:end]
    first = max(text.start_char, min(span.start_char for span in spans) - AROUND)
    last = min(text.end_char, max(span.end_char for span in spans) + AROUND)
    marks = tuple((span.start_char - first, span.end_char - first) for span in spans)
    return Point(cluster, round(score, 4), doc.text[first:last], marks)  # type: ignore[arg-type]


def check_sample(sample: Sample) -> Sequence[str]:
    """RETURNS (Sequence[str]): What a reader of the page should know: clusters in which no pair of the corpus is."""
    empty = [number for number, size in enumerate(sample.sizes) if not size]
    return [f"{len(empty)} of the {len(sample.sizes)} clusters hold no pair of this corpus"] if empty else []
