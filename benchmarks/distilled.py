"""A pipeline without a transformer, taught by the shipped one: F and words per second of both.

python -m benchmarks distilled corpus/default ../shared/data ../shared/models/en_vectors_glove_100d

The shipped pipeline labels sentences of DocRED's unlabelled documents, FewRel and T-REx. `configs/rere_fast.cfg` learns
from them and from the labelled corpora of `scripts/build_default.py`; `labels alone` leaves the others out. Both are
tuned on the same dev corpus.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.harness.runs import CONFIGS, ROOT, digest, fingerprint, run_logged, run_module
from benchmarks.harness.stopwatch import extraction, time_rounds
from benchmarks.rere.unlabelled import letters
from spacy_relext.bridge.shipped import FOLDER
from spacy_relext.corpora.convert import convert, load_pipeline
from spacy_relext.corpora.records import write_jsonl
from spacy_relext.corpora.shards import iter_docs

sys.path.insert(0, str(ROOT / "scripts"))
from build_default import detokenize  # noqa: E402

CONFIG = CONFIGS / "rere_fast.cfg"
KEPT_ASIDE = ("dev", "documents-test", "prose-test", "prose-hard", "more-test", "more-assertions")
TESTS = ("documents-test", "prose-test", "prose-hard", "more-test")
BETA, ROUNDS, BATCH_SIZE = "0.7", 5, 64


def read_unlabelled(data: Path, most: int) -> Iterator[str]:
    """Yield sentences of DocRED and FewRel, and then one of each fact of T-REx, at most `most` of them."""
    for document in json.loads((data / "docred_unlabelled/test.json").read_text(encoding="utf8")):
        for words in document["sents"]:
            yield detokenize(words)[0]
    for examples in json.loads((data / "fewrel/val_wiki.json").read_text(encoding="utf8")).values():
        for example in examples:
            yield detokenize(example["tokens"])[0]
    for path in sorted((data / "trex_lama").glob("P*/*.jsonl")):
        rows = map(json.loads, path.read_text(encoding="utf8").splitlines()[:most])
        for evidence in (row["evidences"][0] for row in rows):
            yield evidence["masked_sentence"].replace("[MASK]", evidence["obj_surface"])


def label(runs: Path, corpora: Path, data: Path, most: int) -> Path:
    """Let the shipped pipeline label texts that are not kept aside. RETURNS (Path): A corpus of pseudo-labels."""
    nlp = load_pipeline("default")
    kept_aside = {letters(doc.text) for part in KEPT_ASIDE for doc in iter_docs(corpora / f"{part}.spacy", nlp.vocab)}
    texts = {letters(text): text for text in read_unlabelled(data, most)}
    records = [{"text": text, "sents": [[0, len(text)]]} for key, text in texts.items() if key not in kept_aside]
    folder = runs / f"labelled-{fingerprint([digest(FOLDER / 'sha256.txt'), records])}"
    pool, found, target = folder / "pool.jsonl", folder / "found.jsonl", folder / "found.spacy"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_jsonl(pool, records)
        run_module("spacy_relext", "extract", "default", pool, found, "--force", threads=1)
        convert("jsonl", [found], target, pseudo_labels=True)
    return target


def train(folder: Path, corpora: Path, vectors: Path, *, labelled: Path | None, epochs: int, seed: int) -> Path:
    """Train a student and tune it. RETURNS (Path): Its folder."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for source in filter(None, (corpora / "train.spacy", labelled)):
        shutil.copy(source, corpus)
    if not (folder / "tuned").exists():
        paths = {"train": corpus, "dev": corpora / "dev.spacy", "vectors": vectors}
        settings: dict[str, object] = {f"paths.{name}": path.resolve() for name, path in paths.items()}
        settings |= {"training.max_epochs": epochs, "training.seed": seed, "training.eval_frequency": 1000}
        options = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        command = [sys.executable, "-m", "spacy", "train", str(CONFIG), "--output", str(folder / "model"), *options]
        run_logged(command, folder / "train.log", threads=1)
        tune(folder / "model/model-best", corpora, folder / "tuned")
    return folder / "tuned"


def tune(pipeline: Path | str, corpora: Path, output: Path) -> None:
    """Choose thresholds as `make default` does."""
    arguments = [pipeline, corpora / "dev.spacy", output, "--no-gold-sents", "--beta", BETA]
    run_module("spacy_relext", "tune", *arguments, threads=1)


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
    docs = [doc for part in TESTS for doc in iter_docs(corpora / f"{part}.spacy", loaded["default"].vocab)]
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
    alone: Annotated[bool, typer.Option(help="Also train on the labelled corpora alone")] = True,
) -> None:
    """Train the student of the shipped pipeline, and measure both."""
    labelled = label(runs, corpora, data, facts)
    evaluate("default", "default", corpora, runs / "default")
    for seed in map(int, seeds.split(",")):
        # without the other texts, twice the epochs take as many steps
        students = {"taught": (labelled, epochs), **({"labels alone": (None, 2 * epochs)} if alone else {})}
        for name, (found, passes) in students.items():
            wanted = [name, passes, digest(corpora / "train.spacy"), found and digest(found), CONFIG.read_text("utf8")]
            folder = runs / f"{name.replace(' ', '-')}-{seed}-{fingerprint(wanted)}"
            pipeline = train(folder, corpora, vectors, labelled=found, epochs=passes, seed=seed)
            evaluate(f"{name}, seed {seed}", pipeline, corpora, folder / "scores")
            if found:
                time({"default": "default", name: pipeline}, corpora)


if __name__ == "__main__":
    typer.run(main)
