"""R-BERT, run with the pairs, seed, epochs, threads, precision and encoder of our trainings.

Batch size and learning rates are its own: those that suit our component might make it worse.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.corpora import PairData
from benchmarks.harness.pairs import NOTHING, PairRow, read_pairs, write_pairs
from benchmarks.harness.runs import Settings, cached, digest, fingerprint, run_logged

BATCH_SIZE = 32


@dataclass(frozen=True)
class TrainedPeer:
    """A finished training.

    folder (Path): The run's folder.
    seconds (float): Time of its updates.
    """

    folder: Path
    seconds: float

    @property
    def model(self) -> Path:
        """RETURNS (Path): The best epoch's model."""
        return self.folder / "model"


def run_rbert(data: PairData, *, seed: int, settings: Settings, options: Sequence[str] = ()) -> TrainedPeer:
    """Train and test the baseline, unless that was done.

    RAISES (ValueError): Where it fails.
    """
    corpora = {"train": data.train, "dev": data.dev}
    files = {split: digest(path) for split, path in corpora.items()}
    depends = [files, seed, list(options), settings.passes, settings.arithmetic, settings.threads]
    depends += [settings.encoder.name]
    depends += [settings.evaluate_every] * (settings.evaluate_every > 1)
    folder = settings.runs / f"{data.key}-rbert-seed{seed}-{fingerprint(depends)}"

    def run() -> dict[str, Any]:
        pairs = {split: read_pairs(path, marked=data.marked) for split, path in corpora.items()}
        paths = {split: write_pairs(each, folder / "pairs" / f"{split}.jsonl") for split, each in pairs.items()}
        command = [sys.executable, "-m", "benchmarks.peers.rbert", "--encoder", str(settings.encoder)]
        command += ["--seed", str(seed), "--passes", str(settings.passes), "--threads", str(settings.threads)]
        command += ["--evaluate-every", str(settings.evaluate_every)] * (settings.evaluate_every > 1)
        command += ["--precision", settings.precision, "--score", data.task]
        command += [*settings.device_options, *options, "--save", str(folder / "model")]
        command += ["--train", str(paths["train"]), "--dev", str(paths["dev"])]
        output = folder / "rbert.json"
        run_logged([*command, "--out", str(output)], folder / "train.log", threads=settings.threads)
        result: dict[str, Any] = json.loads(output.read_text(encoding="utf8"))
        return result

    return TrainedPeer(folder, float(cached(folder / "result.json", run)["train_seconds"]))


def load_rbert(model: Path) -> Any:
    """Load a trained baseline."""
    from benchmarks.peers.rbert_model import load_peer

    return load_peer(model)


def to_records(rows: Sequence[PairRow]) -> list[Any]:
    """Convert pairs into the records that a loaded baseline reads."""
    from benchmarks.peers.rbert_data import Record

    return [Record(row.text, tuple(row.subject), tuple(row.object), NOTHING, *row.types) for row in rows]


def peer_labels(peer: Any, rows: Sequence[PairRow]) -> list[str]:
    """Let a loaded baseline classify pairs.

    peer (Peer): From `load_rbert`.
    """
    labels: list[str] = peer.predict(to_records(rows), batch_size=BATCH_SIZE)
    return labels
