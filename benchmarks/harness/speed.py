"""Rows of fast pipelines: words per second, compared with the default's, with one value per round."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.harness.call import Call
from benchmarks.harness.stopwatch import Work, lap_ratios, time_rounds

ROUNDS = 5


def record_speed(call: Call, contestants: Mapping[str, Work], *, words: int, data: str, split: str) -> None:
    """Run contestants in turn, and record words per second of processor time, and the ratio to the default.

    contestants (Mapping[str, Work]): System → function that reads the texts once; one is "default".
    words (int): Number of words in the texts.
    """
    laps = time_rounds(contestants, rounds=ROUNDS)
    for number in range(ROUNDS):
        for system, times in laps.items():
            metrics = {"words_per_second": words / times[number].cpu}
            if system != "default":
                metrics |= lap_ratios("default_ratio", laps["default"][number], times[number])
            call.record("fast_speed", metrics, data=data, split=split, system=system, seed=number)
