"""PARE in plain PyTorch and Hugging Face: all sentences of a pair as one passage; a peer of the HRERE benchmarks.

Rathore, Badola, Mausam and Singla, PARE: A Simple and Strong Baseline for Monolingual and Multilingual Distantly
Supervised Relation Extraction, ACL 2022:

    x    = encoder([CLS] s_1 [SEP] s_2 [SEP] …)      arguments between markers; sentences as long as they fit
    a_r  = softmax_t(q_r · x_t)                      over the pieces of the passage
    p_r  = σ(w · Σ_t a_rt x_t + b)                   w and b are shared by all relations

The loss is the binary cross-entropy of all relations. Departures: padding gets no attention; two learning rates with
warm-up and decay, as the other peers here.

The rates come from a trial on the dev bags of NYT10: after the first pass 3e-4 and 1e-2 gave an average precision of
0.43 with five mentions of a bag; 1e-4 and 1e-3, with all of them, 0.33.

    python -m benchmarks.peers.pare --train F --dev F --test NAME=F --out result.json

A record is a line of JSON: {"mentions": [{"text", "subject": [start, end], "object": [start, end]}, …], "labels": […]}.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.rbert_data import Layout, Record, encode_records
from benchmarks.peers.rbert_model import make_layout
from benchmarks.peers.training import (
    add_arguments,
    autocast,
    best_weights,
    bucketed_batches,
    build_optimizer,
    check_files,
    load_encoder,
    pad,
    run_program,
    say,
)
from spacy_relext.scoring.calibration import average_precision

# Lengths are counted in pieces.
MAX_PASSAGE = 512


class Pare(nn.Module):
    """Scores of relations of a passage.

    encoder (PreTrainedModel): Gives one vector per piece.
    n_labels (int): R.
    """

    def __init__(self, encoder: Any, *, n_labels: int) -> None:
        super().__init__()
        encoder.pooler = None
        self.encoder, width = encoder, encoder.config.hidden_size
        self.queries = nn.Parameter(torch.empty(n_labels, width))
        nn.init.xavier_normal_(self.queries)
        self.output = nn.Linear(width, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of relations. Shapes (B, T), (B, T) → (B, R)"""
        vectors = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # (B, T, D)
        scores = (vectors @ self.queries.T.to(vectors.dtype)).float()  # (B, T, R)
        weights = scores.masked_fill(~mask[..., None].bool(), float("-inf")).softmax(1)
        passages = torch.einsum("btr,btd->brd", weights.to(vectors.dtype), vectors)
        return self.output(passages)[..., 0].float()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Bag:
    """All mentions of a pair, and the relations that hold."""

    mentions: list[Record]
    labels: list[str]


@dataclass
class Run:
    """A model, what it reads, and the history of its training."""

    model: Pare
    tokenizer: Any
    layout: Layout
    labels: list[str]
    args: argparse.Namespace
    history: list[dict[str, float]] = field(default_factory=list)

    def encode(self, bags: Sequence[Bag]) -> list[list[int]]:
        """Turn bags into passages. RETURNS (list[list[int]]): Pieces of each"""
        records = [record for bag in bags for record in bag.mentions]
        pieces = iter(encode_records(records, tokenizer=self.tokenizer, layout=self.layout))
        return [join([next(pieces).ids for _ in bag.mentions], most=self.args.max_passage) for bag in bags]

    def targets(self, bags: Sequence[Bag]) -> Tensor:
        """Relations that hold; those that training does not have are left out. Shape (G, R)"""
        return torch.tensor([[float(label in bag.labels) for label in self.labels] for bag in bags])

    def predict(self, passages: Sequence[list[int]], *, batch_size: int = 32) -> numpy.ndarray:
        """Compute the probabilities of relations. Shape (G, R)"""
        self.model.eval()
        order = sorted(range(len(passages)), key=lambda row: len(passages[row]))
        probs = numpy.zeros((len(passages), len(self.labels)), dtype="float32")
        with autocast(self.args.precision), torch.inference_mode():
            for at in range(0, len(order), batch_size):
                rows = order[at : at + batch_size]
                batch = pad([passages[row] for row in rows], value=self.tokenizer.pad_token_id)
                probs[rows] = self.model(*batch).sigmoid().cpu().numpy()
        return probs


