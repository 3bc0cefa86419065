"""The KD4NRE experiment on speed and memory: student, teacher and baseline, with one and with eight pairs per sentence.

As a program it loads a system, classifies the pairs of a corpus and prints the peak of its memory in MiB:

    python -m benchmarks.kd.speed pipeline|peer MODEL CORPUS.spacy BATCH_SIZE
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairData
from benchmarks.harness.pairs import read_pairs
from benchmarks.harness.rbert import TrainedPeer, load_rbert, run_rbert, to_records
from benchmarks.harness.runs import Trained, run_module
from benchmarks.harness.stopwatch import Work, lap_ratios, peak_memory, time_rounds
from benchmarks.kd.systems import (
    CGCN,
    DEFAULT,
    MARKED,
    MARKED_LATE,
    MARKERS,
    MINILM,
    PLAIN,
    READ_TWICE,
    SHARED,
    WITHOUT_ADVERSARY,
    Family,
    Part,
    System,
    V,
)
from benchmarks.kd.training import maker_of, train_system
from spacy_relext.corpora.reader import copy_entities, copy_parse
from spacy_relext.corpora.records import set_sentence_starts
from spacy_relext.corpora.shards import iter_docs

PAIRS = (1, 8)
BATCH_SIZES = (1, 32)
PEER = "peer:rbert"
WITHOUT, TWICE = f"{DEFAULT}, no adversary", f"{DEFAULT}, read twice"
TEACHER_ROW, STUDENT_ROW = "ablation:teacher-V", "default"
# Row → its encoder and what is trained.
SYSTEMS: dict[str, tuple[Family, System]] = {
    STUDENT_ROW: (MINILM, System(V, PLAIN)),
    TEACHER_ROW: (MINILM, System(V)),
    Part(MARKERS).row_name(next(iter(MARKERS))): (MINILM, MARKED_LATE),
    Part(MARKERS, SHARED).row_name(DEFAULT): (SHARED, System(V, PLAIN)),
    Part(MARKERS, MARKED).row_name(DEFAULT): (MARKED, System(V, PLAIN)),
    f"ablation:{WITHOUT}": (MINILM, WITHOUT_ADVERSARY[WITHOUT]),
    f"ablation:{TWICE}": (MINILM, READ_TWICE[TWICE]),
    Part(MARKERS, CGCN).row_name(DEFAULT): (CGCN, System(V, PLAIN)),
}


def speed(call: Call) -> None:
    """Measure with one and with eight pairs per sentence, of the same sentences; parts: training, extraction, memory.

    call (Call): One training per seed, and one round per seed for what is timed in rounds.
    """
    torch.set_num_threads(call.settings.threads)
    for pairs in PAIRS:
        data = {family.parsed: maker_of(call).crowded(pairs, parsed=family.parsed) for family in (MINILM, CGCN)}
        seeds = call.seeds if call.wants("training") else call.seeds[:1]
        for number, seed in enumerate(seeds):
            trained: dict[str, Trained] = {}
            for row, (family, system) in SYSTEMS.items():
                call.tell(f"{spell_pairs(pairs)}: {row.removeprefix('ablation:')}, seed {seed}")
                trained[row], _ = train_system(call, data[family.parsed], system, seed=seed, family=family)
            call.tell(f"{spell_pairs(pairs)}: {PEER}, seed {seed}")
            peer = run_rbert(data[False], seed=seed, settings=call.settings)
            if call.wants("training"):
                _record_training(call, data[False], pairs, trained, peer, seed)
            if not number and call.wants("extraction"):
                _time_extraction(call, data, pairs, trained, peer)
            if not number and call.wants("memory"):
                _measure_memory(call, data, pairs, trained, peer)


def _record_training(
    call: Call, data: PairData, pairs: int, trained: Mapping[str, Trained], peer: TrainedPeer, seed: int
) -> None:
    """Write pairs per second of updates; the student's time does not include its teacher's."""
    total = len(read_pairs(data.train, marked=True).rows) * call.settings.passes
    seconds = {row: run.seconds / SYSTEMS[row][0].passes for row, run in trained.items()}
    seconds[PEER] = peer.seconds
    for row, took in seconds.items():
        metrics = {"pairs_per_second": total / took}
        if row != PEER:
            metrics["peer_ratio"] = seconds[PEER] / took
        if row == STUDENT_ROW:
            metrics["teacher_ratio"] = seconds[TEACHER_ROW] / took
        _record(call, data, metrics, split=f"training, {spell_pairs(pairs)}", system=row, seed=seed)


def _time_extraction(
    call: Call, data: Mapping[bool, PairData], pairs: int, trained: Mapping[str, Trained], peer: TrainedPeer
) -> None:
    """Time extraction from texts with given entities and pairs to triples, in rounds."""
    total = len(read_pairs(data[False].tests["test"], marked=True).rows)
    pipelines = {row: spacy.load(run.pipeline) for row, run in trained.items()}
    loaded = load_rbert(peer.model)
    for batch_size in BATCH_SIZES:
        call.tell(f"{spell_pairs(pairs)}: extraction in batches of {batch_size}")
        contestants = {
            row: given_extraction(nlp, data[SYSTEMS[row][0].parsed].tests["test"], batch_size=batch_size)
            for row, nlp in pipelines.items()
        }
        contestants[PEER] = _peer_extraction(loaded, data[False].tests["test"], pairs=pairs, batch_size=batch_size)
        laps = time_rounds(contestants, rounds=len(call.seeds))
        split = f"extraction, {spell_pairs(pairs)}, {batch_size} sentence{'s' * (batch_size > 1)} a batch"
        for number, seed in enumerate(call.seeds):
            for row, times in laps.items():
                metrics = {"pairs_per_second": total / times[number].wall}
                if row != PEER:
                    metrics.update(lap_ratios("peer_ratio", laps[PEER][number], times[number]))
                if row == STUDENT_ROW:
                    metrics.update(lap_ratios("teacher_ratio", laps[TEACHER_ROW][number], times[number]))
                _record(call, data[False], metrics, split=split, system=row, seed=seed)


def _measure_memory(
    call: Call, data: Mapping[bool, PairData], pairs: int, trained: Mapping[str, Trained], peer: TrainedPeer
) -> None:
    """Write the peak memory of processes that load a system and extract."""
    models = {row: ("pipeline", run.pipeline, data[SYSTEMS[row][0].parsed]) for row, run in trained.items()}
    models[PEER] = ("peer", peer.model, data[False])
    for row, (kind, model, corpora) in models.items():
        call.tell(f"{spell_pairs(pairs)}: memory of {row.removeprefix('ablation:')}")
        arguments = (kind, model, corpora.tests["test"], BATCH_SIZES[-1])
        printed = run_module("benchmarks.kd.speed", *arguments, threads=call.settings.threads)
        metrics = {"peak_mib": float(printed.split()[-1])}
        split = f"extraction, {spell_pairs(pairs)}, {BATCH_SIZES[-1]} sentences a batch"
        _record(call, data[False], metrics, split=split, system=row, seed=call.seeds[0])


def given_extraction(nlp: Language, corpus: Path, *, batch_size: int) -> Work:
    """Return a pipeline's work: tokens, given annotation, triples. A parse is given too, where there is one.

    RETURNS (Work): For `time_rounds`.
    """
    references = list(iter_docs(corpus, nlp.vocab))

    def given(reference: Doc) -> Doc:
        doc = nlp.make_doc(reference.text)
        set_sentence_starts(doc, [sent.start_char for sent in reference.sents])
        copy_parse(reference, doc)
        copy_entities(reference, doc)
        return doc

    if batch_size == 1:
        return lambda: [nlp(given(reference)) for reference in references]
    return lambda: list(nlp.pipe((given(reference) for reference in references), batch_size=batch_size))


def _peer_extraction(peer: Any, corpus: Path, *, pairs: int, batch_size: int) -> Work:
    """Return the peer's work, on the pairs of as many sentences at a time: neither system may look further ahead."""
    records = to_records(read_pairs(corpus, marked=True).rows)
    step = pairs * batch_size
    calls = [records[at : at + step] for at in range(0, len(records), step)]
    return lambda: [peer.predict(part) for part in calls]


def spell_pairs(pairs: int) -> str:
    """RETURNS (str): Such as "1 pair a sentence"."""
    return f"{pairs} pair{'s' * (pairs > 1)} a sentence"


def _record(call: Call, data: PairData, metrics: dict[str, float], *, split: str, system: str, seed: int) -> None:
    described = f"{call.describe(data)}, {call.settings.threads} thread{'s' * (call.settings.threads > 1)}"
    call.record("speed", metrics, data=described, split=split, system=system, seed=seed)


def _main(arguments: Sequence[str]) -> None:
    kind, model, corpus, batch_size = arguments
    if kind == "peer":
        _peer_extraction(load_rbert(Path(model)), Path(corpus), pairs=1, batch_size=int(batch_size))()
    else:
        given_extraction(spacy.load(model), Path(corpus), batch_size=int(batch_size))()
    print(peak_memory())


if __name__ == "__main__":
    _main(sys.argv[1:])
