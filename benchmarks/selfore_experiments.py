"""The SelfORE experiments: what is clustered, how, and which rows it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import spacy
import torch
from call import Call
from kd_pairs import read_examples
from runs import ROOT, cached, digest, train_run
from selfore_abstain import NONE, SCORES, abstention, judge_pairs, mixed_corpus
from selfore_baselines import BASELINES, cluster_baseline, encode
from selfore_corpora import ClusterData, ClusterMaker
from selfore_known import known_relations, labelled_pairs, partly_labelled, score_known

from spacy_relext.scoring.clusters import score_clusters

CONFIG = ROOT / "configs" / "selfore.cfg"
PAPER_CONFIG = ROOT / "configs" / "selfore_paper.cfg"
COMPONENT = "selfore_clusterer"
IN = f"components.{COMPONENT}"
COUNT = f"{IN}.n_clusters"
MARKED = {f"{IN}.suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"}}
METRICS = ("b3_p", "b3_r", "b3_f", "v", "ari")
# Name → what it changes.
ABLATIONS: dict[str, dict[str, Any]] = {
    "k-means alone": {f"{IN}.clustering.rounds": 0},
    "one start": {f"{IN}.clustering.restarts": 1},
    "no consensus": {f"{IN}.clustering.consensus": False},
    "last layer": {f"{IN}.model.mix_from": 99},
}
FORMS: dict[str, dict[str, Any]] = {
    "k-means": {f"{IN}.clustering.method": "kmeans"},
    "Ward": {f"{IN}.clustering.method": "ward"},
    "adaptive clustering": {f"{IN}.clustering.method": "adaptive"},
    "three times as many, merged": {f"{IN}.clustering.over": 3},
    "start markers": {f"{IN}.model.vector": "markers"},
}
PAPER = "as in the paper"
LOOP: dict[str, Any] = {f"{IN}.clustering.loops": 1, "training.max_epochs": 2}
LEARNED: dict[str, dict[str, Any]] = {
    "the encoder learns for a loop": LOOP,
    "the half that fits best is learned": {**LOOP, f"{IN}.clustering.confident": 0.5},
    "arguments hidden in 30 %": {**LOOP, f"{IN}.clustering.mask_mentions": 0.3},
    "two readings compared": {**LOOP, f"{IN}.clustering.contrast": 0.1},
}
SWEEP = (8, 12, 20, 28, 40, 56)
PARTS = ("central", "baselines", "unknown", "sweep", "ablations", "forms", "learned", "held", "abstain", "known")


def experiment(name: str) -> Callable[[Call], None]:
    """RETURNS (Callable[[Call], None]): The experiment on a data set of `ClusterMaker`."""
    return partial(_run, name)


def _run(name: str, call: Call) -> None:
    assert isinstance(call.maker, ClusterMaker)
    data: ClusterData = getattr(call.maker, name)()
    for seed in call.seeds:
        if call.wants("baselines"):
            _baselines(call, name, data, seed)
        systems = {"central": {"default": {}}, "ablations": ABLATIONS, "forms": FORMS, "learned": LEARNED}
        for part, found in systems.items():
            for system, changes in found.items() if call.wants(part) else ():
                row = system if system == "default" else f"ablation:{system}"
                _system(call, name, data, seed, row, changes)
        if call.wants("forms"):
            _system(call, name, data, seed, f"ablation:{PAPER}", {}, config=PAPER_CONFIG)
        if call.wants("unknown"):
            _system(call, name, data, seed, "default", {COUNT: 0})
        for count in SWEEP if call.wants("sweep") else ():
            _system(call, name, data, seed, "default", {COUNT: count})
        if call.wants("held"):
            _held(call, name, data, seed)
        if call.wants("abstain"):
            _abstain(call, name, data, seed)
        if call.wants("known"):
            _known(call, name, data, seed)


def _baselines(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """k-means on vectors of the untrained encoder, ten starts."""
    nlp = spacy.blank("en")
    folder = call.settings.runs / "vectors"
    vectors = encode(nlp, data.whole, call.settings.encoder, folder, threads=call.settings.threads)
    gold = _gold(nlp, data)
    for baseline in BASELINES:
        start = time.process_time()
        clusters = cluster_baseline(vectors, baseline, count=data.relations, seed=seed)
        _record(
            call, name, data, seed, f"peer:{baseline}", score_clusters(gold, clusters), "", time.process_time() - start
        )


def _system(
    call: Call,
    name: str,
    data: ClusterData,
    seed: int,
    row: str,
    changes: Mapping[str, Any],
    *,
    config: Path = CONFIG,
) -> None:
    """Cluster all pairs, and score these clusters."""
    call.tell(f"{name}: {row}, seed {seed}")
    trained, seconds = _train(call, data, data.whole, seed, changes, config=config)
    _record(call, name, data, seed, row, _scores(call, trained, data.whole), "", seconds, count=changes.get(COUNT))


def _held(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Cluster four fifths, and put the last fifth into these clusters."""
    call.tell(f"{name}: a fifth held out, seed {seed}")
    trained, seconds = _train(call, data, data.kept, seed, {})
    for split, corpus in (("four fifths", data.kept), ("the fifth held out", data.held)):
        _record(call, name, data, seed, "default", _scores(call, trained, corpus), f", {split}", seconds)


