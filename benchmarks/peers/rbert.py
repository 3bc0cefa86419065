"""R-BERT in plain PyTorch and Hugging Face: the peer of the benchmarks that classify given pairs.

It reads, trains, keeps the best pass on the development set, tests, times and saves; it does not import spacy_relext.
The model is in rbert_model.py, with its departures from the paper. Batch size, passes, dropout and maximum length are
the paper's; its learning rate, 2e-5, is for a larger encoder. `rbert_model.load_peer` reads what --save wrote.

    python -m benchmarks.peers.rbert --train F --dev F --test NAME=F --score semeval --out result.json

A file has one pair a line, its types optional; offsets are characters, the end exclusive:

    {"text": "…", "subject": [start, end], "object": [start, end], "label": "…",
     "subject_type": "…", "object_type": "…"}
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.rbert_data import Example, Record, read_records
from benchmarks.peers.rbert_model import Peer
from benchmarks.peers.rbert_train import MAIN_SCORE, SEMEVAL, Run, build_peer, score_peer, train
from benchmarks.peers.training import add_arguments, check_files, run_program, say

ENCODER = "assets/encoder/all-MiniLM-L6-v2"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, that of the process if None is given, and check its values."""
    parser = argparse.ArgumentParser(description="Train and test R-BERT; write the figures as JSON.")
    add_arguments(parser, passes=5, lr=1e-4, head_lr=1e-3)
    add = parser.add_argument
    add("--score", choices=tuple(MAIN_SCORE), required=True, help="semeval: official macro F1 of SemEval-2010 task 8")
    add("--no-relation", help="label that is no relation, with --score micro")
    add("--time-batch", type=int, nargs="+", default=[1, 32], help="batch sizes whose speed is measured")
    add("--save", type=Path, metavar="DIR", help="where the trained model goes")
    add("--types", action="store_true", help="write the arguments' types into the text")
    add("--evaluate-every", type=int, default=1, help="passes between evaluations; the last is evaluated too")
    add("--label-smoothing", type=float, default=0.0)
    add("--adversary", type=float, default=0.0, help="length by which an adversary moves each text; 0 = none")
    add("--dropout", type=float, default=0.1, help="in the head")
    add("--encoder-dropout", type=float, help="in the encoder; its own setting if not given")
    args = parser.parse_args(argv)
    if min(args.passes, args.evaluate_every, args.batch_size, args.threads, *args.time_batch) < 1:
        parser.error("--passes, --evaluate-every, --batch-size, --threads, --time-batch: expected at least 1")
    if args.score == "semeval" and args.no_relation is not None:
        parser.error("--no-relation: only with --score micro")
    check_files(args, parser=parser)
    return args


def read_sets(args: argparse.Namespace) -> dict[str, list[Record]]:
    """Read training, development and test pairs.

    RETURNS (dict[str, list[Record]]): pairs under "train", "dev" and "test:NAME".
    RAISES (ValueError): if a file is not what it should be.
    """
    files = {"train": args.train, "dev": args.dev, **{f"test:{name}": path for name, path in args.test.items()}}
    sets = {name: read_records(path) for name, path in files.items()}
    sets["train"] = sets["train"][: args.train_limit or None]
    for name, records in sets.items():
        if not records:
            raise ValueError(f"{files[name]}: no pairs")
        foreign = sorted({record.label for record in records} - SEMEVAL)
        if args.score == "semeval" and foreign:
            raise ValueError(f"{files[name]}: --score semeval expects the labels of its task, found {foreign[0]!r}")
    labels = sorted({record.label for record in sets["train"]})
    if args.no_relation is not None and args.no_relation not in labels:
        raise ValueError(f"--no-relation: {args.train} has no {args.no_relation!r}, but {', '.join(labels)}")
    if args.types and not any(record.subject_type or record.object_type for record in sets["train"]):
        raise ValueError(f"{args.train}: --types expects subject_type and object_type, found none")
    return sets


def _time_prediction(peer: Peer, records: Sequence[Record], *, batch_sizes: Sequence[int]) -> dict[str, float]:
    """Measure pairs per second from text to label, tokenising included."""
    sample = random.Random(0).sample(list(records), min(300, len(records)))
    speed = {}
    peer.predict(sample[:32])
    for size in batch_sizes:
        calls = [[record] for record in sample] if size == 1 else [list(records)]
        started, started_cpu = time.perf_counter(), time.process_time()
        for call in calls:
            peer.predict(call, batch_size=size)
        speed[f"batch_{size}"] = sum(map(len, calls)) / (time.perf_counter() - started)
        speed[f"cpu_batch_{size}"] = sum(map(len, calls)) / (time.process_time() - started_cpu)
    return speed


def _score_sets(
    run: Run, examples: dict[str, list[Example]], *, sets: dict[str, list[Record]]
) -> dict[str, dict[str, Any]]:
    """Score development and test sets, and print the figures."""
    by_set = {}
    for name in [name for name in sets if name != "train"]:
        scores = by_set[name] = score_peer(run, examples[name], records=sets[name])
        scores["pairs_with_unknown_label"] = sum(record.label not in run.peer.labels for record in sets[name])
        figures = "  ".join(
            f"{kind} P {scores[f'{kind}_p']:.4f} R {scores[f'{kind}_r']:.4f} F {scores[f'{kind}_f']:.4f}"
            for kind in ("macro", "micro")
        )
        say(f"{name}  {figures}  accuracy {scores['accuracy']:.4f}")
    return by_set


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train, test, save and time."""
    sets = read_sets(args)
    labels = [record.label for record in sets["train"]]
    run = Run(build_peer(args, labels=sorted(set(labels))), args)
    examples = {name: run.peer.encode(records) for name, records in sets.items()}
    cut = {name: sum(example.cut for example in pieces) for name, pieces in examples.items()}
    say(f"{len(labels)} training pairs, {len(run.peer.labels)} labels; texts cut: {json.dumps(cut)}")
    seconds = train(run, examples["train"], labels=labels, dev=(examples["dev"], sets["dev"]))
    if args.save:
        run.peer.save(args.save)
    run.peer.finish()
    scores = _score_sets(run, examples, sets=sets)
    main = [entry["dev"][MAIN_SCORE[args.score]] for entry in run.history]
    timed = next((sets[name] for name in sets if name.startswith("test:")), sets["dev"])
    return {
        "train_seconds": seconds,
        "train_cpu_seconds": run.cpu_seconds,
        "train_pairs_per_second": len(labels) * args.passes / seconds,
        "train_pairs": len(labels),
        "labels": run.peer.labels,
        "texts_cut": cut,
        "passes": run.history,
        "best_pass": run.history[main.index(max(main))]["pass"],
        "main_score": MAIN_SCORE[args.score],
        "dev": scores["dev"],
        "tests": {name: scores[f"test:{name}"] for name in args.test},
        "predict_pairs_per_second": _time_prediction(run.peer, timed, batch_sizes=args.time_batch),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark of the command line, that of the process if None is given, and write its JSON."""
    run_program("rbert", parse_arguments(argv), _benchmark, unit="pairs")


if __name__ == "__main__":
    main()
