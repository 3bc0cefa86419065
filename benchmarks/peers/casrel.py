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
import os
import platform
import random
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.peers.casrel_data import Record, encode_examples, read_records, relations_of, rename_relations
from benchmarks.peers.casrel_model import autocast
from benchmarks.peers.casrel_score import GRID, best_threshold, score_test
from benchmarks.peers.casrel_train import Run, build_model, say, train

ENCODER = "assets/encoder/all-MiniLM-L6-v2"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    argv (Optional[Sequence[str]]): arguments; those of the process if None.
    RETURNS (argparse.Namespace): checked values.
    """
    parser = argparse.ArgumentParser(description="Train and test CasRel; write the figures as JSON.")
    add = parser.add_argument
    add("--encoder", default=ENCODER, help="folder of a Hugging Face encoder")
    add("--train", type=Path, required=True, help="JSON array or lines of text, triple_list")
    add("--train-limit", type=int, default=0, help="first N records only; 0 = all")
    add("--dev", type=Path, required=True)
    add("--dev-skip", type=int, default=0, help="leave out the first N records")
    add("--test", nargs="+", default=[], metavar="NAME=FILE")
    add("--relation-map", type=Path, help="JSON: relation in a test set → relation in training")
    add("--passes", type=int, default=10)
    add("--batch-size", type=int, default=16)
    add("--lr", type=float, default=3e-4, help="learning rate of the encoder")
    add("--head-lr", type=float, default=5e-3, help="learning rate of the taggers")
    add("--dropout", type=float, help="in the encoder; its own setting if not given")
    add(
        "--all-subjects",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="train the objects of all gold subjects, not of one drawn per sentence and step",
    )
    add("--max-pieces", type=int, default=128, help="longest training sentence")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=1)
    add("--precision", choices=("fp32", "bf16"), default="fp32")
    add("--out", type=Path, required=True, help="where the JSON goes")
    args = parser.parse_args(argv)
    if any("=" not in item for item in args.test):
        parser.error(f"--test: expected NAME=FILE, found {args.test}")
    args.test = {name: Path(path) for name, path in (item.split("=", 1) for item in args.test)}
    given = [args.train, args.dev, *args.test.values(), Path(args.encoder)]
    for path in [*given, args.relation_map] if args.relation_map else given:
        if not path.exists():
            parser.error(f"{path}: not found")
    return args


def time_prediction(run: Run, records: Sequence[Record], *, threshold: float) -> dict[str, float]:
    """Sentences per second from text to triples, tokenising included.

    run (Run): the trained model.
    records (Sequence[Record]): sentences.
    threshold (float): the one that is used.
    RETURNS (dict[str, float]): rates one by one (300 sentences) and in batches of 32.
    """
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


def read_tests(args: argparse.Namespace) -> dict[str, list[Record]]:
    """Read the test sets, their relations named as in training.

    args (argparse.Namespace): the command line.
    RETURNS (dict[str, list[Record]]): sentences by name of the set.
    """
    names = json.loads(args.relation_map.read_text("utf8")) if args.relation_map else {}
    return {name: rename_relations(read_records(path), names=names) for name, path in args.test.items()}


def report_test(name: str, *, scores: dict[str, Any]) -> None:
    """Print the scores of a test set, and its relations if they are not those of training.

    name (str): the set.
    scores (dict[str, Any]): what `score_test` returned.
    """
    for scope in ("all_relations", "shared_relations"):
        for tuning, values in scores[scope].items():
            figures = "  ".join(
                f"{match} P {values[match]['p']:.4f} R {values[match]['r']:.4f} F {values[match]['f']:.4f}"
                for match in ("exact", "partial")
            )
            say(f"{name}  {scope}  {tuning} {values['threshold']}  {figures}")
    for key in ("relations_shared", "relations_only_in_training", "relations_only_in_test"):
        say(f"{name}  {key} ({len(scores[key])}): {', '.join(scores[key])}")


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train, tune, test and time.

    args (argparse.Namespace): the command line.
    RETURNS (dict[str, Any]): everything that goes into the JSON.
    RAISES (ValueError): if a file cannot be read, or no sentence is left.
    """
    records = read_records(args.train)[: args.train_limit or None]
    dev, tests = read_records(args.dev)[args.dev_skip :], read_tests(args)
    if not records or not dev:
        raise ValueError(f"{len(records)} training and {len(dev)} development sentences: need both")
    labels = relations_of(records)
    model, tokenizer = build_model(args, n_relations=len(labels))
    run = Run(model, tokenizer, labels, args)
    examples, lost = encode_examples(records, tokenizer=tokenizer, labels=labels, max_pieces=args.max_pieces)
    say(f"{len(examples)} of {len(records)} sentences, {len(labels)} relations, {lost} triples lost")
    seconds = train(run, examples, dev=dev)
    found = run.predict(dev, low=GRID[0], high=GRID[-1])
    tuned, _ = best_threshold(dev, found)
    result: dict[str, Any] = {
        "train_seconds": seconds,
        "train_sentences_per_second": len(examples) * args.passes / seconds,
        "train_sentences": len(examples),
        "train_triples_not_located": lost,
        "passes": run.history,
        "threshold": tuned,
        "dev": score_test(dev, found, labels=labels, tuned=tuned),
        "tests": {},
    }
    for name, test in tests.items():
        low, high = sorted((0.5, tuned))
        candidates = run.predict(test, low=low, high=high)
        result["tests"][name] = score_test(test, candidates, labels=labels, tuned=tuned)
        report_test(name, scores=result["tests"][name])
    timed = next(iter(tests.values()), dev)
    result["predict_sentences_per_second"] = time_prediction(run, timed, threshold=tuned)
    return result


def environment(args: argparse.Namespace) -> dict[str, Any]:
    """What the figures depend on.

    args (argparse.Namespace): the command line.
    RETURNS (dict[str, Any]): arguments, threads, versions, peak memory.
    """
    return {
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "torch_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "arguments": json.loads(json.dumps(vars(args), default=str)),
    }


def main() -> None:
    """Run the benchmark of the command line and write its JSON."""
    args = parse_arguments()
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)  # of the tokenizer
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    try:
        result = benchmark(args)
    except ValueError as error:
        sys.exit(f"casrel: {error}")
    result = {"model": "casrel", **result, **environment(args)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf8")
    rates = result["predict_sentences_per_second"]
    say(
        f"training {result['train_sentences_per_second']:.1f} sentences/s; prediction "
        f"{rates['batch_1']:.1f} one by one, {rates['batch_32']:.1f} in batches of 32; "
        f"peak {result['peak_rss_mb']:.0f} MB; wrote {args.out}"
    )


if __name__ == "__main__":
    main()
