"""Time and memory of clustering against the number of pairs, on random vectors.

As a program it draws vectors around K centres, clusters them once and prints seconds and the peak of its memory in MiB;
with a number of restarts it does all that `selfore_clusterer` does in a loop after reading, with as many restarts:

    python -m benchmarks.selfore.scale 100000
    python -m benchmarks.selfore.scale 100000 20
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from unittest.mock import patch

import numpy
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from benchmarks.harness.call import Call
from benchmarks.harness.runs import run_module
from benchmarks.harness.stopwatch import peak_memory
from spacy_relext.selfore import loop
from spacy_relext.selfore.clustering.discriminant import discriminant_kmeans, reduce_vectors
from spacy_relext.selfore.component import SelforeClusterer
from spacy_relext.selfore.table import Context, PairTable

# Number of pairs → restarts in a whole loop: twenty are the default, and take hours for a million pairs.
SIZES = {10_000: 20, 100_000: 20, 1_000_000: 3}
WIDTH, CLUSTERS, CHUNK = 1_152, 50, 50_000
PARTS = ("start", "loop")
NAME = "selfore_clusterer"
TOKENS = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": WIDTH // 3, "depth": 1}
TOKENS |= {"embed_size": 100, "window_size": 1, "maxout_pieces": 2, "subword_features": False}
# Words between arguments: as in FewRel, a third of the pairs have none that count, and 11,200 pairs have about five
# different n-grams each.
WORDS, PHRASES, LONGEST, EMPTY, REPEATED = 20_000, 3_000, 10, 0.35, 0.4


def scale(call: Call) -> None:
    """Cluster increasing numbers of vectors, each in a process of its own.

    call (Call): Its limit of training pairs is the largest number.
    """
    for count, starts in SIZES.items():
        if count > (call.maker.limit_train or count):
            continue
        described = f"{count:,} vectors of {WIDTH:,} numbers, half precision, K = {CLUSTERS}"
        for part in filter(call.wants, PARTS):
            split = "one start" if part == "start" else f"all of a loop after reading, {starts} starts"
            call.tell(f"{count:,} pairs, {split}")
            seconds, peak = measure(count, *([starts] if part == "loop" else []))
            metrics = {"cluster_seconds": seconds, "pairs_per_second": count / seconds, "peak_mib": peak}
            if part == "loop":
                metrics["start_seconds"] = seconds / starts
            call.record(
                "scale",
                metrics,
                data=described,
                split=split,
                system="ablation:no over-clustering",
                seed=0,
                seconds=seconds,
            )
            call.tell(f"  {seconds:.0f} s, peak {peak:,.0f} MiB")


def measure(*arguments: int) -> tuple[float, float]:
    """Run this program.

    arguments (int): Number of vectors and, for a whole loop, number of restarts.
    RETURNS (tuple[float, float]): Seconds of processor time, and the peak of memory in MiB.
    """
    seconds, peak = map(float, run_module("benchmarks.selfore.scale", *arguments).split()[-2:])
    return seconds, peak


def _draw(count: int) -> numpy.ndarray:
    """Draw random vectors around centres."""
    rng = numpy.random.default_rng(0)
    centres = rng.normal(size=(CLUSTERS, WIDTH)).astype("float32")
    vectors = numpy.empty((count, WIDTH), dtype="float16")
    for start in range(0, count, CHUNK):
        part = vectors[start : start + CHUNK]
        part[:] = centres[rng.integers(CLUSTERS, size=len(part))] + 4 * rng.standard_normal(part.shape, "float32")
    return vectors


def draw_table(count: int) -> PairTable:
    """Draw a random table of pairs, with all that is kept of pairs after reading.

    RETURNS (PairTable): Keys, vectors, words between the arguments, samples and types, each an object of its own, as
        in a table that is read.
    """
    rng = numpy.random.default_rng(1)
    keys = [rng.bytes(12) for _ in range(count)]
    types = [(f"TYPE{one}", f"TYPE{other}") for one, other in rng.integers(6, size=(count, 2)).tolist()]
    contexts = [Context(number, words, f"Ada … {number} … Bo") for number, words in enumerate(draw_gaps(count))]
    return PairTable(keys, _draw(count), contexts, types, gold=[None] * count, backwards=[False] * count)


def draw_gaps(count: int) -> list[tuple[str, ...]]:
    """Draw the words between arguments, by Zipf's law."""
    rng = numpy.random.default_rng(2)
    shares = 1.0 / numpy.arange(3, WORDS + 3)
    shares /= shares.sum()
    phrases = [rng.choice(WORDS, size=rng.integers(1, LONGEST + 1), p=shares).tolist() for _ in range(PHRASES)]
    lengths = rng.integers(1, LONGEST + 1, size=count)
    kinds = rng.choice(3, size=count, p=[EMPTY, REPEATED, 1.0 - EMPTY - REPEATED])
    chosen, words = rng.integers(PHRASES, size=count), rng.choice(WORDS, size=int(lengths.sum()), p=shares)
    ends = numpy.cumsum(lengths)
    gaps: list[tuple[str, ...]] = []
    for number, (kind, end, length) in enumerate(zip(kinds.tolist(), ends.tolist(), lengths.tolist())):
        own = ((), phrases[chosen[number]], words[end - length : end])[kind]
        gaps.append(tuple(f"w{word}" for word in own))
    return gaps


def time_all(count: int, starts: int) -> tuple[float, SelforeClusterer]:
    """Do what follows reading in a loop: cluster, compute how well pairs fit, and name the clusters.

    starts (int): The clusterer's `restarts`; all else as by default, but for the number of clusters,
        and no over-clustering.
    RETURNS (tuple[float, SelforeClusterer]): Seconds of processor time; the component, initialized.
    """
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy_relext.SelforeClusterer.v1", "encoder": TOKENS, "type_weight": 0.0}
    clustering = {"@misc": "spacy_relext.SelforeClustering.v1", "restarts": starts, "over": 1}
    config = {"n_clusters": CLUSTERS, "model": model, "clustering": clustering}
    pipe: SelforeClusterer = nlp.add_pipe(NAME, config=config)  # type: ignore[assignment]
    began = []

    def encode_pairs(clusterer: SelforeClusterer, examples: Iterable[Example], *, reads_gold: bool) -> PairTable:
        table = draw_table(count)
        began.append(time.process_time())
        return table

    doc = Doc(nlp.vocab, words=["Ada", "left", "Rome"], sent_starts=[True, False, False])
    doc.ents = (Span(doc, 0, 1, "PERSON"), Span(doc, 2, 3, "PLACE"))
    with patch.object(loop, "encode_pairs", encode_pairs):
        nlp.initialize(lambda: [Example(doc, doc.copy())])
    return time.process_time() - began[0], pipe


def _time_start(count: int) -> float:
    """Cluster once."""
    vectors = _draw(count)
    start = time.process_time()
    discriminant_kmeans(reduce_vectors(vectors, CLUSTERS), CLUSTERS, restarts=1, seed=0)
    return time.process_time() - start


def main() -> None:
    """Cluster once, or run a whole loop."""
    count, *starts = map(int, sys.argv[1:])
    seconds = time_all(count, starts[0])[0] if starts else _time_start(count)
    print(seconds, peak_memory())


if __name__ == "__main__":
    main()
