"""The SelfORE experiments: what is clustered, how, and which rows it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import spacy

from benchmarks.harness.call import Call
from benchmarks.selfore.abstain import mixed_corpus
from benchmarks.selfore.baselines import BASELINES, encode
from benchmarks.selfore.corpora import ClusterData, ClusterMaker, known_relations
from benchmarks.selfore.known import labelled_pairs, partly_labelled, score_known
from benchmarks.selfore.peers import PEERS
from benchmarks.selfore.systems import (
    ABLATIONS,
    CONFIG,
    FORMS,
    IN,
    OF_SENTENCE,
    ONE_EACH,
    PAPER,
    PAPER_CONFIG,
    PAPER_EPOCHS,
    PAPER_LOOPS,
    START,
    VECTORS,
    Changes,
    compare,
    evaluate_trained,
    find_count,
    loops,
    score_trained,
    train_clusters,
    untrained_vectors,
)
from benchmarks.selfore.taught import WHOLE, other_relations, train_reader
from spacy_relext.scoring.clusters import score_clusters

KNOWN = f"{IN}.clustering.known"
METRICS = ("b3_p", "b3_r", "b3_f", "v", "ari")
SWEEP = (8, 12, 20, 28, 40, 56)
CURVE = (1, 2, 3)
Run = Callable[[Call, str, ClusterData, int], None]


def experiment(name: str) -> Callable[[Call], None]:
    """RETURNS (Callable[[Call], None]): The experiment on a data set of `ClusterMaker`."""
    return partial(_run, name)


def _run(name: str, call: Call) -> None:
    assert isinstance(call.maker, ClusterMaker)
    data: ClusterData = getattr(call.maker, name)()
    for seed in call.seeds:
        for part, run in PARTS.items():
            if call.wants(part):
                run(call, name, data, seed)


def _central(call: Call, name: str, data: ClusterData, seed: int) -> None:
    _form(call, name, data, seed, "default", {})


def _unknown(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Cluster with an estimated number of clusters."""
    call.tell(f"{name}: K to be found, seed {seed}")
    count = find_count(call, data, seed)
    scores = compare(call, data, seed, {}, count=count)
    _record(call, name, data, seed, "default", scores, seconds=scores["cluster_seconds"], count=0)
    call.tell(f"  K = {count}")


