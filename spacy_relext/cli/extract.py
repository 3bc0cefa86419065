"""`spacy relext extract`: triples of running text or whole corpora, as JSON lines, CSV or Parquet."""

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, BinaryIO, Iterable, Iterator, List, Optional, cast

import typer
from spacy.language import Language

from ..annotations.triple import Record
from ..corpora.raw_text import RawText, TextLog
from ..corpora.texts import STDIN, Source, describe_sources, list_sources
from ..corpora.whole import whole_file
from ..errors import Errors, Warnings, check_range
from ..extraction.manifest import find_difference, plan, read_manifest
from ..extraction.outputs import FORMATS, join_files, keep_errors
from ..extraction.ray import CLUSTER_SETTINGS, Cluster, extract_with_ray, make_cluster
from ..extraction.shards import Folder, ShardReport
from ..extraction.workers import Extractor, Failure, Job, Result
from . import options
from .pipeline import fail, input_errors, open_pipeline, with_progress


def extract_cli(
    pipeline: options.Pipeline,
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="Text file (a text per line), HTML, Markdown, PDF, .jsonl, .parquet or .spacy, .gz, .zst; folder; -",
        ),
    ],
    output: Annotated[
        str, typer.Argument(help="File, .jsonl, .jsonl.gz, .csv or .parquet; a folder of shards; - for stdout")
    ],
    output_format: Annotated[
        Optional[str],
        typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; default: the suffix; jsonl for - and folders"),
    ] = None,
    input_format: Annotated[
        Optional[str], typer.Option(help="text, jsonl, paragraph, file, html, markdown or pdf; default: the suffix")
    ] = None,
    min_score: options.MinScore = 0.0,
    relations: options.Relations = None,
    batch_size: options.BatchSize = 64,
    n_process: Annotated[int, typer.Option(min=1, help="Number of processes, each with one thread")] = 1,
    shard_size: Annotated[int, typer.Option(min=1, help="Lines, rows or documents of the input for each shard")] = 1000,
    ray: Annotated[
        Optional[List[str]],
        typer.Option(
            metavar="KEY=VALUE",
            help="Run on Ray, one setting each: actors=2, gpus=0.5 of each actor, address of a cluster, such as auto",
        ),
    ] = None,
    force: options.Force = False,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
    strict: options.Strict = False,
    raw_csv: options.RawCsv = False,
    with_text: Annotated[bool, typer.Option("--with-text", help="Repeat the text in each row of a CSV")] = False,
) -> None:
    """Extract the triples of texts. Repeat the command to resume a run that was stopped."""
    with input_errors():
        check_range("--min-score", min_score, 0.0, 1.0)
        cluster = make_cluster(options.split_settings("--ray", ray, known=CLUSTER_SETTINGS))
        chosen, streams = _format(output, output_format), STDIN in (source, output)
        if STDIN not in (source, output) and Path(source).resolve() == Path(output).resolve():
            fail(Errors.R217.format(path=output))
        if n_process > 1 and gpu_id >= 0:
            fail(Errors.R218.format(n_process=n_process, gpu_id=gpu_id))
        sources = list_sources(source, input_format=input_format)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        _report(f"Reading {source}: {describe_sources(sources)}")
        _warn_of_unknown(nlp, wanted := options.split_list(relations))
        csv_options = {"raw": raw_csv, "with_text": with_text} if chosen.endswith("csv") else {}
        job = Job(pipeline, code, min_score=min_score, relations=wanted, batch_size=batch_size)
        with Extractor(job, nlp, n_process=n_process) as extractor:
            if streams:
                log = TextLog(strict=strict, report=_report)
                return _report(_stream(extractor, sources, log, output, chosen, csv_options))
            kept = {"min_score": min_score, "relations": wanted, "input_format": input_format, **csv_options}
            folder = Folder(Path(output), chosen, shard_size, csv_options, report=_report, strict=strict)
            _report(_describe(_extract_shards(extractor, sources, folder, kept, overwrite=force, cluster=cluster)))


