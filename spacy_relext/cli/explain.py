"""`spacy relext explain`: what each triple of a text is based on."""

from pathlib import Path
from typing import Optional

import typer

from ..errors import Errors
from ..visuals.explanation import explain_doc
from ..visuals.page import render_page
from .app import relext
from .pipeline import CODE_HELP, GPU_HELP, PIPELINE_HELP, fail, input_errors, load_pipeline
from .view import read_docs, read_file, read_texts, save


@relext.command("explain")
def explain_cli(
    pipeline: str = typer.Argument(..., help=PIPELINE_HELP),
    text: Optional[str] = typer.Argument(None, metavar="TEXT", help="A text, or a file as for --file."),
    file: Optional[str] = typer.Option(None, "--file", help="A text file, or a .jsonl file of documents."),
    html: Optional[Path] = typer.Option(None, "--html", metavar="OUT.html", help="The same as a page with drawings."),
    code: Optional[Path] = typer.Option(None, "--code", "-c", help=CODE_HELP),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
) -> None:
    """Say what each triple of a text is based on: a rule that fires or is alike, attended words, parts of the score."""
    with input_errors():
        if text is not None and file is not None:
            fail(Errors.R513.format(found="A TEXT and a --file"))
        if file is not None:
            texts = read_file(file)
        elif text is not None:
            texts = read_texts(text)
        else:
            fail(Errors.R513.format(found="No text"))
        docs = read_docs(load_pipeline(pipeline, gpu_id, code=code), texts)
        for number, doc in enumerate(docs, start=1):
            if len(docs) > 1:
                typer.echo(f"Document {number}")
            typer.echo("\n".join(explain_doc(doc)))
        if html is not None:
            save(render_page(docs), html)
