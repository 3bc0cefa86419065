"""`spacy relext view`: draw the triples of a text."""

from pathlib import Path
from typing import List, Optional, Sequence, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpora.texts import JSONL_SUFFIXES, RawText, TextReader
from ..errors import Errors
from ..visuals.displacy_view import draw_passages
from ..visuals.page import HOST, make_server, render_page
from .pipeline import GPU, PIPELINE, fail, input_errors, open_pipeline


def view_cli(
    pipeline: str = PIPELINE,
    text: str = typer.Argument(..., metavar="TEXT|FILE", help="A text, a text file, or a .jsonl file of documents."),
    output: Optional[Path] = typer.Argument(
        None, metavar="OUT", help="The page, .html; or .svg for the first drawing alone."
    ),
    serve: bool = typer.Option(False, "--serve", help="Show the page on localhost until Ctrl-C."),
    port: int = typer.Option(5000, "--port", help="Where to serve; 0 for any free port."),
    gpu_id: int = GPU,
) -> None:
    """Draw the triples of a text as one HTML page."""
    with input_errors():
        if output is None and not serve:
            fail(Errors.R214)
        texts = read_texts(text)
        docs = read_docs(open_pipeline(pipeline, gpu_id), [raw.text for raw in texts])
        page = render_page(docs)
        if output is not None:
            is_drawing = output.suffix.lower() == ".svg"
            drawings = [passage.svg for doc in docs for passage in draw_passages(doc) if passage.svg]
            if is_drawing and not drawings:
                fail(Errors.R221.format(path=str(output)))
            save(drawings[0] if is_drawing else page, output)
        if serve:
            _serve(page, port)


def read_texts(text: str) -> List[RawText]:
    """Take the command's argument as texts.

    text (str): A text, or the path of a file with one text, or of a .jsonl file with one on each line.
    RETURNS (List[RawText]): The texts.
    RAISES (ValueError): Where a file cannot be read, or a name looks like that of a file and there is none.
    """
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):  # longer than file names may be, or with a null character
        is_file = False
    if is_file:
        return read_file(text)
    if len(text.split()) < 2:
        raise ValueError(Errors.R211.format(path=text))
    return [RawText(text, "the text")]


def read_file(path: str) -> List[RawText]:
    """Read a file of texts.

    path (str): A file with one text, or a .jsonl file with one on each line.
    RETURNS (List[RawText]): The texts.
    RAISES (ValueError): Where it cannot be read.
    """
    is_json = Path(path).suffix.lower() in JSONL_SUFFIXES
    return list(TextReader(path, input_format="jsonl" if is_json else "file", strict=True))


def read_docs(nlp: Language, texts: Sequence[Union[str, Doc]]) -> List[Doc]:
    """Run a pipeline on texts.

    nlp (Language): The pipeline.
    texts (Sequence[Union[str, Doc]]): The texts, or Docs that it has not annotated yet.
    RETURNS (List[Doc]): One each.
    RAISES (ValueError): Where one is longer than the pipeline accepts.
    """
    for number, text in enumerate(texts, start=1):
        length = len(text) if isinstance(text, str) else len(text.text)
        if length > nlp.max_length:
            raise ValueError(Errors.R205.format(where=f"document {number}", length=length, limit=nlp.max_length))
    return list(nlp.pipe(texts))


def save(content: str, output: Path) -> None:
    """Write a page or drawing, and say so.

    content (str): What is written.
    output (Path): Where to; its folder is made.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(content, encoding="utf-8")
    typer.echo(f"Saved to {output}")


def _serve(page: str, port: int) -> None:
    """Serve until the user has seen enough."""
    with make_server(page, port=port) as server:
        typer.echo(f"Serving on http://{HOST}:{server.server_address[1]} (Ctrl-C to stop)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Stopped")
