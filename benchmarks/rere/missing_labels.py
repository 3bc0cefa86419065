"""Losses and thresholds where labels are missing: RERE's question (Xie et al., ACL 2021, Figure 3), on equal terms.

Triples of the training and of the tuning sentences are dropped alike, each with one probability; a sentence that loses
all of its triples is kept as one without any. Only the test sentences are complete. Losses for missing labels know the
share that is missing. Every trained pipeline is scored with four thresholds: 0.5; the best one on the thinned tuning
sentences; c / 2, where a share c of the facts is labelled, on probabilities of a label (Elkan and Noto, KDD 2008); and
the best one on complete tuning sentences, which nobody has in such a case. The baselines train up to `PEER_PASSES`
epochs, and have the first two thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import DataSet, count_docs, missing_rate
from benchmarks.harness.runs import cached, digest, fingerprint, train_run
from benchmarks.rere.curves import draw_curves
from benchmarks.rere.evaluation import compare_thresholds
from benchmarks.rere.experiments import COLLECTIVE, DETECTOR
from benchmarks.rere.peer import own_batch_size, peer_scores, run_peer

MODE = "keep_empty"
# Part of the experiment → its name, and what it changes in the config.
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "bce": ("default", {}),
    "collective-row": ("ablation:collective loss", COLLECTIVE),
    "ssr-pu": ("ablation:SSR-PU", {f"{DETECTOR}.loss.kind": "ssr_pu"}),
}
# Part → options, with the learning rate of the fair tables.
PEERS = {
    "casrel": ("--additions", "--lr", "3e-4"),
    "gplinker": ("--additions", "--adversarial-radius", "1.0", "--lr", "3e-4"),
}
PEER_PASSES = 15


def missing_labels(call: Call) -> None:
    """Train with each loss at each rate of dropped triples, score with each threshold, and draw curves of one seed."""
    data = call.maker.nyt24(foreign=False)
    panels: dict[str, dict[float, Mapping[str, Any]]] = {}
    for rate in call.rates:
        for seed in call.seeds:
            train, dev = (call.maker.drop(corpus, rate=rate, mode=MODE, seed=seed) for corpus in (data.train, data.dev))
            thinned = replace(data, train=train, dev=dev)
            for part in filter(call.wants, LOSSES):
                curve = _train_loss(call, part, data, thinned, rate=rate, seed=seed)
                if seed == call.seeds[0]:
                    panels.setdefault(LOSSES[part][0].removeprefix("ablation:"), {})[rate] = curve
            for part in filter(call.wants, PEERS):
                _train_peer(call, part, data, thinned, rate=rate, seed=seed)
    title = f"NYT24, {count_docs(data.train)} training sentences, triples dropped from training and tuning sentences"
    for path in draw_curves(panels, title=title, target=call.figures / "rere_missing_labels") if panels else ():
        call.tell(f"drew {path}")


def _train_loss(
    call: Call, part: str, data: DataSet, thinned: DataSet, *, rate: float, seed: int
) -> Mapping[str, list[float]]:
    """Train with a loss, and record the scores of each threshold; RETURNS the curve of precision and recall."""
    system, changes = LOSSES[part]
    if changes:
        changes = {**changes, f"{DETECTOR}.loss.missing_rate": round(missing_rate(data.train, thinned.train), 4)}
    call.tell(f"{rate:g} dropped: {part}, seed {seed}")
    options: dict[str, Any] = {"seed": seed, "settings": call.settings, "config": call.config, "changes": changes}
    trained = train_run(f"missing-{part}", train=thinned.train, dev=thinned.dev, **options)
    complete, threads = data.dev, call.settings.threads
    key = fingerprint([rate, *map(digest, (complete, thinned.dev, *data.tests.values()))])
    scores = cached(
        trained.folder / f"thresholds-{key}.json",
        lambda: compare_thresholds(trained.pipeline, thinned, complete=complete, labelled=1 - rate, threads=threads),
    )
    for way, metrics in scores["thresholds"].items():
        row = system if way == "tuned" else f"ablation:{system.removeprefix('ablation:')}, {way}"
        _record(call, data, metrics, system=row, rate=rate, seed=seed, seconds=trained.seconds)
    curve: dict[str, list[float]] = scores["curve"]
    return curve


def _train_peer(call: Call, part: str, data: DataSet, thinned: DataSet, *, rate: float, seed: int) -> None:
    """Train a baseline, and record its scores with its two thresholds."""
    call.tell(f"{rate:g} dropped: {part}, seed {seed}")
    settings = replace(call.settings, passes=PEER_PASSES)
    options = [*PEERS[part], "--patience", str(call.patience)]
    batch_size = own_batch_size(call.config, data, seed=seed, settings=call.settings)
    result = run_peer(part, thinned, seed=seed, settings=settings, batch_size=batch_size, options=options)
    for system, metrics in peer_scores(result, thinned, system=f"peer:{part}")["test"].items():
        _record(call, data, metrics, system=system, rate=rate, seed=seed, seconds=result["train_seconds"])


def _record(call: Call, data: DataSet, metrics: Mapping[str, float], *, rate: float, **options: Any) -> None:
    split = f"{call.split_name(data, 'test')}, {rate:g} dropped"
    call.record("missing-labels", metrics, data=call.describe(data), split=split, **options)