def join(sentences: Sequence[list[int]], *, most: int) -> list[int]:
    """Join sentences to a passage, until one does not fit."""
    passage = sentences[0][:most]
    for pieces in sentences[1:]:
        if len(passage) + len(pieces) - 1 > most:
            break
        passage = passage + pieces[1:]  # without a second [CLS]
    return passage


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


def train(run: Run, bags: Sequence[Bag], *, dev: Sequence[Bag]) -> None:
    """Train, and leave the weights of the pass with the best average precision on the development set."""
    args, rng = run.args, random.Random(run.args.seed)
    passages, targets = run.encode(bags), run.targets(bags)
    of_dev, gold = run.encode(dev), run.targets(dev).cpu().numpy() > 0
    steps = -(-len(bags) // args.batch_size) * args.passes
    head = [run.model.queries, *run.model.output.parameters()]
    optimizer, schedule = build_optimizer(
        [(list(run.model.encoder.parameters()), args.lr), (head, args.head_lr)], steps=steps
    )
    with best_weights(run.model) as save_if_best:
        for number in range(1, args.passes + 1):
            run.model.train()
            started, total = time.perf_counter(), 0.0
            for rows in bucketed_batches([len(each) for each in passages], batch_size=args.batch_size, rng=rng):
                batch = pad([passages[row] for row in rows], value=run.tokenizer.pad_token_id)
                with autocast(args.precision):
                    logits = run.model(*batch)
                loss = F.binary_cross_entropy_with_logits(logits, targets[rows])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += loss.item() * len(rows)
            spent = time.perf_counter() - started
            score = average_precision(run.predict(of_dev).ravel(), gold.ravel(), n_gold=int(gold.sum())) or 0.0
            run.history.append({"loss": total / len(bags), "seconds": spent, "dev_ap": score})
            say(
                f"pass {number}/{args.passes}  loss {total / len(bags):.4f}  {len(bags) / spent:.1f} bags/s  "
                f"dev AP {score:.4f}"
            )
            save_if_best(score)


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train and test."""
    bags, dev = read_bags(args.train)[: args.train_limit or None], read_bags(args.dev)
    tests = {name: read_bags(path) for name, path in args.test.items()}
    labels = sorted({label for bag in bags for label in bag.labels})
    tokenizer, encoder = load_encoder(args.encoder, dropout=None)
    layout = make_layout(tokenizer, encoder=encoder, types=False, max_pieces=args.max_pieces)
    run = Run(Pare(encoder.float(), n_labels=len(labels)), tokenizer, layout, labels, args)
    say(f"{len(bags)} training bags, {len(labels)} relations")
    train(run, bags, dev=dev)
    seconds = sum(entry["seconds"] for entry in run.history)
    found: dict[str, Any] = {}
    speed: dict[str, float] = {}
    for name, each in tests.items():
        passages, started = run.encode(each), time.perf_counter()
        found[name] = run.predict(passages).tolist()
        speed[name] = len(each) / (time.perf_counter() - started)
    return {
        "labels": labels,
        "probs": found,
        "passes": run.history,
        "train_seconds": seconds,
        "train_bags_per_second": len(bags) * args.passes / seconds,
        "predict_bags_per_second": speed,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark of the command line and write its JSON."""
    parser = argparse.ArgumentParser(description="Train and test PARE; write the probabilities as JSON.")
    add_arguments(parser, passes=3, lr=3e-4, head_lr=1e-2)
    parser.add_argument("--max-passage", type=int, default=MAX_PASSAGE, help="longest passage")
    args = parser.parse_args(argv)
    check_files(args, parser=parser)
    run_program("pare", args, _benchmark, unit="bags")


if __name__ == "__main__":
    main()