def _baselines(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Run k-means, with ten starts, on vectors of the encoder without fine-tuning."""
    nlp, settings = spacy.blank("en"), call.settings
    vectors = encode(nlp, data.whole, settings.encoder, settings.runs / "vectors", threads=settings.threads)
    gold = [pair.relation for pair in call.maker.pairs(name)]
    for baseline, parts in BASELINES.items():
        joined = numpy.concatenate([vectors[part] for part in parts], axis=1)
        _kmeans(call, name, data, seed, baseline, joined, gold)


def _pieces(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Run k-means on the component's vectors of start markers."""
    for baseline, changes in VECTORS.items():
        vectors = untrained_vectors(call, data, changes)
        _kmeans(call, name, data, seed, baseline, vectors.pairs.astype("float32"), vectors.gold)


def _peers(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Cluster the default's own vectors by the usual methods."""
    vectors = untrained_vectors(call, data, {})
    pairs, gold = vectors.pairs[vectors.distinct].astype("float32"), [vectors.gold[at] for at in vectors.distinct]
    for peer, fit in PEERS.items():
        start = time.process_time()
        scores = score_clusters(gold, fit(pairs, data.relations, seed).tolist())
        seconds = time.process_time() - start
        _record(call, name, data, seed, f"peer:{peer}, the same vectors", scores, seconds=seconds)


def _kmeans(
    call: Call, name: str, data: ClusterData, seed: int, baseline: str, vectors: Any, gold: list[str | None]
) -> None:
    start = time.process_time()
    scores = score_clusters(gold, PEERS["k-means"](vectors, data.relations, seed).tolist())
    _record(call, name, data, seed, f"peer:{baseline}", scores, seconds=time.process_time() - start)


def _sweep(call: Call, name: str, data: ClusterData, seed: int) -> None:
    for count in SWEEP:
        _form(call, name, data, seed, "default", {}, count=count)


def _forms(forms: Mapping[str, Changes], call: Call, name: str, data: ClusterData, seed: int) -> None:
    for form, changes in forms.items():
        _form(call, name, data, seed, f"ablation:{form}", changes)


def _form(
    call: Call, name: str, data: ClusterData, seed: int, row: str, changes: Changes, *, count: int | None = None
) -> None:
    """Cluster the same vectors with other settings."""
    call.tell(f"{name}: {row}{f', K = {count}' if count else ''}, seed {seed}")
    scores = compare(call, data, seed, changes, count=count or 0)
    _record(call, name, data, seed, row, scores, seconds=scores["cluster_seconds"], count=count)


def _learned(call: Call, name: str, data: ClusterData, seed: int) -> None:
    _system(call, name, data, seed, "ablation:the encoder learns for a loop", {**loops(1), **ONE_EACH})


def _taught(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Start from an encoder that has learned other relations from labels."""
    assert isinstance(call.maker, ClusterMaker)
    others = other_relations(call.maker, name)
    if others:
        call.tell(f"{name}: encoder, seed {seed}")
        reader = train_reader(call, f"beside-{WHOLE.get(name, name)}", others, seed)
        row = f"ablation:encoder trained on {len({pair.relation for pair in others})} other relations"
        _system(call, name, data, seed, row, {START: [str(reader.pipeline)], **OF_SENTENCE})


def _curve(call: Call, name: str, data: ClusterData, seed: int) -> None:
    for count in CURVE:
        _system(call, name, data, seed, f"ablation:loops: {count}", {**loops(count), **ONE_EACH})


def _paper(call: Call, name: str, data: ClusterData, seed: int) -> None:
    for form, changes in PAPER.items():
        every = {**loops(PAPER_LOOPS, epochs=PAPER_EPOCHS), **changes}
        _system(call, name, data, seed, f"ablation:{form}", every, config=PAPER_CONFIG)


def _system(
    call: Call, name: str, data: ClusterData, seed: int, row: str, changes: Changes, *, config: Path = CONFIG
) -> None:
    """Train and cluster on all pairs, and score the clusters."""
    call.tell(f"{name}: {row}, seed {seed}")
    trained = train_clusters(call, data, data.whole, seed, changes, config=config)
    scores = score_trained(call, trained, data.whole)
    _record(call, name, data, seed, row, scores, seconds=trained.seconds)


def _held(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Cluster four fifths, and assign the other fifth to these clusters."""
    call.tell(f"{name}: a fifth held out, seed {seed}")
    trained = train_clusters(call, data, data.kept, seed, {})
    for split, corpus in (("four fifths", data.kept), ("the fifth held out", data.held)):
        scores = score_trained(call, trained, corpus)
        _record(call, name, data, seed, "default", scores, suffix=f", {split}", seconds=trained.seconds)


def _known(call: Call, name: str, data: ClusterData, seed: int, *, mixed: bool = False) -> None:
    """Half of the relations known, a fifth of their pairs labelled; compared with clustering without labels.

    mixed (bool): Whether three pairs in ten state nothing.
    """
    assert isinstance(call.maker, ClusterMaker)
    pairs = call.maker.pairs(name)
    relations = known_relations(pairs)
    labelled = labelled_pairs(pairs, relations)
    said = f"{len(labelled):,} of {len(relations)} relations labelled{', 30 % without a relation' if mixed else ''}"
    described = f"{data.name}, {said}, {call.settings.arithmetic}"
    whole = mixed_corpus(call.maker, name) if mixed else data.whole
    corpora = {"default": (partly_labelled(call.maker, name, mixed=mixed), {KNOWN: True})}
    corpora["ablation:no over-clustering, no labels; clusters named by them afterwards"] = (whole, ONE_EACH)
    reader = train_reader(call, f"{name}-labelled", [pairs[number] for number in sorted(labelled)], seed)
    started = {KNOWN: True, START: [str(reader.pipeline)], **OF_SENTENCE}
    corpora["ablation:encoder trained on the labels"] = (corpora["default"][0], started)
    for system, (corpus, changes) in corpora.items():
        call.tell(f"{name}: {system}, known relations, seed {seed}")
        trained = train_clusters(call, data, corpus, seed, changes)
        metrics = score_known(evaluate_trained(call, trained, whole), labelled, relations, named=KNOWN in changes)
        options = {"data": described, "split": f"K = {data.relations}", "system": system}
        experiment = f"{name}_mixed" if mixed else f"{name}_known"
        call.record(experiment, metrics, seed=seed, seconds=trained.seconds, **options)
        call.tell("  " + ", ".join(f"{key} {value:.3f}" for key, value in metrics.items()))


def _record(
    call: Call,
    name: str,
    data: ClusterData,
    seed: int,
    system: str,
    scores: Mapping[str, Any],
    *,
    suffix: str = "",
    seconds: float | None = None,
    count: int | None = None,
) -> None:
    """Write a row, and say its main figures."""
    metrics = {metric: float(scores[metric]) for metric in METRICS}
    split = f"K = {count or data.relations}{suffix}"
    if count == 0:
        split, metrics["clusters_found"] = f"K is to be found, {data.relations}{suffix}", float(scores["clusters"])
    described = f"{data.name}, {call.settings.arithmetic}"
    call.record(name, metrics, data=described, split=split, system=system, seed=seed, seconds=seconds)
    call.tell(f"  {system}{suffix}: B3 {metrics['b3_f']:.3f}, ARI {metrics['ari']:.3f}")


PARTS: dict[str, Run] = {
    "central": _central,
    "baselines": _baselines,
    "peers": _peers,
    "pieces": _pieces,
    "unknown": _unknown,
    "sweep": _sweep,
    "ablations": partial(_forms, ABLATIONS),
    "forms": partial(_forms, FORMS),
    "learned": _learned,
    "taught": _taught,
    "curve": _curve,
    "paper": _paper,
    "held": _held,
    "known": _known,
    "mixed": partial(_known, mixed=True),
}
