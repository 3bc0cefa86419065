"""`spacy relext clusters`: a page about the clusters of a selfore_clusterer."""

from pathlib import Path
from typing import Iterator, Optional

import typer
from spacy.language import Language
from spacy.tokens import Doc
from wasabi import msg

from ..errors import Errors
from ..selfore.component import SelforeClusterer
from ..selfore.page import render_clusters
from ..selfore.points import sample_pairs
from .pipeline import (
    CODE,
    GOLD_ENTS,
    GPU,
    check_suffix,
    fail,
    find_component,
    input_errors,
    open_pipeline,
    read_predicted,
    with_progress,
)

PAGE = ".html"


def clusters_cli(
    pipeline: str = typer.Argument(..., help="Folder of a trained pipeline with a selfore_clusterer, or its name"),
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Corpus to read: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.html", help="Gets the page"),
    most: int = typer.Option(3_000, "--most", min=1, help="Pairs on the map, drawn from all"),
    seed: int = typer.Option(0, "--seed", min=0, max=2**32 - 1, help="Of the draw and of the map"),
    gold_ents: Optional[bool] = GOLD_ENTS,
    code: Optional[Path] = CODE,
    gpu_id: int = GPU,
) -> None:
    """Write a page with a map of pairs, the clusters' names and sizes, and sentences to search."""
    check_suffix(output, PAGE)
    with input_errors():
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        clusterer = find_component(nlp, SelforeClusterer, path=pipeline, problem=Errors.R605)
        docs = with_progress(read_before(nlp, corpus, clusterer, gold_ents=gold_ents))
        sample = sample_pairs(clusterer, docs, most=most, seed=seed)
        if not sample.points:
            fail(Errors.R604.format(path=str(corpus), name=clusterer.name))
        title = f"{corpus.name}: relations found by {clusterer.name}"
        page = render_clusters(sample, clusterer.clusters.records, title=title, lang=nlp.lang or "en")
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf8")
    msg.good(f"Wrote {len(sample.points):,} of {sum(sample.sizes):,} pairs to {output}")


def read_before(
    nlp: Language, corpus: Path, clusterer: SelforeClusterer, *, gold_ents: Optional[bool]
) -> Iterator[Doc]:
    """Read a corpus and run the components before the clusterer.

    nlp (Language): The pipeline.
    corpus (Path): A .spacy file or a folder of them.
    clusterer (SelforeClusterer): The component.
    gold_ents (Optional[bool]): As for `read_predicted`.
    YIELDS (Doc): With entities.
    """
    later = nlp.pipe_names[nlp.pipe_names.index(clusterer.name) :]
    yield from nlp.pipe(read_predicted(nlp, corpus, gold_ents=gold_ents), disable=later)
