"""Runs a baseline with the corpora, seed, epochs, threads, precision and batch size of one of our trainings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.datasets import DataSet, read_docs, write_strings
from benchmarks.harness.runs import Settings, cached, digest, fingerprint, run_logged
from benchmarks.harness.training_config import build_config
from benchmarks.rere.unseen import Judged, read_facts, score_by_training, score_judged
from spacy_relext.annotations.store import get_records
from spacy_relext.scoring.triples import TextKey, text_key

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
    """Train a baseline and let it predict, unless that was done.

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
    """Score a baseline's triples, as ours are scored.

    result (dict[str, Any]): From `run_peer`.
    system (str): Its name in rows, such as "peer:casrel".
    RETURNS (dict[str, dict[str, dict[str, float]]]): Split → system → metric → fraction.
    """
    named: dict[str, dict[str, dict[str, float]]] = {}
    training = read_facts(data.train)
    labels = {relation for relation, _, _ in training.triples}
    for split, predicted in result["tests"].items():
        for tuning, ending in TUNINGS.items():
            judged = list(_judge(data, split, predicted[tuning], labels=labels if split in data.foreign else None))
            scores = {
                "": score_judged("exact", judged)
                | {"partial_f": score_judged("partial", _partial(judged))["partial_f"]}
            }
            for addition, metrics in score_by_training(judged, training).items():
                scores.setdefault(addition, {}).update(metrics)
            for addition, metrics in scores.items():
                named.setdefault(f"{split}{addition}", {})[f"{system}{ending}"] = metrics
    return named


def _judge(
    data: DataSet, split: str, predicted: Sequence[Sequence[Sequence[str]]], *, labels: set[str] | None
) -> Iterator[Judged]:
    """Yield a baseline's triples of each test sentence with the gold ones; labels: those that both use count."""
    docs = list(read_docs(data.tests[split]))
    gold = [{text_key(record, doc.text) for record in get_records(doc) or []} for doc in docs]
    if labels is not None:
        labels = labels & {relation for keys in gold for relation, _, _ in keys}
    for doc, keys, triples in zip(docs, gold, predicted, strict=True):
        found = {(relation, subject, object_) for subject, relation, object_ in triples}
        yield Judged(doc.text, *({key for key in each if labels is None or key[0] in labels} for each in (keys, found)))


def _partial(sentences: Iterable[Judged]) -> list[Judged]:
    """Reduce subjects and objects to their first word."""

    def first(keys: Iterable[TextKey]) -> set[TextKey]:
        return {(relation, *((text.split() or [""])[0] for text in ends)) for relation, *ends in keys}

    return [Judged(each.text, first(each.gold), first(each.predicted)) for each in sentences]
