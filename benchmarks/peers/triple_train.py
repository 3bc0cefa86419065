"""Training of the baselines that extract triples: optimizer, loop, and choice of the best epoch and threshold."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.peers.training import best_weights, bucketed_batches, build_optimizer, say
from benchmarks.peers.triple_data import Example, Record
from benchmarks.peers.triple_encoder import rated_parameters
from benchmarks.peers.triple_model import Candidate, TriplePeer, predict, triples_at
from spacy_relext.bridge.weights import clear_caches

FIXED = 0.5  # threshold of a model that was not tuned


@dataclass
class Run:
    """What the steps of one training share; its history has an entry for each epoch."""

    model: TriplePeer
    tokenizer: Any
    labels: list[str]
    args: argparse.Namespace
    history: list[dict[str, float]] = field(default_factory=list)

    def total(self, key: str) -> float:
        """RETURNS (float): The sum of an entry of the history over the epochs."""
        return sum(entry[key] for entry in self.history)

    def predict(
        self, records: Sequence[Record], *, low: float, high: float, batch_size: int = 32
    ) -> list[list[Candidate]]:
        """Find the candidates of some sentences, for thresholds from `low` to `high`."""
        self.model.eval()
        return predict(
            self.model,
            [r.text for r in records],
            tokenizer=self.tokenizer,
            labels=self.labels,
            batch_size=batch_size,
            precision=self.args.precision,
            low=low,
            high=high,
        )

    def predict_grid(self, records: Sequence[Record]) -> list[list[Candidate]]:
        """Find candidates for all thresholds of the model's grid."""
        return self.predict(records, low=self.model.grid[0], high=self.model.grid[-1])


def exact_f(records: Sequence[Record], predictions: Sequence[Sequence[Candidate]], *, threshold: float) -> float:
    """Compute micro F1 of exact triples at a threshold."""
    found = [triples_at(candidates, threshold) for candidates in predictions]
    correct = sum(len(record.triples & triples) for record, triples in zip(records, found, strict=True))
    return 2 * correct / max(1, sum(len(record.triples) for record in records) + sum(map(len, found)))


def best_threshold(
    records: Sequence[Record], predictions: Sequence[Sequence[Candidate]], *, grid: Sequence[float]
) -> tuple[float, float]:
    """Return the threshold of a grid with the highest exact F1, and that F1; of equal ones the nearest to 0.5."""
    scores = {t: exact_f(records, predictions, threshold=t) for t in grid}
    best = max(grid, key=lambda t: (scores[t], -abs(t - FIXED)))
    return best, scores[best]


def train(run: Run, examples: Sequence[Example], *, dev: Sequence[Record]) -> None:
    """Train, and keep the weights of the epoch with the best F1 on the development set.

    Training ends after `--passes` epochs, or once that F1 has not risen for `--patience` epochs.

    run (Run): model and settings; its history gets one entry per epoch.
    """
    args, rng = run.args, random.Random(run.args.seed)
    per_pass = -(-len(examples) // args.batch_size)
    heads = [parameter for head in run.model.heads() for parameter in head.parameters()]
    rated = [*rated_parameters(run.model.encoder, lr=args.lr, head_lr=args.head_lr), (heads, args.head_lr)]
    optimizer, schedule = build_optimizer(rated, steps=per_pass * args.passes)
    with best_weights(run.model) as save_if_best:
        for number in range(1, args.passes + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            loss = train_epoch(run, examples, optimizer=optimizer, schedule=schedule, rng=rng)
            spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
            candidates = run.predict_grid(dev)
            threshold, f1 = best_threshold(dev, candidates, grid=run.model.grid)
            fixed = exact_f(dev, candidates, threshold=FIXED)
            entry = {"loss": loss / per_pass, **spent, "dev_f": f1, "dev_f_fixed": fixed, "threshold": threshold}
            run.history.append(entry)
            say(
                f"epoch {number}/{args.passes}  loss {loss / per_pass:.4f}  "
                f"{len(examples) / spent['seconds']:.1f} sentences/s  dev F {f1:.4f} at {threshold}, {fixed:.4f} at 0.5"
            )
            save_if_best(f1)
            scores = [past["dev_f"] for past in run.history]
            if args.patience and number - 1 - scores.index(max(scores)) >= args.patience:
                break


def train_epoch(run: Run, examples: Sequence[Example], *, optimizer: Any, schedule: Any, rng: random.Random) -> float:
    """Train for one epoch.

    rng (random.Random): order of the sentences, and what the model draws.
    RETURNS (float): sum of the batches' losses.
    """
    run.model.train()
    total = torch.zeros(())
    lengths = [len(e.ids) for e in examples]
    for chosen in bucketed_batches(lengths, batch_size=run.args.batch_size, rng=rng):
        loss = run.model.loss([examples[i] for i in chosen], rng=rng, precision=run.args.precision)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.detach()
    clear_caches(run.model)
    return total.item()
