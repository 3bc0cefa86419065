"""All methods on one encoder, compared with a pipeline for each: size, words per second, and scores.

python -m benchmarks shared training/shared/model-best training/rere/tuned,training/kd/tuned corpus/test.spacy

SHARED was trained with `configs/shared.cfg`, the other pipelines by `make all`. Sizes are of packed pipelines. Scores
are of the triples that each component writes by itself; clusters have none.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import torch
import typer
from spacy.language import Language

from benchmarks.harness.stopwatch import extraction, time_rounds
from spacy_relext import get_records
from spacy_relext.annotations.triple import Record
from spacy_relext.bridge.packing import save_packed
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.reader import TripleCorpus

BATCH_SIZE, ROUNDS = 64, 5


def main(
    shared: Annotated[Path, typer.Argument(help="Pipeline of all components")],
    pipelines: Annotated[str, typer.Argument(help="Pipelines of one method each, comma-separated")],
    corpus: Annotated[Path, typer.Argument(help="Test corpus")],
) -> None:
    """Compare sizes, speeds and scores."""
    torch.set_num_threads(1)
    loaded = {name: load_pipeline(name) for name in (str(shared), *pipelines.split(","))}
    texts, words = read_texts(corpus)
    for name, nlp in loaded.items():
        scores = exact_scores(nlp, corpus)
        typer.echo(f"{name}: {packed_size(nlp):.1f} MB; {'; '.join(scores)}")
    works = {name: extraction(nlp, texts, batch_size=BATCH_SIZE) for name, nlp in loaded.items()}
    laps = time_rounds(works, rounds=ROUNDS)
    for name, times in laps.items():
        rates = [words / lap.cpu for lap in times]
        typer.echo(f"{name}: {statistics.fmean(rates):.0f} words/s, spread {statistics.stdev(rates):.0f}")
    together = [sum(lap.cpu for lap in round_) for round_ in zip(*(laps[name] for name in pipelines.split(",")))]
    ratios = [all_five / lap.cpu for all_five, lap in zip(together, laps[str(shared)], strict=True)]
    typer.echo(f"{statistics.fmean(ratios):.2f} times as fast as all together, spread {statistics.stdev(ratios):.2f}")


def read_texts(corpus: Path) -> tuple[list[str], int]:
    """RETURNS (tuple[list[str], int]): The texts, and how many tokens they have."""
    docs = [example.reference for example in TripleCorpus(corpus)(Language())]
    return [doc.text for doc in docs], sum(map(len, docs))


def packed_size(nlp: Language) -> float:
    """RETURNS (float): Megabytes of a pipeline as `spacy relext pack` stores it."""
    with tempfile.TemporaryDirectory() as folder:
        save_packed(nlp, Path(folder) / "packed")
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def exact_scores(nlp: Language, corpus: Path) -> list[str]:
    """RETURNS (list[str]): Precision, recall and F of the triples of each component, on raw text."""
    found, right, wanted = Counter[str](), Counter[str](), 0
    examples = list(TripleCorpus(corpus)(nlp))
    for doc, example in zip(nlp.pipe(each.text for each in examples), examples, strict=True):
        gold = {_key(record) for record in get_records(example.reference, source="") or ()}
        wanted += len(gold)
        for record in get_records(doc) or ():
            found[record["source"]] += 1
            right[record["source"]] += _key(record) in gold
    return [
        f"{source} P {100 * right[source] / count:.1f} R {100 * right[source] / wanted:.1f} "
        f"F {200 * right[source] / (count + wanted):.1f}"
        for source, count in sorted(found.items())
    ]


def _key(record: Record) -> tuple[object, ...]:
    return tuple(record["subject"]), record["relation"], tuple(record["object"])


if __name__ == "__main__":
    typer.run(main)
