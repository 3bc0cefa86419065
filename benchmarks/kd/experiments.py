"""The KD4NRE experiments on scores: what is trained, on what, by which teacher, and which rows it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import torch

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairData
from benchmarks.harness.intervals import difference, drawn_scores, interval_over_seeds
from benchmarks.harness.pairs import NOTHING, PairSet, pair_scores, pipeline_labels, read_pairs
from benchmarks.harness.rbert import load_rbert, peer_labels, run_rbert
from benchmarks.harness.runs import cached, digest
from benchmarks.kd.systems import (
    CROWDED_PARTS,
    DEFAULT,
    EFFICIENCY,
    FAST,
    FEW_PARTS,
    FIXED_EFFICIENCY,
    HEADLINE,
    MARKED,
    MINILM,
    PRIVILEGED_PARTS,
    SEMEVAL_PARTS,
    STUDENT,
    TABLE_4,
    TEACHER,
    Family,
    Part,
    System,
)
from benchmarks.kd.training import Unlabelled, maker_of, train_system


class Share(NamedTuple):
    """A share of the labels.

    percent (int): Of the training sentences.
    factor (int): Multiple of the epochs: with few sentences an epoch has few updates.
    systems (Mapping[str, System]): The systems trained on it.
    """

    percent: int
    factor: int
    systems: Mapping[str, System] = EFFICIENCY


SHARES = {
    "1%": Share(1, 10),
    "5%": Share(5, 6, FIXED_EFFICIENCY),
    "10%": Share(10, 4),
    "50%": Share(50, 2),
    "100%": Share(100, 1),
}
TYPES, SMOOTHED = ("--types",), ("--label-smoothing", "0.1", "--adversary", "1.0")


class PeerPart(NamedTuple):
    """The baseline as a part of an experiment.

    row (str): System name of its rows.
    options (tuple[str, ...]): Options of its program.
    passes (int): Multiple of the epochs.
    """

    row: str
    options: tuple[str, ...] = ()
    passes: int = 1


# As it is; with entity types in its text; with label smoothing and an adversary, as in our own systems; with all of
# that, and as many epochs as marked students.
PEER_PARTS = {
    "peer": PeerPart("peer:rbert"),
    "typed-peer": PeerPart("peer:rbert, types", TYPES),
    "smoothed-peer": PeerPart("peer:rbert, label smoothing, adversary", SMOOTHED),
    "equal-peer": PeerPart(
        "peer:rbert, types, label smoothing, adversary, twice the passes", (*TYPES, *SMOOTHED), MARKED.passes
    ),
}


class Answers(NamedTuple):
    """A trained system.

    folder (Path): Its training's folder.
    answer (Callable[[Path], list[str]]): Labels the pairs of a corpus.
    """

    folder: Path
    answer: Callable[[Path], list[str]]

    def labels(self, corpus: Path) -> list[str]:
        """Label the pairs of a corpus, unless that was done. RETURNS (list[str]): In the order of `read_pairs`."""
        stored = cached(self.folder / f"labels-{digest(corpus)}.json", lambda: {"labels": self.answer(corpus)})
        return list(stored["labels"])


def semeval(call: Call) -> None:
    """SemEval-2010 Task 8: the grid with supersenses and with NER types, ablations, controls, both encoders."""
    _compare(call, "semeval", SEMEVAL_PARTS)
    if call.wants("intervals"):
        _intervals(call, HEADLINE, "semeval_differences")
    if call.wants("table-4-intervals"):
        _intervals(call, TABLE_4, "semeval_table_4")
    if call.wants("fast-intervals"):
        _fast_intervals(call)


def _intervals(call: Call, systems: Mapping[str, System], benchmark: str) -> None:
    """Write the differences between the default and other systems on SemEval-2010's test, with their intervals."""
    data = maker_of(call).semeval()
    differences: dict[str, list[float]] = {}
    for seed in call.seeds:
        answers = {
            name: _run_system(call, "semeval", data, system, seed=seed, row=Part(systems).row_name(name))
            for name, system in systems.items()
        }
        if call.peer:
            answers["R-BERT"] = _run_peer(call, "semeval", data, "peer", seed=seed)
        found = _record_differences(call, data, answers, DEFAULT, benchmark=benchmark, row="default", seed=seed)
        _append(differences, found)
    _tell_intervals(call, differences, of="default")


