"""R-BERT in plain PyTorch and Hugging Face: the baseline of the benchmarks that classify given pairs.

It reads, trains, keeps the best epoch on the development set, and saves the model, which `rbert_model.load_peer` reads.
The model is in rbert_model.py, with its departures from the paper. Batch size, epochs, dropout and maximum length are
the paper's; its learning rate, 2e-5, is for a larger encoder.

    python -m benchmarks.peers.rbert --train F --dev F --score semeval --save DIR --out result.json

A file has one pair a line; offsets are characters, the end exclusive:

    {"text": "…", "subject": [start, end], "object": [start, end], "label": "…",
     "subject_type": "…", "object_type": "…"}
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.rbert_data import read_records
from benchmarks.peers.rbert_train import SCORES, Run, build_peer, train
from benchmarks.peers.training import add_arguments, check_files, run_program


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; if None is given, the command line of the process."""
    parser = argparse.ArgumentParser(description="Train R-BERT; write the figures as JSON.")
    add_arguments(parser, passes=5, lr=1e-4, head_lr=1e-3)
    add = parser.add_argument
    add("--score", choices=tuple(SCORES), required=True, help="F on dev; semeval: official macro F1 of the task")
    add("--save", type=Path, metavar="DIR", required=True, help="where the trained model goes")
    add("--types", action="store_true", help="write the arguments' types into the text")
    add("--evaluate-every", type=int, default=1, help="epochs between evaluations; the last is evaluated too")
    add("--label-smoothing", type=float, default=0.0)
    add("--adversary", type=float, default=0.0, help="length by which an adversary moves each text; 0 = none")
    args = parser.parse_args(argv)
    check_files(args, parser=parser)
    return args


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train and save."""
    records, dev = read_records(args.train), read_records(args.dev)
    labels = [record.label for record in records]
    run = Run(build_peer(args, labels=sorted(set(labels))), args)
    seconds = train(run, run.peer.encode(records), labels=labels, dev=(run.peer.encode(dev), dev))
    run.peer.save(args.save)
    return {"train_seconds": seconds, "labels": run.peer.labels, "passes": run.history}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line, and write its JSON."""
    run_program("rbert", parse_arguments(argv), _benchmark)


if __name__ == "__main__":
    main()