def _extract_shards(
    extractor: Extractor,
    sources: List[Source],
    folder: Folder,
    settings: Record,
    *,
    overwrite: bool,
    cluster: Optional[Cluster],
) -> ShardReport:
    """Extract files into a folder of shards, or into one file by way of such a folder."""
    output = folder.path
    is_folder = output.is_dir() or not _suffix(output)
    folder = folder if is_folder else replace(folder, path=output.parent / f".{output.name}.shards")
    assert extractor.nlp is not None  # the caller has loaded it
    manifest = plan(extractor.nlp, sources, {"format": folder.format, "shard_size": folder.size, **settings})
    if not is_folder and (old := read_manifest(folder.path)) is not None:
        difference = find_difference(old, manifest)
        _report(f"Another run was stopped ({difference}); starting anew" if difference else "Resuming an earlier run")
    folder.prepare(manifest, overwrite=overwrite or not is_folder)

    def progress(results: Iterable[Result], total: Optional[int]) -> Iterable[Result]:
        return with_progress(results, total=total, unit="docs" if cluster is None else "shards")

    if cluster is not None:
        report = extract_with_ray(folder, extractor.job, sources, cluster, progress=progress)
    else:
        report = folder.run(extractor, sources, progress=progress, count=sys.stderr.isatty())
    if not is_folder and report.is_complete:
        join_files(report.files, output, format=folder.format, options=folder.options)
        keep_errors(folder.path, output)
        shutil.rmtree(folder.path)
    return report


def _format(output: str, chosen: Optional[str]) -> str:
    """Return the format that the option names, or else the suffix of the output."""
    if chosen is None:
        chosen = "jsonl" if output == STDIN or Path(output).is_dir() else _suffix(Path(output)) or "jsonl"
    if chosen not in FORMATS:
        fail(Errors.R206.format(option="the format of OUTPUT", found=chosen, expected=", ".join(FORMATS)))
    if chosen == "parquet" and output == STDIN:
        fail(Errors.R209.format(what="OUTPUT", found="- with --format parquet", expected="a file"))
    return chosen


def _suffix(path: Path) -> str:
    """Return the suffix of a file without the first dot, both of them if they are a format or the last is .gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if "".join(suffixes)[1:] in FORMATS or len(suffixes) == 2 and suffixes[1] == ".gz":
        return "".join(suffixes)[1:]
    return suffixes[-1][1:] if suffixes else ""


def _stream(
    extractor: Extractor,
    sources: List[Source],
    log: TextLog,
    output: str,
    format: str,
    csv_options: Record,
) -> str:
    """Extract the texts of sources at once; return the report.

    log (TextLog): Gets the texts that cannot be read.
    """
    documents = triples = failures = 0
    texts: Iterable[RawText] = (text for source in sources for text in source.read(log))
    with _open_output(output) as stream, FORMATS[format].open(stream, csv_options) as writer:
        for result in with_progress(extractor.extract(texts)):
            if isinstance(result, Failure):
                message = Errors.R815.format(where=result.where, reason=result.reason)
                if log.strict:
                    raise ValueError(message)
                _report(message)
                failures += 1
                continue
            writer.write(result)
            documents += 1
            triples += len(result["triples"])
    return _describe(ShardReport(documents, triples, log.skipped + failures, log.blank, log.markup))


@contextmanager
def _open_output(output: str) -> Iterator[BinaryIO]:
    """Open a new file that gets its name when all is written, or stdout; it is no error if its reader closes it."""
    if output != STDIN:
        with whole_file(Path(output)) as file:
            yield cast(BinaryIO, file)
        return
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again at exit
        raise typer.Exit(0) from None


def _describe(report: ShardReport) -> str:
    """Write what was done."""
    if not report.is_complete:
        return f"{report.elsewhere} shards are at work in other processes; the last of them completes the output."
    line = f"{report.documents} documents, {report.triples} triples"
    prose = f"; {report.markup} texts look like HTML or Markdown and were read as prose" if report.markup else ""
    return f"{line} ({report.failures} texts skipped, {report.blank} blank lines){prose}"


def _warn_of_unknown(nlp: Language, wanted: Optional[List[str]]) -> None:
    """Warn of wanted relations that no component knows."""
    known = sorted({label for labels in nlp.pipe_labels.values() for label in labels})
    unknown = [label for label in wanted or [] if label not in known]
    if unknown and known:
        _report(Warnings.W200.format(unknown=", ".join(unknown), known=", ".join(known)))


def _report(message: str) -> None:
    """Print to stderr, since stdout may carry the triples."""
    typer.echo(message, err=True)
