"""Words a second of the student without a transformer beside the default, entities given, on one core."""

from __future__ import annotations

from typing import Any

import spacy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import read_docs
from benchmarks.harness.stopwatch import lap_ratios, time_rounds
from benchmarks.kd.speed import PAIRS, given_extraction, spell_pairs
from benchmarks.kd.systems import FAST, MINILM, PLAIN, System
from benchmarks.kd.training import maker_of, train_system

BATCH_SIZE, ROUNDS = 64, 5
SYSTEMS = {"default": (MINILM, System(student=PLAIN)), "ablation:fast": (FAST, System(student={}))}


def fast(call: Call) -> None:
    """Measure with one pair a sentence and with eight, of the same sentences; how well trained does not matter."""
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
        laps = time_rounds(contestants, rounds=ROUNDS)
        described = f"{call.describe(data)}, {call.settings.threads} thread"
        options: dict[str, Any] = {"data": described, "split": f"extraction, {spell_pairs(pairs)}, batch {BATCH_SIZE}"}
        for number in range(ROUNDS):
            for row, times in laps.items():
                metrics = {"words_per_second": words / times[number].cpu}
                if row != "default":
                    metrics |= lap_ratios("default_ratio", laps["default"][number], times[number])
                call.record("fast_speed", metrics, system=row, seed=number, **options)
