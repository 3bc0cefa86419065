"""Commands that write corpora: `spacy relext convert`, `export`, `align`, `teach`, `drop-triples` and `folds`."""

from functools import partial
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from ..corpora.convert import convert, load_relation_map, load_tokenizer
from ..corpora.drop import drop_triples, format_drop_report
from ..corpora.export import export, format_export_report
from ..corpora.formats.registry import FORMATS, WRITABLE
from ..corpora.memory import freeze_objects
from ..corpora.report import format_report
from ..corpora.shards import UNPACKED, split_folds
from ..errors import Errors
from ..kb.align_corpus import align_corpus, format_align_report
from ..kb.alignment import Aligner
from ..kb.facts import FactIndex
from ..kd.soft_label_writer import write_soft_labels
from . import options
from .kb import print_report, read_kb_files
from .pipeline import fail, input_errors, open_pipeline, unannotated_texts, with_progress

ALIGN_MODES = ("name", "link")

_NAMES = ", ".join(sorted(FORMATS))

_RelationMap = Annotated[Optional[Path], typer.Option(help="JSON object: old label to new label, or null to leave out")]
_Symmetric = Annotated[
    Optional[str], typer.Option(help="label-studio: relations of which a mutual one is one triple, with commas")
]


def convert_cli(
    format: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of: {_NAMES}")],
    inputs: Annotated[
        List[Path], typer.Argument(metavar="INPUT...", help="Files to read, in this order; for brat, cas, text folders")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT.spacy", help="Corpus to write; a folder with --shard")],
    lang: Annotated[str, typer.Option(help="Language of the tokenizer; zh makes a token of each character")] = "en",
    occurrences: Annotated[str, typer.Option(help="Strings that occur repeatedly: nearest, first or all")] = "nearest",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at a malformed record instead of skipping it")] = False,
    one_sentence: Annotated[bool, typer.Option(help="Mark records of single-sentence formats as one sentence")] = True,
    pipeline: Annotated[Optional[str], typer.Option(help="spaCy pipeline that adds entities, heads, tags ...")] = None,
    relation_map: _RelationMap = None,
    skip: Annotated[int, typer.Option(min=0, help="Records to skip first")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Records to read then; 0: all")] = 0,
    shard: options.Shard = 0,
    annotator: Annotated[Optional[str], typer.Option(help="Leave out what others annotated")] = None,
    symmetric: _Symmetric = None,
    predictions: Annotated[bool, typer.Option("--predictions", help="label-studio, prodigy: suggestions too")] = False,
    pseudo_labels: Annotated[bool, typer.Option("--pseudo-labels", help="jsonl: all triples are gold")] = False,
    unit: Annotated[Optional[str], typer.Option(help="text: a document is a line, paragraph or file")] = None,
    typesystem: Annotated[Optional[Path], typer.Option(help="cas: type system of XMI files")] = None,
    span_layer: Annotated[Optional[str], typer.Option(help="cas: type of spans; default: what relations join")] = None,
    relation_layer: Annotated[Optional[str], typer.Option(help="cas: type of relations; default: all")] = None,
    span_label: Annotated[Optional[str], typer.Option(help="cas: feature with the label of a span")] = None,
    relation_label: Annotated[Optional[str], typer.Option(help="cas: feature with the label of a relation")] = None,
) -> None:
    """Convert data files to a .spacy corpus with triples, and report what was found and left out."""
    with input_errors():
        report = convert(
            format,
            inputs,
            output,
            lang=lang,
            occurrences=occurrences,
            strict=strict,
            one_sentence=one_sentence,
            pipeline=pipeline,
            relation_map=None if relation_map is None else load_relation_map(relation_map),
            skip=skip,
            limit=limit,
            shard=shard,
            annotator=annotator,
            progress=with_progress,
            symmetric=options.split_list(symmetric),
            predictions=predictions,
            pseudo_labels=pseudo_labels,
            unit=unit,
            typesystem=typesystem,
            span_layer=span_layer,
            relation_layer=relation_layer,
            span_label=span_label,
            relation_label=relation_label,
        )
    typer.echo(format_report(report))
    if report.skipped:
        msg.warn(f"{report.skipped} of {report.records} records were malformed and are not in the corpus.")
    msg.good(f"Wrote {report.docs} documents to {output}")


def export_cli(
    format: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of: {', '.join(WRITABLE)}")],
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help=".spacy corpus, .jsonl of `extract`, .txt file or folder of them")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help=".json for label-studio, .jsonl for others, folder for brat")
    ],
    pipeline: Annotated[Optional[str], typer.Option(help="Pipeline whose entities and triples are suggested")] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Documents to draw at random, without near-duplicates; 0: all, in their order")
    ] = 0,
    seed: options.Seed = 0,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write a corpus or texts for an annotation tool: gold triples as annotation, a pipeline's as suggestions."""
    with input_errors():
        nlp = None if pipeline is None else open_pipeline(pipeline, gpu_id)
        report = export(format, source, output, nlp=nlp, sample=sample, seed=seed, progress=with_progress)
    typer.echo(format_export_report(report))
    msg.good(f"Wrote {', '.join(map(str, report.files))}")


