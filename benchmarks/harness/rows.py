"""Rows of benchmark results: what a row holds, and how new figures are merged into a file.

A row is one metric of one system on one split: `{benchmark, data, split, system, metric, values, mean, sd, seeds,
train_seconds, command, machine, date, origin}`. `values`, `seeds` and `train_seconds` are parallel lists, one entry per
seed. `origin` names commit, libraries and a digest of the corpora; rows from before it was kept have none.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import math
import os
import platform
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

IDENTITY = ("benchmark", "data", "split", "system", "metric")
LISTS = ("values", "seeds", "train_seconds")
KEYS = (*IDENTITY, "values", "mean", "sd", "seeds", "train_seconds", "command", "machine", "date")
ORIGIN = "origin"
SYSTEM = re.compile(r"default|(peer|ablation):\S.*")
SEEDS = re.compile(r"--seeds \d+(,\d+)*")
# Everything else is a fraction from 0 to 1.
PLAIN = re.compile(r".*(_per_second|_per_sentence|_mib|_ratio|_seconds|_milliseconds|_found|_count)$")
# Differences of fractions, and the ends of their intervals, may be negative.
DIFFERENCE = re.compile(r".*_difference(_low|_high)?$")


def make_row(
    benchmark: str,
    *,
    data: str,
    split: str,
    system: str,
    metric: str,
    values: Mapping[int, float],
    train_seconds: Mapping[int, float | None] | None = None,
    command: str,
    origin: Mapping[str, str] | None = None,
) -> Row:
    """Make a checked row, with today's date and this machine.

    data (str): Data set with what the figures depend on: training sentences, epochs, precision.
    metric (str): A key of the scorer, or a plain number: `*_per_second`, `*_per_sentence`, `*_mib`, `*_ratio`,
        `*_seconds`, `*_milliseconds`, `*_found`, `*_count`.
    train_seconds (Mapping[int, float | None] | None): Seed → seconds of training, evaluation not counted.
    command (str): The command line that gives the row.
    origin (Mapping[str, str] | None): What the figures come from, such as the commit.
    RAISES (ValueError): If a value is not a number in the range of its metric.
    """
    seeds = sorted(values)
    row: Row = {
        "benchmark": benchmark,
        "data": data,
        "split": split,
        "system": system,
        "metric": metric,
        "values": [values[seed] for seed in seeds],
        "seeds": seeds,
        "train_seconds": [None if train_seconds is None else train_seconds.get(seed) for seed in seeds],
        "command": command,
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
    }
    if origin:
        row[ORIGIN] = dict(origin)
    return check_row(_summarise(row))


def _summarise(row: Row) -> Row:
    """Set a row's mean and sample standard deviation (null for one value), and put its keys in order."""
    values = row["values"]
    command = SEEDS.sub(f"--seeds {','.join(map(str, row['seeds']))}", row["command"])
    sd = statistics.stdev(values) if len(values) > 1 else None
    complete = {**row, "command": command, "mean": statistics.fmean(values) if values else None, "sd": sd}
    return {key: complete.get(key) for key in (*KEYS, *[ORIGIN] * (ORIGIN in complete))}


