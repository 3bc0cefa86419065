"""Time and memory of reading a knowledge base against the number of its facts, on random facts.

As a program it reads a file once and prints processor seconds, the peak of its memory in MiB, and facts:

    python -m benchmarks.kb.load FACTS.tsv
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy

from benchmarks.harness.call import Call
from benchmarks.harness.runs import run_module
from benchmarks.harness.stopwatch import peak_memory
from spacy_relext.kb.facts import read_store

SIZES = (1_000_000, 10_000_000)
RELATIONS, CHUNK = 300, 500_000


def load(call: Call) -> None:
    """Read files of increasing size, each in a process of its own."""
    for count in SIZES:
        path = call.settings.runs / f"drawn-{count}.tsv"
        if not path.exists():
            draw(path, count)
        call.tell(f"{count:,} facts")
        seconds, peak, _ = map(float, run_module("benchmarks.kb.load", path, threads=1).split()[-3:])
        metrics = {"read_seconds": seconds, "facts_per_second": count / seconds, "peak_mib": peak}
        described = f"{count:,} drawn lines of TSV, up to {count // 10 * 3:,} entities, {RELATIONS} relations"
        call.record("load", metrics, data=described, split="read", system="default", seed=0, seconds=seconds)
        call.tell(f"  {seconds:.0f} s, peak {peak:,.0f} MiB")


def draw(path: Path, count: int) -> None:
    """Write random facts, a few of them twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng, part = numpy.random.default_rng(0), path.with_suffix(".part")
    with part.open("w", encoding="utf8") as stream:
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            ends = rng.integers(count // 10 * 3, size=(size, 2)).tolist()
            names = rng.integers(RELATIONS, size=size).tolist()
            stream.writelines(f"Q{one}\tP{name}\tQ{two}\n" for (one, two), name in zip(ends, names))
    part.replace(path)


def main() -> None:
    """Read once."""
    start = time.process_time()
    store = read_store([Path(sys.argv[1])])
    print(time.process_time() - start, peak_memory(), len(store))


if __name__ == "__main__":
    main()
