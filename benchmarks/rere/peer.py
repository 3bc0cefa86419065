"""Runs the CasRel peer on the corpora, seed, passes, threads, precision and batch size of a training of ours."""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.harness.datasets import DataSet, write_strings
from benchmarks.harness.runs import Settings, Trained, cached, digest, fingerprint, run_logged

METRICS = ("exact_p", "exact_r", "exact_f", "partial_f")
SYSTEMS = {"tuned": "peer:casrel", "fixed": "peer:casrel at 0.5"}


def run_casrel(data: DataSet, *, seed: int, settings: Settings, ours: Trained) -> dict[str, Any]:
    """Train and test the peer, unless that was done.

    ours (Trained): The training whose batch size it takes.
    RAISES (ValueError): Where it fails.
    """
    corpora = {"train": data.train, "dev": data.dev, **data.tests}
    files = [digest(path) for path in corpora.values()]
    depends = [files, seed, settings.passes, settings.precision, settings.threads, ours.batch_size]
    key = fingerprint([*depends, settings.encoder.name])
    folder = settings.runs / f"{data.name.partition('/')[0]}-casrel-seed{seed}-{key}"

    def run() -> dict[str, Any]:
        strings = settings.runs / "strings"
        paths = {split: write_strings(path, strings / f"{path.stem}.jsonl") for split, path in corpora.items()}
        command = [sys.executable, "-m", "benchmarks.peers.casrel", "--encoder", str(settings.encoder)]
        command += ["--seed", str(seed), "--passes", str(settings.passes), "--batch-size", str(ours.batch_size)]
        command += ["--threads", str(settings.threads), "--precision", settings.precision]
        command += ["--train", str(paths["train"]), "--dev", str(paths["dev"])]
        command += ["--test", *(f"{split}={paths[split]}" for split in data.tests)]
        output = folder / "casrel.json"
        run_logged([*command, "--out", str(output)], folder / "train.log", threads=settings.threads)
        result: dict[str, Any] = json.loads(output.read_text(encoding="utf8"))
        return result

    return cached(folder / "result.json", run)


def peer_scores(result: dict[str, Any], *, foreign: frozenset[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Name the peer's scores as ours.

    result (dict[str, Any]): From `run_casrel`.
    foreign (frozenset[str]): Splits on which only the shared relations count.
    RETURNS (dict[str, dict[str, dict[str, float]]]): Split → system → metric → fraction.
    """
    named: dict[str, dict[str, dict[str, float]]] = {}
    for split, scopes in result["tests"].items():
        scores = scopes["shared_relations" if split in foreign else "all_relations"]
        named[split] = {
            system: {key: scores[tuning][key[:-2]][key[-1]] for key in METRICS} for tuning, system in SYSTEMS.items()
        }
    return named
