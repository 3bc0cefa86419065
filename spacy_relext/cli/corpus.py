"""Commands that write corpora and files of annotation tools: `convert`, `annotate export` and `kb align`."""

from functools import partial
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from ..corpora.convert import convert, load_tokenizer
from ..corpora.export import export, format_export_report
from ..corpora.formats.annotation import DISCONTINUOUS
from ..corpora.formats.offsets import COUNTINGS
from ..corpora.formats.registry import FORMATS, WRITABLE
from ..corpora.loading import load_pipeline
from ..corpora.report import format_report, list_warnings
from ..corpora.shards import UNPACKED, freeze_objects
from ..corpora.split import read_split
from ..errors import Errors
from ..kb.align_corpus import align_corpus, format_align_report
from ..kb.alignment import Aligner
from ..kb.facts import FactIndex
from . import options
from .kb import print_report, read_kb_files
from .pipeline import fail, input_errors, load_code, open_pipeline, with_progress

ALIGN_MODES = ("name", "link")

_FOLDERS = ", ".join(sorted(name for name, format in FORMATS.items() if format.folder))


def convert_cli(
    format: Annotated[
        str, typer.Argument(metavar="FORMAT", help=f"A mapping (.yaml), or one of: {', '.join(sorted(FORMATS))}")
    ],
    inputs: Annotated[
        List[Path],
        typer.Argument(metavar="INPUT...", help=f"Files to read, in this order; for {_FOLDERS} folders"),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT.spacy", help="Corpus to write; a folder with --shard")],
    lang: options.Lang = "en",
    malformed: Annotated[
        str, typer.Option(help="Malformed records: refuse the first, skip few (up to a tenth), or skip any")
    ] = "few",
    pipeline: options.Annotating = None,
    limit: options.Limit = 0,
    shard: options.Shard = 0,
    split: Annotated[
        Optional[str], typer.Option(help="Write OUT-train, OUT-dev, OUT-test.spacy, such as 80:10:10, or the first two")
    ] = None,
    seed: options.Seed = 0,
    annotator: options.Annotator = None,
    unit: Annotated[Optional[str], typer.Option(help="For text, what a document is: line, paragraph or file")] = None,
    pseudo_labels: Annotated[bool, typer.Option(help="For jsonl: make the triples of a pipeline gold")] = False,
    offsets: Annotated[
        Optional[str], typer.Option(help=f"What offsets count: {', '.join(COUNTINGS)}; else found by the spans' texts")
    ] = None,
    discontinuous: Annotated[
        Optional[str], typer.Option(help=f"For spans of several fragments: {', '.join(DISCONTINUOUS)} (default)")
    ] = None,
    code: options.Code = None,
) -> None:
    """Convert data files to a .spacy corpus with triples, and report what was found and left out."""
    with input_errors():
        load_code(code)
        report = convert(
            format,
            inputs,
            output,
            nlp=load_tokenizer(lang) if pipeline is None else load_pipeline(pipeline),
            malformed=malformed,
            part=slice(limit or None),
            shard=shard,
            annotator=annotator,
            split=None if split is None else read_split(split, seed=seed),
            progress=with_progress,
            unit=unit,
            pseudo_labels=pseudo_labels,
            offsets=offsets,
            discontinuous=discontinuous,
        )
    typer.echo(format_report(report))
    for warning in list_warnings(report):
        msg.warn(warning)
    outputs = [part.writer.output for part in report.parts] or [output]
    msg.good(f"Wrote {report.docs} documents to {', '.join(map(str, outputs))}")


def export_cli(
    format: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of: {', '.join(WRITABLE)}")],
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help=".spacy corpus, .jsonl of `extract`, .txt file or folder of them")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help=".json for label-studio, .jsonl for others, a folder for brat")
    ],
    pipeline: options.Annotating = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Documents to draw at random, without near-duplicates; 0: all, in their order")
    ] = 0,
    seed: options.Seed = 0,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write a corpus or texts for an annotation tool: gold triples as annotation, a pipeline's as suggestions."""
    with input_errors():
        nlp = None if pipeline is None else open_pipeline(pipeline, gpu_id, code=code)
        report = export(format, source, output, nlp=nlp, sample=sample, seed=seed, progress=with_progress)
    typer.echo(format_export_report(report))
    msg.good(f"Wrote {', '.join(map(str, report.files))}")


def align_cli(
    kb: options.Kb,
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="Corpus to write; a folder with --shard")],
    by: Annotated[str, typer.Option(help="name: find labels and aliases; link: entities have a kb_id")] = "name",
    symmetric: options.Symmetric = None,
    unrelated: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Fraction of pairs without a fact that are marked")
    ] = 1.0,
    lang: options.Lang = "en",
    shard: options.Shard = 0,
    seed: options.Seed = 0,
    columns: options.Columns = options.DEFAULT_COLUMNS,
    strip: options.Strip = None,
) -> None:
    """Label entities, pairs and triples of a corpus by a knowledge base."""
    if by not in ALIGN_MODES:
        fail(Errors.R206.format(option="--by", found=by, expected=", ".join(ALIGN_MODES)))
    with input_errors():
        nlp = load_tokenizer(lang)
        store = read_kb_files(kb, columns=columns, strip=strip)
        print_report(store)
        wanted = options.split_list(symmetric) or ()
        unknown = sorted(set(wanted).difference(store.relations))
        if unknown:
            expected = f"relations of {kb}"
            raise ValueError(Errors.R007.format(key="--symmetric", found=", ".join(unknown), expected=expected))
        aligner = Aligner(FactIndex(store), tokenizer=nlp.make_doc, symmetric=wanted, linked=by == "link")
        show = partial(with_progress, unit=f"times {UNPACKED} texts")
        with freeze_objects():
            report = align_corpus(
                corpus,
                output,
                aligner=aligner,
                vocab=nlp.vocab,
                unrelated=unrelated,
                seed=seed,
                shard=shard,
                progress=show,
            )
    typer.echo(format_align_report(report))
    msg.good(f"Wrote {report.docs:,} texts to {output}")
