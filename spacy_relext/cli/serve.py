"""`spacy relext serve`: a pipeline behind HTTP."""

from typing import Annotated, List, Optional

import typer

from ..errors import Errors, check_range
from ..extraction.service import Limits, Service, find_port_error, is_loopback, serve
from . import options
from .pipeline import fail, input_errors, open_pipeline


def serve_cli(
    pipeline: options.Pipeline,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0: reachable from other machines")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    allow_host: Annotated[
        Optional[List[str]], typer.Option(help="Further name of this machine in requests, repeatable")
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
        check_range("--port", port, 1, 65535)
        if reason := find_port_error(host, port):
            fail(Errors.R212.format(port=port, reason=reason))
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        local = ["127.0.0.1", "localhost", "::1"] if is_loopback(host) else []
        hosts = [*local, *(allow_host or ())]
        service = Service(nlp, Limits(max_bytes, max_texts, max_length), hosts, batch_size)
        typer.echo(f"Serving on http://{host}:{port} (Ctrl-C to stop)", err=True)
        serve(service, host=host, port=port)
