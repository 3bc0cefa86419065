"""Content of a page about clusters: a sample of pairs with their text, on a map of two dimensions."""

from typing import Iterable, List, NamedTuple, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import minibatch

from ..errors import require
from ..pairs.component import PairPipe
from ..pairs.pairs import Pairs

BATCH = 256

# Characters of context on either side of a pair.
CONTEXT = 160


class Point(NamedTuple):
    """A pair on the map.

    cluster (int): Its cluster, from 0.
    score (float): How well it fits there, 0 to 1.
    text (str): The pair in context.
    marks (List[Tuple[int, int]]): Bounds of both arguments there, in characters, the end exclusive.
    x, y (float): Coordinates, 0 to 1.
    """

    cluster: int
    score: float
    text: str
    marks: List[Tuple[int, int]]
    x: float = 0.5
    y: float = 0.5


class Sample(NamedTuple):
    """A sample of the pairs of a corpus.

    points (List[Point]): The sample.
    sizes (List[int]): Pairs of each cluster in the corpus.
    below (int): Pairs of the corpus whose score is below the component's threshold.
    """

    points: List[Point]
    sizes: List[int]
    below: int


def sample_pairs(clusterer: PairPipe, docs: Iterable[Doc], *, most: int, seed: int = 0) -> Sample:
    """Cluster pairs, and map a sample of them (reservoir sampling; Vitter, 1985).

    clusterer (PairPipe): A trained `selfore_clusterer`.
    docs (Iterable[Doc]): With entities; the component's own triples are ignored.
    most (int): Largest size of the sample.
    seed (int): Of sample and map.
    RETURNS (Sample): The sample.
    RAISES (ValueError): If the component is not initialized.
    """
    clusterer.require_initialized()
    rng = numpy.random.default_rng(seed)
    reservoir: List[Tuple[Point, NDArray[numpy.floating]]] = []
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
            place = len(reservoir) if len(reservoir) < most else int(rng.integers(seen))
            if place < most:
                entry = (_point(pairs, number, cluster, float(score[number])), outputs.logits[number])
                reservoir[place : place + 1] = [entry]
    if not reservoir:
        return Sample([], sizes, below)
    places = embed_in_plane(numpy.stack([logits for _, logits in reservoir]), seed=seed)
    points = [point._replace(x=round(x, 4), y=round(y, 4)) for (point, _), (x, y) in zip(reservoir, places.tolist())]
    return Sample(points, sizes, below)


def embed_in_plane(vectors: NDArray[numpy.floating], *, seed: int) -> NDArray[numpy.floating]:
    """Embed vectors in two dimensions by t-SNE (van der Maaten and Hinton, 2008).

    vectors (NDArray[numpy.floating]): Shape (N, D)
    seed (int): Of t-SNE.
    RETURNS (NDArray[numpy.floating]): Coordinates, 0 to 1. Shape (N, 2)
    """
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
    """Cut a pair's text to its context."""
    spans = pairs.spans(number)
    doc, (start, end) = pairs.docs[pairs.doc[number]], pairs.text[number].tolist()
    text = doc[start:end]
    first = max(text.start_char, min(span.start_char for span in spans) - CONTEXT)
    last = min(text.end_char, max(span.end_char for span in spans) + CONTEXT)
    marks = [(span.start_char - first, span.end_char - first) for span in spans]
    return Point(cluster, round(score, 4), doc.text[first:last], marks)


def check_sample(sample: Sample) -> List[str]:
    """RETURNS (List[str]): Notes for the reader: clusters without pairs in the corpus."""
    empty = sample.sizes.count(0)
    return [f"{empty} of the {len(sample.sizes)} clusters hold no pair of this corpus"] if empty else []
