"""Training of R-BERT: encoder and head, optimizer, loop, choice of the best epoch."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable

import torch
import torch.nn.functional as F

from benchmarks.harness.class_scores import OTHER, micro_without, semeval2010_scores
from benchmarks.peers.rbert_adversary import backward
from benchmarks.peers.rbert_data import Example, Record
from benchmarks.peers.rbert_model import Batch, Peer, RBert, collate, make_layout
from benchmarks.peers.training import (
    autocast,
    best_weights,
    bucketed_batches,
    build_optimizer,
    load_encoder,
    say,
)

# Value of --score → from gold and predicted labels to the score that chooses an epoch.
SCORES: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "semeval": lambda gold, predicted: semeval2010_scores(gold, predicted)["semeval_macro_f"],
    "micro": lambda gold, predicted: micro_without(gold, predicted, no_relation=OTHER)["micro_f"],
}


@dataclass
class Run:
    """What the steps of one training share."""

    peer: Peer
    args: argparse.Namespace
    history: list[dict[str, Any]] = field(default_factory=list)


def build_peer(args: argparse.Namespace, *, labels: Sequence[str]) -> Peer:
    """RETURNS (Peer): The encoder with a fresh head for the labels of the training set."""
    torch.manual_seed(args.seed)
    tokenizer, encoder = load_encoder(args.encoder)
    encoder = encoder.float()
    layout = make_layout(tokenizer, encoder=encoder, types=args.types, max_pieces=args.max_pieces)
    model = RBert(encoder, n_labels=len(labels))
    return Peer(model, tokenizer, list(labels), layout, args.precision)


def train(
    run: Run, examples: Sequence[Example], *, labels: Sequence[str], dev: tuple[Sequence[Example], Sequence[Record]]
) -> float:
    """Train, and keep the weights of the epoch with the best score on the development set.

    run (Run): model and settings; its history gets one entry per evaluated epoch.
    dev (tuple[Sequence[Example], Sequence[Record]]): development pairs in pieces and as read.
    RETURNS (float): seconds spent in training steps, without the evaluations.
    """
    model, passes, score = run.peer.model, run.args.passes, SCORES[run.args.score]
    gold = [record.label for record in dev[1]]
    per_pass = -(-len(examples) // run.args.batch_size)
    targets = torch.tensor([run.peer.labels.index(label) for label in labels])
    head = [parameter for layer in (model.sentence, model.argument, model.output) for parameter in layer.parameters()]
    rated = [(list(model.encoder.parameters()), run.args.lr), (head, run.args.head_lr)]
    step = build_optimizer(rated, steps=per_pass * passes)
    rng, seconds = random.Random(run.args.seed), 0.0
    with best_weights(model) as save_if_best:
        for number in range(1, passes + 1):
            started = time.perf_counter()
            loss = _train_epoch(run, examples, targets=targets, step=step, rng=rng) / per_pass
            spent = time.perf_counter() - started
            seconds += spent
            if number % run.args.evaluate_every and number < passes:
                continue
            dev_f = score(gold, run.peer.classify(dev[0]))
            run.history.append({"pass": number, "loss": loss, "seconds": spent, "dev_f": dev_f})
            say(f"epoch {number}/{passes}  loss {loss:.4f}  {len(examples) / spent:.1f} pairs/s  dev F {dev_f:.4f}")
            save_if_best(dev_f)
    return seconds


def _train_epoch(
    run: Run, examples: Sequence[Example], *, targets: torch.Tensor, step: tuple[Any, Any], rng: random.Random
) -> float:
    """Train for one epoch. RETURNS (float): sum of the batches' losses."""
    model, (optimizer, schedule) = run.peer.model, step
    model.train()
    total = torch.zeros(())
    lengths = [len(e.ids) for e in examples]
    for chosen in bucketed_batches(lengths, batch_size=run.args.batch_size, rng=rng):
        batch = collate([examples[i] for i in chosen], padding=run.peer.tokenizer.pad_token_id)
        optimizer.zero_grad()
        loss = partial(_batch_loss, run, batch, targets=targets[chosen])
        total += backward(loss, model.encoder.embeddings, radius=run.args.adversary)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return total.item()


def _batch_loss(run: Run, batch: Batch, *, targets: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy of one batch."""
    with autocast(run.args.precision):
        logits = run.peer.model(batch)
    return F.cross_entropy(logits.float(), targets, label_smoothing=run.args.label_smoothing)
