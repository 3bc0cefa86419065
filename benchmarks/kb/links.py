"""Link prediction: our embeddings and the peer's, on the same numbered facts, ranked by the same code."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.runs import ROOT, cached, environment, fingerprint
from benchmarks.kb.data import LinkMaker, Links
from spacy_relext.bridge.modules import find_device
from spacy_relext.kb.embeddings import KbEmbeddings
from spacy_relext.kb.link_prediction import evaluate_links
from spacy_relext.kb.model import KbModel, train_kb
from spacy_relext.kb.training import LOGISTIC_RECIPE, KbTraining

PEER = ROOT / "benchmarks" / "peers" / "pykeen_links.py"
BATCH, WIDTH = 1_000, 100
METRICS = ("entities_mrr", "entities_hits_1", "entities_hits_10", "relations_mrr", "relations_hits_1")
# The best pass is chosen on valid.
OWN: dict[str, dict[str, Any]] = {
    "wn18rr": {"n3": 0.1, "batch_size": 250, "epochs": 12, "patience": 0, "eval_frequency": 2},
    "fb15k237": {"n3": 0.05, "batch_size": 250, "epochs": 8, "patience": 0, "eval_frequency": 2},
}
# In bf16, wider, longer and, where it helps, with a loss for relations: each within an hour on one core.
LONG: dict[str, dict[str, Any]] = {
    "wn18rr": {**OWN["wn18rr"], "width": 200, "relation_weight": 0.05, "epochs": 20, "eval_frequency": 5},
    "fb15k237": {**OWN["fb15k237"], "width": 1_000, "batch_size": 1_000, "epochs": 25, "eval_frequency": 5},
}
PARTS = ("same", "start", "relations", "own", "bf16", "long", "hrere")
RELATION_WEIGHT = 0.1
PYKEEN = "peer:PyKEEN 1.11.1"


def links(call: Call, name: str) -> None:
    """Train and rank on one data set."""
    assert isinstance(call.maker, LinkMaker)
    data, passes = call.maker.links(name), call.settings.passes
    torch.set_num_threads(call.settings.threads)
    facts = f"{name}: {len(data.store):,} facts{', GPU' * (call.settings.gpu_id >= 0)}"
    for seed in call.seeds:
        for part, compare in (("same", _compare), ("start", _start_alike), ("relations", _ask_relations)):
            if call.wants(part):
                # no evaluation: the last pass counts, as for the peer
                same = {"width": WIDTH, "batch_size": BATCH, "epochs": passes, "eval_frequency": passes + 1}
                described = f"{facts}, complex, {WIDTH} numbers, Adagrad 0.1, no regulariser, {passes} passes"
                compare(call, data, KbTraining(seed=seed, precision="fp32", **same), described)
        logistic = {**LOGISTIC_RECIPE, "epochs": 60_000 * 5_000 // len(data.store)}
        for part, title, recipe, precision in (
            ("own", "own", OWN[name], "fp32"),
            ("bf16", "own", OWN[name], "bf16"),
            ("long", "long", LONG[name], "bf16"),
            ("hrere", "hrere", logistic, "fp32"),
        ):
            if call.wants(part):
                settings = KbTraining(seed=seed, precision=precision, **recipe)
                described = f"{facts}, recipe {title}: {_words(recipe)}"
                system = "ablation:bf16" if part == "bf16" else "default"
                _record(call, data, _ours(call, data, settings), data_name=described, system=system, seed=seed)


def _compare(call: Call, data: Links, settings: KbTraining, described: str) -> None:
    """Train and rank with one recipe, ours and the peer's, and compare the times."""
    ours = _ours(call, data, settings)
    _record(call, data, ours, data_name=described, system="default", seed=settings.seed)
    if call.maker.peer_python:  # type: ignore[attr-defined]
        theirs = _theirs(call, data, settings)
        _record(call, data, theirs, data_name=described, system=PYKEEN, seed=settings.seed)
        ratio = {"cpu_time_ratio": _pass_seconds(ours) / _pass_seconds(theirs)}
        call.record(data.name, ratio, data=described, split="test", system="default", seed=settings.seed)
        call.tell(f"  our time by the peer's: {ratio['cpu_time_ratio']:.2f}")


def _start_alike(call: Call, data: Links, settings: KbTraining, described: str) -> None:
    """Train the peer with tables initialised at our scale."""
    if not call.maker.peer_python:  # type: ignore[attr-defined]
        call.tell("start: nothing to do without --peer-python")
        return
    theirs = _theirs(call, data, settings, scale=settings.scale)
    system = f"{PYKEEN}, begun at {settings.scale:g}"
    _record(call, data, theirs, data_name=described, system=system, seed=settings.seed)


