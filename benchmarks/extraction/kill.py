"""Test of resumption: a run that is killed many times gives the same output as an undisturbed one."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.extraction.data import save_tiny_pipeline, write_texts
from benchmarks.harness.call import Call

# Part of the experiment → number of processes of a run.
PARTS = {"one process": 1, "two processes": 2, "ray": 1}


@dataclass
class Killed:
    """What happened to a disturbed run.

    whole (int): Kills of the command with all its processes.
    workers (int): Kills of one worker, which the command survived.
    starts (int): How often the command was started.
    """

    whole: int = 0
    workers: int = 0
    starts: int = 0


def kill(call: Call) -> None:
    """100,000 documents in JSON lines, many kills at random moments: one process, two, and two Ray actors."""
    documents = call.maker.limit_train or 100_000
    kills = call.settings.passes
    folder = call.settings.runs / "kill"
    shutil.rmtree(folder, ignore_errors=True)  # a finished run would be resumed, and not killed
    pipeline, texts = save_tiny_pipeline(folder / "pipeline"), write_texts(folder / "texts.jsonl", documents)
    expected, seconds = run_undisturbed(pipeline, texts, folder / "whole", n_process=1)
    for seed, part in product(call.seeds, filter(call.wants, PARTS)):
        started, target = time.perf_counter(), folder / f"{part}-{seed}"
        run = partial(run_killed_ray, n_actors=2) if part == "ray" else partial(run_killed, n_process=PARTS[part])
        killed = run(pipeline, texts, target, kills=kills, seconds=seconds, seed=seed)
        found = hash_sorted(target)
        metrics = {
            "same_output": float(found == expected),
            "kills_found": float(killed.whole + killed.workers),
            "undisturbed_seconds": seconds,
            "killed_seconds": time.perf_counter() - started,
        }
        call.record("extraction_kill", metrics, data=f"{documents} documents", split=part, system="default", seed=seed)
        call.tell(f"{part}: {killed}, output {'the same' if found == expected else 'DIFFERS'}")
        if found != expected:
            raise ValueError(f"{target} differs from an undisturbed run")


def run_undisturbed(pipeline: Path, texts: Path, target: Path, *, n_process: int) -> tuple[str, float]:
    """Extract without a kill, resuming what is done; RETURNS the hash of the sorted output, and the seconds."""
    started = time.perf_counter()
    subprocess.run(_command(pipeline, texts, target, n_process), check=True, capture_output=True, env=_environment())
    seconds = time.perf_counter() - started
    return hash_sorted(target), seconds


def run_killed(
    pipeline: Path, texts: Path, target: Path, *, n_process: int, kills: int, seconds: float, seed: int
) -> Killed:
    """Extract, and kill the run or one of its workers at random moments, until it has been killed often enough.

    seconds (float): Time of an undisturbed run, which sets the intervals between kills.
    """
    rng, killed = random.Random(seed), Killed()
    command = _command(pipeline, texts, target, n_process)
    while True:
        killed.starts += 1
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=_environment()
        )
        while killed.whole + killed.workers < kills and process.poll() is None:
            # from the start of the command to somewhat more than one kill's share of the run
            try:
                process.wait(rng.uniform(0.0, 8.0 + 2.0 * seconds / kills))
            except subprocess.TimeoutExpired:
                workers = _children(process.pid)
                if workers and rng.random() < 0.5:
                    _kill(rng.choice(workers))
                    killed.workers += 1
                    continue
                os.killpg(process.pid, signal.SIGKILL)
                killed.whole += 1
        if process.wait() == 0:
            return killed


def run_killed_ray(
    pipeline: Path, texts: Path, target: Path, *, n_actors: int, kills: int, seconds: float, seed: int
) -> Killed:
    """Extract on a local Ray cluster, and kill its actors one by one; the run must survive that.

    seconds (float): Time of an undisturbed run, which sets the intervals between kills.
    """
    rng, killed = random.Random(seed), Killed(starts=1)
    command = [*_command(pipeline, texts, target, 1), "--ray", f"actors={n_actors}"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=_environment()
    ) as process:
        while process.poll() is None:
            actors = find_actors() if list(target.glob("part-*")) and killed.workers < kills else []
            if actors:
                _kill(rng.choice(actors))
                killed.workers += 1
            try:
                process.wait(rng.uniform(0.0, 8.0 + 2.0 * seconds / kills) if actors else 0.5)
            except subprocess.TimeoutExpired:
                continue
    if process.returncode:
        raise ValueError(f"extract --ray ended with {process.returncode}")
    return killed


def hash_sorted(folder: Path) -> str:
    """Hash all records of a folder of shards, sorted."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf8"))
    if not manifest["complete"]:
        raise ValueError(f"{folder} is not complete")
    lines = [line for path in sorted(folder.glob("part-*.jsonl")) for line in path.read_bytes().splitlines(True)]
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def _command(pipeline: Path, texts: Path, target: Path, n_process: int) -> Sequence[str]:
    """Return the command line of a run."""
    options = ["--n-process", str(n_process), "--shard-size", "500"]
    return [sys.executable, "-m", "spacy_relext", "extract", str(pipeline), str(texts), str(target), *options]


def _environment() -> dict[str, str]:
    """Return the environment of a run, with one thread per process."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def _children(pid: int) -> list[int]:
    """List the worker processes of a run."""
    return _find_processes("--ppid", str(pid), words=["spawn_main"])


def find_actors() -> list[int]:
    """List the processes of Ray's actors on this machine, by the names that Ray gives them."""
    return _find_processes("-e", words=["ray::", "MapBatches"])


def _find_processes(*selection: str, words: Sequence[str]) -> list[int]:
    """List the processes with all of some words in their command lines."""
    found = subprocess.run(["ps", "-ww", "-o", "pid=,args=", *selection], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if all(word in line for word in words)]


def _kill(pid: int) -> None:
    """Kill a process, unless it has already ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