def align_cli(
    kb: options.Kb,
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="Corpus to write; a folder with --shard")],
    by: Annotated[str, typer.Option(help="name: find labels and aliases; link: entities have a kb_id")] = "name",
    fuzzy: Annotated[
        float, typer.Option(min=0.0, max=100.0, help="Minimum similarity of misspelt names; 0: none")
    ] = 0.0,
    symmetric: Annotated[Optional[str], typer.Option(help="Relations without direction, comma-separated")] = None,
    unrelated: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Fraction of pairs without a fact that are marked")
    ] = 1.0,
    lang: Annotated[str, typer.Option(help="Language whose tokenizer splits names")] = "en",
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
        aligner = Aligner(FactIndex(store), tokenizer=nlp.make_doc, symmetric=wanted, linked=by == "link", fuzzy=fuzzy)
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


def teach_cli(
    teacher: options.Pipeline,
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="The same corpus with soft labels")],
    also: Annotated[
        Optional[List[str]], typer.Option(metavar="TEACHER", help="Another teacher, repeatable; the mean is written")
    ] = None,
    weights: Annotated[
        Optional[str], typer.Option(help="Weights of the teachers in their order, such as 0.7,0.3; default: equal")
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Teachers were not trained on this corpus (`folds`): fit a temperature")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Documents to read and write, the first ones; 0: all")] = 0,
    batch_size: options.BatchSize = 64,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write the soft labels of trained kd_teachers into a corpus, for a kd_classifier to learn from."""
    with input_errors(), unannotated_texts():
        pipelines = [open_pipeline(path, gpu_id) for path in (teacher, *(also or ()))]
        written = write_soft_labels(
            pipelines,
            corpus,
            output,
            batch_size=batch_size,
            progress=with_progress,
            held_out=held_out,
            weights=_numbers(weights),
            limit=limit,
        )
    if held_out:
        typer.echo("Temperature: " + ", ".join(f"{temperature:.2f}" for temperature in written.temperatures))
    of = f" of {len(pipelines)} teachers" if also else ""
    msg.good(f"Wrote {written.docs} documents with soft labels{of} for {written.pairs} pairs to {output}")


def drop_triples_cli(
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="Corpus to write")],
    rate: Annotated[float, typer.Option(help="Probability of being dropped, 0 to 1")],
    mode: Annotated[str, typer.Option(help="keep_empty, drop_empty or relation")] = "keep_empty",
    seed: options.Seed = 0,
) -> None:
    """Drop triples at random: one by one, keeping or deleting documents that become empty, or by relation."""
    with input_errors():
        report = drop_triples(corpus, output, rate=rate, mode=mode, seed=seed, progress=with_progress)
    typer.echo(format_drop_report(report))
    msg.good(f"Wrote {report.docs - report.docs_deleted} documents to {output}")


def folds_cli(
    corpus: options.GoldCorpus,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for train0.spacy, held0.spacy, train1.spacy ...")
    ],
    folds: Annotated[int, typer.Option("--folds", "-k", min=2, help="Number of folds")] = 3,
) -> None:
    """Split a corpus into folds: train each teacher on trainN, and let it label heldN with `spacy relext teach`."""
    with input_errors():
        report = split_folds(corpus, folder, folds=folds, progress=with_progress)
    msg.good(f"Wrote {len(report)} folds of {report[-1].docs} to {report[0].docs} documents to {folder}")


def _numbers(option: Optional[str]) -> Optional[List[float]]:
    """Parse the weights."""
    parts = options.split_list(option)
    try:
        return None if parts is None else [float(part) for part in parts]
    except ValueError:
        raise ValueError(Errors.R107.format(option="--weights", found=option, expected="numbers with commas")) from None
