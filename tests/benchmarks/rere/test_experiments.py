import pathlib
from typing import Any, Dict

import pytest
from thinc.api import Config

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import Maker
from benchmarks.harness.rows import read_rows
from benchmarks.harness.runs import DEFAULT_CONFIG, Settings, Trained
from benchmarks.harness.training_config import read_config, set_key
from benchmarks.rere import fair, missing_labels
from benchmarks.rere.missing_labels import LOSSES
from spacy_relext.rere.settings import DETECTOR_LOSSES
from tests.benchmarks.harness.test_datasets import data  # noqa: F401  (a fixture)


def make_call(data: pathlib.Path, folder: pathlib.Path, **options: Any) -> Call:  # noqa: F811
    settings = Settings(runs=folder / "runs", encoder=folder, passes=2, threads=1, precision="fp32")
    options |= {"results": folder / "rere.json", "figures": folder / "figures"}
    return Call(settings=settings, maker=Maker(data, folder / "runs"), command="toy", tell=lambda _: None, **options)


def test_losses_for_missing_labels_are_those_of_a_config(tmp_path: pathlib.Path) -> None:
    for _, changes in LOSSES.values():
        config = read_config(DEFAULT_CONFIG)
        before = set(config["components"]["rere_detector"])
        for key, value in changes.items():
            set_key(config, key, value)
        config.to_disk(tmp_path / "config.cfg")
        read = Config().from_disk(tmp_path / "config.cfg")
        assert set(read["components"]["rere_detector"]) == before  # no key that there is not
        assert read["components"]["rere_detector"]["loss"]["kind"] in DETECTOR_LOSSES


def test_labels_are_missing_in_training_and_tuning_alike(
    data: pathlib.Path,  # noqa: F811
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib")
    options: Dict[str, Any] = {"only": frozenset(["bce", "ssr-pu", "casrel"]), "rates": [0.0, 0.5], "patience": 4}
    call = make_call(data, tmp_path, seeds=[0], **options)
    trainings, judged, peers = [], [], []

    def train_run(name: str, *, train: pathlib.Path, dev: pathlib.Path, changes: Any, **_: Any) -> Trained:
        trainings.append((name, changes.get("components.rere_detector.loss.missing_rate")))
        times = {"seconds": 1.0, "cpu_seconds": 1.0, "steps": 1, "steps_per_pass": 1, "sentences": 1, "words": 1}
        return Trained(folder=tmp_path / f"{name}-{train.stem}", **times)

    def compare_thresholds(pipeline: pathlib.Path, thinned: Any, *, complete: pathlib.Path, **options: Any) -> Any:
        judged.append((thinned.train == complete, thinned.dev == complete, options["labelled"]))
        return {"thresholds": {"tuned": {"exact_f": 0.5}}, "curve": {"precision": [1.0], "recall": [0.5]}}

    def run_peer(program: str, made: Any, **_: Any) -> Dict[str, Any]:
        peers.append((made.train.name, made.dev.name))
        split = {tuning: [[]] * 12 for tuning in ("tuned", "fixed")}
        return {"tests": {"test": split}, "train_seconds": 1.0}

    for name, replaced in {"train_run": train_run, "compare_thresholds": compare_thresholds}.items():
        monkeypatch.setattr(missing_labels, name, replaced)
    monkeypatch.setattr(missing_labels, "run_peer", run_peer)
    missing_labels.missing_labels(call)
    (_, none), (_, known_none), (_, half), (_, known_half) = trainings
    assert none is None and half is None and known_none == 0.0 and 0.2 < known_half < 0.8
    assert judged == [(False, True, 1.0)] * 2 + [(False, False, 0.5)] * 2
    assert [["keep_empty" in name for name in pair] for pair in peers] == [[False, False], [True, True]]
    rows = {(row["split"], row["system"]) for row in read_rows(call.results)}
    assert ("test, 0.5 dropped", "ablation:SSR-PU") in rows and ("test, 0 dropped", "peer:casrel at 0.5") in rows
    assert (tmp_path / "figures" / "rere_missing_labels.svg").stat().st_size > 1000


def test_the_comparison_on_equal_terms_searches_the_rate(
    data: pathlib.Path,  # noqa: F811
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib")
    options: Dict[str, Any] = {"only": frozenset(["gplinker-additions"]), "corpora": ["nyt24-1500", "nyt24"]}
    call = make_call(data, tmp_path, seeds=[0, 1], patience=3, learning_rates=[1e-4, 3e-4], **options)
    monkeypatch.setattr(fair, "SEARCH_SENTENCES", 20)
    monkeypatch.setitem(fair.CORPORA, "nyt24-1500", lambda maker, most: maker.nyt24(foreign=False, most=most or 20))
    runs = []

    def run_peer(program: str, made: Any, *, seed: int, options: Any, **more: Any) -> Dict[str, Any]:
        runs.append((program, made.train.name, seed, options[-1]))
        assert list(options[:-1]) == ["--additions", "--patience", "3", "--lr"]
        split = {tuning: [[]] * 12 for tuning in ("tuned", "fixed")}
        passes = [{"cpu_seconds": 60.0, "dev_f_fixed": 0.25}, {"cpu_seconds": 30.0, "dev_f_fixed": 0.5}]
        for number, entry in enumerate(passes):
            entry["dev_f"] = 0.2 + 100 * float(options[-1]) + 0.1 * number
        times = {"train_seconds": 100.0, "train_cpu_seconds": 90.0}
        return {"lr": float(options[-1]), "passes": passes, "tests": {"test": split}, **times}

    monkeypatch.setattr(fair, "run_peer", run_peer)
    fair.fair(call)
    small, whole = "nyt24_multi_full_span_dev_triples-0-20.spacy", "nyt24_multi_full_span_dev_triples-0-36.spacy"
    search = [("gplinker", small, 0, "0.0001"), ("gplinker", small, 0, "0.0003")]
    chosen = [("gplinker", file, seed, "0.0003") for file in (small, whole) for seed in (0, 1)]
    # the search comes before every training, from the cache of runs but for the first time
    assert runs == [run for last in chosen for run in (*search, last)]
    rows = {
        (row["data"].split(" ")[1], row["split"], row["system"], row["metric"]): row for row in read_rows(call.results)
    }
    name = "peer:gplinker, additions"
    assert rows["20", "test", name, "train_cpu_seconds"]["values"] == [90.0, 90.0]
    assert {key[2] for key in rows} == {name, f"{name} at 0.5"}
    progress = read_rows(tmp_path / "rere_progress.json")
    spent = [row["values"] for row in progress if row["metric"] == "cpu_seconds"]
    assert spent == [[60.0, 60.0], [90.0, 90.0]] * 2
    assert (tmp_path / "figures" / "rere_fair_nyt24.svg").stat().st_size > 1000
