"""Training of the R-BERT peer: encoder and head, optimizer, loop, scores, choice of the best pass."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.peers.rbert_adversary import backward
from benchmarks.peers.rbert_data import Example, Record
from benchmarks.peers.rbert_model import Batch, Peer, RBert, collate, make_layout
from benchmarks.peers.training import (
    autocast,
    best_weights,
    bucketed_batches,
    build_optimizer,
    load_encoder,
    rates,
    say,
)

OTHER = "Other"
DIRECTIONS = ("(e1,e2)", "(e2,e1)")
NINE = (
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
)
SEMEVAL = frozenset([OTHER, *(relation + direction for relation in NINE for direction in DIRECTIONS)])
MAIN_SCORE = {"semeval": "macro_f", "micro": "micro_f"}


@dataclass
class Run:
    """What the steps of one training share."""

    peer: Peer
    args: argparse.Namespace
    history: list[dict[str, Any]] = field(default_factory=list)
    cpu_seconds: float = 0.0


def score(
    gold: Sequence[str], predicted: Sequence[str], *, style: str, no_relation: str | None = None
) -> dict[str, Any]:
    """Compare labels pair by pair.

    semeval: as the task's official scorer, macro scores over the nine relations; a relation in the wrong direction
    counts as predicted and missed, "Other" is no relation. micro: TACRED's way, precision is 1 if nothing is predicted;
    macro scores are over the relations that occur in gold.

    no_relation (Optional[str]): the label that counts as nothing found, with micro; all count if None.
    RETURNS (dict[str, Any]): macro_p … micro_f, accuracy, pairs and the scores per relation.
    """
    directed = style == "semeval"
    nothing = OTHER if directed else no_relation

    def relation(label: str) -> str:
        return label.partition("(")[0] if directed else label

    wanted = Counter(relation(label) for label in gold if label != nothing)
    counted = Counter(relation(label) for label in predicted if label != nothing)
    hits = [g for g, p in zip(gold, predicted, strict=True) if g == p]
    right = Counter(relation(label) for label in hits if label != nothing)
    classes = NINE if directed else sorted(wanted)
    each = {name: rates(right[name], gold=wanted[name], predicted=counted[name]) for name in classes}
    micro = rates(right.total(), gold=wanted.total(), predicted=counted.total(), empty=1.0)
    return {
        **{f"macro_{k}": sum(s[k] for s in each.values()) / max(1, len(each)) for k in "prf"},
        **{f"micro_{k}": micro[k] for k in "prf"},
        "accuracy": len(hits) / max(1, len(gold)),
        "pairs": len(gold),
        "per_relation": each,
    }


def score_peer(run: Run, examples: Sequence[Example], *, records: Sequence[Record]) -> dict[str, Any]:
    """Predict a set and score it.

    records (Sequence[Record]): the same pairs with their labels.
    RETURNS (dict[str, Any]): those of `score`.
    """
    gold = [record.label for record in records]
    return score(gold, run.peer.classify(examples), style=run.args.score, no_relation=run.args.no_relation)


def build_peer(args: argparse.Namespace, *, labels: Sequence[str]) -> Peer:
    """RETURNS (Peer): The encoder with a fresh head for the labels of the training set."""
    torch.manual_seed(args.seed)
    tokenizer, encoder = load_encoder(args.encoder, dropout=args.encoder_dropout)
    encoder = encoder.float()
    layout = make_layout(tokenizer, encoder=encoder, types=args.types, max_pieces=args.max_pieces)
    model = RBert(encoder, n_labels=len(labels), dropout=args.dropout)
    return Peer(model, tokenizer, list(labels), layout, args.precision)


def train(
    run: Run, examples: Sequence[Example], *, labels: Sequence[str], dev: tuple[Sequence[Example], Sequence[Record]]
) -> float:
    """Train, and keep the weights of the pass with the best score on the development set.

    run (Run): model and settings; its history gets one entry per evaluated pass.
    dev (tuple[Sequence[Example], Sequence[Record]]): development pairs in pieces and as read.
    RETURNS (float): seconds spent in training steps, without the evaluations.
    """
    model, passes, main = run.peer.model, run.args.passes, MAIN_SCORE[run.args.score]
    per_pass = -(-len(examples) // run.args.batch_size)
    targets = torch.tensor([run.peer.labels.index(label) for label in labels])
    head = [parameter for layer in (model.sentence, model.argument, model.output) for parameter in layer.parameters()]
    rated = [(list(model.encoder.parameters()), run.args.lr), (head, run.args.head_lr)]
    step = build_optimizer(rated, steps=per_pass * passes)
    rng, seconds = random.Random(run.args.seed), 0.0
    with best_weights(model) as save_if_best:
        for number in range(1, passes + 1):
            started, started_cpu = time.perf_counter(), time.process_time()
            loss = _train_pass(run, examples, targets=targets, step=step, rng=rng) / per_pass
            spent = time.perf_counter() - started
            seconds += spent
            run.cpu_seconds += time.process_time() - started_cpu
            if number % run.args.evaluate_every and number < passes:
                continue
            scores = score_peer(run, dev[0], records=dev[1])
            scores.pop("per_relation")
            run.history.append({"pass": number, "loss": loss, "seconds": spent, "dev": scores})
            say(
                f"pass {number}/{passes}  loss {loss:.4f}  {len(examples) / spent:.1f} pairs/s  "
                f"dev macro F {scores['macro_f']:.4f}  micro F {scores['micro_f']:.4f}"
            )
            save_if_best(scores[main])
    return seconds


def _train_pass(
    run: Run, examples: Sequence[Example], *, targets: torch.Tensor, step: tuple[Any, Any], rng: random.Random
) -> float:
    """Train for one pass over the training pairs. RETURNS (float): sum of the batches' losses."""
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
