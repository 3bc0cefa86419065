"""Training of the CasRel peer: encoder and taggers, optimizer, loop, choice of the best pass."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.peers.casrel_data import Example, Record
from benchmarks.peers.casrel_decode import Candidate, predict
from benchmarks.peers.casrel_model import CasRel, casrel_loss, collate
from benchmarks.peers.casrel_score import GRID, best_threshold
from benchmarks.peers.training import best_weights, bucketed_batches, build_optimizer, load_encoder, say


@dataclass
class Run:
    """What the steps of one run share."""

    model: CasRel
    tokenizer: Any
    labels: list[str]
    args: argparse.Namespace
    history: list[dict[str, float]] = field(default_factory=list)

    def predict(
        self, records: Sequence[Record], *, low: float, high: float, batch_size: int = 32
    ) -> list[list[Candidate]]:
        """Candidates of some sentences, for thresholds from `low` to `high`."""
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


def build_model(args: argparse.Namespace, *, n_relations: int) -> tuple[CasRel, Any]:
    """RETURNS (tuple[CasRel, PreTrainedTokenizerFast]): The encoder with fresh taggers, and its tokenizer."""
    tokenizer, encoder = load_encoder(args.encoder, dropout=args.dropout)
    return CasRel(encoder, n_relations=n_relations), tokenizer


def train(run: Run, examples: Sequence[Example], *, dev: Sequence[Record]) -> float:
    """Train, and leave the weights of the pass with the best F1 on the development set.

    run (Run): model and settings; its history gets one entry per pass.
    RETURNS (float): seconds spent in training steps, without the evaluations.
    """
    rng = random.Random(run.args.seed)
    per_pass = -(-len(examples) // run.args.batch_size)
    steps = per_pass * run.args.passes
    heads = (run.model.subject_tagger, run.model.object_tagger)
    optimizer, schedule = build_optimizer(run.model.encoder, heads, args=run.args, steps=steps)
    seconds = 0.0
    with best_weights(run.model) as save_if_best:
        for number in range(1, run.args.passes + 1):
            started = time.perf_counter()
            loss = train_pass(run, examples, optimizer=optimizer, schedule=schedule, rng=rng)
            spent = time.perf_counter() - started
            seconds += spent
            threshold, f1 = best_threshold(dev, run.predict(dev, low=GRID[0], high=GRID[-1]))
            run.history.append({"loss": loss / per_pass, "seconds": spent, "dev_f": f1, "threshold": threshold})
            say(
                f"pass {number}/{run.args.passes}  loss {loss / per_pass:.4f}  "
                f"{len(examples) / spent:.1f} sentences/s  dev F {f1:.4f} at {threshold}"
            )
            save_if_best(f1)
    return seconds


def train_pass(run: Run, examples: Sequence[Example], *, optimizer: Any, schedule: Any, rng: random.Random) -> float:
    """One pass over the training sentences.

    rng (random.Random): order of the sentences, and choice of subjects.
    RETURNS (float): sum of the batches' losses.
    """
    run.model.train()
    total = torch.zeros(())
    lengths = [len(e.ids) for e in examples]
    for chosen in bucketed_batches(lengths, batch_size=run.args.batch_size, rng=rng):
        batch = collate(
            [examples[i] for i in chosen],
            n_relations=len(run.labels),
            padding=run.tokenizer.pad_token_id,
            all_subjects=run.args.all_subjects,
            rng=rng,
        )
        loss = casrel_loss(run.model, batch, precision=run.args.precision)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.detach()
    return total.item()
