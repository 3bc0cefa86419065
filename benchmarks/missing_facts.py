"""Missing labels in whole documents: what each loss of `relext_documents` finds when facts of the training are dropped.

python -m benchmarks missing-facts corpus/documents training/rere/model-best

CORPORA is a folder that scripts/build_documents.py wrote. Facts of Re-DocRED's training and tuning documents are
dropped at random, each with all of its triples; the test documents keep theirs. A pipeline learns nothing but facts,
between given entities, so that the loss alone differs. Its encoder has seen none of these documents: `make all` trains
START on the project's prose. It is tuned on the thinned documents. The learning rate of each
loss is the one with the best F1 on them, with the first rate of dropped facts and the first seed. A finished training
is not repeated.
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.tokens import Doc
from thinc.api import Config

from benchmarks.harness.datasets import read_docs
from benchmarks.harness.runs import CONFIGS, ROOT, cached, digest, fingerprint, run_logged
from spacy_relext.annotations.doc_entities import get_facts
from spacy_relext.annotations.store import get_triples, set_triples
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.documents.settings import LOSSES
from spacy_relext.pipeline.tuning import tune_pipeline

sys.path.insert(0, str(ROOT / "scripts"))
from build_corpus import write_corpus  # noqa: E402

ENCODER = "tok2vec/model"
COMPONENTS = ["sentencizer", "tok2vec", "documents"]
TUNED = "facts_f_dev"
SCORES = ("facts_p", "facts_r", "facts_f", "facts_across_r")


def drop_facts(docs: Iterable[Doc], rate: float, *, seed: int) -> Iterator[Doc]:
    """Drop facts of documents, each with probability `rate` and with all triples that state it."""
    draw = random.Random(seed)
    for doc in docs:
        dropped = {triple for fact in get_facts(doc) if draw.random() < rate for triple in fact.triples}
        set_triples(doc, [triple for triple in get_triples(doc) if triple not in dropped])
        yield doc


def write_config(
    path: Path, start: Path, *, train: Path, dev: Path, loss: str, rate: float, learn_rate: float, steps: int, seed: int
) -> None:
    """Write a config of `configs/documents.cfg` with an encoder of its own, on given entities."""
    config = Config().from_disk(CONFIGS / "documents.cfg", interpolate=False)
    config["paths"] = {"train": str(train), "dev": str(dev), "pipeline": str(start.resolve())}
    config["nlp"]["pipeline"] = COMPONENTS
    documents = config["components"]["documents"]
    documents["loss"] = {"@misc": "spacy_relext.DocumentsLoss.v1", "kind": loss, "missing_rate": rate}
    config["components"] = {name: {"source": "${paths.pipeline}"} for name in COMPONENTS} | {"documents": documents}
    for corpus in config["corpora"].values():
        corpus["gold_ents"] = True
    config["training"].update(seed=seed, max_steps=steps, eval_frequency=steps, annotating_components=["sentencizer"])
    config["training"]["optimizer"]["learn_rate"]["initial_rate"] = learn_rate
    config["training"]["score_weights"] = {"facts_f": 1.0}
    config["initialize"]["components"] = {}
    config.to_disk(path, interpolate=False)


def run(folder: Path, corpora: Path, start: Path, *, rate: float, seed: int, **settings: Any) -> dict[str, float]:
    """Train with a loss on thinned documents, tune on thinned ones, and score on complete ones."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: dict[str, Any] = {part: folder / f"{part}.spacy" for part in ("train", "dev")}
    for part, path in paths.items():
        write_corpus(path, drop_facts(read_docs(corpora / f"redocred-{part}.spacy"), rate, seed=seed))
    write_config(folder / "config.cfg", start, **paths, rate=rate, seed=seed, **settings)
    command = [sys.executable, "-m", "spacy", "train", str(folder / "config.cfg"), "--output", str(folder / "model")]
    run_logged(command, folder / "train.log", threads=1)
    nlp = load_pipeline(folder / "model" / "model-last")
    held_out, test = (
        list(TripleCorpus(path, gold_sents=False, gold_ents=True)(nlp))
        for path in (paths["dev"], corpora / "redocred-test.spacy")
    )
    (tuned,) = tune_pipeline(nlp, held_out).values()
    scores: dict[str, Any] = nlp.evaluate(test)
    shutil.rmtree(folder / "model")
    return {TUNED: tuned["after"], **{name: scores[name] for name in SCORES}}


def main(
    corpora: Annotated[Path, typer.Argument(help="Folder that scripts/build_documents.py wrote")],
    start: Annotated[Path, typer.Argument(help="Pipeline whose encoder the trainings begin with")],
    runs: Annotated[Path, typer.Option(help="Folder of the trainings")] = ROOT / "benchmarks/runs/missing_facts",
    rates: Annotated[str, typer.Option(help="Shares of facts that are dropped")] = "0.3,0.5",
    losses: Annotated[str, typer.Option(help="Losses")] = ",".join(LOSSES),
    learn_rates: Annotated[str, typer.Option(help="Learning rates to choose from")] = "2e-3,1e-3,5e-4",
    seeds: Annotated[str, typer.Option(help="Seeds")] = "0,1,2",
    steps: Annotated[int, typer.Option(help="Updates")] = 700,
) -> None:
    """Train on documents whose facts are known in part."""
    wanted = [digest(path) for path in (CONFIGS / "documents.cfg", corpora / "redocred-train.spacy", start / ENCODER)]

    def result(loss: str, rate: float, learn_rate: str, seed: str) -> dict[str, float]:
        folder = runs / f"{loss}-{rate:g}-{learn_rate}-{seed}-{fingerprint([*wanted, steps])}"
        options: dict[str, Any] = {"loss": loss, "learn_rate": float(learn_rate), "steps": steps, "seed": int(seed)}
        return cached(folder / "result.json", lambda: run(folder, corpora, start, rate=rate, **options))

    all_rates, all_seeds, tried = [float(rate) for rate in rates.split(",")], seeds.split(","), learn_rates.split(",")
    for loss in losses.split(","):
        found = {each: result(loss, all_rates[0], each, all_seeds[0])[TUNED] for each in tried}
        chosen = max(found, key=found.__getitem__)
        shown = ", ".join(f"{100 * f:.1f} with {each}" for each, f in found.items())
        typer.echo(f"{loss}: learning rate {chosen}; tuning documents: {shown}")
        for rate in all_rates:
            scores = [result(loss, rate, chosen, seed) for seed in all_seeds]
            typer.echo(f"{100 * rate:g} % dropped, {loss}: {', '.join(_mean(scores, name) for name in SCORES)}")


def _mean(scores: Sequence[Mapping[str, float]], name: str) -> str:
    values = [100 * each[name] for each in scores]
    return f"{name} {statistics.fmean(values):.1f} ± {statistics.stdev(values) if len(values) > 1 else 0:.1f}"


if __name__ == "__main__":
    typer.run(main)
