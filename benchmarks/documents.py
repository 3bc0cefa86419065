"""Whole documents: coreference beside a simple rule, what each component adds to the facts, and what it costs.

python -m benchmarks documents PIPELINE corpus/documents --gap ../shared/data/gap

CORPORA is a folder that scripts/build_documents.py wrote. Coreference is scored on its test documents and on GAP's
validation part; the rule takes the nearest name of the same type before a pronoun. Facts are scored on the documents of
Re-DocRED kept aside, from raw text: triples alone, then with one component more at a time.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from benchmarks.harness.datasets import read_docs
from benchmarks.harness.runs import ROOT
from benchmarks.harness.stopwatch import extraction, time_rounds
from spacy_relext.annotations.doc_entities import get_entities
from spacy_relext.annotations.mentions import NAME, PRONOUN
from spacy_relext.annotations.store import set_coref
from spacy_relext.coref.slots import KINDS, PRONOUN_CLASSES, list_anaphors, list_slots
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.scoring.coref import score_coref
from spacy_relext.scoring.facts import judge_facts, summarize

sys.path.insert(0, str(ROOT / "scripts"))
from build_documents import Passage, read_gap  # noqa: E402

PERSONAL = {PRONOUN_CLASSES["he"], PRONOUN_CLASSES["she"]}
FEMININE = PRONOUN_CLASSES["she"]
PERSON = "PERSON"
# The components of documents, in their order.
PARTS = ("relext_coref", "relext_documents", "relext_inference")
ROUNDS, BATCH_SIZE = 5, 32


def nearest_name(doc: Doc) -> Doc:
    """Let each pronoun stand for the nearest name before it: of a person for he and she, of others for it."""
    slots = list_slots(doc)
    chains: dict[int, list[tuple[int, int]]] = {}
    for at, candidates in list_anaphors(slots):
        anaphor = slots[at]
        fitting = [
            slots[i]
            for i in candidates
            if i < at and KINDS[slots[i].kind] == NAME and (slots[i].label == PERSON) == (anaphor.word in PERSONAL)
        ]
        if fitting and KINDS[anaphor.kind] == PRONOUN:
            name = fitting[-1]
            chain = chains.setdefault(
                name.group, [(doc[name.start].idx, doc[name.end - 1].idx + len(doc[name.end - 1]))]
            )
            chain.append((doc[anaphor.start].idx, doc[anaphor.end - 1].idx + len(doc[anaphor.end - 1])))
    set_coref(doc, chains.values())
    return doc


def score_gap(docs: Sequence[Doc], passages: Sequence[Passage]) -> dict[str, float]:
    """Compute F1 of the names that pronouns stand for, of all and by gender, and the ratio of feminine to masculine."""
    counts: dict[str, Counter[str]] = {"all": Counter(), "feminine": Counter(), "masculine": Counter()}
    for doc, passage in zip(docs, passages, strict=True):
        word = passage.text[slice(*passage.pronoun)].lower()
        gender = "feminine" if PRONOUN_CLASSES.get(word) == FEMININE else "masculine"
        entities = [{mention.place for mention in entity.mentions} for entity in get_entities(doc)]
        found = next((places for places in entities if passage.pronoun in places), set())
        for (start, end), is_same in zip(passage.names, passage.is_same, strict=True):
            says = any(one < end and start < two for one, two in found - {passage.pronoun})
            key = "right" if says and is_same else "wrong" if says else "missed" if is_same else "none"
            counts["all"][key] += 1
            counts[gender][key] += 1
    scores = {name: 2 * c["right"] / max(1, 2 * c["right"] + c["wrong"] + c["missed"]) for name, c in counts.items()}
    return {**scores, "ratio": scores["feminine"] / max(1e-12, scores["masculine"])}


def predict(nlp: Language, texts: Iterable[str], *, without: Sequence[str] = ()) -> list[Doc]:
    """Annotate texts without some components."""
    with nlp.select_pipes(disable=[name for name in without if name in nlp.pipe_names]):
        return list(nlp.pipe(texts, batch_size=BATCH_SIZE))


def shown(scores: dict[str, Any]) -> str:
    """Write scores in percent."""
    return ", ".join(f"{key} {100 * value:.1f}" for key, value in scores.items() if value is not None)


def score_parts(nlp: Language, references: Sequence[Doc]) -> None:
    """Print the scores of facts with one component more at a time, and the risk at each coverage."""
    parts = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in PARTS]
    texts = [reference.text for reference in references]
    for count in range(len(parts) + 1):
        docs = predict(nlp, texts, without=parts[count:])
        outcomes = judge_facts([Example(doc, reference) for doc, reference in zip(docs, references, strict=True)])
        typer.echo(f"facts, triples{''.join(f' + {name}' for name in parts[:count])}: {shown(summarize(outcomes))}")
    order = numpy.argsort(-numpy.asarray(outcomes.scores), kind="stable")
    right = numpy.cumsum(numpy.asarray(outcomes.correct)[order])
    cuts = [max(1, round(len(order) * tenth / 10)) for tenth in range(1, 11)]
    risks = ", ".join(f"{100 * (1 - right[cut - 1] / cut):.1f}" for cut in cuts)
    typer.echo(f"wrong among the most certain 10, 20, ... 100 % of {len(order)} facts: {risks}")


def score_pronouns(nlp: Language, name: str, references: Sequence[Doc], passages: Sequence[Passage]) -> None:
    """Print the scores of coreference of a component, or of the rule."""
    later = nlp.pipe_names[nlp.pipe_names.index(name) :]
    systems: dict[str, Callable[[Iterable[str]], list[Doc]]] = {
        "nearest name": lambda texts: [nearest_name(doc) for doc in predict(nlp, texts, without=later)],
        name: lambda texts: predict(nlp, texts, without=later[1:]),
    }
    for system, annotate in systems.items():
        docs = annotate(reference.text for reference in references)
        scores = score_coref([Example(doc, reference) for doc, reference in zip(docs, references, strict=True)])
        typer.echo(f"documents, {system}: {shown(scores)}")
        if passages:
            typer.echo(f"GAP, {system}: {shown(score_gap(annotate(each.text for each in passages), passages))}")


def time_parts(nlp: Language, references: Sequence[Doc]) -> None:
    """Print words per second of processor time with and without the components of documents, on one thread."""
    torch.set_num_threads(1)
    parts = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in PARTS]
    texts = [reference.text for reference in references]

    def without() -> object:
        with nlp.select_pipes(disable=parts):
            return extraction(nlp, texts, batch_size=BATCH_SIZE)()

    laps = time_rounds({"with": extraction(nlp, texts, batch_size=BATCH_SIZE), "without": without}, rounds=ROUNDS)
    words = sum(map(len, references))
    for name, of_system in laps.items():
        rates = [words / lap.cpu for lap in of_system]
        typer.echo(f"{name} {', '.join(parts)}: {statistics.fmean(rates):.0f} ± {statistics.stdev(rates):.0f} words/s")


def main(
    pipeline: Annotated[str, typer.Argument(help="Pipeline, or default")],
    corpora: Annotated[Path, typer.Argument(help="Folder that scripts/build_documents.py wrote")],
    gap: Annotated[Optional[Path], typer.Option(help="Folder with gap-validation.tsv")] = None,
    part: Annotated[str, typer.Option(help="dev or test")] = "test",
) -> None:
    """Score coreference and facts of documents."""
    nlp = load_pipeline(pipeline)
    passages = [] if gap is None else list(read_gap(gap / "gap-validation.tsv"))
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "relext_coref":
            score_pronouns(nlp, name, list(read_docs(corpora / f"own-{part}.spacy")), passages)
    references = list(read_docs(corpora / f"redocred-{part}.spacy"))
    score_parts(nlp, references)
    time_parts(nlp, references)


if __name__ == "__main__":
    typer.run(main)