def check_row(row: Any) -> Row:
    """Check the form of a row.

    RAISES (ValueError): Saying which key is wrong.
    """
    if not isinstance(row, dict) or set(row) - {ORIGIN} != set(KEYS):
        keys = sorted(row) if isinstance(row, dict) else type(row).__name__
        raise ValueError(f"a row has the keys {', '.join(KEYS)}; found {keys}")
    where = f"row {'/'.join(str(row[key]) for key in IDENTITY)}"
    for key in (*IDENTITY, "command", "machine", "date"):
        if not isinstance(row[key], str) or not row[key].strip():
            raise ValueError(f"{where}: {key} is {row[key]!r}, not a text")
    if not SYSTEM.fullmatch(row["system"]):
        raise ValueError(f"{where}: system is {row['system']!r}, not default, peer:NAME or ablation:NAME")
    if not all(isinstance(row[key], list) and len(row[key]) == len(row["values"]) for key in LISTS):
        raise ValueError(f"{where}: {', '.join(LISTS)} must be lists of one length")
    if not row["values"] or not all(map(_is_number, row["values"])):
        raise ValueError(f"{where}: values are {row['values']!r}, not numbers")
    if not all(isinstance(seed, int) for seed in row["seeds"]) or len(set(row["seeds"])) != len(row["seeds"]):
        raise ValueError(f"{where}: seeds are {row['seeds']!r}, not different integers")
    if not all(seconds is None or _is_number(seconds) for seconds in row["train_seconds"]):
        raise ValueError(f"{where}: train_seconds are {row['train_seconds']!r}, not numbers or null")
    origin = row.get(ORIGIN, {})
    if not isinstance(origin, dict) or not all(isinstance(text, str) for text in origin.values()):
        raise ValueError(f"{where}: {ORIGIN} is {origin!r}, not a mapping of texts")
    least = -1.0 if DIFFERENCE.fullmatch(row["metric"]) else 0.0
    if not is_plain(row["metric"]) and not all(least <= value <= 1.0 for value in row["values"]):
        raise ValueError(f"{where}: {row['metric']} is a fraction, but the values are {row['values']!r}")
    if not _same(row["mean"], _summarise(row)["mean"]) or not _same(row["sd"], _summarise(row)["sd"]):
        raise ValueError(f"{where}: mean {row['mean']!r} and sd {row['sd']!r} are not those of the values")
    return row


def is_plain(metric: str) -> bool:
    """Say whether a metric is a plain number and not a fraction.

    RETURNS (bool): True for speeds, sizes, counts and ratios.
    """
    return PLAIN.fullmatch(metric) is not None


def merge_rows(rows: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """Add rows; where one with the same identity is there, its values are added or replaced seed by seed.

    new (Iterable[Row]): New rows; their command, machine and date replace the old ones.
    RETURNS (list[Row]): All rows, the existing ones first, in their order.
    """
    merged = {_identity(row): row for row in rows}
    for row in new:
        key = _identity(row)
        merged[key] = _join(merged[key], row) if key in merged else row
    return list(merged.values())


def read_rows(path: Path) -> list[Row]:
    """Read and check a file of rows.

    RETURNS (list[Row]): Empty if the file does not exist or is empty.
    RAISES (ValueError): Where it is not a list of rows.
    """
    text = path.read_text(encoding="utf8") if path.exists() else ""
    return _parse(text, path)


def add_rows(path: Path, new: Sequence[Row]) -> None:
    """Merge rows into a file; concurrent runs wait for each other.

    path (Path): A JSON file, created if it is missing.
    RAISES (ValueError): Where a row, or the file, is malformed; the file stays as it is.
    """
    checked = [check_row(row) for row in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        rows = merge_rows(_parse(stream.read(), path), checked)
        stream.truncate(0)
        stream.write(_format(rows))


def _format(rows: Sequence[Row]) -> str:
    """RETURNS (str): JSON with a line for each row, so that a change shows which rows it touches."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n"


def machine() -> str:
    """Name the processor, how many of its cores this process may use, and the GPU if it uses one.

    RETURNS (str): Such as "AMD EPYC 7B13, 2 cores"; no name of the host.
    """
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf8") if info.exists() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = named.group(1).strip() if named else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch = sys.modules.get("torch")
    gpu = f", {torch.cuda.get_device_name()}" if torch and torch.cuda.is_initialized() else ""
    return f"{' '.join(name.split())}, {cores} core{'s' if cores > 1 else ''}{gpu}"


def _join(old: Row, new: Row) -> Row:
    """Put the values of two rows together; the new ones win."""
    entries = {seed: (value, seconds) for row in (old, new) for value, seed, seconds in zip(*(row[k] for k in LISTS))}
    seeds = sorted(entries)
    lists = {
        "values": [entries[seed][0] for seed in seeds],
        "seeds": seeds,
        "train_seconds": [entries[seed][1] for seed in seeds],
    }
    return _summarise({**new, **lists})


def _parse(text: str, path: Path) -> list[Row]:
    try:
        rows = json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: no JSON ({error}); mend it or move it away") from None
    if not isinstance(rows, list):
        raise ValueError(f"{path}: expected a list of rows, found {type(rows).__name__}")
    return [check_row(row) for row in rows]


def _identity(row: Row) -> tuple[str, ...]:
    return tuple(row[key] for key in IDENTITY)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return _is_number(left) and math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