def _fast_intervals(call: Call) -> None:
    """Write them for the student without a transformer: taught by MiniLM, compared with trained on labels alone."""
    data = maker_of(call).semeval()
    elders, alone = SEMEVAL_PARTS["fast-elders"], SEMEVAL_PARTS["fast"]
    (taught,) = elders.systems
    differences: dict[str, list[float]] = {}
    for seed in call.seeds:
        options: dict[str, Any] = {"seed": seed, "family": FAST}
        answers = {
            name: _run_system(call, "semeval", data, system, row=alone.row_name(name), **options)
            for name, system in alone.systems.items()
        }
        system, row = elders.systems[taught], elders.row_name(taught)
        answers["taught"] = _run_system(call, "semeval", data, system, row=row, elders=(data, MINILM), **options)
        found = _record_differences(
            call, data, answers, "taught", benchmark="semeval_fast_differences", row=row, seed=seed
        )
        _append(differences, found)
    _tell_intervals(call, differences, of="taught")


def _append(differences: dict[str, list[float]], found: Mapping[str, float]) -> None:
    for name, value in found.items():
        differences.setdefault(name, []).append(value)


def _tell_intervals(call: Call, differences: Mapping[str, list[float]], *, of: str) -> None:
    """Print a system's difference from each other one, with its interval over seeds if there are several."""
    for name, values in differences.items():
        if len(values) > 1:
            mean, low, high = (100 * each for each in interval_over_seeds(values))
            call.tell(f"{of} − {name}: {mean:.2f}, 95 % over {len(values)} seeds {low:.2f} to {high:.2f}")


def _record_differences(
    call: Call, data: PairData, answers: Mapping[str, Answers], mine: str, *, benchmark: str, row: str, seed: int
) -> dict[str, float]:
    """Compare a system's answers on test with those of others. RETURNS (dict[str, float]): Other → the difference."""
    (path,) = data.tests.values()
    gold = [row.labels[0] if row.labels else NOTHING for row in _pairs(path, data.marked).rows]
    scores = {name: drawn_scores(gold, system.labels(path)) for name, system in answers.items()}
    own, found = scores.pop(mine), {}
    for name, others in scores.items():
        interval = difference(own, others, score="macro_f")
        split = f"{'default' if mine == DEFAULT else mine} − {name}, test"
        call.record(benchmark, interval, data=call.describe(data), split=split, system=row, seed=seed)
        found[name] = interval["macro_f_difference"]
    return found


def conll04(call: Call) -> None:
    """CoNLL04, gold entities: the grid, ablations, controls, all encoders."""
    _compare(call, "conll04", CROWDED_PARTS)


def scierc(call: Call) -> None:
    """SciERC, gold entities: the grid, ablations, controls, all encoders."""
    _compare(call, "scierc", CROWDED_PARTS)


def labels(call: Call) -> None:
    """SemEval-2010 with 1 to 100 % of the labels; teacher and student see the same ones.

    All trainings have as many evaluations as with all labels: with few, evaluation would take longer than training, and
    the best of many epochs would be a matter of luck.
    """
    full = maker_of(call).semeval()
    for part, (percent, factor, systems) in SHARES.items():
        there, rows = _lengthened(call, factor), Part(systems)
        for seed in call.seeds if call.wants(part) else ():
            data = maker_of(call).share(full, percent, seed=seed)
            options: dict[str, Any] = {"described": call.describe(full), "suffix": f", {percent:g} % of the labels"}
            for name, system in systems.items():
                _run_system(there, "labels", data, system, seed=seed, row=rows.row_name(name), **options)
            if call.peer:
                _run_peer(there, "labels", data, "peer", seed=seed, **options)


def _lengthened(call: Call, factor: int) -> Call:
    """RETURNS (Call): The same with a multiple of the epochs, and the same number of evaluations."""
    settings = replace(call.settings, passes=call.settings.passes * factor, evaluate_every=factor)
    return replace(call, settings=settings)


def unlabelled(call: Call) -> None:
    """A tenth of the labels, and the other training sentences without labels, for teachers to label."""
    maker = maker_of(call)
    for make, parts in ((maker.semeval, FEW_PARTS), (maker.conll04, PRIVILEGED_PARTS)):
        if any(map(call.wants, parts)):
            _unlabelled(call, make(), parts)


