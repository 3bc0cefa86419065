"""Time and memory of clustering against the number of pairs, on vectors that are drawn.

As a program it draws vectors around K centres, clusters them once and prints seconds and the peak of its memory in MiB:

    python benchmarks/selfore_scale.py 100000
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy
from call import Call
from stopwatch import peak_memory

from spacy_relext.clustering.discriminant import discriminant_kmeans

SIZES = (10_000, 100_000, 1_000_000)
WIDTH, CLUSTERS, CHUNK = 1_152, 50, 50_000


def scale(call: Call) -> None:
    """Cluster ever more vectors, each number in a process of its own.

    call (Call): The call.
    """
    for count in SIZES:
        call.tell(f"{count:,} pairs")
        command = [sys.executable, __file__, str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, peak = map(float, done.stdout.split()[-2:])
        metrics = {"cluster_seconds": seconds, "pairs_per_second": count / seconds, "peak_mib": peak}
        described = f"{count:,} vectors of {WIDTH:,} numbers, half precision, K = {CLUSTERS}"
        call.record("scale", metrics, data=described, split="one start", system="default", seed=0, seconds=seconds)
        call.tell(f"  {seconds:.0f} s, peak {peak:,.0f} MiB")


def draw(count: int) -> numpy.ndarray:
    """Draw vectors around centres.

    count (int): How many.
    RETURNS (numpy.ndarray): In half precision. Shape (N, F)
    """
    dice = numpy.random.default_rng(0)
    centres = dice.normal(size=(CLUSTERS, WIDTH)).astype("float32")
    found = numpy.empty((count, WIDTH), dtype="float16")
    for start in range(0, count, CHUNK):
        part = found[start : start + CHUNK]
        part[:] = centres[dice.integers(CLUSTERS, size=len(part))] + 4 * dice.standard_normal(part.shape, "float32")
    return found


def main() -> None:
    """Cluster once."""
    vectors = draw(int(sys.argv[1]))
    start = time.process_time()
    discriminant_kmeans(vectors, CLUSTERS, seed=0, restarts=1)
    print(time.process_time() - start, peak_memory())


if __name__ == "__main__":
    main()
