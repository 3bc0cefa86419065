"""The type prior by itself: on training pairs, counted without the pair or without its fold, and on test pairs.

The prior of a training pair must not know the pair's label. Leaving the pair out could make the prior of its own class
too low; counting on other folds cannot, but has fewer counts. Test pairs show what training pairs should look like.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy

from benchmarks.harness.call import Call
from benchmarks.harness.pairs import PairRow, read_pairs
from benchmarks.kd.training import maker_of
from spacy_relext.kd.type_patterns import Floats, TypePatterns, count_patterns

FOLDS = (5, 10)
SMOOTHING = 10.0  # as in the configs of teachers


def prior(call: Call) -> None:
    """Score the log odds of relations given the types, which teachers read, on each of the data sets."""
    for name in ("semeval", "conll04", "scierc"):
        if not call.wants(name):
            continue
        data = getattr(maker_of(call), name)()
        train, test = (read_pairs(path, marked=data.marked).rows for path in (data.train, *data.tests.values()))
        number = {label: row + 1 for row, label in enumerate(sorted({row.labels[0] for row in train if row.labels}))}
        counts = _count(train, number)
        scores = {
            ("train", "default"): _score(_log_odds(counts, train, _classes(train, number)), train, number),
            ("test", "default"): _score(_log_odds(counts, test), test, number),
        }
        for k in FOLDS:
            scores["train", f"ablation:{k} folds"] = _score(_from_other_folds(train, number, k), train, number)
        described = call.describe(data, precision=False)
        for (split, system), metrics in scores.items():
            call.record("prior", metrics, data=described, split=split, system=system, seed=0)
            call.tell(f"{name}, {split}, {system}: {metrics}")


def _types(rows: Sequence[PairRow]) -> list[tuple[str, str]]:
    return [(row.types[0], row.types[1]) for row in rows]


def _classes(rows: Sequence[PairRow], number: Mapping[str, int]) -> list[int]:
    return [number.get(row.labels[0], 0) if row.labels else 0 for row in rows]


def _count(rows: Sequence[PairRow], number: Mapping[str, int]) -> TypePatterns:
    return count_patterns(_types(rows), _classes(rows, number), n_classes=len(number) + 1)


def _log_odds(counts: TypePatterns, rows: Sequence[PairRow], leave_out: Sequence[int] | None = None) -> Floats:
    return counts.log_odds(_types(rows), leave_out=leave_out, smoothing=SMOOTHING).astype("float64")


def _from_other_folds(rows: Sequence[PairRow], number: Mapping[str, int], k: int) -> Floats:
    """Compute the log odds of each pair from the sentences of other folds. Shape (P, R)"""
    folds = numpy.asarray([zlib.crc32(row.text.encode()) % k for row in rows])
    log_odds = numpy.zeros((len(rows), len(number) + 1))
    for fold in range(k):
        counts = _count([row for row, each in zip(rows, folds, strict=True) if each != fold], number)
        own = numpy.flatnonzero(folds == fold)
        log_odds[own] = _log_odds(counts, [rows[each] for each in own])
    return log_odds


def _score(log_odds: Floats, rows: Sequence[PairRow], number: Mapping[str, int]) -> dict[str, float]:
    """Compute the share of pairs whose class has the highest log odds, and the geometric mean of the class's odds."""
    classes = numpy.asarray(_classes(rows, number))
    own = log_odds[numpy.arange(len(classes)), classes]
    return {
        "named_share": float((log_odds.argmax(axis=1) == classes).mean()),
        "own_odds_ratio": float(numpy.exp(own.mean())),
    }
