"""`spacy relext view` and `serve`: draw the triples of a text, and answer requests over HTTP."""

from pathlib import Path
from typing import Annotated, List, Optional, Sequence, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpora.raw_text import RawText, TextLog
from ..corpora.texts import JSONL_SUFFIXES, list_sources
from ..corpora.whole import write_whole
from ..errors import Errors, check_range
from ..extraction.service import PURPOSE, Limits, Service, is_loopback, make_service_app
from ..visuals.arcs import draw_passages, style_drawing
from ..visuals.page import render_page
from ..visuals.web import bind_port, serve
from . import options
from .pipeline import fail, input_errors, open_pipeline


def view_cli(
    pipeline: options.Pipeline,
    text: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="A text, a text file, or a .jsonl file of texts")],
    html: options.Html = None,
    svg: options.Svg = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Draw the triples of a text as one HTML page."""
    with input_errors():
        if html is None and svg is None:
            fail(Errors.R214)
        options.check_suffix(html, ".html")
        options.check_suffix(svg, ".svg")
        texts = read_texts(text)
        docs = read_docs(open_pipeline(pipeline, gpu_id, code=code), [raw.text for raw in texts])
        if svg is not None:
            drawing = next((passage.svg for doc in docs for passage in draw_passages(doc) if passage.svg), None)
            if drawing is None:
                fail(Errors.R221.format(path=str(svg)))
            save(style_drawing(drawing), svg)
        if html is not None:
            save(render_page(docs), html)


def serve_cli(
    pipeline: options.Pipeline,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0: reachable from other machines")
    ] = "127.0.0.1",
    port: options.Port = 8000,
    allow_host: Annotated[
        Optional[str], typer.Option(help="Further names of this machine in requests, comma-separated")
    ] = None,
    max_bytes: Annotated[int, typer.Option(min=1, help="Bytes of a request")] = Limits.bytes,
    max_texts: Annotated[int, typer.Option(min=1, help="Texts of a request")] = Limits.texts,
    max_length: Annotated[int, typer.Option(min=1, help="Characters of a text")] = Limits.characters,
    batch_size: options.BatchSize = 64,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Serve a pipeline: a page to try it at /, JSON at POST /extract, /health. There is no login."""
    with input_errors():
        check_range("--port", port, 0, 65535)
        bound = bind_port(host, port)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        local = ["127.0.0.1", "localhost", "::1"] if is_loopback(host) else []
        hosts = [*local, *(options.split_list(allow_host) or ())]
        service = Service(nlp, Limits(max_bytes, max_texts, max_length), hosts, batch_size)
        app = make_service_app(service)
        typer.echo(f"Serving on http://{host}:{bound.getsockname()[1]} (Ctrl-C to stop)", err=True)
        serve(app, bound, purpose=PURPOSE)


def read_texts(text: str) -> List[RawText]:
    """Read a text, or a file as `read_file` does. RAISES (ValueError): If a single word is not a file."""
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
    """Read a file with one text, or a .jsonl file with one on each line. RAISES (ValueError): If it is malformed."""
    is_json = Path(path).suffix.lower() in JSONL_SUFFIXES
    (source,) = list_sources(path, input_format="jsonl" if is_json else "file")
    return list(source.read(TextLog(strict=True)))


def read_docs(nlp: Language, texts: Sequence[Union[str, Doc]]) -> List[Doc]:
    """Run a pipeline on texts. RAISES (ValueError): If one is longer than the pipeline accepts."""
    for number, text in enumerate(texts, start=1):
        length = len(text) if isinstance(text, str) else len(text.text)
        if length > nlp.max_length:
            raise ValueError(Errors.R205.format(where=f"document {number}", length=length, limit=nlp.max_length))
    return list(nlp.pipe(texts))


def save(content: str, output: Path) -> None:
    """Write a page or drawing into a file, whose folder is created, and report it."""
    write_whole(output, content)
    typer.echo(f"Saved to {output}")
