"""The default, CasRel and GPLinker on equal terms: each trained until it no longer improves on the tuning sentences.

All systems have the same encoder, sentences, limit of passes, batch size, precision and threads. A peer's learning rate
is the one of `--learning-rates` that is best on the tuning sentences after training on the first 1,500 sentences with
seed 0; if one rate is given, nothing is searched. Times are processor time, and are not recorded on a GPU. "additions"
are those of our encoder: letter shapes, a mix of the layers, no dropout, frozen embeddings. "adversary" perturbs the
input vectors of the encoder, as `configs/rere.cfg` does; "no adversary" is the default without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import DataSet, Maker
from benchmarks.harness.rows import read_rows
from benchmarks.harness.runs import VARIANTS
from benchmarks.rere.curves import draw_learning, read_learning
from benchmarks.rere.experiments import DETECTOR, record_peer, record_scores, run_system
from benchmarks.rere.peer import own_batch_size, run_peer

SEARCH_SENTENCES = 1500
# The best epoch is that with the best F on the tuning sentences, as for the peers: after many epochs, average precision
# prefers early ones.
BEST_PASS = {"training.score_weights.exact_ap": 0.0, "training.score_weights.exact_f": 1.0}
CORPORA: dict[str, Callable[[Maker, int], DataSet]] = {
    "nyt24-1500": lambda maker, most: maker.nyt24(foreign=False, most=most or 1500),
    "nyt24": lambda maker, most: maker.nyt24(foreign=False, most=most),
    "webnlg": lambda maker, most: maker.webnlg(most=most),
    "nyt10": lambda maker, most: maker.nyt10(most=most),
}
# Part of the experiment → program of the baseline, suffix of its name in rows, options.
PEERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "casrel": ("casrel", "", ()),
    "casrel-additions": ("casrel", ", additions", ("--additions",)),
    "gplinker": ("gplinker", "", ()),
    "gplinker-additions": ("gplinker", ", additions", ("--additions",)),
    "gplinker-adversary": ("gplinker", ", additions, adversary", ("--additions", "--adversarial-radius", "1.0")),
}
# The default, and without its adversary; RERE as published, but with the default's rate for encoders of six layers; its
# encoders with our losses and pairs, the detector over [CLS] or over the mean of all pieces.
# Part → row, config if it is another one, changes in it.
OWN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ours": ("default", "", {}),
    "no-adversary": ("ablation:no adversary", "", {"components.tok2vec.model.adversarial_radius": 0.0}),
    "paper": (
        "ablation:as published",
        "../../configs/papers/rere.cfg",
        {"training.optimizer.learn_rate.initial_rate": 3e-4},
    ),
    "marked": ("ablation:marked, [CLS]", "rere_marked.cfg", {}),
    "marked-mean": ("ablation:marked, mean", "rere_marked.cfg", {f"{DETECTOR}.model.pooling": "mean"}),
}


def fair(call: Call) -> None:
    """Train, tune and test the default, the published form and the peers.

    Then draw the learning curves of all systems in the results file, those of earlier calls included.
    """
    for name in call.corpora:
        data = CORPORA[name](call.maker, 0)
        for seed in call.seeds:
            for part, (system, other, changes) in OWN.items():
                if call.wants(part):
                    options: dict[str, Any] = {"seed": seed, "config": VARIANTS / other if other else call.config}
                    options["changes"] = {**BEST_PASS, **changes}
                    trained, scores = run_system(call, "default" if part == "ours" else part, data, **options)
                    record_scores(call, "fair", data, scores, system=system, seed=seed, trained=trained)
                    history = [entry for entry in trained.history if entry["step"]]  # spaCy also evaluates at step 0
                    _record_times(call, data, system, seed, trained.cpu_seconds, trained.seconds, history)
            for part in filter(call.wants, PEERS):
                program, ending, _ = PEERS[part]
                system = f"peer:{program}{ending}"
                result = _train_peer(call, name, part, seed=seed)
                record_peer(call, "fair", data, result, system=system, seed=seed)
                times = result["train_cpu_seconds"], result["train_seconds"]
                _record_times(call, data, system, seed, *times, peer_history(result))
        if lines := read_learning(read_rows(progress_file(call.results)), call.describe(data)):
            title = f"{call.describe(data)}: F on the tuning sentences before tuning"
            for path in draw_learning(lines, title=title, target=call.figures / f"rere_fair_{name}"):
                call.tell(f"drew {path}")


def progress_file(results: Path) -> Path:
    """RETURNS (Path): The file with the scores after each epoch, beside a results file."""
    return results.with_name(f"{results.stem}_progress.json")


def peer_history(result: Mapping[str, Any]) -> list[Mapping[str, float]]:
    """RETURNS (list[Mapping[str, float]]): After each epoch, processor time of training so far, and exact F at 0.5."""
    spent = accumulate(entry["cpu_seconds"] for entry in result["passes"])
    return [
        {"cpu_seconds": seconds, "exact_f": entry["dev_f_fixed"]}
        for seconds, entry in zip(spent, result["passes"], strict=True)
    ]


def _train_peer(call: Call, name: str, part: str, *, seed: int) -> dict[str, Any]:
    """Choose a baseline's learning rate, with one training per rate, then train and test it with that rate."""
    rate = call.learning_rates[0] if len(call.learning_rates) == 1 else _best_rate(call, name, part)
    data = CORPORA[name](call.maker, 0)
    call.tell(f"{call.describe(data)}: {part}, learning rate {rate}, seed {seed}")
    return _run(call, data, part, seed=seed, rate=rate)


def _best_rate(call: Call, name: str, part: str) -> float:
    search = CORPORA[name](call.maker, SEARCH_SENTENCES)
    tried = {}
    for rate in call.learning_rates:
        call.tell(f"{search.name}, {SEARCH_SENTENCES} sentences: {part}, learning rate {rate}")
        tried[rate] = best_pass(_run(call, search, part, seed=0, rate=rate))
        call.tell(f"  {tried[rate]:.4f} on the tuning sentences")
    return max(tried, key=tried.__getitem__)


def best_pass(result: Mapping[str, Any]) -> float:
    """RETURNS (float): Exact F on the tuning sentences after a peer's best pass, with its threshold tuned there."""
    return max(entry["dev_f"] for entry in result["passes"])


def _run(call: Call, data: DataSet, part: str, *, seed: int, rate: float) -> dict[str, Any]:
    program, _, more = PEERS[part]
    options = [*more, "--patience", str(call.patience), "--lr", str(rate)]
    batch_size = own_batch_size(call.config, data, seed=seed, settings=call.settings)
    return run_peer(program, data, seed=seed, settings=call.settings, batch_size=batch_size, options=options)


def _record_times(
    call: Call,
    data: DataSet,
    system: str,
    seed: int,
    cpu: float,
    wall: float,
    history: Sequence[Mapping[str, float]],
) -> None:
    """Write the processor time, and into a file of its own the curve of score by processor time; nothing on a GPU."""
    if call.settings.gpu_id >= 0:
        return
    described = {"data": call.describe(data), "system": system, "seed": seed}
    call.record("fair", {"train_cpu_seconds": cpu}, seconds=wall, split=call.split_name(data, "test"), **described)
    aside = replace(call, results=progress_file(call.results))
    for number, entry in enumerate(history, 1):
        metrics = {key: entry[key] for key in ("exact_f", "cpu_seconds")}
        aside.record("fair", metrics, split=call.split_name(data, f"tuning, pass {number}"), **described)