def _ask_relations(call: Call, data: Links, settings: KbTraining, described: str) -> None:
    """Train ours with a loss for relations as well."""
    ours = _ours(call, data, replace(settings, relation_weight=RELATION_WEIGHT))
    system = f"ablation:relations asked, weight {RELATION_WEIGHT:g}"
    _record(call, data, ours, data_name=described, system=system, seed=settings.seed)


def _ours(call: Call, data: Links, settings: KbTraining) -> dict[str, Any]:
    """Train our embeddings, unless that was done."""
    trained = [vars(settings), call.settings.threads, *call.settings.device_options]
    folder = call.settings.runs / f"{data.name}-links-{fingerprint(trained)}"

    def run() -> dict[str, Any]:
        seconds: list[float] = []

        def timed(batches: Iterator[Any]) -> Iterator[Any]:
            start = time.process_time()
            yield from batches
            seconds.append(time.process_time() - start)

        def tell(entry: Mapping[str, float]) -> None:
            call.tell(f"  pass {len(seconds)}: {seconds[-1]:.1f} s, {dict(entry)}")

        valid = data.facts["valid"] if settings.eval_frequency <= settings.epochs else None
        device = find_device(call.settings.gpu_id)
        options: dict[str, Any] = {"valid": valid, "device": device, "progress": timed, "on_epoch": tell}
        model = train_kb(data.store, settings, folder=folder, **options)
        return {"seconds": seconds, "history": list(model.history)}

    result = cached(folder / "result.json", run)
    return {**result, "model": KbModel.from_disk(folder).embeddings}


def _theirs(call: Call, data: Links, settings: KbTraining, *, scale: float = 0.0) -> dict[str, Any]:
    """Train the peer in a process of its own, unless that was done; scale 0 leaves its initialisation as it is."""
    answers = 2 * len(data.store)
    batch = max(1, round(settings.batch_size * data.questions / answers))
    options_of_peer = {"width": settings.width, "passes": settings.epochs, "batch-size": batch}
    options_of_peer.update(
        {"learn-rate": settings.learn_rate, "seed": settings.seed, **({"scale": scale} if scale else {})}
    )
    folder = call.settings.runs / f"{data.name}-pykeen-{fingerprint(options_of_peer)}"

    def run() -> dict[str, Any]:
        numpy.savez(folder / "facts.npz", **data.facts)  # type: ignore[arg-type]
        sizes = {"entities": len(data.store.entities), "relations": len(data.store.relations)}
        options = [f"--{key}={value}" for key, value in {**options_of_peer, **sizes}.items()]
        python = str(call.maker.peer_python)  # type: ignore[attr-defined]
        files = ["--facts", str(folder / "facts.npz"), "--out", str(folder / "tables.npz")]
        variables = {**environment(call.settings.threads, trains=True), "PYTHONPATH": ""}
        subprocess.run([python, str(PEER), *files, *options], env=variables, check=True)
        result: dict[str, Any] = json.loads((folder / "tables.json").read_text(encoding="utf8"))
        return result

    result = cached(folder / "result.json", run)
    call.tell(f"  the peer says of itself: {result['own_scores']}")
    return {**result, "model": _load_tables(folder / "tables.npz")}


def _load_tables(path: Path) -> KbEmbeddings:
    """Load the peer's tables into our model, which scores facts as the peer does."""
    with numpy.load(path) as tables:
        entities, relations = torch.from_numpy(tables["entities"]), torch.from_numpy(tables["relations"])
    width = entities.shape[1] // 2
    model = KbEmbeddings(n_entities=len(entities), n_relations=len(relations) // 2, width=width)
    model.load_state_dict({"entities": entities, "relations": relations})
    return model


def _record(call: Call, data: Links, result: dict[str, Any], *, data_name: str, system: str, seed: int) -> None:
    """Rank the test facts and write the rows."""
    known = data.known()
    for split, facts in data.tests().items():
        scores = evaluate_links(result["model"], facts, known)
        metrics = {key: float(scores[key] or 0.0) for key in METRICS}
        metrics["pass_seconds"] = _pass_seconds(result)
        options = {"data": data_name, "split": split, "system": system, "seed": seed}
        call.record(data.name, metrics, seconds=sum(result["seconds"]), **options)  # type: ignore[arg-type]
        call.tell(f"{system}, {split} ({len(facts):,} facts): {metrics}")


def _pass_seconds(result: Mapping[str, Any]) -> float:
    """Average the processor seconds of the passes."""
    return float(numpy.mean(result["seconds"]))


def _words(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in recipe.items())
