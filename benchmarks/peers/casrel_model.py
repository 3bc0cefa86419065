"""CasRel in PyTorch: subject taggers, then relation-specific object taggers for each subject.

Wei et al., A Novel Cascade Binary Tagging Framework for Relational Triple Extraction, ACL 2020:

    p_start(i) = σ(w_start · x_i + b_start)              (2)  subject start; (3) its end
    p_start^r(i) = σ(w_start^r · (x_i + v) + b_start^r)  (4)  object start for r; (5) its end

x_i is the encoder's output for piece i, v the mean of the subject's vectors. A start is paired with
the nearest end at or after it. The loss is the binary cross-entropy of all taggers, summed over the
relations and averaged over the pieces, as in the authors' code.

Departures, none of which is a disadvantage to the method: the object taggers are linear, so w·(x + v) is
computed as w·x + w·v, once per sentence and once per subject; biases start at the logit of a rare
tag; only pieces that open (close) a word can open (close) a span.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.casrel_decode import find_objects, find_subjects
from benchmarks.peers.training import autocast, mean_weights
from benchmarks.peers.triple_data import Example, Pieces, Span
from benchmarks.peers.triple_encoder import Encoder
from benchmarks.peers.triple_model import Found, TriplePeer, logit, word_edges

RARE_TAG = 0.01  # initial probability of every tagger


class Targets(NamedTuple):
    """Tags of a training batch: B sentences, T pieces, K subjects, R relations.

    subject_tags has shape (B, T, 2); rows (K,) is the sentence of each subject, subject_weights (K, T) averages its
    pieces, object_tags has shape (K, T, 2R): starts, then ends.
    """

    subject_tags: Tensor
    rows: Tensor
    subject_weights: Tensor
    object_tags: Tensor


class CasRel(TriplePeer):
    """Taggers on top of an encoder.

    n_relations (int): R.
    all_subjects (bool): train the object taggers on all gold subjects of a sentence, not on one drawn at random.
    """

    def __init__(self, encoder: Encoder, *, padding: int, n_relations: int, all_subjects: bool = True) -> None:
        super().__init__(encoder, padding=padding)
        self.n_relations = n_relations
        self.all_subjects = all_subjects
        self.subject_tagger = nn.Linear(encoder.width, 2)
        self.object_tagger = nn.Linear(encoder.width, 2 * n_relations)
        for tagger in (self.subject_tagger, self.object_tagger):
            nn.init.normal_(tagger.weight, std=0.02)
            nn.init.constant_(tagger.bias, logit(RARE_TAG))

    def loss(self, examples: Sequence[Example], *, rng: random.Random, precision: str) -> Tensor:
        """Compute the binary cross-entropy of subject and object taggers: per piece, summed over the taggers.

        rng (random.Random): draws subjects.
        precision (str): of the encoder and taggers; the loss itself is fp32.
        """
        with autocast(precision):
            vectors, mask = self.read(examples)
            targets = self.collate(examples, length=mask.shape[1], rng=rng)
            subject_logits = self.subject_tagger(vectors)  # (B, T, 2)
            object_logits = self.object_logits(vectors, rows=targets.rows, weights=targets.subject_weights)
        loss = _mean_per_piece(subject_logits, tags=targets.subject_tags, mask=mask)
        if len(targets.rows):
            loss = loss + _mean_per_piece(object_logits, tags=targets.object_tags, mask=mask[targets.rows])
        return loss

    def collate(self, examples: Sequence[Example], *, length: int, rng: random.Random) -> Targets:
        """RETURNS (Targets): Tags of one training batch, whose longest sentence has `length` pieces."""
        subject_tags = torch.zeros(len(examples), length, 2)
        rows: list[int] = []
        spans: list[Span] = []
        tags: list[tuple[int, int, int]] = []
        for row, example in enumerate(examples):
            gold = list(example.subjects)
            for start, end in gold:
                subject_tags[row, start, 0] = 1.0
                subject_tags[row, end, 1] = 1.0
            for span in gold if self.all_subjects else gold and [rng.choice(gold)]:
                for relation, (start, end) in example.subjects[span]:
                    tags.append((len(rows), start, relation))
                    tags.append((len(rows), end, self.n_relations + relation))
                rows.append(row)
                spans.append(span)
        object_tags = torch.zeros(len(rows), length, 2 * self.n_relations)
        if tags:
            object_tags[tuple(torch.tensor(tags).T)] = 1.0
        weights = mean_weights(spans, length=length) if spans else torch.zeros(0, length)
        return Targets(subject_tags, torch.tensor(rows).long(), weights, object_tags)

    def find(self, sentences: Sequence[Pieces], *, low: float, high: float) -> Iterator[Found]:
        """Find subjects, then the objects of each, for all thresholds from `low` to `high`."""
        vectors, _ = self.read(sentences)
        allowed = word_edges(sentences)
        subjects = find_subjects(self.subject_tagger(vectors).float(), allowed=allowed, low=low, high=high)
        if not subjects:
            return
        rows = torch.tensor([row for row, _ in subjects])
        weights = mean_weights([pair[0] for _, pair in subjects], length=vectors.shape[1])
        logits = self.object_logits(vectors, rows=rows, weights=weights)  # (K, T, 2R)
        for k, relation, (object_, start, stop) in find_objects(logits, allowed=allowed[rows], low=low, high=high):
            row, (subject, begin, end) = subjects[k]
            start, stop = max(start, begin), min(stop, end)
            if start < stop and start <= high and stop > low:
                yield Found(row, subject, relation, object_, start, stop)

    def object_logits(self, vectors: Tensor, *, rows: Tensor, weights: Tensor) -> Tensor:
        """Compute the logits of the object taggers for some subjects, equations 4 and 5.

        vectors (Tensor): encoder output. Shape (B, T, D)
        rows (Tensor): sentence of each subject. Shape (K,)
        weights (Tensor): 1 / length at the subject's pieces, else 0. Shape (K, T)
        RETURNS (Tensor): starts for all relations, then ends. Shape (K, T, 2R)
        """
        picked = vectors[rows]  # (K, T, D)
        subjects = torch.bmm(weights.to(picked.dtype)[:, None], picked)  # (K, 1, D)
        by_subject = F.linear(subjects, self.object_tagger.weight)  # (K, 1, 2R)
        by_sentence: Tensor = self.object_tagger(vectors)  # (B, T, 2R)
        return by_sentence[rows] + by_subject  # (K, T, 2R)


def _mean_per_piece(logits: Tensor, *, tags: Tensor, mask: Tensor) -> Tensor:
    weight = mask[:, :, None].float()
    total = F.binary_cross_entropy_with_logits(logits.float(), tags, weight, reduction="sum")
    return total / weight.sum()
