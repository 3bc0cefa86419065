"""Few labels: what 25 to 200 labelled sentences of CoNLL04 teach a pipeline, by what it starts from.

python -m benchmarks few-labels CONLL04

A draw has training sentences, and a fifth as many for tuning. Systems start from a checkpoint (`scratch`), from the
encoder of the shipped pipeline (`encoder`) or from all of it (`start`), with and without negatives, with as many steps
as `init-config` chooses. Counted are exact F1 on CoNLL04's test sentences, and triples in 500 sentences of the prose
that state no relation. A finished training is not repeated.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.language import Language
from thinc.api import Config

from benchmarks.harness.runs import DEFAULT_CONFIG, ROOT, cached, digest, fingerprint, run_logged
from spacy_relext.annotations.triple import Record
from spacy_relext.bridge.shipped import FOLDER
from spacy_relext.cli.init_config import make_config
from spacy_relext.corpora.convert import load_tokenizer
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.pipeline.tuning import tune_pipeline

sys.path.insert(0, str(ROOT / "scripts"))
from build_corpus import read_prose, write_corpus  # noqa: E402
from build_default import detokenize  # noqa: E402

SYSTEMS = ("scratch", "encoder", "start")
SENTENCES = 500  # to which the number of triples in unrelated sentences is scaled
ENCODER = ROOT / "assets/encoder/all-MiniLM-L6-v2"


def read_conll04(path: Path) -> Iterator[Record]:
    """Yield a canonical record for each sentence: words, BILOU tags, and relations between numbered entities."""
    for row in json.loads(path.read_text(encoding="utf8")):
        text, places = detokenize(row["tokens"])
        first, entities = 0, []
        for number, tag in enumerate(row["tags"]):
            first = number if tag[0] in "BU" else first
            if tag[0] in "LU":
                entities.append({"start": places[first][0], "end": places[number][1], "label": tag[2:]})
        spans = [[entity["start"], entity["end"]] for entity in entities]
        triples = [
            {"subject": spans[each["head"]], "relation": each["type"], "object": spans[each["tail"]]}
            for each in row["relations"]
        ]
        yield {"text": text, "entities": entities, "triples": triples}


def write(path: Path, records: Iterable[Record]) -> None:
    """Write a corpus of single sentences."""
    make_doc = load_tokenizer("en").make_doc
    write_corpus(path, (record_to_doc(make_doc, record, one_sentence=True) for record in records))


def write_config(path: Path, *, train: Path, dev: Path, system: str, negatives: float, seed: int) -> Path:
    """Write the config of a system: that of `init-config`, with less to start from."""
    config = Config().from_str(make_config("labels", train=train), interpolate=False)
    config["paths"].update(train=str(train), dev=str(dev))
    config["corpora"]["train"]["negatives"] = negatives
    config["training"]["seed"] = seed
    if system != "start":
        config["initialize"]["after_init"] = None
    if system == "scratch":
        config["components"]["tok2vec"] = Config().from_disk(DEFAULT_CONFIG, interpolate=False)["components"]["tok2vec"]
        config["paths"]["encoder"] = str(ENCODER)
    config.to_disk(path, interpolate=False)
    return path


def measure(nlp: Language, corpora: Path, dev: Path) -> dict[str, float]:
    """Count triples in unrelated sentences, and evaluate on the test sentences before and after tuning."""
    texts = [doc.text for doc in iter_docs(corpora / "unrelated.spacy", nlp.vocab)]
    test, held_out = (list(TripleCorpus(path, gold_sents=False)(nlp)) for path in (corpora / "test.spacy", dev))
    result: dict[str, float] = {}
    for name in ("", "tuned "):
        if name:
            tune_pipeline(nlp, held_out)
        scores: dict[str, Any] = nlp.evaluate(test)
        result[f"{name}exact_f"] = scores["exact_f"]
        found = sum(len(doc._.triples) for doc in nlp.pipe(texts))
        result[f"{name}unrelated_found"] = found * SENTENCES / len(texts)
    return result


def run(folder: Path, corpora: Path, *, draw: int, size: int, system: str, negatives: float) -> dict[str, float]:
    """Train a system on a draw, and measure it."""
    train, dev = (corpora / f"{part}-{size}-{draw}.spacy" for part in ("train", "dev"))
    folder.mkdir(parents=True, exist_ok=True)
    options = {"train": train, "dev": dev, "system": system, "negatives": negatives, "seed": draw}
    config = write_config(folder / "config.cfg", **options)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "spacy", "train", str(config), "--output", str(folder / "model")]
    run_logged(command, folder / "train.log", threads=1)
    return measure(load_pipeline(folder / "model" / "model-best"), corpora, dev)


def main(
    data: Annotated[Path, typer.Argument(help="Folder of CoNLL04 as JSON")],
    runs: Annotated[Path, typer.Option(help="Folder of the trainings")] = ROOT / "benchmarks/runs/few_labels",
    sizes: Annotated[str, typer.Option(help="Numbers of training sentences")] = "25,50,100,200",
    draws: Annotated[int, typer.Option(help="Number of draws")] = 3,
    systems: Annotated[str, typer.Option(help="What to start from")] = ",".join(SYSTEMS),
    negatives: Annotated[str, typer.Option(help="Negatives for each sentence")] = "0,1",
) -> None:
    """Train on few sentences of CoNLL04."""
    corpora, prose = runs / "corpora", ROOT / "assets/prose"
    sentences = list(read_conll04(data / "conll04_train.json"))
    write(corpora / "test.spacy", read_conll04(data / "conll04_test.json"))
    tests = [record for folder in (prose, prose / "more") for record in read_prose(folder, "test*.txt")]
    unrelated = [record for record in tests if not record["triples"]]
    write(corpora / "unrelated.spacy", unrelated)
    found = sum(len(doc._.triples) for doc in load_pipeline("default").pipe(record["text"] for record in unrelated))
    typer.echo(f"default: {found * SENTENCES / len(unrelated):.1f} triples in {SENTENCES} unrelated sentences")
    wanted = [make_config("labels"), digest(FOLDER / "meta.json")]
    settings = map(int, sizes.split(",")), systems.split(","), map(float, negatives.split(","))
    for size, system, ratio in product(*settings):
        rows = []
        for draw in range(draws):
            order = random.Random(draw).sample(sentences, size + size // 5)
            write(corpora / f"train-{size}-{draw}.spacy", order[:size])
            write(corpora / f"dev-{size}-{draw}.spacy", order[size:])
            options: dict[str, Any] = {"draw": draw, "size": size, "system": system, "negatives": ratio}
            folder = runs / f"{system}-{size}-{ratio:g}-{draw}-{fingerprint(wanted)}"
            rows.append(cached(folder / "result.json", lambda: run(folder, corpora, **options)))  # noqa: B023
        means = {key: statistics.fmean(row[key] for row in rows) for key in rows[0]}
        shown = ", ".join(f"{key} {100 * mean if key.endswith('_f') else mean:.1f}" for key, mean in means.items())
        typer.echo(f"{size} sentences, {system}, negatives {ratio:g}: {shown}")


if __name__ == "__main__":
    typer.run(main)
