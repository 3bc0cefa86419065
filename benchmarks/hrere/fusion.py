"""Late fusion: text and knowledge base are trained separately, and their scores added (Weston et al., EMNLP 2013)."""

from __future__ import annotations

from dataclasses import replace

import torch

from benchmarks.hrere.outputs import Outputs
from spacy_relext.hrere.linked_kb import LinkedKb
from spacy_relext.hrere.model import PairKnowledge

STEPS, RATE = 300, 0.05


def frozen_logits(train: Outputs, others: list[Outputs], *, kb: LinkedKb) -> list[Outputs]:
    """Compute the logits of frozen embeddings; only a scale and a bias per class are fitted.

    train (Outputs): Outputs to which these are fitted, by cross-entropy.
    RETURNS (list[Outputs]): The other outputs, with these logits as z_G.
    """
    classes = train.classes
    module = PairKnowledge(len(classes) + 1, kb_width=kb.width, kb_rows=0)
    module.load(*kb.relation_vectors(classes))
    shared = torch.from_numpy(train.shared)
    gold = torch.from_numpy(train.gold).float() * shared
    rows = torch.from_numpy(train.linked) & (gold.sum(1) > 0)
    gold = (gold / gold.sum(1, keepdim=True).clamp(min=1))[rows]
    optimizer = torch.optim.Adam([module.scale, module.bias], lr=RATE)
    for _ in range(STEPS):
        logs = _logits(module, train, kb)[rows].masked_fill(~shared, -1e9).log_softmax(1)
        loss = -(gold * logs).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return [replace(each, kb=_logits(module, each, kb).numpy()) for each in others]


def _logits(module: PairKnowledge, outputs: Outputs, kb: LinkedKb) -> torch.Tensor:
    ends = [torch.from_numpy(kb.vectors(kb.numbers([ids[side] for ids in outputs.ids]))) for side in (0, 1)]
    none = torch.zeros(len(outputs.ids), dtype=torch.long)
    logits: torch.Tensor = module(*ends, none, none)
    return logits
