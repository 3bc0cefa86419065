"""Runs a peer with the corpora, seed, passes, threads, precision and batch size of one of our trainings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.datasets import DataSet, read_docs, write_strings
from benchmarks.harness.runs import Settings, cached, digest, fingerprint, run_logged
from benchmarks.harness.training_config import build_config
from benchmarks.rere.unseen import Judged, read_facts, score_by_training
from spacy_relext.annotations.store import get_records
from spacy_relext.scoring.triples import text_key

METRICS = ("exact_p", "exact_r", "exact_f", "partial_f")
TUNINGS = {"tuned": "", "fixed": " at 0.5"}
# CasRel's settings in `nyt24` and `webnlg`: one random subject per sentence and step, and its own learning rate.
EARLIER = ("--no-all-subjects",)


def own_batch_size(config: Path, data: DataSet, *, seed: int, settings: Settings) -> int:
    """RETURNS (int): Mean number of sentences in our batches, without a training."""
    options: dict[str, Any] = {"encoder": settings.encoder, "precision": settings.precision, "changes": {}}
    options |= {"passes": settings.passes, "lang": data.lang, "seed": seed}
    _, counts = build_config(config, train=data.train, dev=data.dev, **options)
    return max(1, round(counts["sentences"] / counts["steps_per_pass"]))


def run_peer(
    program: str, data: DataSet, *, seed: int, settings: Settings, batch_size: int, options: Sequence[str] = ()
) -> dict[str, Any]:
    """Train and test a peer, unless that was done.

    program (str): "casrel" or "gplinker".
    batch_size (int): Sentences per batch: as many as ours have on average.
    options (Sequence[str]): Further options of its command line.
    RETURNS (dict[str, Any]): The result that it wrote.
    RAISES (ValueError): If it fails.
    """
    corpora = {"train": data.train, "dev": data.dev, **data.tests}
    files = [digest(path) for path in corpora.values()]
    depends = [files, seed, settings.passes, settings.arithmetic, settings.threads, batch_size, list(options)]
    key = fingerprint([*depends, settings.encoder.name])
    folder = settings.runs / f"{data.name.partition('/')[0]}-{program}-seed{seed}-{key}"

    def run() -> dict[str, Any]:
        strings = settings.runs / "strings"
        paths = {split: write_strings(path, strings / f"{path.stem}.jsonl") for split, path in corpora.items()}
        command = [sys.executable, "-m", f"benchmarks.peers.{program}", "--encoder", str(settings.encoder)]
        command += ["--seed", str(seed), "--passes", str(settings.passes), "--batch-size", str(batch_size)]
        command += ["--threads", str(settings.threads), "--precision", settings.precision]
        command += [*settings.device_options, *options]
        command += ["--train", str(paths["train"]), "--dev", str(paths["dev"])]
        command += ["--test", *(f"{split}={paths[split]}" for split in data.tests)]
        output = folder / f"{program}.json"
        run_logged([*command, "--out", str(output)], folder / "train.log", threads=settings.threads)
        result: dict[str, Any] = json.loads(output.read_text(encoding="utf8"))
        return result

    return cached(folder / "result.json", run)


def peer_scores(result: dict[str, Any], data: DataSet, *, system: str) -> dict[str, dict[str, dict[str, float]]]:
    """Rename a peer's scores like ours, and add those that depend on the training sentences.

    result (dict[str, Any]): From `run_peer`.
    system (str): Its name in rows, such as "peer:casrel".
    RETURNS (dict[str, dict[str, dict[str, float]]]): Split → system → metric → fraction.
    """
    named: dict[str, dict[str, dict[str, float]]] = {}
    training = read_facts(data.train)
    for split, scopes in result["tests"].items():
        is_foreign = split in data.foreign
        scores = scopes["shared_relations" if is_foreign else "all_relations"]
        labels = set(scopes["relations_shared"]) if is_foreign else None
        for tuning, ending in TUNINGS.items():
            name = f"{system}{ending}"
            metrics = {key: scores[tuning][key[:-2]][key[-1]] for key in METRICS}
            named.setdefault(split, {})[name] = metrics
            judged = _judge(data, split, scopes["predicted"][tuning], labels=labels)
            for addition, more in score_by_training(judged, training).items():
                named.setdefault(f"{split}{addition}", {}).setdefault(name, {}).update(more)
    return named


def _judge(
    data: DataSet, split: str, predicted: Sequence[Sequence[Sequence[str]]], *, labels: set[str] | None
) -> Iterable[Judged]:
    """Yield a peer's triples of each test sentence with the gold ones."""
    for doc, triples in zip(read_docs(data.tests[split]), predicted, strict=True):
        gold = {text_key(record, doc.text) for record in get_records(doc) or []}
        found = {(relation, subject, object_) for subject, relation, object_ in triples}
        kept = [{key for key in keys if labels is None or key[0] in labels} for keys in (gold, found)]
        yield Judged(doc.text, *kept)
