"""The config of one training: that of the project with the benchmark's data and length."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import spacy
from spacy.util import load_model_from_config, registry
from thinc.api import Config

from spacy_relext.corpora.reader import TripleCorpus

# Padded tokens of a batch on real data; the default config has more, for the short sentences of the embedded corpus.
BATCH_CELLS = 400


def read_config(path: Path) -> Config:
    """Read a config with all that spaCy fills in, so that any of its keys can be changed."""
    config = Config().from_disk(path, interpolate=False)
    pipeline, components = config["nlp"]["pipeline"], dict(config["components"])
    sourced = {name: each for name, each in components.items() if "source" in each}  # known once its pipeline is there
    config["nlp"]["pipeline"] = [name for name in pipeline if name not in sourced]
    config["components"] = {name: each for name, each in components.items() if name not in sourced}
    filled = load_model_from_config(config, auto_fill=True).config
    filled["nlp"]["pipeline"] = pipeline
    filled["components"].update(sourced)
    return filled


def build_config(
    config: Path,
    *,
    train: Path,
    dev: Path,
    seed: int,
    passes: int,
    encoder: Path,
    precision: str,
    changes: Mapping[str, Any],
    lang: str,
    evaluate_every: int = 1,
) -> tuple[Config, dict[str, int]]:
    """Fill a config with what a benchmark sets: paths, epochs, schedule, evaluations, sentence bounds, and the changes.

    dev (Path): Corpus that chooses the best epoch.
    passes (int): Epochs over the training corpus. 0 sets only seed, language, paths, precision and changes.
    encoder (Path): Folder of the encoder, where the config names one.
    changes (Mapping[str, Any]): Dotted keys and their new values.
    evaluate_every (int): Epochs from one evaluation to the next.
    RETURNS (tuple[Config, dict[str, int]]): The config, and `sentences`, `words`, `steps_per_pass`.
    """
    filled = read_config(config)
    set_key(filled, "training.seed", seed)
    set_key(filled, "nlp.lang", lang)
    set_key(filled, "paths.train", str(train))
    set_key(filled, "paths.dev", str(dev))
    if "encoder" in filled["paths"]:
        set_key(filled, "paths.encoder", str(encoder))
    for component in filled["components"].values():
        model = component.get("model", {})
        for section in (model, model.get("encoder", {})):
            if "precision" in section:
                section["precision"] = precision
    if passes:
        batcher = {
            "@batchers": "spacy.batch_by_padded.v1",
            "size": BATCH_CELLS,
            "buffer": 256,
            "discard_oversize": False,
        }
        set_key(filled, "training.batcher", batcher)  # the config's own may count sentences
    for key, value in changes.items():
        set_key(filled, key, value)
    counts = count_steps(filled, train, lang=lang, seed=seed)
    if passes:
        total = counts["steps_per_pass"] * passes
        _set_length(filled, passes=passes, total=total, evaluations=max(1, passes // evaluate_every))
    return filled, counts


def count_steps(config: Config, train: Path, *, lang: str, seed: int) -> dict[str, int]:
    """Batch the training corpus once, as training will.

    RETURNS (dict[str, int]): `sentences`, `words`, `steps_per_pass`.
    """
    examples = list(TripleCorpus(train)(spacy.blank(lang)))
    random.Random(seed).shuffle(examples)
    batcher = registry.resolve({"batcher": config.interpolate()["training"]["batcher"]})["batcher"]
    words = sum(len(example.predicted) for example in examples)
    return {"sentences": len(examples), "words": words, "steps_per_pass": sum(1 for _ in batcher(examples))}


def set_key(config: Config, key: str, value: Any) -> None:
    """Set a dotted key of a config.

    RAISES (ValueError): Where the config has no such section.
    """
    *path, last = key.split(".")
    section: Any = config
    for part in path:
        if part not in section:
            raise ValueError(f"{key}: the config has no section [{'.'.join(path)}]")
        section = section[part]
    section[last] = value


def _set_length(filled: Config, *, passes: int, total: int, evaluations: int) -> None:
    """Fit schedule and evaluation to the length of a benchmark's training, and read each record as one sentence."""
    for corpus in ("train", "dev"):
        set_key(filled, f"corpora.{corpus}.gold_sents", True)
    set_key(filled, "training.max_epochs", passes)
    set_key(filled, "training.max_steps", 0)
    if "total_steps" in filled["training"]["optimizer"].get("learn_rate", {}):
        set_key(filled, "training.optimizer.learn_rate.total_steps", total)
    # A little earlier than at the end of a pass: shuffling changes the number of batches, and the last evaluation
    # must not fall after the last update.
    set_key(filled, "training.eval_frequency", max(1, int(0.99 * (total - 1)) // evaluations))
