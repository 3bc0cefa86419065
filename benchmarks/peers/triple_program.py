"""The program of the peers that extract triples: train, tune one threshold on the development set, test and time."""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.training import add_arguments, autocast, check_files, run_program, say
from benchmarks.peers.triple_data import Record, encode_examples, read_records, relations_of, rename_relations
from benchmarks.peers.triple_encoder import Encoder, build_encoder
from benchmarks.peers.triple_model import TriplePeer
from benchmarks.peers.triple_score import FIXED, best_threshold, score_test
from benchmarks.peers.triple_train import Run, train

# Encoder, id of the padding piece, number of relations, command line → a model with fresh weights.
BuildModel = Callable[[Encoder, int, int, argparse.Namespace], TriplePeer]


def make_parser(name: str, *, lr: float, head_lr: float) -> argparse.ArgumentParser:
    """RETURNS (ArgumentParser): Options of all these peers, with the default learning rates of one."""
    parser = argparse.ArgumentParser(description=f"Train and test {name}; write the figures as JSON.")
    add_arguments(parser, passes=10, lr=lr, head_lr=head_lr)
    add = parser.add_argument
    add("--patience", type=int, default=0, help="end when --dev has not risen for so many passes; 0: never")
    add("--dev-skip", type=int, default=0, help="leave out the first N development records")
    add("--relation-map", type=Path, help="JSON: relation in a test set → relation in training")
    add("--dropout", type=float, help="in the encoder; its own setting if not given, 0 with --additions")
    add(
        "--additions",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="letter shapes, a mix of all layers, no dropout in the encoder, frozen embeddings: as spacy-relext does",
    )
    add("--adversarial-radius", type=float, default=0.0, help="of perturbed input vectors; needs --additions; 0: none")
    return parser


def parse_arguments(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Read a command line, that of the process if None is given, and check its values."""
    args = parser.parse_args(argv)
    check_files(args, parser=parser, others=[args.relation_map] if args.relation_map else [])
    if args.adversarial_radius and not args.additions:
        parser.error("--adversarial-radius needs --additions")
    return args


def make_run(build: BuildModel, args: argparse.Namespace, *, labels: list[str]) -> Run:
    """RETURNS (Run): A model with fresh weights, which depend on the seed alone."""
    torch.manual_seed(args.seed)
    options = {key: getattr(args, key) for key in ("dropout", "additions", "precision", "adversarial_radius")}
    tokenizer, encoder = build_encoder(args.encoder, **options)
    return Run(build(encoder, tokenizer.pad_token_id, len(labels), args), tokenizer, labels, args)


def run_peer(name: str, args: argparse.Namespace, build: BuildModel) -> None:
    """Run the benchmark of a command line and write its JSON."""
    run_program(name, args, lambda args: _benchmark(args, build), unit="sentences")


def _benchmark(args: argparse.Namespace, build: BuildModel) -> dict[str, Any]:
    """Train, tune, test and time."""
    records = read_records(args.train)[: args.train_limit or None]
    dev, tests = read_records(args.dev)[args.dev_skip :], _read_tests(args)
    if not records or not dev:
        raise ValueError(f"{len(records)} training and {len(dev)} development sentences: need both")
    labels = relations_of(records)
    run = make_run(build, args, labels=labels)
    options = {"tokenizer": run.tokenizer, "labels": labels, "max_pieces": args.max_pieces}
    examples, lost = encode_examples(records, **options)
    say(f"{len(examples)} of {len(records)} sentences, {len(labels)} relations, {lost} triples lost")
    train(run, examples, dev=dev)
    candidates_of_dev = run.predict_grid(dev)
    tuned, _ = best_threshold(dev, candidates_of_dev, grid=run.model.grid)
    result: dict[str, Any] = {
        "lr": args.lr,
        "train_seconds": run.total("seconds"),
        "train_cpu_seconds": run.total("cpu_seconds"),
        "train_sentences_per_second": len(examples) * len(run.history) / run.total("seconds"),
        "train_sentences": len(examples),
        "train_triples_not_located": lost,
        "passes": run.history,
        "threshold": tuned,
        "dev": score_test(dev, candidates_of_dev, labels=labels, tuned=tuned),
        "tests": {},
    }
    for name, test in tests.items():
        low, high = sorted((FIXED, tuned))
        candidates = run.predict(test, low=low, high=high)
        result["tests"][name] = score_test(test, candidates, labels=labels, tuned=tuned)
        _report_test(name, scores=result["tests"][name])
    timed = next(iter(tests.values()), dev)
    result["predict_sentences_per_second"] = _time_prediction(run, timed, threshold=tuned)
    return result


def _time_prediction(run: Run, records: Sequence[Record], *, threshold: float) -> dict[str, float]:
    """Measure sentences per second from text to triples, tokenising included."""
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
