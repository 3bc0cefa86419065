"""Words per second of the student without a transformer, compared with the default, on given entities and one core."""

from __future__ import annotations

import spacy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import read_docs
from benchmarks.harness.speed import record_speed
from benchmarks.kd.speed import PAIRS, given_extraction, spell_pairs
from benchmarks.kd.systems import FAST, MINILM, PLAIN, System
from benchmarks.kd.training import maker_of, train_system

BATCH_SIZE = 64
SYSTEMS = {"default": (MINILM, System(student=PLAIN)), "ablation:fast": (FAST, System(student={}))}


def fast(call: Call) -> None:
    """Measure with one and with eight pairs per sentence, of the same sentences; training quality does not matter."""
    torch.set_num_threads(call.settings.threads)
    for pairs in PAIRS:
        data = maker_of(call).crowded(pairs)
        (test,) = data.tests.values()
        contestants = {}
        for row, (family, system) in SYSTEMS.items():
            call.tell(f"{spell_pairs(pairs)}: {row.removeprefix('ablation:')}")
            trained, _ = train_system(call, data, system, seed=call.seeds[0], family=family)
            contestants[row] = given_extraction(spacy.load(trained.pipeline), test, batch_size=BATCH_SIZE)
        words = sum(map(len, read_docs(test)))
        described = f"{call.describe(data)}, {call.settings.threads} thread"
        split = f"extraction, {spell_pairs(pairs)}, batch {BATCH_SIZE}"
        record_speed(call, contestants, words=words, data=described, split=split)
