"""Training of the CasRel peer: encoder and taggers, optimizer, loop, choice of the best pass."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.peers.casrel_data import Example, Record, bucketed_batches
from benchmarks.peers.casrel_decode import Candidate, predict
from benchmarks.peers.casrel_model import CasRel, casrel_loss, collate
from benchmarks.peers.casrel_score import GRID, best_threshold


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
        """Candidates of some sentences, for thresholds from `low` to `high`.

        records (Sequence[Record]): sentences.
        low (float): lowest threshold.
        high (float): highest threshold.
        batch_size (int): sentences per batch.
        RETURNS (list[list[Candidate]]): one list per sentence.
        """
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


def say(text: str) -> None:
    """Print one line at once.

    text (str): the line.
    """
    print(text, flush=True)


def build_model(args: argparse.Namespace, *, n_relations: int) -> tuple[CasRel, Any]:
    """Load the encoder and put fresh taggers on it.

    args (argparse.Namespace): the command line.
    n_relations (int): relations of the training set.
    RETURNS (tuple[CasRel, PreTrainedTokenizerFast]): model and tokenizer.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.encoder, use_fast=True)
    config = transformers.AutoConfig.from_pretrained(args.encoder)
    if args.dropout is not None:
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = args.dropout
    encoder = transformers.AutoModel.from_pretrained(args.encoder, config=config)
    return CasRel(encoder, n_relations=n_relations), tokenizer


def build_optimizer(model: CasRel, *, args: argparse.Namespace, steps: int) -> tuple[Any, Any]:
    """AdamW with a rate of its own for the taggers, 10 % warm-up, linear decay.

    model (CasRel): the model.
    args (argparse.Namespace): the command line.
    steps (int): optimizer steps of the whole run.
    RETURNS (tuple[AdamW, LambdaLR]): optimizer and schedule.
    """
    encoder = list(model.encoder.parameters())
    heads = [*model.subject_tagger.parameters(), *model.object_tagger.parameters()]
    groups = [
        {
            "params": [p for p in parameters if (p.ndim > 1) == decays],
            "lr": rate,
            "weight_decay": 0.01 if decays else 0.0,
        }
        for parameters, rate in ((encoder, args.lr), (heads, args.head_lr))
        for decays in (True, False)
    ]
    optimizer = torch.optim.AdamW(groups, fused=True)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
    return optimizer, schedule


def train(run: Run, examples: Sequence[Example], *, dev: Sequence[Record]) -> float:
    """Train, and leave the weights of the pass with the best F1 on the development set.

    run (Run): model and settings; its history gets one entry per pass.
    examples (Sequence[Example]): training sentences.
    dev (Sequence[Record]): development sentences.
    RETURNS (float): seconds spent in training steps, without the evaluations.
    """
    rng = random.Random(run.args.seed)
    per_pass = -(-len(examples) // run.args.batch_size)
    steps = per_pass * run.args.passes
    optimizer, schedule = build_optimizer(run.model, args=run.args, steps=steps)
    seconds, best = 0.0, -1.0
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "best.pt"
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
            if f1 > best:
                best = f1
                torch.save(run.model.state_dict(), weights)
        run.model.load_state_dict(torch.load(weights, weights_only=True))
    return seconds


def train_pass(run: Run, examples: Sequence[Example], *, optimizer: Any, schedule: Any, rng: random.Random) -> float:
    """One pass over the training sentences.

    run (Run): model and settings.
    examples (Sequence[Example]): training sentences.
    optimizer (AdamW): stepped once per batch.
    schedule (LambdaLR): likewise.
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