def _abstain(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Mix in pairs that state nothing, and leave out the pairs that fit worst."""
    assert isinstance(call.maker, ClusterMaker)
    call.tell(f"{name}: pairs that state nothing, seed {seed}")
    corpus = mixed_corpus(call.maker, name)
    trained, seconds = _train(call, data, corpus, seed, {})
    judged = _judged(call, trained, corpus)
    described = f"{data.name} and {judged['gold'].count(NONE):,} without a relation, {call.settings.precision}"
    for system, key in SCORES.items():
        for threshold, metrics in abstention(judged, key):
            options = {"data": described, "split": f"K = {data.relations}, threshold {threshold:.1f}", "system": system}
            call.record(f"{name}_abstain", metrics, seed=seed, seconds=seconds, **options)
            call.tell(
                f"  {system}, threshold {threshold:.1f}: " + ", ".join(f"{k} {v:.3f}" for k, v in metrics.items())
            )


def _known(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Half of the relations known, a fifth of their pairs labelled; and no labels, as far as clusters go."""
    assert isinstance(call.maker, ClusterMaker)
    pairs = call.maker.pairs(name)
    relations = known_relations(pairs)
    labelled = labelled_pairs(pairs, relations)
    described = f"{data.name}, {len(labelled):,} of {len(relations)} relations labelled, {call.settings.precision}"
    corpora = {"default": (partly_labelled(call.maker, name), {f"{IN}.known": True})}
    corpora["ablation:no labels; clusters named by them afterwards"] = (data.whole, {})
    for system, (corpus, changes) in corpora.items():
        call.tell(f"{name}: {system}, known relations, seed {seed}")
        trained, seconds = _train(call, data, corpus, seed, changes)
        judged = _judged(call, trained, data.whole)
        metrics = score_known(judged, labelled, relations, named=bool(changes))
        options = {"data": described, "split": f"K = {data.relations}", "system": system}
        call.record(f"{name}_known", metrics, seed=seed, seconds=seconds, **options)
        call.tell("  " + ", ".join(f"{key} {value:.3f}" for key, value in metrics.items()))


def _judged(call: Call, pipeline: Any, corpus: Any) -> dict[str, Any]:
    """Put the pairs of a corpus into the clusters of a pipeline."""

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        return judge_pairs(spacy.load(pipeline), corpus)

    return cached(pipeline.parent.parent / f"judged-{digest(corpus)}.json", compute)


def _train(
    call: Call, data: ClusterData, corpus: Any, seed: int, changes: Mapping[str, Any], *, config: Path = CONFIG
) -> tuple[Any, float]:
    """Run `spacy train`; RETURNS where the pipeline is, and the seconds of its updates."""
    fixed = {**MARKED, COUNT: data.relations, "training.eval_frequency": 1_000_000}
    options: dict[str, Any] = {"settings": call.settings, "config": config, "changes": {**fixed, **changes}}
    # nothing is chosen on dev, which is read once
    dev = call.maker.folder / "empty.spacy"
    if not dev.exists():
        spacy.tokens.DocBin().to_disk(dev)
    trained = train_run("selfore", train=corpus, dev=dev, seed=seed, **options)
    return trained.folder / "model" / "model-last", trained.seconds


def _scores(call: Call, pipeline: Any, corpus: Any) -> dict[str, Any]:
    """Let a pipeline put the pairs of a corpus into its clusters, and score them."""

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        nlp = spacy.load(pipeline)
        return nlp.evaluate(read_examples(nlp, corpus))

    return cached(pipeline.parent.parent / f"scores-{digest(corpus)}.json", compute)


def _gold(nlp: Any, data: ClusterData) -> list[str]:
    """RETURNS (list[str]): Relation of each pair, in the order of the corpus."""
    return [example.reference._.triples[0].relation for example in read_examples(nlp, data.whole)]


def _record(
    call: Call,
    name: str,
    data: ClusterData,
    seed: int,
    system: str,
    scores: Mapping[str, Any],
    suffix: str,
    seconds: float,
    count: int | None = None,
) -> None:
    """Write a row, and say its main figures."""
    metrics = {metric: float(scores[metric]) for metric in METRICS}
    split = f"K = {count or data.relations}{suffix}"
    if count == 0:
        split, metrics["clusters_found"] = f"K is to be found, {data.relations}{suffix}", float(scores["clusters"])
    described = f"{data.name}, {call.settings.precision}"
    call.record(name, metrics, data=described, split=split, system=system, seed=seed, seconds=seconds)
    call.tell(f"  {system}{suffix}: B3 {metrics['b3_f']:.3f}, ARI {metrics['ari']:.3f}")
