"""Time and memory of training on a stream of a million sentences, of which a rule matches a hundred."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.tokens import Doc, Span

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.runs import VARIANTS, run_logged
from benchmarks.harness.training_config import read_config, set_key
from benchmarks.nero.speed import BATCH, LENGTH, MEBIBYTE, SENTENCES, make_pairs
from benchmarks.nero.systems import COMPONENT
from spacy_relext.corpora.shards import ShardWriter

CONFIG = VARIANTS / "nero_tok2vec.cfg"
MATCHED = 100
SHARD = 10_000
RULE = {"relation": "r", "pattern": "SUBJ-* matches OBJ-*"}
PARTS = (10, 1)


def stream(call: Call) -> None:
    """Train with one pass over a stream, of a tenth of the sentences and of all, each in a process of its own."""
    total = call.maker.limit_train or SENTENCES
    for part in PARTS:
        count, folder = total // part, Path(call.settings.runs) / f"stream-{total // part}"
        if not folder.exists():
            _write_stream(folder, count, seed=call.seeds[0])
        started = time.perf_counter()
        log = _train_on(call, folder, steps=count // BATCH)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MEBIBYTE
        call.tell(f"{count:,} sentences: {seconds:.0f} s, peak {peak:.0f} MiB; {log}")
        options: dict[str, Any] = {"data": f"{total:,} sentences of {LENGTH} invented words", "split": "training"}
        system = "default" if part == 1 else "ablation:a tenth of the sentences"
        metrics = {"sentences_per_second": count / seconds, "peak_mib": peak}
        call.record("stream", metrics, system=system, seed=call.seeds[0], **options)


def _write_stream(folder: Path, total: int, *, seed: int) -> None:
    """Write random sentences with two entities each; some, evenly spread, have the rule's word between them."""
    with ShardWriter(folder, shard=SHARD, attrs=["ENT_IOB", "ENT_TYPE", "SENT_START"]) as writer:
        number, each = 0, total // MATCHED
        for pairs in make_pairs(total, seed=seed):
            for doc, subject, obj in zip(pairs.docs, pairs.subject[:, 0].tolist(), pairs.object[:, 0].tolist()):
                number += 1
                words = [token.text for token in doc]
                if number % each == 0:
                    words[subject + 1 : obj] = ["matches"]
                    obj = subject + 2
                made = Doc(doc.vocab, words=words, sent_starts=[True] + [False] * (len(words) - 1))
                made.set_ents([Span(made, place, place + 1, label="A") for place in (subject, obj)])
                writer.add(made)


def _train_on(call: Call, folder: Path, *, steps: int) -> str:
    """Train with `spacy train` in a process of its own; RETURNS the last row of its log."""
    assert isinstance(call.maker, PairMaker)
    config, work = read_config(CONFIG), folder.with_name(f"{folder.name}-run")
    work.mkdir(parents=True, exist_ok=True)
    srsly.write_jsonl(work / "rules.jsonl", [RULE])
    reader = {"@readers": "spacy_relext.TripleCorpus.v1", "path": "${paths.train}", "gold_ents": True}
    changes: dict[str, Any] = {
        "paths.train": str(folder),
        "paths.dev": str(call.maker.nothing()),
        "paths.rules": str(work / "rules.jsonl"),
        "training.max_epochs": -1,
        "training.max_steps": steps,
        "training.eval_frequency": steps,
        "training.batcher.size": BATCH,
        f"initialize.components.{COMPONENT}.corpus": reader,
    }
    for key, value in changes.items():
        set_key(config, key, value)
    config.to_disk(work / "config.cfg", interpolate=False)
    command = [sys.executable, "-m", "spacy", "train", str(work / "config.cfg"), "--output", str(work / "model")]
    log = work / "train.log"
    run_logged(command, log, threads=call.settings.threads)
    nlp = spacy.load(work / "model" / "model-last")
    if "r" not in nlp.get_pipe(COMPONENT).labels:  # type: ignore[attr-defined]
        raise ValueError(f"{work}: nothing was matched")
    lines = log.read_text(encoding="utf8").splitlines()
    return next((line for line in reversed(lines) if line.split()[:1] == ["0"]), "")
