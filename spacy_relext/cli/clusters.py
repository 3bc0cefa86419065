"""`spacy relext clusters …`: a page about the clusters of a selfore_clusterer, and the names that it downloads."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpora.whole import save_pipeline, write_whole
from ..errors import Errors
from ..selfore.clusters import read_names
from ..selfore.component import SelforeClusterer
from ..selfore.page import render_clusters, sample_pairs
from . import options
from .pipeline import fail, find_component, input_errors, open_pipeline, read_predicted, with_progress

_Pipeline = Annotated[str, typer.Argument(help="Folder of a trained pipeline with a selfore_clusterer, or its name")]


def view_cli(
    pipeline: _Pipeline,
    corpus: options.Corpus,
    html: Annotated[Path, typer.Option("--html", metavar="FILE.html", help="Page to write")],
    max_pairs: Annotated[int, typer.Option(min=1, help="Pairs on the map, drawn at random from all")] = 3_000,
    seed: options.Seed = 0,
    gold_ents: options.GoldEnts = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write a page with a map of pairs, the clusters' names and sizes, and sentences to search."""
    options.check_suffix(html, ".html")
    with input_errors():
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        clusterer = find_component(nlp, SelforeClusterer, path=pipeline, problem=Errors.R605)
        later = nlp.pipe_names[nlp.pipe_names.index(clusterer.name) :]
        docs = with_progress(nlp.pipe(read_predicted(nlp, corpus, gold_ents=gold_ents), disable=later))
        sample = sample_pairs(clusterer, docs, most=max_pairs, seed=seed)
        if not sample.points:
            fail(Errors.R604.format(path=str(corpus), name=clusterer.name))
        title = f"{corpus.name}: relations found by {clusterer.name}"
        write_whole(html, render_clusters(sample, clusterer.clusters.records, title=title, lang=nlp.lang or "en"))
    msg.good(f"Wrote {len(sample.points):,} of {sum(sample.sizes):,} pairs to {html}")


def rename_cli(
    pipeline: _Pipeline,
    names: Annotated[Path, typer.Argument(metavar="NAMES.json", help="Names that the page of `clusters view` saves")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the pipeline with these names")],
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Give clusters other names; clusters with one name become one relation."""
    with input_errors():
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        clusterer = find_component(nlp, SelforeClusterer, path=pipeline, problem=Errors.R605)
        _rename(clusterer, names)
        save_pipeline(nlp, output)
    msg.good(f"Saved the pipeline with these names to {output}")


def _rename(clusterer: SelforeClusterer, path: Path) -> None:
    """Give clusters the names of a file, and say which of them are one relation now."""
    names = read_names(path)
    known = [each["id"] for each in clusterer.clusters.records]
    unknown = [cluster for cluster in names if cluster not in known]
    if unknown:
        found, all_known = ", ".join(unknown), ", ".join(known) or "none"
        raise ValueError(Errors.R615.format(path=str(path), found=found, name=clusterer.name, known=all_known))
    for cluster, name in names.items():
        clusterer.rename_cluster(cluster, name, merge=True)
    for name, count in Counter(clusterer.labels).items():
        merged = [each["id"] for each in clusterer.clusters.records if each["name"] == name]
        if count > 1 and not set(merged).isdisjoint(names):
            msg.info(f"{' and '.join(merged)} are one relation: {name}")
