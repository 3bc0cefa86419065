"""Common to peers that read all sentences of a pair: their records, the training loop, and the benchmark.

A record is a line of JSON: {"mentions": [{"text", "subject": [start, end], "object": [start, end]}, …], "labels": […]}.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor, nn

from benchmarks.peers.rbert_data import Record
from benchmarks.peers.training import best_weights, bucketed_batches, build_optimizer, say
from spacy_relext.scoring.thresholds import average_precision


@dataclass(frozen=True)
class Bag:
    """All mentions of a pair, and its relations."""

    mentions: list[Record]
    labels: list[str]


class BagPeer(Protocol):
    """A model with the encoding of its input; T is the type of an encoded bag, such as the pieces of a passage."""

    model: nn.Module

    def encode(self, bags: Sequence[Bag]) -> list[Any]:
        """RETURNS (list[T]): Each bag as the model reads it."""

    def length(self, item: Any) -> int:
        """RETURNS (int): Length of an encoded bag; bags of similar length share a batch."""

    def loss(self, items: Sequence[Any], labels: Sequence[Sequence[str]]) -> Tensor:
        """RETURNS (Tensor): Mean loss of some bags, a scalar."""

    def predict(self, items: Sequence[Any]) -> numpy.ndarray:
        """RETURNS (numpy.ndarray): Probabilities of the relations. Shape (G, R)"""

    def rated_parameters(self) -> list[tuple[list[nn.Parameter], float]]:
        """RETURNS (list[tuple[list[nn.Parameter], float]]): Groups of parameters and their learning rates."""


def read_bags(path: Path) -> list[Bag]:
    """Read JSON lines of bags."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines() if line.strip()]
    return [
        Bag(
            [Record(each["text"], tuple(each["subject"]), tuple(each["object"]), "") for each in row["mentions"]],
            row["labels"],
        )
        for row in rows
    ]


def train(
    peer: BagPeer, bags: Sequence[Bag], *, dev: Sequence[Bag], labels: Sequence[str], args: argparse.Namespace
) -> list[dict[str, float]]:
    """Train, and keep the weights of the pass with the best average precision on the development set.

    RETURNS (list[dict[str, float]]): Loss, seconds and average precision of each pass.
    """
    rng, history = random.Random(args.seed), list[dict[str, float]]()
    items, of_dev = peer.encode(bags), peer.encode(dev)
    lengths = [peer.length(each) for each in items]
    gold = indicators([bag.labels for bag in dev], labels).cpu().numpy() > 0
    steps = -(-len(bags) // args.batch_size) * args.passes
    optimizer, schedule = build_optimizer(peer.rated_parameters(), steps=steps)
    with best_weights(peer.model) as save_if_best:
        for number in range(1, args.passes + 1):
            peer.model.train()
            started, total = time.perf_counter(), 0.0
            for rows in bucketed_batches(lengths, batch_size=args.batch_size, rng=rng):
                loss = peer.loss([items[row] for row in rows], [bags[row].labels for row in rows])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(peer.model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += loss.item() * len(rows)
            spent = time.perf_counter() - started
            score = average_precision(peer.predict(of_dev).ravel(), gold.ravel(), n_gold=int(gold.sum())) or 0.0
            history.append({"loss": total / len(bags), "seconds": spent, "dev_ap": score})
            say(
                f"pass {number}/{args.passes}  loss {total / len(bags):.4f}  {len(bags) / spent:.1f} bags/s  "
                f"dev AP {score:.4f}"
            )
            save_if_best(score)
    return history


def benchmark(peer: BagPeer, args: argparse.Namespace, bags: Sequence[Bag], labels: Sequence[str]) -> dict[str, Any]:
    """Train and test. RETURNS (dict[str, Any]): The result, for JSON."""
    say(f"{len(bags)} training bags, {len(labels)} relations")
    history = train(peer, bags, dev=read_bags(args.dev), labels=labels, args=args)
    seconds = sum(entry["seconds"] for entry in history)
    found, speed = dict[str, Any](), dict[str, float]()
    for name, path in args.test.items():
        items, started = peer.encode(read_bags(path)), time.perf_counter()
        found[name] = peer.predict(items).tolist()
        speed[name] = len(items) / (time.perf_counter() - started)
    return {
        "labels": labels,
        "probs": found,
        "passes": history,
        "train_seconds": seconds,
        "train_bags_per_second": len(bags) * args.passes / seconds,
        "predict_bags_per_second": speed,
    }


def relations_of(bags: Sequence[Bag]) -> list[str]:
    """RETURNS (list[str]): All relations, sorted."""
    return sorted({label for bag in bags for label in bag.labels})


def indicators(labels: Sequence[Sequence[str]], relations: Sequence[str]) -> Tensor:
    """RETURNS (Tensor): 1 where a relation holds; relations that training lacks are left out. Shape (G, R)"""
    return torch.tensor([[float(relation in each) for relation in relations] for each in labels])