def _unlabelled(call: Call, full: PairData, parts: Mapping[str, Part]) -> None:
    """Train and score the systems of all parts asked for."""
    percent, factor, _ = SHARES["10%"]
    maker, on_few = maker_of(call), _lengthened(call, factor)
    naming = {"described": call.describe(full), "suffix": f", {percent:g} % of the labels, the other sentences without"}
    for seed in call.seeds:
        few = maker.share(full, percent, seed=seed)
        more = Unlabelled(maker.unlabelled(full, percent, seed=seed), on_few)
        for part_name, part in parts.items():
            for name, system in part.systems.items() if call.wants(part_name) else ():
                options: dict[str, Any] = {"family": part.family, "row": part.row_name(name), **naming}
                if system.teacher is None or system.student is None:
                    _run_system(on_few, "unlabelled", few, system, seed=seed, **options)
                else:
                    options["elders"] = None if part.elders is None else (few, part.elders)
                    _run_system(call, "unlabelled", few, system, seed=seed, unlabelled=more, **options)


def _compare(call: Call, data_set: str, parts: Mapping[str, Part]) -> None:
    """Train and score the systems of all parts asked for with every seed, and the baseline too if asked."""
    make = getattr(maker_of(call), data_set)
    for seed in call.seeds:
        for part_name, part in parts.items():
            if call.wants(part_name):
                types = {"types": part.types} if part.types else {}
                data = make(parsed=part.family.parsed, **types)
                elders = None if part.elders is None else (make(parsed=part.elders.parsed, **types), part.elders)
                for name, system in part.systems.items():
                    options: dict[str, Any] = {"family": part.family, "elders": elders, "row": part.row_name(name)}
                    _run_system(call, data_set, data, system, seed=seed, **options)
        for part_name in PEER_PARTS if call.peer else ():
            if call.wants(part_name):
                _run_peer(call, data_set, make(), part_name, seed=seed)


def _run_system(
    call: Call,
    benchmark: str,
    data: PairData,
    system: System,
    *,
    seed: int,
    row: str,
    family: Family = MINILM,
    elders: tuple[PairData, Family] | None = None,
    unlabelled: Unlabelled | None = None,
    **naming: str,
) -> Answers:
    """Train a system, or find its training; score it and write its rows."""
    call.tell(f"{data.name}{naming.get('suffix', '')}: {row.removeprefix('ablation:')}, seed {seed}")
    options: dict[str, Any] = {"family": family, "elders": elders, "unlabelled": unlabelled}
    trained, seconds = train_system(call, data, system, seed=seed, **options)
    name = TEACHER if system.student is None else STUDENT

    def answer(path: Path) -> list[str]:
        return pipeline_labels(spacy.load(trained.pipeline), path, name=name, marked=data.marked)

    answers = Answers(trained.folder, answer)
    _score(call, benchmark, data, answers, row=row, seed=seed, seconds=seconds, **naming)
    return answers


def _run_peer(call: Call, benchmark: str, data: PairData, part: str, *, seed: int, **naming: str) -> Answers:
    """Train and score the baseline."""
    row, options, passes = PEER_PARTS[part]
    call.tell(f"{data.name}{naming.get('suffix', '')}: {row}, seed {seed}")
    settings = replace(call.settings, passes=call.settings.passes * passes)
    trained = run_rbert(data, seed=seed, settings=settings, options=options)

    def answer(path: Path) -> list[str]:
        return peer_labels(load_rbert(trained.model), _pairs(path, data.marked).rows)

    answers = Answers(trained.folder, answer)
    _score(call, benchmark, data, answers, row=row, seed=seed, seconds=trained.seconds, **naming)
    return answers


def _score(
    call: Call,
    benchmark: str,
    data: PairData,
    answers: Answers,
    *,
    row: str,
    seed: int,
    seconds: float,
    described: str = "",
    suffix: str = "",
) -> None:
    """Score the answers to dev and test pairs, unless that was done, and write the rows."""
    torch.set_num_threads(call.settings.threads)
    for split, path in {"dev": data.dev, **data.tests}.items():

        def score(path: Path = path) -> dict[str, Any]:
            return pair_scores(_pairs(path, data.marked), answers.labels(path), task=data.task)

        scores = cached(answers.folder / f"scores-{split}-{digest(path)}.json", score)
        name, options = call.split_name(data, split) + suffix, {"data": described or call.describe(data)}
        call.record(benchmark, scores, split=name, system=row, seed=seed, seconds=seconds, **options)
        main = "semeval_macro_f" if "semeval_macro_f" in scores else "micro_f"
        call.tell(f"  {split}: {main} {scores[main]:.4f}, {seconds:.0f} s of training")


@cache
def _pairs(corpus: Path, marked: bool) -> PairSet:
    return read_pairs(corpus, marked=marked)
