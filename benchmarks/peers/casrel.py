"""CasRel in plain PyTorch and Hugging Face: the peer of the RERE benchmarks.

It reads, trains, tunes one threshold on the development set, tests and times; it does not import
spacy_relext. The model is in casrel_model.py, with its departures from the paper.
The defaults come from short trials (1,000 sentences, 4 passes, MiniLM): 3e-4 against 1e-4 for the
encoder and one random subject against all on NYT24; 5e-3 against 1e-3 for the taggers on WebNLG,
whose rare relations hardly learned at the lower rate.

    python -m benchmarks.peers.casrel --train F --dev F --test NAME=F --out result.json
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.casrel_data import Record, encode_examples, read_records, relations_of, rename_relations
from benchmarks.peers.casrel_score import GRID, best_threshold, score_test
from benchmarks.peers.casrel_train import Run, build_model, train
from benchmarks.peers.training import add_arguments, autocast, check_files, run_program, say

ENCODER = "assets/encoder/all-MiniLM-L6-v2"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, that of the process if None is given, and check its values."""
    parser = argparse.ArgumentParser(description="Train and test CasRel; write the figures as JSON.")
    add_arguments(parser, passes=10, lr=3e-4, head_lr=5e-3)
    add = parser.add_argument
    add("--dev-skip", type=int, default=0, help="leave out the first N development records")
    add("--relation-map", type=Path, help="JSON: relation in a test set → relation in training")
    add("--dropout", type=float, help="in the encoder; its own setting if not given")
    add(
        "--all-subjects",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="train the objects of all gold subjects, not of one drawn per sentence and step",
    )
    args = parser.parse_args(argv)
    check_files(args, parser=parser, others=[args.relation_map] if args.relation_map else [])
    return args


def _time_prediction(run: Run, records: Sequence[Record], *, threshold: float) -> dict[str, float]:
    """Sentences per second from text to triples, tokenising included."""
    sample = random.Random(0).sample(list(records), min(300, len(records)))
    with autocast(run.args.precision), torch.inference_mode():
        run.predict(sample[:32], low=threshold, high=threshold)
        started = time.perf_counter()
        for record in sample:
            run.predict([record], low=threshold, high=threshold, batch_size=1)
        single = time.perf_counter() - started
        started = time.perf_counter()
        run.predict(records, low=threshold, high=threshold, batch_size=32)
        batched = time.perf_counter() - started
    return {"batch_1": len(sample) / single, "batch_32": len(records) / batched}


def _read_tests(args: argparse.Namespace) -> dict[str, list[Record]]:
    """Read the test sets, their relations named as in training."""
    names = json.loads(args.relation_map.read_text("utf8")) if args.relation_map else {}
    return {name: rename_relations(read_records(path), names=names) for name, path in args.test.items()}


def _report_test(name: str, *, scores: dict[str, Any]) -> None:
    """Print the scores of a test set, and its relations if they are not those of training."""
    for scope in ("all_relations", "shared_relations"):
        for tuning, values in scores[scope].items():
            figures = "  ".join(
                f"{match} P {values[match]['p']:.4f} R {values[match]['r']:.4f} F {values[match]['f']:.4f}"
                for match in ("exact", "partial")
            )
            say(f"{name}  {scope}  {tuning} {values['threshold']}  {figures}")
    for key in ("relations_shared", "relations_only_in_training", "relations_only_in_test"):
        say(f"{name}  {key} ({len(scores[key])}): {', '.join(scores[key])}")


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train, tune, test and time."""
    records = read_records(args.train)[: args.train_limit or None]
    dev, tests = read_records(args.dev)[args.dev_skip :], _read_tests(args)
    if not records or not dev:
        raise ValueError(f"{len(records)} training and {len(dev)} development sentences: need both")
    labels = relations_of(records)
    model, tokenizer = build_model(args, n_relations=len(labels))
    run = Run(model, tokenizer, labels, args)
    examples, lost = encode_examples(records, tokenizer=tokenizer, labels=labels, max_pieces=args.max_pieces)
    say(f"{len(examples)} of {len(records)} sentences, {len(labels)} relations, {lost} triples lost")
    seconds = train(run, examples, dev=dev)
    candidates_of_dev = run.predict(dev, low=GRID[0], high=GRID[-1])
    tuned, _ = best_threshold(dev, candidates_of_dev)
    result: dict[str, Any] = {
        "train_seconds": seconds,
        "train_sentences_per_second": len(examples) * args.passes / seconds,
        "train_sentences": len(examples),
        "train_triples_not_located": lost,
        "passes": run.history,
        "threshold": tuned,
        "dev": score_test(dev, candidates_of_dev, labels=labels, tuned=tuned),
        "tests": {},
    }
    for name, test in tests.items():
        low, high = sorted((0.5, tuned))
        candidates = run.predict(test, low=low, high=high)
        result["tests"][name] = score_test(test, candidates, labels=labels, tuned=tuned)
        _report_test(name, scores=result["tests"][name])
    timed = next(iter(tests.values()), dev)
    result["predict_sentences_per_second"] = _time_prediction(run, timed, threshold=tuned)
    return result


def main() -> None:
    """Run the benchmark of the command line and write its JSON."""
    run_program("casrel", parse_arguments(), _benchmark, unit="sentences")


if __name__ == "__main__":
    main()
