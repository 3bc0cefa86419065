"""`spacy relext serve`: a pipeline behind HTTP."""

from typing import Annotated, Optional

import typer

from ..errors import check_range
from ..extraction.service import PURPOSE, Limits, Service, is_loopback, make_service_app
from ..visuals.web import bind_port, serve
from . import options
from .pipeline import input_errors, open_pipeline


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
        check_range("--port", port, 1, 65535)
        bound = bind_port(host, port)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        local = ["127.0.0.1", "localhost", "::1"] if is_loopback(host) else []
        hosts = [*local, *(options.split_list(allow_host) or ())]
        service = Service(nlp, Limits(max_bytes, max_texts, max_length), hosts, batch_size)
        app = make_service_app(service)
        typer.echo(f"Serving on http://{host}:{port} (Ctrl-C to stop)", err=True)
        serve(app, bound, purpose=PURPOSE)
