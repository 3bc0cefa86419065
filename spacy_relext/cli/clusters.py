"""`spacy relext clusters`: a page about the clusters of a selfore_clusterer."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..errors import Errors
from ..selfore.component import SelforeClusterer
from ..selfore.page import render_clusters
from ..selfore.points import sample_pairs
from . import options
from .pipeline import fail, find_component, input_errors, open_pipeline, read_predicted, with_progress


def clusters_cli(
    pipeline: Annotated[str, typer.Argument(help="Folder of a trained pipeline with a selfore_clusterer, or its name")],
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.html", help="Gets the page")],
    most: Annotated[int, typer.Option(min=1, help="Pairs on the map, drawn from all")] = 3_000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed of the draw and of the map")] = 0,
    gold_ents: options.GoldEnts = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write a page with a map of pairs, the clusters' names and sizes, and sentences to search."""
    options.check_suffix(output, ".html")
    with input_errors():
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        clusterer = find_component(nlp, SelforeClusterer, path=pipeline, problem=Errors.R605)
        later = nlp.pipe_names[nlp.pipe_names.index(clusterer.name) :]
        docs = with_progress(nlp.pipe(read_predicted(nlp, corpus, gold_ents=gold_ents), disable=later))
        sample = sample_pairs(clusterer, docs, most=most, seed=seed)
        if not sample.points:
            fail(Errors.R604.format(path=str(corpus), name=clusterer.name))
        title = f"{corpus.name}: relations found by {clusterer.name}"
        page = render_clusters(sample, clusterer.clusters.records, title=title, lang=nlp.lang or "en")
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf8")
    msg.good(f"Wrote {len(sample.points):,} of {sum(sample.sizes):,} pairs to {output}")
