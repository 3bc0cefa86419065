"""What one call of the benchmarks' command line asks for, and how its figures become rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness.datasets import DataSet, Maker, count_docs
from benchmarks.harness.origin import commit, corpora_digest, libraries
from benchmarks.harness.rows import add_rows, make_row
from benchmarks.harness.runs import DEFAULT_CONFIG, Settings


@dataclass(frozen=True)
class Call:
    """What one call of the command line asks for.

    settings (Settings): Of all trainings.
    maker (Maker): Makes the corpora.
    seeds (Sequence[int]): One training each.
    results (Path): JSON file of rows.
    figures (Path): Folder for drawings.
    command (str): The command line, for the rows.
    only (frozenset[str]): Parts of the experiment; all if empty.
    config (Path): The config of `default`.
    peer (bool): Whether to run the baseline too.
    rates (Sequence[float]): Rates of dropped triples.
    corpora (Sequence[str]): Corpora of the comparison on equal terms.
    learning_rates (Sequence[float]): Learning rates of the peers' encoder; the best on the tuning sentences is kept.
    patience (int): Epochs without improvement on the tuning sentences that end a baseline's training; 0 for all epochs.
    tell (Callable[[str], None]): Prints progress.
    """

    settings: Settings
    maker: Maker
    seeds: Sequence[int]
    results: Path
    figures: Path
    command: str
    only: frozenset[str] = frozenset()
    config: Path = DEFAULT_CONFIG
    peer: bool = False
    rates: Sequence[float] = (0.0, 0.3, 0.5)
    corpora: Sequence[str] = ()
    learning_rates: Sequence[float] = ()
    patience: int = 0
    tell: Callable[[str], None] = print
    _digests: dict[str, str] = field(default_factory=dict, repr=False)  # of the data sets described

    def wants(self, part: str) -> bool:
        """RETURNS (bool): Whether a part of the experiment is to run."""
        return not self.only or part in self.only

    def describe(self, data: DataSet, *, precision: bool = True) -> str:
        """RETURNS (str): The data set, with what else the figures depend on."""
        parts, passes = [f"{data.name}: {count_docs(data.train)} training sentences"], self.settings.passes
        parts += [f"{passes} pass{'es' * (passes > 1)}"] * (passes > 0)
        described = ", ".join([*parts, self.settings.arithmetic] if precision else parts)
        self._digests[described] = corpora_digest(data)
        return described

    def split_name(self, data: DataSet, split: str, labels: Mapping[str, Sequence[str]] | None = None) -> str:
        """RETURNS (str): The split, with its limit and the number of relations that count, where not all do."""
        limit = f" (first {self.maker.limit_test})" if self.maker.limit_test else ""
        is_foreign = split.partition(",")[0] in data.foreign
        shared = f", {len(labels['shared'])} shared relations" if labels and is_foreign else ""
        return f"{split}{limit}{shared}"

    def record(
        self,
        benchmark: str,
        metrics: Mapping[str, float],
        *,
        data: str,
        split: str,
        system: str,
        seed: int,
        seconds: float | None = None,
    ) -> None:
        """Write one seed's metrics into the results."""
        origin = {"commit": commit(), "libraries": libraries()}
        origin |= {"corpora": self._digests[data]} if data in self._digests else {}
        options: dict[str, Any] = {"data": data, "split": split, "system": system, "command": self.command}
        options["origin"] = origin
        seconds_of = {seed: None if seconds is None else round(seconds, 1)}
        rows = [
            make_row(benchmark, metric=metric, values={seed: round(value, 6)}, train_seconds=seconds_of, **options)
            for metric, value in metrics.items()
        ]
        add_rows(self.results, rows)
