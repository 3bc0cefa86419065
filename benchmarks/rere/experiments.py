"""The experiments on scores: what is trained, on what, and which rows it gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import DataSet
from benchmarks.harness.runs import DEFAULT_CONFIG, VARIANTS, Trained, cached, digest, fingerprint, train_run
from benchmarks.rere.evaluation import evaluate
from benchmarks.rere.peer import EARLIER, peer_scores, run_peer

DETECTOR, EXTRACTOR, ENCODER = "components.rere_detector", "components.rere_extractor", "components.tok2vec.model"
COLLECTIVE = {f"{DETECTOR}.loss.kind": "collective"}


def _compare(call: Call, benchmark: str, data: DataSet) -> None:
    """Train, tune and test a config with every seed, and the baseline too if asked."""
    for seed in call.seeds:
        trained, scores = run_system(call, "default", data, seed=seed, config=call.config, extras=True)
        if call.wants("ours"):
            record_scores(call, benchmark, data, scores, system=_system_of(call.config), seed=seed, trained=trained)
        if call.peer and call.wants("peer"):
            call.tell(f"{data.name}: CasRel, seed {seed}")
            options: dict[str, Any] = {"seed": seed, "settings": call.settings, "batch_size": trained.batch_size}
            result = run_peer("casrel", data, options=EARLIER, **options)
            record_peer(call, benchmark, data, result, system="peer:casrel", seed=seed, labels=scores["labels"])


def nyt24(call: Call) -> None:
    """NYT24, with NYT11-HRL and NYT10-HRL as further tests."""
    _compare(call, "nyt24", call.maker.nyt24())


def webnlg(call: Call) -> None:
    """WebNLG."""
    _compare(call, "webnlg", call.maker.webnlg())


def duie(call: Call) -> None:
    """Chinese, without a download: characters and a BiLSTM."""
    config = VARIANTS / "rere_recurrent.cfg"
    for part, data_of in (("casrel", call.maker.ske_casrel), ("postag", call.maker.ske_postag)):
        if call.wants(part):
            data = data_of()
            for seed in call.seeds:
                trained, scores = run_system(call, "recurrent", data, seed=seed, config=config, extras=True)
                system = _system_of(config)
                record_scores(call, "duie", data, scores, system=system, seed=seed, trained=trained, precision=False)


def ablations(call: Call) -> None:
    """Change one thing at a time on NYT24; parts: loss, pairing, absent-rows, marked, recurrent, case, precision."""
    data = call.maker.nyt24(foreign=False)
    for seed in call.seeds:
        trained, scores = run_system(call, "default", data, seed=seed, extras=True)
        record_scores(call, "ablations", data, scores, system="default", seed=seed, trained=trained)
        for part, variants in _variants(call.settings.precision).items():
            for name, options in variants.items() if call.wants(part) else ():
                trained, scores = run_system(call, name, data, seed=seed, **options)
                record_scores(call, "ablations", data, scores, system=f"ablation:{name}", seed=seed, trained=trained)


def run_system(
    call: Call,
    name: str,
    data: DataSet,
    *,
    seed: int,
    config: Path = DEFAULT_CONFIG,
    changes: Mapping[str, Any] | None = None,
    pairing: str = "scored",
    corpus: Path | None = None,
    **judging: bool,
) -> tuple[Trained, dict[str, Any]]:
    """Train a system, or find its training; then tune and score it.

    corpus (Path | None): Its training corpus, if not that of the data set.
    """
    call.tell(f"{data.name}: {name}, seed {seed}")
    folder_name = f"{data.name.partition('/')[0]}-{name if changes else _system_of(config).removeprefix('ablation:')}"
    options: dict[str, Any] = {"seed": seed, "settings": call.settings, "config": config, "changes": changes}
    trained = train_run(folder_name, train=corpus or data.train, dev=data.dev, lang=data.lang, **options)
    wanted = {"pairing": pairing, **judging}
    key = fingerprint([wanted, digest(data.dev), [digest(path) for path in data.tests.values()]])
    threads = call.settings.threads
    scores = cached(
        trained.folder / f"scores-{key}.json", lambda: evaluate(trained.pipeline, data, threads=threads, **wanted)
    )
    for split in sorted(data.foreign & set(data.tests)):
        for side, labels in scores["labels"][split].items():
            call.tell(f"  {split}, {side} ({len(labels)}): {', '.join(labels)}")
    call.tell(f"  test: exact F {scores['tests']['test']['tuned']['exact_f']:.4f}, {trained.seconds:.0f} s of training")
    return trained, scores


def record_scores(
    call: Call,
    benchmark: str,
    data: DataSet,
    scores: Mapping[str, Any],
    *,
    system: str,
    seed: int,
    trained: Trained,
    precision: bool = True,
) -> None:
    """Write all scores of a system; those before tuning and with gold relations count as systems of their own."""
    name = system.removeprefix("ablation:")
    for split, tunings in scores["tests"].items():
        options: dict[str, Any] = {"data": call.describe(data, precision=precision), "seed": seed}
        options["split"] = call.split_name(data, split, scores["labels"].get(split.partition(",")[0]))
        for tuning, metrics in tunings.items():
            variant = system if tuning == "tuned" else f"ablation:{name}, {tuning.replace('-', ' ')}"
            call.record(benchmark, metrics, system=variant, seconds=trained.seconds, **options)


def record_peer(
    call: Call,
    benchmark: str,
    data: DataSet,
    result: Mapping[str, Any],
    *,
    system: str,
    seed: int,
    labels: Mapping[str, Any] | None = None,
) -> None:
    """Write the scores of a baseline.

    labels (Mapping[str, Any] | None): Split → relations that training and split share, as `evaluate` lists them.
    """
    for split, systems in peer_scores(result, data, system=system).items():
        name = call.split_name(data, split, (labels or {}).get(split.partition(",")[0]))
        for row, metrics in systems.items():
            options: dict[str, Any] = {"data": call.describe(data), "split": name, "system": row, "seed": seed}
            call.record(benchmark, metrics, seconds=result["train_seconds"], **options)


def _system_of(config: Path) -> str:
    """RETURNS (str): "default" for the default config, else an ablation with the config's name."""
    return "default" if config.stem == DEFAULT_CONFIG.stem else f"ablation:{config.stem.removeprefix('rere_')}"


def _variants(precision: str) -> dict[str, dict[str, dict[str, Any]]]:
    """RETURNS: Part of the ablations → name → options of `run_system`."""
    other = "fp32" if precision == "bf16" else "bf16"
    return {
        "loss": {"collective-row": {"changes": COLLECTIVE}},
        "pairing": {"nearest": {"pairing": "nearest"}},
        "absent-rows": {"absent-rows-0": {"changes": {f"{EXTRACTOR}.sampling.negatives": 0.0}}},
        **{name: {name: {"config": VARIANTS / f"rere_{name}.cfg"}} for name in ("marked", "recurrent")},
        "case": {"no-case-features": {"changes": {f"{ENCODER}.case_features": False}}},
        "precision": {other: {"changes": {f"{ENCODER}.precision": other}}},
    }
