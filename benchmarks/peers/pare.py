"""PARE in plain PyTorch and Hugging Face: all sentences of a pair as one passage; a peer of the HRERE benchmarks.

Rathore, Badola, Mausam and Singla, PARE: A Simple and Strong Baseline for Monolingual and Multilingual Distantly
Supervised Relation Extraction, ACL 2022:

    x    = encoder([CLS] s_1 [SEP] s_2 [SEP] …)      arguments between markers; as many sentences as fit
    a_r  = softmax_t(q_r · x_t)                      over the pieces of the passage
    p_r  = σ(w · Σ_t a_rt x_t + b)                   w and b are shared by all relations

The loss is the binary cross-entropy of all relations. Departures: padding gets no attention; two learning rates with
warm-up and decay, as the other peers here.

The rates come from a trial on the dev bags of NYT10: after the first pass, 3e-4 and 1e-2 gave an average precision of
0.43 with five mentions per bag; 1e-4 and 1e-3, with all mentions, 0.33.

    python -m benchmarks.peers.pare --train F --dev F --test NAME=F --out result.json

`benchmarks/peers/bags.py` describes a record.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.bags import Bag, benchmark, indicators, read_bags, relations_of
from benchmarks.peers.rbert_data import Layout, encode_records
from benchmarks.peers.rbert_model import make_layout
from benchmarks.peers.training import add_arguments, autocast, check_files, load_encoder, pad, run_program

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


@dataclass
class PareBags:
    """The model, with the encoding of bags as passages."""

    model: Pare
    tokenizer: Any
    layout: Layout
    relations: list[str]
    args: argparse.Namespace

    def encode(self, bags: Sequence[Bag]) -> list[list[int]]:
        """Turn bags into passages. RETURNS (list[list[int]]): Pieces of each."""
        records = [record for bag in bags for record in bag.mentions]
        pieces = iter(encode_records(records, tokenizer=self.tokenizer, layout=self.layout))
        return [join([next(pieces).ids for _ in bag.mentions], most=self.args.max_passage) for bag in bags]

    def length(self, item: list[int]) -> int:
        """Count the pieces of a passage."""
        return len(item)

    def loss(self, items: Sequence[list[int]], labels: Sequence[Sequence[str]]) -> Tensor:
        """Compute the binary cross-entropy of all relations."""
        with autocast(self.args.precision):
            logits = self.model(*pad(items, value=self.tokenizer.pad_token_id))
        return F.binary_cross_entropy_with_logits(logits, indicators(labels, self.relations))

    def predict(self, items: Sequence[list[int]], *, batch_size: int = 32) -> numpy.ndarray:
        """Compute the probabilities of relations. Shape (G, R)"""
        self.model.eval()
        order = sorted(range(len(items)), key=lambda row: len(items[row]))
        probs = numpy.zeros((len(items), len(self.relations)), dtype="float32")
        with autocast(self.args.precision), torch.inference_mode():
            for at in range(0, len(order), batch_size):
                rows = order[at : at + batch_size]
                batch = pad([items[row] for row in rows], value=self.tokenizer.pad_token_id)
                probs[rows] = self.model(*batch).sigmoid().cpu().numpy()
        return probs

    def rated_parameters(self) -> list[tuple[list[nn.Parameter], float]]:
        """Return the parameters of the encoder, and the others, with their learning rates."""
        head = [self.model.queries, *self.model.output.parameters()]
        return [(list(self.model.encoder.parameters()), self.args.lr), (head, self.args.head_lr)]


def join(sentences: Sequence[list[int]], *, most: int) -> list[int]:
    """Join sentences into a passage, until one does not fit."""
    passage = sentences[0][:most]
    for pieces in sentences[1:]:
        if len(passage) + len(pieces) - 1 > most:
            break
        passage = passage + pieces[1:]  # without a second [CLS]
    return passage


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train and test."""
    bags = read_bags(args.train)[: args.train_limit or None]
    relations = relations_of(bags)
    tokenizer, encoder = load_encoder(args.encoder, dropout=None)
    layout = make_layout(tokenizer, encoder=encoder, types=False, max_pieces=args.max_pieces)
    model = Pare(encoder.float(), n_labels=len(relations))
    return benchmark(PareBags(model, tokenizer, layout, relations, args), args, bags, relations)


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
