"""The experiment on speed and memory: training, extraction compared with baseline and bare encoder, many relations."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.training import Example

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import DataSet, read_docs, write_strings
from benchmarks.harness.runs import Trained, cached, fingerprint, train_run
from benchmarks.harness.stopwatch import (
    Lap,
    bare_encoder,
    count_encoder,
    extraction,
    lap_ratios,
    measure_memory,
    time_rounds,
)
from benchmarks.harness.training_config import read_config
from spacy_relext.annotations.store import set_triples

BATCH_SIZES = (1, 32, 64)
RELATIONS = (5, 22, 200)
# Texts are repeated to this number when memory, and time by number of relations, is measured.
ENOUGH = 512
PEER, BARE = "peer:casrel", "peer:bare encoder"
ASKED_PER_SENTENCE = 1.3


def speed(call: Call) -> None:
    """Measure; parts: training, extraction, memory, relations.

    call (Call): One training per seed, and one round per seed for what is timed in rounds.
    """
    torch.set_num_threads(call.settings.threads)
    data = call.maker.nyt24(foreign=False)
    texts = [doc.text for doc in read_docs(data.tests["test"])]
    seeds = list(call.seeds) if call.wants("training") else list(call.seeds)[:1]
    if call.wants("training") or call.wants("extraction") or call.wants("memory"):
        trainings = [_train_both(call, data, seed) for seed in seeds]
        if call.wants("extraction"):
            _time_extraction(call, data, trainings[0][0], trainings[0][1], texts)
        if call.wants("memory"):
            _measure_memory(call, data, trainings[0][0], texts)
    if call.wants("relations"):
        _time_relations(call, data, texts)


def _train_both(call: Call, data: DataSet, seed: int) -> tuple[Trained, Any]:
    """Train both systems one after the other; RETURNS our training and the baseline's model."""
    call.tell(f"training of the default, seed {seed}")
    options: dict[str, Any] = {"seed": seed, "settings": call.settings, "config": call.config}
    trained = train_run("speed-default", train=data.train, dev=data.dev, **options)
    call.tell(f"training of CasRel, seed {seed}")
    peer, lap = _train_peer(call, data, trained, seed)
    if call.wants("training"):
        sentences, words = trained.sentences * call.settings.passes, trained.words * call.settings.passes
        laps = {"default": Lap(trained.seconds, trained.cpu_seconds), PEER: lap}
        for system, took in laps.items():
            metrics = {"sentences_per_second": sentences / took.wall, "words_per_second": words / took.wall}
            _record(call, data, metrics, split="training", system=system, seed=seed)
        ratios = lap_ratios("peer_ratio", lap, laps["default"])
        _record(call, data, ratios, split="training", system="default", seed=seed)
    return trained, peer


def _train_peer(call: Call, data: DataSet, ours: Trained, seed: int) -> tuple[Any, Lap]:
    """Train CasRel, or load it; RETURNS its run and how long its epochs took."""
    from safetensors.torch import load_file, save_file

    from benchmarks.peers import casrel
    from benchmarks.peers.triple_data import encode_examples, read_records, relations_of
    from benchmarks.peers.triple_program import make_run
    from benchmarks.peers.triple_train import train

    settings, strings = call.settings, call.settings.runs / "strings"
    paths = [write_strings(path, strings / f"{path.stem}.jsonl") for path in (data.train, data.dev)]
    folder = settings.runs / f"speed-casrel-seed{seed}-{fingerprint([ours.folder.name, ours.batch_size])}"
    arguments = ["--train", str(paths[0]), "--dev", str(paths[1]), "--encoder", str(settings.encoder)]
    arguments += ["--passes", str(settings.passes), "--batch-size", str(ours.batch_size), "--seed", str(seed)]
    arguments += ["--threads", str(settings.threads), "--precision", settings.precision, "--out", str(folder)]
    args = casrel.read_arguments([*arguments, "--no-all-subjects"])
    records = read_records(args.train)
    labels = relations_of(records)
    run = make_run(casrel.build_model, args, labels=labels)

    def train_and_save() -> dict[str, Any]:
        options = {"tokenizer": run.tokenizer, "labels": labels, "max_pieces": args.max_pieces}
        train(run, encode_examples(records, **options)[0], dev=read_records(args.dev))
        save_file(run.model.state_dict(), folder / "model.safetensors")
        return {"wall": run.total("seconds"), "cpu": run.total("cpu_seconds")}

    lap = Lap(**cached(folder / "result.json", train_and_save))
    run.model.load_state_dict(load_file(folder / "model.safetensors"))
    return run, lap


