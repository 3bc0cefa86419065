"""A pipeline without a transformer, taught by the shipped one: F and words per second of both.

python -m benchmarks distilled corpus/default ../shared/data ../shared/models/en_vectors_glove_100d

The shipped pipeline labels sentences of DocRED's unlabelled documents, FewRel and T-REx. `configs/rere_fast.cfg` learns
from them and from the labelled corpora of `scripts/build_default.py`; `labels-alone` leaves the others out. Both are
tuned on the same dev corpus.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.few_labels import ENCODER
from benchmarks.harness.datasets import read_docs
from benchmarks.harness.runs import CONFIGS, ROOT, Settings, digest, fingerprint, run_module, train_run
from benchmarks.harness.stopwatch import extraction, time_rounds
from benchmarks.rere.unlabelled import join_corpora, label_texts, letters
from benchmarks.selfore.corpora import FEWREL, read_fewrel
from spacy_relext.bridge.shipped import FOLDER
from spacy_relext.corpora.loading import load_pipeline

sys.path.insert(0, str(ROOT / "scripts"))
from build_default import detokenize  # noqa: E402

CONFIG = CONFIGS / "rere_fast.cfg"
KEPT_ASIDE = ("dev", "documents-test", "prose-test", "prose-hard", "more-test", "more-assertions")
TESTS = ("documents-test", "prose-test", "prose-hard", "more-test")
BETA, ROUNDS, BATCH_SIZE = "0.7", 5, 64


def read_unlabelled(data: Path, most: int) -> Iterator[str]:
    """Yield sentences of DocRED and FewRel, and a text of each fact of T-REx, of at most `most` facts a relation."""
    for document in json.loads((data / "docred_unlabelled/test.json").read_text(encoding="utf8")):
        for words in document["sents"]:
            yield detokenize(words)[0]
    for pair in read_fewrel(data / FEWREL):
        yield detokenize(pair.words)[0]
    for path in sorted((data / "trex_lama").glob("P*/*.jsonl")):
        for line in path.read_text(encoding="utf8").splitlines()[:most]:
            evidence = json.loads(line)["evidences"][0]
            yield evidence["masked_sentence"].replace("[MASK]", evidence["obj_surface"])


def label(runs: Path, corpora: Path, data: Path, most: int) -> Path:
    """Let the shipped pipeline label texts that are not kept aside. RETURNS (Path): A corpus of pseudo-labels."""
    kept_aside = {letters(doc.text) for part in KEPT_ASIDE for doc in read_docs(corpora / f"{part}.spacy")}
    texts = {letters(text): text for text in read_unlabelled(data, most)}
    chosen = [text for key, text in texts.items() if key not in kept_aside]
    target = runs / f"labelled-{fingerprint([digest(FOLDER / 'sha256.txt'), chosen])}.spacy"
    if not target.exists():
        runs.mkdir(parents=True, exist_ok=True)
        label_texts("default", chosen, target, threads=1)
    return target


def train(name: str, corpus: Path, corpora: Path, vectors: Path, *, settings: Settings, epochs: int, seed: int) -> Path:
    """Train a student, and tune it as `make default` does. RETURNS (Path): The tuned pipeline."""
    changes = {"paths.vectors": str(vectors.resolve()), "training.max_epochs": epochs, "training.eval_frequency": 1000}
    dev = corpora / "dev.spacy"
    options: dict[str, Any] = {"train": corpus, "dev": dev, "seed": seed, "settings": settings, "changes": changes}
    trained = train_run(name, config=CONFIG, **options)
    tuned = trained.folder / "tuned"
    if not tuned.exists():
        arguments = [trained.pipeline, dev, tuned, "--no-gold-sents", "--beta", BETA]
        run_module("spacy_relext", "tune", *arguments, threads=1)
    return tuned


def evaluate(name: str, pipeline: Path | str, corpora: Path, folder: Path) -> None:
    """Print the scores on the texts kept aside."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in TESTS:
        output = folder / f"{part}.json"
        arguments = [pipeline, corpora / f"{part}.spacy", "--no-gold-sents", "--output", output]
        run_module("spacy_relext", "evaluate", *arguments, threads=1)
        scores = json.loads(output.read_text(encoding="utf8"))
        shown = ", ".join(f"{key} {100 * scores[key]:.1f}" for key in ("exact_p", "exact_r", "exact_f"))
        typer.echo(f"{name}, {part}: {shown}")


def time(pipelines: dict[str, Path | str], corpora: Path) -> None:
    """Print words per second of processor time, from text to triples, measured in turn on one thread."""
    torch.set_num_threads(1)
    loaded = {name: load_pipeline(str(pipeline)) for name, pipeline in pipelines.items()}
    docs = [doc for part in TESTS for doc in read_docs(corpora / f"{part}.spacy")]
    works = {name: extraction(nlp, [doc.text for doc in docs], batch_size=BATCH_SIZE) for name, nlp in loaded.items()}
    words = sum(map(len, docs))
    for name, laps in time_rounds(works, rounds=ROUNDS).items():
        rates = [words / lap.cpu for lap in laps]
        typer.echo(f"{name}: {statistics.fmean(rates):.0f} words/s, spread {statistics.stdev(rates):.0f}")


def main(
    corpora: Annotated[Path, typer.Argument(help="Folder that scripts/build_default.py wrote")],
    data: Annotated[Path, typer.Argument(help="Folder with docred_unlabelled, fewrel and trex_lama")],
    vectors: Annotated[Path, typer.Argument(help="Pipeline with word vectors")],
    runs: Annotated[Path, typer.Option(help="Folder of the trainings")] = ROOT / "benchmarks/runs/distilled",
    epochs: Annotated[int, typer.Option(help="Epochs of the taught student")] = 4,
    facts: Annotated[int, typer.Option(help="Facts of each relation of T-REx")] = 400,
    seeds: Annotated[str, typer.Option(help="Seeds")] = "0",
) -> None:
    """Train the student of the shipped pipeline, and measure both."""
    labelled, labels = label(runs, corpora, data, facts), corpora / "train.spacy"
    evaluate("default", "default", corpora, runs / "default")
    # without the other texts, twice the epochs take as many steps
    students = {"taught": (join_corpora(labels, labelled), epochs), "labels-alone": (labels, 2 * epochs)}
    settings = Settings(runs=runs, encoder=ENCODER, passes=0, threads=1, precision="fp32")
    for seed, name in product(map(int, seeds.split(",")), students):
        corpus, passes = students[name]
        pipeline = train(name, corpus, corpora, vectors, settings=settings, epochs=passes, seed=seed)
        evaluate(f"{name}, seed {seed}", pipeline, corpora, pipeline.parent / "scores")
        if name == "taught":
            time({"default": "default", name: pipeline}, corpora)


if __name__ == "__main__":
    typer.run(main)
