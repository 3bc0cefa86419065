import json
import pathlib
import subprocess
import sys
from typing import Any, Dict, List

import pytest
from thinc.api import Config

from benchmarks.harness.datasets import Maker
from benchmarks.harness.runs import DEFAULT_CONFIG, VARIANTS, Settings, cached, run_logged, train_run
from benchmarks.harness.training_config import BATCH_CELLS, build_config, read_config, set_key
from benchmarks.rere.evaluation import compare_thresholds, evaluate
from benchmarks.rere.experiments import _variants
from tests.benchmarks.harness.test_datasets import data  # noqa: F401  (a fixture)


def test_a_result_is_computed_once(tmp_path: pathlib.Path) -> None:
    calls: List[int] = []

    def compute() -> Dict[str, Any]:
        calls.append(1)
        return {"value": 1}

    path = tmp_path / "run" / "result.json"
    assert cached(path, compute) == cached(path, compute) == {"value": 1}
    assert calls == [1]


def test_a_result_that_failed_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ZeroDivisionError):
        cached(tmp_path / "result.json", lambda: {"value": 1 / 0})
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_fails_gives_its_last_line(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"exit code 1: no such thing .*train\.log"):
        run_logged([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path / "train.log", threads=1)


def test_setting_keys_of_a_config() -> None:
    config = Config({"training": {"max_epochs": 7}})
    set_key(config, "training.max_epochs", 2)
    assert config["training"]["max_epochs"] == 2
    with pytest.raises(ValueError, match="no section"):
        set_key(config, "training.batcher.size", 2)


@pytest.mark.parametrize("config", ["rere.cfg", "papers/rere.cfg"])
def test_batches_count_padded_tokens(config: str, data: pathlib.Path, tmp_path: pathlib.Path) -> None:  # noqa: F811
    made = Maker(data, tmp_path / "runs").nyt24(foreign=False)
    options: Dict[str, Any] = {"seed": 0, "encoder": tmp_path, "precision": "fp32", "changes": {}, "lang": "en"}
    path = DEFAULT_CONFIG.parent / config
    filled, counts = build_config(path, train=made.train, dev=made.dev, passes=3, **options)
    batcher = filled["training"]["batcher"]
    assert (batcher["@batchers"], batcher["size"]) == ("spacy.batch_by_padded.v1", BATCH_CELLS)
    assert counts["sentences"] == 36 and counts["steps_per_pass"] == 2  # ten words a sentence


def test_every_ablation_names_keys_that_its_config_has(project_root: pathlib.Path) -> None:
    for variants in _variants("bf16").values():
        for name, options in variants.items():
            config = read_config(options.get("config", DEFAULT_CONFIG))
            changes = options.get("changes", {})
            differs = []
            for key, value in changes.items():
                *path, last = key.split(".")
                section: Any = config
                for part in path:
                    section = section[part]
                assert last in section, f"{name}: {key}"
                differs.append(section[last] != value)
            assert any(differs) or not changes, f"{name} is the default"


@pytest.mark.slow
def test_nyt24_from_files_to_rows(data: pathlib.Path, tmp_path: pathlib.Path, project_root: pathlib.Path) -> None:  # noqa: F811
    script = [sys.executable, "-m", "benchmarks", "rere", "nyt24", "--seeds", "0", "--passes", "120"]
    config = project_root / "benchmarks" / "configs" / "rere_recurrent.cfg"
    results = tmp_path / "rere.json"
    folders = ["--data", str(data), "--runs", str(tmp_path / "runs"), "--encoder", str(tmp_path)]
    command = [*script, "--config", str(config), "--results", str(results), *folders]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root)
    assert done.returncode == 0, done.stderr
    rows = json.loads(results.read_text(encoding="utf8"))
    exact = {(row["split"], row["system"]): row["mean"] for row in rows if row["metric"] == "exact_f"}
    assert exact["test", "ablation:recurrent"] > 0.8
    assert set(exact) == {
        ("test", "ablation:recurrent"),
        ("test", "ablation:recurrent, untuned"),
        ("test", "ablation:recurrent, gold relations"),
        ("nyt11_hrl/test, 2 shared relations", "ablation:recurrent"),
        ("nyt10_hrl/test, 2 shared relations", "ablation:recurrent"),
        ("nyt10_hrl/test, 6 training sentences left out, 2 shared relations", "ablation:recurrent"),
    }
    assert "only_in_split (1): owns" in done.stderr
    before = sorted((tmp_path / "runs").rglob("training.json"))
    stamp = before[0].stat().st_mtime_ns
    again = subprocess.run(command, capture_output=True, text=True, cwd=project_root)
    assert again.returncode == 0
    assert sorted((tmp_path / "runs").rglob("training.json")) == before
    assert before[0].stat().st_mtime_ns == stamp
    assert len(json.loads(results.read_text(encoding="utf8"))) == len(rows)


@pytest.mark.slow
def test_rules_of_pairing_and_curves_on_a_trained_pipeline(data: pathlib.Path, tmp_path: pathlib.Path) -> None:  # noqa: F811
    made = Maker(data, tmp_path / "runs").nyt24(foreign=False)
    settings = Settings(runs=tmp_path / "runs", encoder=tmp_path, passes=120, threads=1, precision="fp32")
    config = VARIANTS / "rere_recurrent.cfg"
    trained = train_run("toy", train=made.train, dev=made.dev, seed=0, settings=settings, config=config)
    assert trained.steps == pytest.approx(120 * trained.steps_per_pass, rel=0.1)
    assert 0 < trained.seconds
    for pairing in ("scored", "nearest"):
        found = evaluate(trained.pipeline, made, threads=1, pairing=pairing)
        assert found["tests"]["test"]["tuned"]["exact_r"] > 0.5
    compared = compare_thresholds(trained.pipeline, made, complete=made.dev, labelled=1.0, threads=1)
    recall, precision = compared["curve"]["recall"], compared["curve"]["precision"]
    assert recall == sorted(recall)
    assert max(recall) >= compared["thresholds"]["tuned"]["exact_r"] > 0.5
    assert all(0.0 <= value <= 1.0 for value in precision)
