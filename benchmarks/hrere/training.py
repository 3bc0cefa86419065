"""Trainings of the HRERE benchmarks: configs, the changes in them, and the length of a training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import spacy

from benchmarks.harness.call import Call
from benchmarks.harness.runs import CONFIGS, VARIANTS, Trained, train_run
from benchmarks.hrere.corpora import BagData, HrereMaker
from spacy_relext.hrere.reader import BagCorpus

GLOVE, PAPER, MINILM = "GloVe, BiLSTM", "GloVe, BiLSTM, as published", "MiniLM"
CONFIG_OF = {
    GLOVE: VARIANTS / "hrere_recurrent.cfg",
    PAPER: CONFIGS / "papers" / "hrere.cfg",
    MINILM: CONFIGS / "hrere.cfg",
}
VECTORS = "en_vectors_glove_100d"
# Epochs over the bags, bags per update, and evaluations per epoch.
PASSES = {GLOVE: 5, PAPER: 30, MINILM: 3}
BATCHES = {GLOVE: 32, PAPER: 128, MINILM: 32}
EVALUATIONS = 2
IN = "components.hrere_classifier"
Changes = Mapping[str, Any]
# J_L alone; the best epoch is chosen by the text alone.
BASE: Changes = {f"{IN}.loss.kb_weight": 0.0, f"{IN}.loss.agree_weight": 0.0, f"{IN}.text_share": 1.0}
NAIVE: Changes = {f"{IN}.loss.kb_weight": 1.0, f"{IN}.loss.agree_weight": 0.0}
# learning rates: 1e-5 for the knowledge base, 5e-4 for the rest
SLOW: Changes = {**NAIVE, f"{IN}.model.kb_lr_scale": 0.02, f"{IN}.model.entity_lr_scale": 0.02}
# Entities learn as fast as the other parameters of the knowledge base, or not at all.
LEARNING: Mapping[str, Changes] = {
    GLOVE: {f"{IN}.model.entity_lr_scale": 40.0},
    PAPER: {},
    MINILM: {f"{IN}.model.entity_lr_scale": 20.0},
}
FROZEN: Changes = {f"{IN}.model.entity_lr_scale": 0.0}
LAST: Changes = {"training.optimizer.use_averages": False}
FULL: Changes = {f"{IN}.loss.agree_weight": 1.0}


def train_system(call: Call, data: BagData, kb: Path, *, seed: int, encoder: str, changes: Changes) -> Trained:
    """Run `spacy train` on bags, unless that was done.

    encoder (str): A key of `CONFIG_OF`.
    changes (Changes): Dotted keys and values that make the system.
    """
    assert isinstance(call.maker, HrereMaker)
    fixed: dict[str, Any] = {
        "initialize.components.hrere_classifier.kb": str(kb),
        "training.patience": 0,
        "training.batcher.size": BATCHES[encoder],
        **length_of(count_bags(data.train), passes=PASSES[encoder], batch=BATCHES[encoder]),
    }
    if encoder in (GLOVE, PAPER):
        fixed["paths.vectors"] = str(call.maker.models / VECTORS)
    options: dict[str, Any] = {
        "settings": call.settings,
        "config": CONFIG_OF[encoder],
        "changes": {**fixed, **LEARNING[encoder], **changes},
    }
    call.tell(f"{data.name}: {encoder}, {', '.join(f'{key} = {value}' for key, value in changes.items())}, seed {seed}")
    return train_run("hrere", train=data.train, dev=data.dev, seed=seed, **options)


def length_of(bags: int, *, passes: int, batch: int) -> dict[str, Any]:
    """Set when a training is evaluated and when it ends: right after its last evaluation, so that no update is wasted.

    passes (int): Epochs over these bags, short of less than one update per evaluation.
    batch (int): Bags per update.
    """
    updates = -(-bags // batch)
    often = max(1, updates // EVALUATIONS)
    # the loop numbers updates from 0, evaluates at multiples of `often`, and ends after the one numbered `last`
    last = often * EVALUATIONS * passes
    return {"training.eval_frequency": often, "training.max_steps": last, "training.max_epochs": 0}


@cache
def count_bags(corpus: Path) -> int:
    """RETURNS (int): Number of bags that training reads from a corpus."""
    return sum(1 for _ in BagCorpus(corpus)(spacy.blank("en")))
