"""The program of the baselines that extract triples: train, tune one threshold on the development set, and predict."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.training import add_arguments, check_files, run_program, say
from benchmarks.peers.triple_data import encode_examples, read_records, relations_of
from benchmarks.peers.triple_encoder import Encoder, build_encoder
from benchmarks.peers.triple_model import TriplePeer, triples_at
from benchmarks.peers.triple_train import FIXED, Run, best_threshold, train

# Encoder, id of the padding piece, number of relations, command line → a model with fresh weights.
BuildModel = Callable[[Encoder, int, int, argparse.Namespace], TriplePeer]


def make_parser(name: str, *, lr: float, head_lr: float) -> argparse.ArgumentParser:
    """RETURNS (ArgumentParser): Options of all these baselines, with the default learning rates of one."""
    parser = argparse.ArgumentParser(description=f"Train {name} and predict; write figures and triples as JSON.")
    add_arguments(parser, passes=10, lr=lr, head_lr=head_lr)
    add = parser.add_argument
    add("--test", nargs="+", default=[], metavar="NAME=FILE")
    add("--patience", type=int, default=0, help="end when --dev has not risen for so many epochs; 0: never")
    add(
        "--additions",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="letter shapes, a mix of all layers, no dropout in the encoder, frozen embeddings: as spacy-relext does",
    )
    add("--adversarial-radius", type=float, default=0.0, help="of perturbed input vectors; needs --additions; 0: none")
    return parser


def parse_arguments(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Read a command line (None: the process's own) and turn `--test` into a mapping."""
    args = parser.parse_args(argv)
    args.test = dict(item.split("=", 1) for item in args.test)
    check_files(args, parser=parser, others=args.test.values())
    if args.adversarial_radius and not args.additions:
        parser.error("--adversarial-radius needs --additions")
    return args


def make_run(build: BuildModel, args: argparse.Namespace, *, labels: list[str]) -> Run:
    """RETURNS (Run): A model with fresh weights, which depend on the seed alone."""
    torch.manual_seed(args.seed)
    options = {key: getattr(args, key) for key in ("additions", "precision", "adversarial_radius")}
    tokenizer, encoder = build_encoder(args.encoder, **options)
    return Run(build(encoder, tokenizer.pad_token_id, len(labels), args), tokenizer, labels, args)


def run_peer(name: str, args: argparse.Namespace, build: BuildModel) -> None:
    """Run the benchmark of a command line and write its JSON."""
    run_program(name, args, lambda args: _benchmark(args, build))


def _benchmark(args: argparse.Namespace, build: BuildModel) -> dict[str, Any]:
    """Train, tune and predict: the triples of each test sentence, at the tuned threshold and at 0.5."""
    records, dev = read_records(args.train), read_records(args.dev)
    labels = relations_of(records)
    run = make_run(build, args, labels=labels)
    options = {"tokenizer": run.tokenizer, "labels": labels, "max_pieces": args.max_pieces}
    examples, lost = encode_examples(records, **options)
    say(f"{len(examples)} of {len(records)} sentences, {len(labels)} relations, {lost} triples lost")
    train(run, examples, dev=dev)
    tuned, _ = best_threshold(dev, run.predict_grid(dev), grid=run.model.grid)
    tests, thresholds = {}, {"fixed": FIXED, "tuned": tuned}
    for name, path in args.test.items():
        candidates = run.predict(read_records(Path(path)), low=min(FIXED, tuned), high=max(FIXED, tuned))
        tests[name] = {key: [sorted(triples_at(each, at)) for each in candidates] for key, at in thresholds.items()}
    return {
        "train_seconds": run.total("seconds"),
        "train_cpu_seconds": run.total("cpu_seconds"),
        "passes": run.history,
        "threshold": tuned,
        "tests": tests,
    }
