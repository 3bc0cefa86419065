"""CasRel in PyTorch: subject taggers, then relation-specific object taggers for each subject.

Wei et al., A Novel Cascade Binary Tagging Framework for Relational Triple Extraction, ACL 2020:

    p_start(i) = σ(w_start · x_i + b_start)              (2)  subject start; (3) its end
    p_start^r(i) = σ(w_start^r · (x_i + v) + b_start^r)  (4)  object start for r; (5) its end

x_i is the encoder's output for piece i, v the mean of the subject's vectors. A start is paired with
the nearest end at or after it. The loss is the binary cross-entropy of all taggers, summed over the
relations and averaged over the pieces, as in the authors' code.

Departures, none of which costs the method anything: the object taggers are linear, so w·(x + v) is
computed as w·x + w·v, once per sentence and once per subject; biases start at the logit of a rare
tag; only pieces that open (close) a word can open (close) a span.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.casrel_data import Example, Span
from benchmarks.peers.training import autocast, mean_weights, pad

RARE_TAG = 0.01  # probability with which every tagger starts


class Batch(NamedTuple):
    """Training tensors: B sentences, T pieces, K subjects, R relations.

    ids and mask have shape (B, T), subject_tags (B, T, 2); rows (K,) is the sentence of each
    subject, subject_weights (K, T) averages its pieces, object_tags has shape (K, T, 2R): starts,
    then ends.
    """

    ids: Tensor
    mask: Tensor
    subject_tags: Tensor
    rows: Tensor
    subject_weights: Tensor
    object_tags: Tensor


class CasRel(nn.Module):
    """Taggers on top of a Hugging Face encoder.

    encoder (PreTrainedModel): gives one vector per piece.
    n_relations (int): R.
    """

    def __init__(self, encoder: Any, *, n_relations: int) -> None:
        super().__init__()
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # not used here: no time, no weight decay for it
        self.encoder = encoder
        self.subject_tagger = nn.Linear(encoder.config.hidden_size, 2)
        self.object_tagger = nn.Linear(encoder.config.hidden_size, 2 * n_relations)
        for tagger in (self.subject_tagger, self.object_tagger):
            nn.init.normal_(tagger.weight, std=0.02)
            nn.init.constant_(tagger.bias, logit(RARE_TAG))

    def encode(self, ids: Tensor, *, mask: Tensor) -> Tensor:
        """Vectors of the pieces.

        ids (Tensor): piece ids. Shape (B, T)
        mask (Tensor): 1 at pieces, 0 at padding. Shape (B, T)
        RETURNS (Tensor): Shape (B, T, D)
        """
        vectors: Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return vectors

    def object_logits(self, vectors: Tensor, *, rows: Tensor, weights: Tensor) -> Tensor:
        """Logits of the object taggers for some subjects, equations 4 and 5.

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


def logit(probability: float) -> float:
    """Inverse of the logistic function.

    probability (float): between 0 and 1, both exclusive.
    """
    return math.log(probability / (1.0 - probability))


def collate(
    examples: Sequence[Example],
    *,
    n_relations: int,
    padding: int,
    all_subjects: bool,
    rng: random.Random,
) -> Batch:
    """Tensors of one training batch.

    all_subjects (bool): train the object taggers on all gold subjects, not on one drawn at random.
    RETURNS (Batch): targets and what they belong to.
    """
    ids, mask = pad([e.ids for e in examples], value=padding)
    length = ids.shape[1]
    subject_tags = torch.zeros(len(examples), length, 2)
    rows: list[int] = []
    spans: list[Span] = []
    tags: list[tuple[int, int, int]] = []
    for row, example in enumerate(examples):
        gold = list(example.subjects)
        for start, end in gold:
            subject_tags[row, start, 0] = 1.0
            subject_tags[row, end, 1] = 1.0
        for span in gold if all_subjects else gold and [rng.choice(gold)]:
            for relation, (start, end) in example.subjects[span]:
                tags.append((len(rows), start, relation))
                tags.append((len(rows), end, n_relations + relation))
            rows.append(row)
            spans.append(span)
    object_tags = torch.zeros(len(rows), length, 2 * n_relations)
    if tags:
        object_tags[tuple(torch.tensor(tags).T)] = 1.0
    weights = mean_weights(spans, length=length) if spans else torch.zeros(0, length)
    return Batch(ids, mask, subject_tags, torch.tensor(rows).long(), weights, object_tags)


def casrel_loss(model: CasRel, batch: Batch, *, precision: str) -> Tensor:
    """Binary cross-entropy of subject and object taggers: per piece, summed over the taggers.

    precision (str): of the encoder and taggers; the loss itself is fp32.
    """
    with autocast(precision):
        vectors = model.encode(batch.ids, mask=batch.mask)
        subject_logits = model.subject_tagger(vectors)  # (B, T, 2)
        object_logits = model.object_logits(vectors, rows=batch.rows, weights=batch.subject_weights)  # (K, T, 2R)
    loss = _mean_per_piece(subject_logits, tags=batch.subject_tags, mask=batch.mask)
    if len(batch.rows):
        mask = batch.mask[batch.rows]  # (K, T)
        loss = loss + _mean_per_piece(object_logits, tags=batch.object_tags, mask=mask)
    return loss


def _mean_per_piece(logits: Tensor, *, tags: Tensor, mask: Tensor) -> Tensor:
    weight = mask[:, :, None].float()
    total = F.binary_cross_entropy_with_logits(logits.float(), tags, weight, reduction="sum")
    return total / weight.sum()
