"""Speed of `spacy relext extract` against `nlp.pipe`, and memory over many documents."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.extraction.data import save_tiny_pipeline, write_texts
from benchmarks.extraction.kill import run_undisturbed
from benchmarks.harness.call import Call

# The baseline for the command: reads the texts, runs the pipeline, and discards the Docs.
BARE = """
import json, sys, time
import spacy, torch
torch.set_num_threads(int(sys.argv[3]))
nlp = spacy.load(sys.argv[1])
texts = [json.loads(line)["text"] for line in open(sys.argv[2], encoding="utf8")]
started = time.perf_counter()
for doc in nlp.pipe(texts, batch_size=64):
    pass
print(time.perf_counter() - started)
"""


def speed(call: Call) -> None:
    """Documents per second of nlp.pipe alone, of the command with one process, and with two, in turn.

    Loading is not counted: the command's time for two documents, the shorter of two, is subtracted.
    """
    documents = call.maker.limit_train or 20_000
    folder = call.settings.runs / "speed"
    pipeline = save_tiny_pipeline(folder / "pipeline")
    texts, few = write_texts(folder / f"{documents}.jsonl", documents), write_texts(folder / "2.jsonl", 2)
    for number in range(call.settings.passes):
        bare = _bare_seconds(pipeline, texts)
        seconds = {}
        for n_process in (1, 2):
            loading = min(_seconds(pipeline, few, folder / "out", n_process) for _ in range(2))
            seconds[n_process] = _seconds(pipeline, texts, folder / "out", n_process) - loading
        metrics = {
            "bare_documents_per_second": documents / bare,
            "documents_per_second": documents / seconds[1],
            "bare_pipe_ratio": bare / seconds[1],
            "two_processes_ratio": seconds[1] / seconds[2],
        }
        call.record(
            "extraction_speed", metrics, data=f"{documents} documents", split="all", system="default", seed=number
        )
        call.tell(", ".join(f"{key} {value:.2f}" for key, value in metrics.items()))


def memory(call: Call) -> None:
    """Peak memory of the command over a tenth of the documents, and over all."""
    documents = call.maker.limit_train or 1_000_000
    folder = call.settings.runs / "memory"
    pipeline = save_tiny_pipeline(folder / "pipeline")
    peaks = {}
    for count in (documents // 10, documents):
        texts = write_texts(folder / f"{count}.jsonl", count)
        peaks[count] = _peak_mib(pipeline, texts, folder / f"out-{count}")
        call.tell(f"{count} documents: {peaks[count]:.0f} MiB")
    few, many = peaks.values()
    metrics = {"tenth_peak_mib": few, "peak_mib": many, "growth_ratio": many / few}
    call.record("extraction_memory", metrics, data=f"{documents} documents", split="all", system="default", seed=0)


def _seconds(pipeline: Path, texts: Path, target: Path, n_process: int) -> float:
    """Time the command from the start to the end of its process."""
    shutil.rmtree(target, ignore_errors=True)  # otherwise the previous run would be resumed
    return run_undisturbed(pipeline, texts, target, n_process=n_process)[1]


def _bare_seconds(pipeline: Path, texts: Path) -> float:
    """Time `nlp.pipe` in a process of its own."""
    command = [sys.executable, "-c", BARE, str(pipeline), str(texts), "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def _peak_mib(pipeline: Path, texts: Path, target: Path) -> float:
    """Run the command in a process of its own, and return the peak of its memory."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "spacy_relext", "extract", str(pipeline), str(texts), str(target)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise ValueError(f"extract failed after {time.perf_counter() - started:.0f} seconds")
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss / 1024
