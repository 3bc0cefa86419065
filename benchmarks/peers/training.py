"""Common to the baselines in PyTorch: command line, encoder, batches, optimizer, the best epoch, result JSON."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

Span = tuple[int, int]


def say(text: str) -> None:
    """Print one line, and flush."""
    print(text, flush=True)


def add_arguments(parser: argparse.ArgumentParser, *, passes: int, lr: float, head_lr: float) -> None:
    """Add the arguments that all baselines have, with the defaults of one."""
    add = parser.add_argument
    add("--encoder", default="assets/encoder/all-MiniLM-L6-v2", help="folder of a Hugging Face encoder")
    add("--train", type=Path, required=True, help="training records, in the form that the module describes")
    add("--dev", type=Path, required=True, help="chooses the epoch")
    add("--passes", type=int, default=passes)
    add("--batch-size", type=int, default=16)
    add("--lr", type=float, default=lr, help="learning rate of the encoder")
    add("--head-lr", type=float, default=head_lr, help="learning rate of the layers on top")
    add("--max-pieces", type=int, default=128, help="longest text")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=1)
    add("--gpu-id", type=int, default=-1, help="-1: the CPU")
    add("--precision", choices=("fp32", "bf16"), default="fp32")
    add("--out", type=Path, required=True, help="where the JSON goes")


def check_files(args: argparse.Namespace, *, parser: argparse.ArgumentParser, others: Iterable[str] = ()) -> None:
    """End the process if a file is missing."""
    for path in map(Path, (args.train, args.dev, args.encoder, *others)):
        if not path.exists():
            parser.error(f"{path}: not found")


def run_program(name: str, args: argparse.Namespace, benchmark: Callable[..., dict[str, Any]]) -> None:
    """Run a baseline's benchmark and write its JSON.

    benchmark (Callable): Command line → result.
    """
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)  # of the tokenizer
    torch.set_num_threads(args.threads)
    if args.gpu_id >= 0:
        torch.set_default_device(f"cuda:{args.gpu_id}")
    torch.manual_seed(args.seed)
    try:
        result = {"model": name, **benchmark(args), "arguments": json.loads(json.dumps(vars(args), default=str))}
    except ValueError as error:
        sys.exit(f"{name}: {error}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf8")


def load_encoder(folder: str) -> tuple[Any, Any]:
    """RETURNS (tuple[PreTrainedTokenizerFast, PreTrainedModel]): Tokenizer and encoder of a folder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
    return tokenizer, transformers.AutoModel.from_pretrained(folder)


def build_optimizer(rated: Iterable[tuple[Sequence[nn.Parameter], float]], *, steps: int) -> tuple[Any, Any]:
    """Make an optimizer with several learning rates.

    rated (Iterable[tuple[Sequence[nn.Parameter], float]]): Parameters and their rate.
    RETURNS (tuple[AdamW, LambdaLR]): Optimizer, and schedule with 10 % warm-up and linear decay.
    """
    groups = [
        {
            "params": [p for p in parameters if (p.ndim > 1) == decays],
            "lr": rate,
            "weight_decay": 0.01 if decays else 0.0,
        }
        for parameters, rate in rated
        for decays in (True, False)
    ]
    optimizer = torch.optim.AdamW(groups, fused=True)
    return optimizer, transformers.get_linear_schedule_with_warmup(optimizer, steps // 10, steps)


@contextmanager
def best_weights(model: nn.Module) -> Iterator[Callable[[float], None]]:
    """Yield a function to call with the score of each epoch; at the end the model gets the best weights."""
    best = -1.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.pt"

        def save_if_best(score: float) -> None:
            nonlocal best
            if score > best:
                best = score
                torch.save(model.state_dict(), path)

        yield save_if_best
        model.load_state_dict(torch.load(path, weights_only=True))


def bucketed_batches(
    lengths: Sequence[int], *, batch_size: int, rng: random.Random, pool: int = 64
) -> Iterator[list[int]]:
    """Yield the indices of random batches of texts of similar length; `pool` batches are sorted together."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    batches = []
    for at in range(0, len(order), pool * batch_size):
        chunk = sorted(order[at : at + pool * batch_size], key=lengths.__getitem__)
        batches += [chunk[k : k + batch_size] for k in range(0, len(chunk), batch_size)]
    rng.shuffle(batches)
    yield from batches


def autocast(precision: str) -> AbstractContextManager[Any]:
    """RETURNS (AbstractContextManager): Autocast to bf16; no effect with fp32."""
    return torch.autocast(torch.get_default_device().type, torch.bfloat16, enabled=precision == "bf16")


def pad(rows: Sequence[Sequence[int]], *, value: int) -> tuple[Tensor, Tensor]:
    """RETURNS (tuple[Tensor, Tensor]): Ids, padded with `value`, and mask. Shapes (B, T)"""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(longest) < lengths[:, None]).long()


def mean_weights(spans: Sequence[Span], *, length: int) -> Tensor:
    """RETURNS (Tensor): Weights that average the vectors of each span, first to last piece. Shape (K, T)"""
    bounds = torch.tensor(spans)
    at = torch.arange(length)
    inside = ((at >= bounds[:, :1]) & (at <= bounds[:, 1:])).float()
    return inside / inside.sum(1, keepdim=True)
