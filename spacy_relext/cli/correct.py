"""`spacy relext annotate correct`: a page in the browser on which a person corrects triples."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Iterator

import typer
from spacy.language import Language

from ..annotations.triple import Record
from ..corpora.convert import load_tokenizer
from ..corpora.formats.answers import DONE, SKIPPED, AnswerFile
from ..corpora.raw_text import TextLog
from ..corpora.records import doc_to_record, record_to_doc
from ..corpora.texts import JSONL_SUFFIXES, STDIN, read_records
from ..errors import Errors
from ..pipeline.pipe import RelationPipe
from ..visuals.correction import PURPOSE, Correction, make_correction_app
from ..visuals.web import serve_page
from . import options
from .pipeline import fail, input_errors, open_pipeline, with_progress


def correct_cli(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help=".jsonl of canonical records or .spacy, with suggestions; or texts, as `extract` reads them",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="File for the answers; if it exists, go on")],
    pipeline: options.Annotating = None,
    annotator: options.Annotator = None,
    relations: options.Relations = None,
    limit: options.Limit = 0,
    lang: options.Lang = "en",
    port: options.Port = 8000,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Correct triples in the browser, on localhost until Ctrl-C; each answer is saved at once."""
    with input_errors():
        options.check_suffix(output, *JSONL_SUFFIXES)
        if source != STDIN and Path(source).resolve() == output.resolve():
            fail(Errors.R217.format(path=str(output)))
        answers = AnswerFile(output, annotator=annotator or "")
        nlp = load_tokenizer(lang) if pipeline is None else open_pipeline(pipeline, gpu_id, code=code)
        records = read_suggestions(source, nlp)
        known = sorted({label for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe) for label in pipe.labels})
        correction = Correction(
            with_progress(islice(records, limit or None)),
            answers,
            make_doc=nlp.make_doc,
            relations=options.split_list(relations) or known,
        )
        if not correction.records:
            fail(Errors.R117.format(path=source))
        _serve(correction, port)


def read_suggestions(source: str, nlp: Language) -> Iterator[Record]:
    """Read canonical records with what a pipeline adds to them, which may be nothing.

    RAISES (ValueError): If there is no such input, or a record is malformed.
    """
    records = read_records(source, TextLog(max_length=nlp.max_length, report=_report))
    docs = (record_to_doc(nlp.make_doc, record) for record in records)
    return map(doc_to_record, nlp.pipe(docs) if nlp.pipe_names else docs)


def _serve(correction: Correction, port: int) -> None:
    if correction.repeated:
        _report(f"{correction.repeated} documents with a text that occurs before are left out")
    done, total = correction.count(DONE), len(correction.records)
    state = f"{done} of {total} documents are done; answers go to {correction.answers.path}"
    serve_page(lambda hosts: make_correction_app(correction, hosts=hosts), port, state=state, purpose=PURPOSE)
    done, skipped = correction.count(DONE), correction.count(SKIPPED)
    typer.echo(f"Stopped: {done} of {total} documents done, {skipped} skipped")


def _report(message: str) -> None:
    typer.echo(message, err=True)