def _time_extraction(call: Call, data: DataSet, trained: Trained, peer: Any, texts: Sequence[str]) -> None:
    """Time our extraction, the baseline's, and the encoder alone."""
    from benchmarks.peers.training import autocast
    from benchmarks.peers.triple_data import Record

    nlp = spacy.load(trained.pipeline)
    records = [Record(text, frozenset()) for text in texts]

    def peer_work(batch_size: int) -> Any:
        # the batches that nlp.pipe gets: neither system may look further ahead for sentences of similar length
        steps = [records[at : at + batch_size] for at in range(0, len(records), batch_size)]

        def work() -> None:
            with autocast(call.settings.precision), torch.inference_mode():  # as the baseline times itself
                for step in steps:
                    peer.predict(step, low=0.5, high=0.5, batch_size=batch_size)

        return work

    for batch_size in BATCH_SIZES:
        call.tell(f"extraction in batches of {batch_size}")
        contestants = {
            "default": extraction(nlp, texts, batch_size=batch_size),
            PEER: peer_work(batch_size),
            BARE: bare_encoder(nlp, texts, batch_size=batch_size),
        }
        laps = time_rounds(contestants, rounds=len(call.seeds))
        split = f"extraction, batch {batch_size}"
        for number, seed in enumerate(call.seeds):
            for system, times in laps.items():
                rate = {"sentences_per_second": len(texts) / times[number].wall}
                _record(call, data, rate, split=split, system=system, seed=seed)
            ours = laps["default"][number]
            ratios = {
                **lap_ratios("peer_ratio", laps[PEER][number], ours),
                **lap_ratios("bare_encoder_ratio", laps[BARE][number], ours),
            }
            _record(call, data, ratios, split=split, system="default", seed=seed)
        counts = count_encoder(nlp, texts, batch_size=batch_size)
        _record(call, data, counts, split=split, system="default", seed=call.seeds[0])


def _measure_memory(call: Call, data: DataSet, trained: Trained, texts: Sequence[str]) -> None:
    """Write the peak memory of a process that loads the pipeline and extracts."""
    path = call.settings.runs / "memory_texts.json"
    path.write_text(json.dumps(_repeated(texts)), encoding="utf8")
    for batch_size in (1, 64):
        call.tell(f"memory in batches of {batch_size}")
        peak = measure_memory(trained.pipeline, path, batch_size=batch_size, threads=call.settings.threads)
        split = f"extraction, batch {batch_size}"
        _record(call, data, {"peak_mib": peak}, split=split, system="default", seed=call.seeds[0])


def _time_relations(call: Call, data: DataSet, texts: Sequence[str]) -> None:
    """Time extraction by the number of relations, with untrained heads that ask for as few as trained ones do."""
    contestants = {}
    for number in RELATIONS:
        call.tell(f"a pipeline with {number} relations")
        nlp = _untrained_pipeline(call.config, texts, n_relations=number, encoder=call.settings.encoder)
        contestants[number] = extraction(nlp, _repeated(texts), batch_size=64)
    laps = time_rounds({str(number): work for number, work in contestants.items()}, rounds=len(call.seeds))
    for at, seed in enumerate(call.seeds):
        for number in RELATIONS:
            lap = laps[str(number)][at]
            metrics = {"sentences_per_second": len(_repeated(texts)) / lap.wall}
            metrics.update(lap_ratios("time_ratio", lap, laps[str(RELATIONS[0])][at]))
            system = f"ablation:{number} relations, untrained"
            _record(call, data, metrics, split="extraction, batch 64, by relations", system=system, seed=seed)


def _untrained_pipeline(config: Path, texts: Sequence[str], *, n_relations: int, encoder: Path) -> Language:
    """Initialize a pipeline on invented labels, and set its detector so that few relations are asked for."""
    filled = read_config(config)
    if "encoder" in filled["paths"]:
        filled["paths"]["encoder"] = str(encoder)
    torch.manual_seed(0)
    nlp = spacy.util.load_model_from_config(filled.interpolate(), auto_fill=True)
    examples = []
    for number in range(n_relations):
        doc = nlp.make_doc(texts[number % len(texts)])
        set_triples(doc, [(doc[:1], f"relation {number}", doc[1:2])])
        examples.append(Example(nlp.make_doc(doc.text), doc))
    nlp.initialize(lambda: examples)
    _ask_few(nlp, texts[:100])
    return nlp


def _ask_few(nlp: Language, texts: Sequence[str]) -> None:
    """Scale the detector's logits so that about ASKED_PER_SENTENCE relations are asked for and no others stored."""
    settings = nlp.get_pipe("rere_detector").cfg  # type: ignore[attr-defined]
    least, settings["min_probability"] = settings["min_probability"], 0.0
    with nlp.select_pipes(disable=["rere_extractor"]):
        sentences = [sent for doc in nlp.pipe(texts) for sent in doc.sents]
    probs = numpy.asarray([list(sent._.relations.values()) for sent in sentences])
    logits = numpy.log(probs) - numpy.log1p(-probs)
    asked = nlp.get_pipe("rere_extractor").cfg["decoding"]["query_threshold"]  # type: ignore[attr-defined]
    cut = float(numpy.sort(logits, axis=None)[-max(1, round(ASKED_PER_SENTENCE * len(sentences)))])
    scale = 20.0 / max(float(logits.std()), 1e-6)
    settings.update(scale=scale, shift=math.log(asked / (1 - asked)) - scale * cut, min_probability=least)


def _repeated(texts: Sequence[str]) -> list[str]:
    """Repeat texts until there are enough."""
    return [texts[number % len(texts)] for number in range(max(ENOUGH, len(texts)))]


def _record(call: Call, data: DataSet, metrics: dict[str, float], *, split: str, system: str, seed: int) -> None:
    options: dict[str, Any] = {"data": f"{call.describe(data)}, {call.settings.threads} threads", "split": split}
    call.record("speed", metrics, system=system, seed=seed, **options)
