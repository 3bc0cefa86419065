"""An encoder that has learned wiki80's relations from labels, but none of those that are to be found.

It is the encoder of a `kd_classifier` without a teacher (`configs/kd_student.cfg`), from which the clusterer starts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.call import Call
from benchmarks.harness.runs import ROOT, Trained, train_run
from benchmarks.selfore.corpora import ClusterMaker, Marked, read_wiki80

CLASSIFIER = ROOT / "configs" / "kd_student.cfg"
IN_CLASSIFIER = "components.kd_classifier"
NAMES = Path("fewrel") / "pid2name.json"
FILES = ("train_0.1.txt", "dev.txt")
PASSES = 3
# Parts of another data set: the encoder must not have seen relations of that one.
WHOLE = {"tailed": "fewrel", "tailed_trex": "trex"}
# Pairs that choose the best epoch.
DEV = 600
# The classifier reads pairs as the clusterer does, and no entity types.
AS_CLUSTERED: dict[str, Any] = {
    f"{IN_CLASSIFIER}.suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"},
    f"{IN_CLASSIFIER}.types": [],
    f"{IN_CLASSIFIER}.model.attention": False,
    f"{IN_CLASSIFIER}.model.encoder.mix_from": 3,
    f"{IN_CLASSIFIER}.model.encoder.case_features": False,
}


def other_relations(maker: ClusterMaker, name: str) -> list[Marked]:
    """RETURNS (list[Marked]): wiki80's pairs whose relation and text are not in a data set of Wikidata relations."""
    wikidata = json.loads((maker.data / NAMES).read_text(encoding="utf8"))
    pairs = maker.pairs(WHOLE.get(name, name))
    relations = {wikidata.get(pair.relation, [pair.relation])[0] for pair in pairs}
    texts = {tuple(pair.words) for pair in pairs}
    every = (pair for file in FILES for pair in read_wiki80(maker.data / "wiki80" / file))
    return maker.shuffled(p for p in every if p.relation not in relations and tuple(p.words) not in texts)


def train_reader(call: Call, key: str, pairs: Sequence[Marked], seed: int) -> Trained:
    """Train the classifier on labelled pairs, unless that was done; the first ones choose the best epoch.

    key (str): Name of the corpora.
    """
    assert isinstance(call.maker, ClusterMaker)
    at = min(DEV, len(pairs) // 10)
    parts = {"dev": pairs[:at], "train": pairs[at:]}
    paths = {part: call.maker.written(f"{key}-{part}", lambda mine=mine: mine) for part, mine in parts.items()}
    settings = replace(call.settings, passes=PASSES)
    options: dict[str, Any] = {"seed": seed, "settings": settings, "config": CLASSIFIER, "changes": AS_CLUSTERED}
    return train_run("selfore-reader", **paths, **options)
