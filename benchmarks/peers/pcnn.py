"""PCNN + ATT in plain PyTorch: a piecewise CNN with attention over a pair's sentences; a peer of HRERE.

Zeng, Liu, Chen and Zhao, Distant Supervision for Relation Extraction via Piecewise Convolutional Neural Networks, EMNLP
2015; Lin, Shen, Liu, Luan and Sun, Neural Relation Extraction with Selective Attention over Instances, ACL 2016:

    x_i   = tanh of the maxima of a convolution before, between and after the arguments
    α_ri  = softmax_i(x_i A q_r)      over the sentences of the pair; A is diagonal
    p_r   = softmax(M Σ_i α_ri x_i + d)_r

The loss is the cross-entropy of each gold relation under its own attention; a pair without one has "no relation".
Sizes are those of the papers: windows of three words, 230 filters, position embeddings of width 5, dropout of 0.5.
Departures: GloVe vectors of width 100; AdamW with warm-up and decay, as the other peers here.

    python -m benchmarks.peers.pcnn --encoder VECTORS --train F --dev F --test NAME=F --out result.json

`benchmarks/peers/bags.py` describes a record; VECTORS is a spaCy pipeline with word vectors.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
import spacy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.bags import Bag, benchmark, read_bags, relations_of
from benchmarks.peers.rbert_data import Record
from benchmarks.peers.training import add_arguments, check_files, run_program

WORD = re.compile(r"\w+|[^\w\s]")
FILTERS, WINDOW, POSITION = 230, 3, 5
# Distances to an argument are clipped to this, in words.
FARTHEST = 60
PADDING, UNKNOWN = 0, 1


class Sentence(NamedTuple):
    """A sentence: numbers of its words, and the first word of each argument."""

    words: list[int]
    subject: int
    object: int


class Pcnn(nn.Module):
    """Classifier of pairs by all their sentences.

    vectors (Tensor): Word vectors, which are trained. Shape (V, D)
    n_classes (int): R, no relation first.
    """

    def __init__(self, vectors: Tensor, *, n_classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=PADDING)
        self.positions = nn.ModuleList(nn.Embedding(2 * FARTHEST + 1, POSITION) for _ in range(2))
        self.convolution = nn.Conv1d(vectors.shape[1] + 2 * POSITION, FILTERS, WINDOW, padding=WINDOW // 2)
        self.dropout, width = nn.Dropout(0.5), 3 * FILTERS
        self.diagonal = nn.Parameter(torch.ones(width))
        self.queries = nn.Parameter(torch.empty(n_classes, width))
        nn.init.xavier_normal_(self.queries)
        self.output = nn.Linear(width, n_classes)

    def sentences(self, ids: Tensor, ends: Tensor) -> Tensor:
        """Encode sentences. Shapes (N, T), (N, 2) → (N, 3 * FILTERS)

        ends (Tensor): First words of subject and object.
        """
        at = torch.arange(ids.shape[1])
        near = (at[None, None] - ends[..., None]).clamp(-FARTHEST, FARTHEST) + FARTHEST  # (N, 2, T)
        inputs = [self.words(ids), *(table(near[:, row]) for row, table in enumerate(self.positions))]
        found = self.convolution(torch.cat(inputs, -1).transpose(1, 2))  # (N, FILTERS, T)
        first, second = ends.min(1).values[:, None], ends.max(1).values[:, None]
        piece = (at > first).long() + (at > second).long()  # (N, T): before and first, between and second, after
        inside = (piece[:, None] == torch.arange(3)[:, None]) & (ids != PADDING)[:, None]  # (N, 3, T)
        pieces = found[:, None].masked_fill(~inside[:, :, None], float("-inf")).amax(-1)  # (N, 3, FILTERS)
        return torch.where(inside.any(-1, keepdim=True), pieces, 0.0).tanh().flatten(1)

    def forward(self, ids: Tensor, ends: Tensor, members: Tensor) -> Tensor:
        """Compute log-probabilities of classes under the attention of each. Shapes (N, T), (N, 2), (G, M) → (G, R, R)

        members (Tensor): The sentences of each pair, padded with -1.
        """
        vectors = self.dropout(self.sentences(ids, ends))[members.clamp(min=0)]  # (G, M, W)
        scores = (vectors * self.diagonal) @ self.queries.T  # (G, M, R)
        weights = scores.masked_fill((members < 0)[..., None], float("-inf")).softmax(1)
        return self.output(torch.einsum("gmr,gmw->grw", weights, vectors)).log_softmax(-1)  # type: ignore[no-any-return]


@dataclass
class PcnnBags:
    """The model, with the encoding of bags as numbered words."""

    model: Pcnn
    numbers: Mapping[str, int]
    relations: list[str]
    args: argparse.Namespace

    def encode(self, bags: Sequence[Bag]) -> list[list[Sentence]]:
        """Number the words of all sentences."""
        return [[self._sentence(record) for record in bag.mentions] for bag in bags]

    def _sentence(self, record: Record) -> Sentence:
        found = list(WORD.finditer(record.text))
        words = [self.numbers.get(match.group().lower(), UNKNOWN) for match in found][: self.args.max_pieces]
        ends = (sum(match.end() <= place[0] for match in found) for place in (record.subject, record.object))
        return Sentence(words or [UNKNOWN], *(min(end, max(len(words) - 1, 0)) for end in ends))

    def length(self, item: list[Sentence]) -> int:
        """Count the words of the longest sentence."""
        return max(len(sentence.words) for sentence in item)

    def loss(self, items: Sequence[list[Sentence]], labels: Sequence[Sequence[str]]) -> Tensor:
        """Compute the mean cross-entropy of the gold relations."""
        found = self.model(*_arrays(items))
        known = [[1 + self.relations.index(label) for label in each] or [0] for each in labels]
        rows = torch.tensor([row for row, each in enumerate(known) for _ in each])
        gold = torch.tensor([number for each in known for number in each])
        return F.nll_loss(found[rows, gold], gold)

    def predict(self, items: Sequence[list[Sentence]], *, batch_size: int = 32) -> numpy.ndarray:
        """Compute the probability of each relation under its own attention. Shape (G, R)"""
        self.model.eval()
        with torch.inference_mode():
            batches = [items[at : at + batch_size] for at in range(0, len(items), batch_size)]
            found = [self.model(*_arrays(each)).diagonal(dim1=1, dim2=2)[:, 1:].exp() for each in batches]
        probs: numpy.ndarray = torch.cat(found).cpu().numpy()
        return probs

    def rated_parameters(self) -> list[tuple[list[nn.Parameter], float]]:
        """Return all parameters, with one learning rate."""
        return [(list(self.model.parameters()), self.args.lr)]


def _arrays(items: Sequence[list[Sentence]]) -> tuple[Tensor, Tensor, Tensor]:
    """RETURNS (tuple[Tensor, Tensor, Tensor]): The arguments of `Pcnn.forward`."""
    sentences = [sentence for each in items for sentence in each]
    longest, most = max(len(each.words) for each in sentences), max(map(len, items))
    ids = torch.tensor([[*each.words, *[PADDING] * (longest - len(each.words))] for each in sentences])
    ends = torch.tensor([[each.subject, each.object] for each in sentences])
    counted = iter(range(len(sentences)))
    members = torch.tensor([[*(next(counted) for _ in each), *[-1] * (most - len(each))] for each in items])
    return ids, ends, members


def read_vectors(folder: str, texts: Sequence[str]) -> tuple[dict[str, int], Tensor]:
    """Read the vectors of the words of some texts, lower-cased.

    RETURNS (tuple[dict[str, int], Tensor]): Number of each word; padding's and unknown words' rows are 0. Shape (V, D)
    """
    vocab = spacy.load(folder).vocab
    words = sorted({word.lower() for text in texts for word in WORD.findall(text)})
    known = [word for word in words if vocab.has_vector(word)]
    rows = numpy.stack([vocab.get_vector(word) for word in known])
    table = numpy.concatenate([numpy.zeros((2, rows.shape[1]), dtype="float32"), rows])
    return {word: number for number, word in enumerate(known, UNKNOWN + 1)}, torch.tensor(table)


def _benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Train and test."""
    bags = read_bags(args.train)[: args.train_limit or None]
    everything = [bags, read_bags(args.dev), *map(read_bags, args.test.values())]
    texts = [record.text for each in everything for bag in each for record in bag.mentions]
    numbers, vectors = read_vectors(args.encoder, texts)
    relations = relations_of(bags)
    model = Pcnn(vectors, n_classes=1 + len(relations))
    return benchmark(PcnnBags(model, numbers, relations, args), args, bags, relations)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark of the command line and write its JSON."""
    parser = argparse.ArgumentParser(description="Train and test PCNN + ATT; write the probabilities as JSON.")
    add_arguments(parser, passes=30, lr=1e-3, head_lr=1e-3)
    args = parser.parse_args(argv)
    check_files(args, parser=parser)
    run_program("pcnn", args, _benchmark, unit="bags")


if __name__ == "__main__":
    main()
