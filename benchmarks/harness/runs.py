"""One folder per training, named by a hash of all that it depends on; a finished training is not repeated."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.training_config import build_config, read_config
from spacy_relext.bridge.weights import has_fast_bf16

ROOT = Path(__file__).resolve().parents[2]
CONFIGS, VARIANTS = ROOT / "configs", ROOT / "benchmarks" / "configs"
DEFAULT_CONFIG = CONFIGS / "rere.cfg"
LOGGER = Path(__file__).resolve().parent / "timing_logger.py"
# Otherwise a training on a CPU requests new memory for each batch, page by page; baselines get the same settings.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "40000000000",
    "MALLOC_TOP_PAD_": "500000000",
}


@dataclass(frozen=True)
class Settings:
    """What all trainings of one call share.

    runs (Path): Folder of the runs.
    encoder (Path): Folder of the Hugging Face encoder.
    passes (int): Epochs over the training data; 0 for what the config says.
    threads (int): Threads of torch and of the tokenizer.
    precision (str): "fp32" or "bf16".
    evaluate_every (int): Epochs from one evaluation on dev to the next.
    gpu_id (int): The GPU that all systems run on; -1 for the CPU.
    """

    runs: Path
    encoder: Path
    passes: int
    threads: int
    precision: str
    evaluate_every: int = 1
    gpu_id: int = -1

    @property
    def arithmetic(self) -> str:
        """RETURNS (str): What numbers are computed in, such as "bf16" or "bf16, GPU"."""
        return f"{self.precision}{', GPU' * (self.gpu_id >= 0)}"

    @property
    def device_options(self) -> list[str]:
        """RETURNS (list[str]): Options of `spacy train` and of the baselines that put a training on its device."""
        return ["--gpu-id", str(self.gpu_id)] if self.gpu_id >= 0 else []


@dataclass(frozen=True)
class Trained:
    """A finished training.

    folder (Path): The run's folder.
    seconds (float): Time of the updates, without evaluations and saving.
    cpu_seconds (float): Their processor time.
    steps (int): Updates.
    steps_per_pass (int): Updates of one epoch, as they were planned.
    sentences (int): Training documents.
    words (int): Their tokens.
    history (Sequence[Mapping[str, float]]): For each evaluation on dev, step, processor time of the updates so far, and
        scores; empty for older runs.
    """

    folder: Path
    seconds: float
    cpu_seconds: float
    steps: int
    steps_per_pass: int
    sentences: int
    words: int
    history: Sequence[Mapping[str, float]] = ()

    @property
    def pipeline(self) -> Path:
        """RETURNS (Path): The best epoch's pipeline."""
        return self.folder / "model" / "model-best"

    @property
    def last(self) -> Path:
        """RETURNS (Path): The last epoch's pipeline, where nothing is chosen on dev."""
        return self.folder / "model" / "model-last"

    @property
    def batch_size(self) -> int:
        """RETURNS (int): Mean number of sentences of an update, rounded."""
        return max(1, round(self.sentences / self.steps_per_pass))


def train_run(
    name: str,
    *,
    train: Path,
    dev: Path,
    seed: int,
    settings: Settings,
    config: Path = DEFAULT_CONFIG,
    changes: Mapping[str, Any] | None = None,
    lang: str = "en",
) -> Trained:
    """Train a pipeline with `spacy train`, unless the same training exists.

    name (str): The system, for the folder's name.
    dev (Path): Corpus that chooses the best epoch.
    changes (Mapping[str, Any] | None): Dotted keys and their new values.
    RETURNS (Trained): Where it is, and its time.
    RAISES (ValueError): Where the training fails; its log says why.
    """
    wanted = {
        "config": read_config(config),
        "changes": dict(changes or {}),
        "corpora": [digest(train), digest(dev)],
        **{"seed": seed, "lang": lang, "passes": settings.passes, "threads": settings.threads},
        **{"precision": settings.arithmetic, "encoder": settings.encoder.name},
        **({"evaluate_every": settings.evaluate_every} if settings.evaluate_every > 1 else {}),
    }
    folder = settings.runs / f"{name}-seed{seed}-{fingerprint(wanted)}"
    result = cached(
        folder / "training.json", lambda: _train(folder, train, dev, seed, settings, config, wanted["changes"], lang)
    )
    return Trained(folder=folder, **result)


def cached(path: Path, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Read a result, or compute and write it; the file appears only once it is complete."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(compute(), indent=1, ensure_ascii=False)
        part = path.with_suffix(".part")
        part.write_text(text + "\n", encoding="utf8")
        part.replace(path)
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    return result


def fingerprint(settings: Any) -> str:
    """Hash settings to a short name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:10]


def digest(path: Path) -> str:
    """Hash a file's content. RETURNS (str): The same for the same content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def resolve_precision(precision: str) -> str:
    """Return what "auto" is on this machine, so that baselines get the same."""
    import torch

    if precision != "auto":
        return precision
    return "bf16" if has_fast_bf16(torch.device("cpu")) else "fp32"


def use_gpu(gpu_id: int) -> None:
    """Let the pipelines of this process predict on a GPU.

    RAISES (ValueError): Where there is none.
    """
    import spacy

    try:
        spacy.require_gpu(gpu_id)
    except ValueError as error:
        raise ValueError(f"--gpu-id {gpu_id}: {error}") from None


def environment(threads: int, *, trains: bool = False) -> dict[str, str]:
    """Return the environment variables of a subprocess with a number of threads.

    trains (bool): Whether it trains, and therefore keeps its memory.
    """
    count = {key: str(threads) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    memory = KEEP_MEMORY if trains else {}
    return {**os.environ, **count, **memory, "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": path}


def run_module(module: str, *arguments: object, threads: int | None = None) -> str:
    """Run a module of the benchmarks in a process of its own.

    threads (int | None): Threads it may use; None leaves that to the libraries.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    variables = None if threads is None else environment(threads)
    return subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True, text=True).stdout


def run_logged(command: list[str], log: Path, *, threads: int) -> None:
    """Run a program; its output goes into a file.

    RAISES (ValueError): Where it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = environment(threads, trains=True)
    with log.open("w", encoding="utf8") as stream:
        ended = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, cwd=ROOT, env=variables)
    if ended.returncode:
        last = (log.read_text(encoding="utf8").strip().splitlines() or ["it printed nothing"])[-1]
        raise ValueError(f"{Path(command[-1]).name}: exit code {ended.returncode}: {last} (all of it in {log})")


def _train(
    folder: Path,
    train: Path,
    dev: Path,
    seed: int,
    settings: Settings,
    config: Path,
    changes: Mapping[str, Any],
    lang: str,
) -> dict[str, Any]:
    """Write the config and run `spacy train`."""
    options = {"train": train, "dev": dev, "seed": seed, "passes": settings.passes, "lang": lang, "changes": changes}
    options.update(encoder=settings.encoder, precision=settings.precision, evaluate_every=settings.evaluate_every)
    filled, counts = build_config(config, **options)
    timing = folder / "timing.json"
    filled["training"]["logger"] = {"@loggers": "relext_benchmarks.timing.v1", "path": str(timing)}
    folder.mkdir(parents=True, exist_ok=True)
    filled.to_disk(folder / "config.cfg", interpolate=False)
    output = ["--output", str(folder / "model"), "--code", str(LOGGER)]
    command = [sys.executable, "-m", "spacy", "train", str(folder / "config.cfg"), *output, *settings.device_options]
    run_logged(command, folder / "train.log", threads=settings.threads)
    return {**json.loads(timing.read_text(encoding="utf8")), **counts}
