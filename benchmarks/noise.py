"""Noise in texts: what dropped, swapped and misread characters do to precision, recall and calibration.

python -m benchmarks noise default corpus/default/prose-test.spacy

Characters of the test texts are changed at random, and the offsets of their annotation with them. Misread characters
are those that optical character recognition takes for each other.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.tokens import Doc
from spacy.training import Example

from benchmarks.harness.datasets import read_docs
from spacy_relext.annotations.triple import Record
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.scoring.evaluation import evaluate_pipeline

KINDS = ("dropped", "swapped", "misread")
MISREAD = {"l": "1", "1": "l", "O": "0", "0": "O", "m": "rn", "e": "c", "c": "e", "B": "8", "S": "5", "5": "S"}
MISREAD |= {"i": "l", "I": "l", "h": "b", "a": "o", "g": "q", "u": "n", "n": "u", "t": "f", "w": "vv", "d": "cl"}
SCORES = ("exact_p", "exact_r", "exact_f", "ece", "precision_at_coverage_50")


def add_noise(text: str, kind: str, rate: float, draw: random.Random) -> tuple[str, list[int]]:
    """Change characters of a text.

    rate (float): Share of the characters that are changed: letters and digits, for "misread" those that look alike.
    RETURNS (tuple[str, list[int]]): The text, and the new offset of each old one, the end's included.
    """
    parts: list[str] = []
    places: list[int] = []
    at = length = 0
    while at < len(text):
        char = text[at]
        places.append(length)
        is_drawn = char.isalnum() and draw.random() < rate
        if is_drawn and kind == "swapped" and text[at + 1 : at + 2].isalnum():
            places.append(length + 1)
            made, at = text[at + 1] + char, at + 2
        else:
            made = (
                ""
                if is_drawn and kind == "dropped"
                else MISREAD.get(char, char)
                if is_drawn and kind == "misread"
                else char
            )
            at += 1
        parts.append(made)
        length += len(made)
    return "".join(parts), [*places, length]


def noisy_record(record: Record, kind: str, rate: float, draw: random.Random) -> Record:
    """Change the text of a canonical record, and move its offsets; what has lost all of its characters is left out."""
    text, places = add_noise(record["text"], kind, rate, draw)

    def moved(span: Sequence[int]) -> list[int]:
        return [places[span[0]], places[span[1]]]

    made: Record = {**record, "text": text}
    made.pop("words", None)
    if "sents" in record:
        made["sents"] = [moved(each) for each in record["sents"]]
    entities = [
        {**each, **dict(zip(("start", "end"), moved((each["start"], each["end"])), strict=True))}
        for each in record["entities"]
    ]
    made["entities"] = [each for each in entities if text[each["start"] : each["end"]].strip()]
    triples = [
        {**each, "subject": moved(each["subject"]), "object": moved(each["object"])} for each in record["triples"]
    ]
    made["triples"] = [
        each for each in triples if all(text[slice(*each[role])].strip() for role in ("subject", "object"))
    ]
    return made


def noisy_docs(
    docs: Sequence[Doc], make_doc: Callable[[str], Doc], *, kind: str, rate: float, seed: int
) -> Iterator[Doc]:
    """Make the documents anew, with noise."""
    draw = random.Random(seed)
    for doc in docs:
        record = doc_to_record(doc)
        yield record_to_doc(make_doc, noisy_record({"entities": [], "triples": [], **record}, kind, rate, draw))


def main(
    pipeline: Annotated[str, typer.Argument(help="Pipeline, or default")],
    corpus: Annotated[Path, typer.Argument(help="Corpus with gold triples")],
    rates: Annotated[str, typer.Option(help="Shares of the characters")] = "0.02,0.05,0.1",
    seeds: Annotated[int, typer.Option(help="Number of draws")] = 3,
) -> None:
    """Score a pipeline on texts with noise."""
    nlp = load_pipeline(pipeline)
    docs = list(read_docs(corpus))
    settings = [("none", 0.0), *product(KINDS, map(float, rates.split(",")))]
    for kind, rate in settings:
        rows: list[dict[str, Any]] = []
        for seed in range(seeds if rate else 1):
            references = noisy_docs(docs, nlp.make_doc, kind=kind, rate=rate, seed=seed)
            rows.append(evaluate_pipeline(nlp, [Example(nlp.make_doc(doc.text), doc) for doc in references]))
        shown = []
        for name in SCORES:
            values = [100 * row[name] for row in rows]
            spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
            shown.append(f"{name} {statistics.fmean(values):.1f}{spread}")
        typer.echo(f"{kind} {100 * rate:g} %: {', '.join(shown)}")


if __name__ == "__main__":
    typer.run(main)
