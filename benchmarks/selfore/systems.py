"""The systems of the SelfORE benchmarks: their changes in a config, training, and clusters of pairs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import spacy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.pairs import read_examples
from benchmarks.harness.runs import ROOT, Trained, cached, digest, fingerprint, train_run
from benchmarks.selfore.abstain import evaluate_pairs
from benchmarks.selfore.corpora import ClusterData
from benchmarks.selfore.vectors import Vectors, cluster_vectors, count_clusters, read_vectors

CONFIG = ROOT / "configs" / "selfore.cfg"
PAPER_CONFIG = ROOT / "configs" / "papers" / "selfore.cfg"
IN = "components.selfore_clusterer"
COUNT = f"{IN}.n_clusters"
CLUSTERING, TRAINING = f"{IN}.clustering.", f"{IN}.training."
VECTOR, MIX_FROM = f"{IN}.model.encoder.form", f"{IN}.model.encoder.mix_from"
LAST_LAYER = 99
START = f"initialize.{IN}.start"
# Pairs are read like in the classifier whose encoder is the start.
OF_SENTENCE = {f"{IN}.model.context": "sentence"}
# Largest number of clusters that is tried where it is not given: the default.
MOST_CLUSTERS = 120
MARKED = {f"{IN}.suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"}}
Changes = Mapping[str, Any]
# No over-clustering: from the start as many clusters as are asked for.
ONE_EACH: Changes = {f"{CLUSTERING}over": 1}
# Name → changes.
ABLATIONS: dict[str, Changes] = {
    "no over-clustering": ONE_EACH,
    "no over-clustering, one start": {**ONE_EACH, f"{CLUSTERING}restarts": 1},
    "no over-clustering, last layer": {**ONE_EACH, MIX_FROM: LAST_LAYER},
}
FORMS: dict[str, Changes] = {
    "no over-clustering, adaptive clustering": {**ONE_EACH, f"{CLUSTERING}method": "adaptive"},
    "no over-clustering, start markers": {**ONE_EACH, VECTOR: "markers"},
}
PAPER_LOOPS, PAPER_EPOCHS = 3, 5
PAPER: dict[str, Changes] = {
    "as in the paper": {},
    "as in the paper, nothing learned": {
        f"{TRAINING}loops": 0,
        f"{TRAINING}freeze_epochs": 0,
        "training.max_epochs": 1,
    },
}
# Vectors of the last layer that are clustered beside those of `baselines.py`.
VECTORS: dict[str, Changes] = {
    "k-means, start markers": {VECTOR: "markers", MIX_FROM: LAST_LAYER},
}


def loops(count: int, *, epochs: int = 1) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): Changes for a number of loops, each of some epochs, without early stopping."""
    return {f"{TRAINING}loops": count, "training.max_epochs": count * epochs + 1}


def train_clusters(
    call: Call, data: ClusterData, corpus: Path, seed: int, changes: Changes, *, config: Path = CONFIG
) -> Trained:
    """Run `spacy train` on the marked pairs of a corpus, unless that was done.

    data (ClusterData): Gives the number of relations.
    changes (Changes): Dotted keys and their new values.
    """
    fixed = {**MARKED, COUNT: data.relations, "training.eval_frequency": 1_000_000}
    options: dict[str, Any] = {"settings": call.settings, "config": config, "changes": {**fixed, **changes}}
    return train_run("selfore", train=corpus, dev=call.maker.nothing(), seed=seed, **options)


def score_trained(call: Call, trained: Trained, corpus: Path) -> dict[str, Any]:
    """Assign the pairs of a corpus to a pipeline's clusters, and score these."""

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        nlp = spacy.load(trained.last)
        return nlp.evaluate(read_examples(nlp, corpus))

    return cached(trained.folder / f"scores-{digest(corpus)}.json", compute)


def evaluate_trained(call: Call, trained: Trained, corpus: Path) -> dict[str, Any]:
    """Assign the pairs of a corpus to a pipeline's clusters. RETURNS (dict[str, Any]): Result of `evaluate_pairs`."""

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        return evaluate_pairs(spacy.load(trained.last), corpus)

    return cached(trained.folder / f"pairs-{digest(corpus)}.json", compute)


def untrained_vectors(call: Call, data: ClusterData, changes: Changes) -> Vectors:
    """Read a data set with the pipeline before any learning: neither seed nor clusters matter."""
    trained = train_clusters(call, data, data.whole, 0, changes)
    return read_vectors(trained.last, data.whole, threads=call.settings.threads)


def find_count(call: Call, data: ClusterData, seed: int) -> int:
    """Estimate the number of clusters from the vectors of a data set, unless that was done."""

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        vectors = untrained_vectors(call, data, {})
        start = time.process_time()
        choice = count_clusters(vectors, MOST_CLUSTERS, seed=seed)
        return {"count": choice.number, "tried": choice.tried, "seconds": time.process_time() - start}

    name = f"count-{fingerprint([digest(data.whole), call.settings.encoder.name, call.settings.arithmetic])}"
    return int(cached(call.settings.runs / "clusterings" / f"{name}-seed{seed}.json", compute)["count"])


def compare(call: Call, data: ClusterData, seed: int, changes: Changes, *, count: int = 0) -> dict[str, Any]:
    """Cluster the vectors of a data set with other settings, unless that was done.

    count (int): K; 0 for as many as relations.
    RETURNS (dict[str, Any]): Result of `cluster_vectors`.
    """
    clustering = {key.removeprefix(CLUSTERING): value for key, value in changes.items() if key.startswith(CLUSTERING)}
    others = {key: value for key, value in changes.items() if not key.startswith(CLUSTERING)}
    described = fingerprint([digest(data.whole), changes, call.settings.encoder.name, call.settings.arithmetic])

    def compute() -> dict[str, Any]:
        torch.set_num_threads(call.settings.threads)
        vectors = untrained_vectors(call, data, others)
        return dict(cluster_vectors(vectors, count or data.relations, clustering, seed=seed))

    name = f"{described}-{count or data.relations}-seed{seed}.json"
    return cached(call.settings.runs / "clusterings" / name, compute)
