"""Link prediction: embeddings trained with several recipes, ranked by filtered ranks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.runs import cached, fingerprint
from benchmarks.kb.data import LinkMaker, Links
from spacy_relext.bridge.modules import find_device
from spacy_relext.kb.link_prediction import evaluate_links
from spacy_relext.kb.model import KbModel, train_kb
from spacy_relext.kb.training import KbTraining

BATCH, WIDTH = 1_000, 100
METRICS = ("entities_mrr", "entities_hits_1", "entities_hits_10", "relations_mrr", "relations_hits_1")
# The best epoch is chosen on valid.
OWN: dict[str, dict[str, Any]] = {
    "wn18rr": {"n3": 0.1, "batch_size": 250, "epochs": 12, "patience": 0, "eval_frequency": 2},
    "fb15k237": {"n3": 0.05, "batch_size": 250, "epochs": 8, "patience": 0, "eval_frequency": 2},
}
# In bf16, wider, longer and, where it helps, with a loss for relations: each within an hour on one core.
LONG: dict[str, dict[str, Any]] = {
    "wn18rr": {**OWN["wn18rr"], "width": 200, "relation_weight": 0.05, "epochs": 20, "eval_frequency": 5},
    "fb15k237": {**OWN["fb15k237"], "width": 1_000, "batch_size": 1_000, "epochs": 25, "eval_frequency": 5},
}
PARTS = ("same", "own", "long")


def links(call: Call, name: str) -> None:
    """Train and rank on one data set."""
    assert isinstance(call.maker, LinkMaker)
    data, epochs = call.maker.links(name), call.settings.passes
    torch.set_num_threads(call.settings.threads)
    facts = f"{name}: {len(data.store):,} facts{', GPU' * (call.settings.gpu_id >= 0)}"
    # without evaluation: the last epoch counts
    same = {"width": WIDTH, "batch_size": BATCH, "epochs": epochs, "eval_frequency": epochs + 1}
    recipes: dict[str, tuple[str, str, dict[str, Any]]] = {
        "same": (f"complex, {WIDTH} numbers, Adagrad 0.1, no regulariser, {epochs} passes", "fp32", same),
        "own": (f"recipe own: {_words(OWN[name])}", "fp32", OWN[name]),
        "long": (f"recipe long: {_words(LONG[name])}", "bf16", LONG[name]),
    }
    for seed in call.seeds:
        for described, precision, recipe in (recipes[part] for part in filter(call.wants, PARTS)):
            result = _train(call, data, KbTraining(seed=seed, precision=precision, **recipe))
            _record(call, data, result, data_name=f"{facts}, {described}", seed=seed)


def _train(call: Call, data: Links, settings: KbTraining) -> dict[str, Any]:
    """Train embeddings, unless that was done."""
    trained = [vars(settings), call.settings.threads, *call.settings.device_options]
    folder = call.settings.runs / f"{data.name}-links-{fingerprint(trained)}"

    def run() -> dict[str, Any]:
        seconds: list[float] = []

        def timed(batches: Iterator[Any]) -> Iterator[Any]:
            start = time.process_time()
            yield from batches
            seconds.append(time.process_time() - start)

        def tell(entry: Mapping[str, float]) -> None:
            call.tell(f"  epoch {len(seconds)}: {seconds[-1]:.1f} s, {dict(entry)}")

        valid = data.facts["valid"] if settings.eval_frequency <= settings.epochs else None
        device = find_device(call.settings.gpu_id)
        options: dict[str, Any] = {"valid": valid, "device": device, "progress": timed, "on_epoch": tell}
        model = train_kb(data.store, settings, folder=folder, **options)
        return {"seconds": seconds, "history": list(model.history)}

    result = cached(folder / "result.json", run)
    return {**result, "model": KbModel.from_disk(folder).embeddings}


def _record(call: Call, data: Links, result: dict[str, Any], *, data_name: str, seed: int) -> None:
    """Rank the test facts and write the rows."""
    known = data.known()
    for split, facts in data.tests().items():
        scores = evaluate_links(result["model"], facts, known)
        metrics = {key: float(scores[key] or 0.0) for key in METRICS}
        metrics["pass_seconds"] = float(numpy.mean(result["seconds"]))
        options: dict[str, Any] = {"data": data_name, "split": split, "system": "default", "seed": seed}
        call.record(data.name, metrics, seconds=sum(result["seconds"]), **options)
        call.tell(f"{split} ({len(facts):,} facts): {metrics}")


def _words(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in recipe.items())
