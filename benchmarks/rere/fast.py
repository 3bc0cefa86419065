"""A pipeline without a transformer, taught by the default: its scores, and words per second of both on one core.

The teacher learns from the first 1,500 training sentences of NYT24, and labels further texts (`unlabelled.py`). The
student always learns from the gold labels of these 1,500; the parts of the experiment say what is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.tokens import Doc

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import VECTORS
from benchmarks.harness.datasets import DataSet, count_docs, read_docs
from benchmarks.harness.runs import CONFIGS, Trained
from benchmarks.harness.speed import record_speed
from benchmarks.harness.stopwatch import extraction
from benchmarks.rere.evaluation import load_tuned
from benchmarks.rere.experiments import record_scores, run_system
from benchmarks.rere.unlabelled import RIEDEL, collect_texts, join_corpora, label_texts

CONFIG = CONFIGS / "rere_fast.cfg"
LABELLED = 1500
# Part of the experiment → epochs of the student: about the same number of updates, fewer for the labels alone.
PASSES = {"taught": 4, "labels alone": 20, "taught on NYT24 alone": 8, "all labels of NYT24": 8}
# The batch size of the config, in place of that of the benchmarks.
CHANGES = {"training.batcher.size": 800}
SPEED = "speed"
TIMED_TEXTS, BATCH_SIZE = 1000, 64


def fast(call: Call) -> None:
    """Train teacher and students, score them, and time the teacher and the taught student; parts: see `PASSES`."""
    torch.set_num_threads(call.settings.threads)
    data, whole = call.maker.nyt24(foreign=False, most=LABELLED), call.maker.nyt24(foreign=False)
    for seed in call.seeds:
        teacher, scores = run_system(call, "default", data, seed=seed)
        record_scores(call, "fast", data, scores, system="default", seed=seed, trained=teacher)
        students: dict[str, Trained] = {}
        for part in filter(call.wants, PASSES):
            corpus = _corpus_of(call, part, data, whole, teacher)
            options: dict[str, Any] = {"seed": seed, "config": CONFIG, "corpus": corpus}
            options["changes"] = {**CHANGES, "paths.vectors": str((call.maker.models / VECTORS).resolve())}
            there = replace(call, settings=replace(call.settings, passes=PASSES[part]))
            call.tell(f"fast, {part}: {count_docs(corpus)} sentences")
            students[part], scores = run_system(there, "fast", data, **options)
            record_scores(
                call, "fast", data, scores, system=f"ablation:fast, {part}", seed=seed, trained=students[part]
            )
        if call.wants(SPEED) and "taught" in students and seed == call.seeds[0]:
            _time(call, data, {"default": teacher, "ablation:fast, taught": students["taught"]})


def _corpus_of(call: Call, part: str, data: DataSet, whole: DataSet, teacher: Trained) -> Path:
    """RETURNS (Path): The training corpus of a student."""
    if part == "labels alone":
        return data.train
    if part == "all labels of NYT24":
        return whole.train
    riedel = call.maker.data / RIEDEL
    further = collect_texts(data, [whole.train], riedel)
    if part == "taught on NYT24 alone":
        own = {doc.text for doc in read_docs(whole.train)}
        further = [text for text in further if text in own]
    return join_corpora(data.train, _label(call, teacher, data, further, name=part))


def _label(call: Call, teacher: Trained, data: DataSet, texts: list[str], *, name: str) -> Path:
    """Let the tuned teacher label texts."""
    tuned, threads = teacher.folder / "tuned", call.settings.threads
    target = teacher.folder / f"{name.replace(' ', '-')}-{len(texts)}.spacy"
    if not target.exists():
        load_tuned(teacher.pipeline, data.dev, threads=threads).to_disk(tuned)
        label_texts(tuned, texts, target, threads=threads)
    return target


def _time(call: Call, data: DataSet, systems: Mapping[str, Trained]) -> None:
    """Measure words per second from text to triples, tuned and in turn."""
    texts = [doc.text for doc in read_docs(data.tests["test"])][:TIMED_TEXTS]
    pipelines = {
        name: load_tuned(each.pipeline, data.dev, threads=call.settings.threads) for name, each in systems.items()
    }
    words = sum(map(len, _tokens(texts)))
    contestants = {name: extraction(nlp, texts, batch_size=BATCH_SIZE) for name, nlp in pipelines.items()}
    described = f"{call.describe(data)}, {call.settings.threads} thread"
    record_speed(call, contestants, words=words, data=described, split=f"extraction, batch {BATCH_SIZE}")


def _tokens(texts: list[str]) -> list[Doc]:
    nlp = spacy.blank("en")
    return [nlp.make_doc(text) for text in texts]
