"""A pipeline behind HTTP: a page to try it, and JSON in, JSON out."""

import ipaddress
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Sequence, Union
from urllib.parse import parse_qs

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..corpora.formats.sources import parse_json
from ..corpora.jsonl import check_record, to_json
from ..corpora.reader import predicted_doc
from ..corpora.records import KNOWN_KEYS
from ..errors import require
from ..export.records import extraction_record
from ..visuals.page import frame_page, render_page
from .batcher import Batcher, Overloaded
from .workers import process_each

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

# Content security policy of the form page: no script at all; results are shown in a frame, with their own policy.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }
textarea { box-sizing: border-box; font: inherit; width: 100%; }
iframe { border: 1px solid #999; height: 70vh; margin-top: 1rem; width: 100%; }
button { font: inherit; padding: 0.3rem 1rem; }
"""
_FORM = """<h1>{title}</h1>
<p>{relations}</p>
<form method="post" action="page" target="result">
<label for="text">Text</label>
<textarea id="text" name="text" rows="6" maxlength="{most}" required autofocus></textarea>
<p><button type="submit" accesskey="e">Extract</button>
<button type="submit" formaction="extract.json" formtarget="_self">Download JSON</button></p>
</form>
<iframe name="result" title="Triples"></iframe>"""


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    bytes (int): Maximum size of its body.
    texts (int): Maximum number of its texts.
    characters (int): Maximum length of a text; never more than the pipeline accepts.
    """

    bytes: int = 1_000_000
    texts: int = 256
    characters: int = 100_000


class BadRequest(Exception):
    """A request that is not answered with triples.

    status (int): HTTP status of the response.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Service:
    """Answers requests with a pipeline.

    nlp (Language): The pipeline.
    limits (Limits): What a request may ask for.
    hosts (Sequence[str]): Names allowed in the header `Host`; others are refused, against DNS rebinding. Empty: any.
    batch_size (int): Maximum number of texts in a batch.
    """

    nlp: Language
    limits: Limits = Limits()
    hosts: Sequence[str] = ()
    batch_size: int = 64

    def read_texts(self, body: bytes) -> List[Record]:
        """Read the texts of a JSON request: `text`, or `texts` with strings or canonical records.

        RAISES (BadRequest): If it is malformed, or asks for too much.
        """
        try:
            value = parse_json(body.decode("utf8"))
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"no JSON: {' '.join(str(error).split())}") from None
        if not isinstance(value, dict) or len({"text", "texts"} & set(value)) != 1:
            raise BadRequest('expected an object with "text", or with "texts"')
        texts = [value] if "text" in value else value["texts"]
        if not isinstance(texts, list):
            raise BadRequest('"texts" is no list')
        if len(texts) > self.limits.texts:
            raise BadRequest(f"{len(texts)} texts; at most {self.limits.texts} in a request", 413)
        return [self._read_text(text, number) for number, text in enumerate(texts, start=1)]

    def _read_text(self, value: object, number: int) -> Record:
        """Check one text."""
        record = {"text": value} if isinstance(value, str) else value
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise BadRequest(f"text {number} is neither a string nor an object with the key text")
        self.check_text(record["text"], number)
        try:
            return check_record({key: each for key, each in record.items() if key != "triples"})
        except ValueError as error:
            raise BadRequest(f"text {number}: {error}") from None

    def check_text(self, text: str, number: int) -> None:
        """Check a text. RAISES (BadRequest): If it is too long, or has a lone surrogate."""
        most = min(self.limits.characters, self.nlp.max_length)
        if len(text) > most:
            raise BadRequest(f"text {number} has {len(text)} characters; at most {most}", 413)
        try:
            text.encode("utf8")
        except UnicodeEncodeError:
            raise BadRequest(f"text {number} has half of a surrogate pair") from None

    def prepare(self, record: Record) -> Union[str, Doc]:
        """Make the input of the pipeline; sentences, entities and pairs that the client gives are kept."""
        if any(key in record for key in KNOWN_KEYS if key not in ("text", "triples")):
            return predicted_doc(self.nlp, record, gold_ents=True)
        return str(record["text"])

    def answer(self, record: Record, result: Union[Doc, Exception], number: int) -> Record:
        """Make the record of one text in a response."""
        if isinstance(result, Exception):
            return {"text": record["text"], "error": _reason(result)}
        extra = {key: value for key, value in record.items() if key not in KNOWN_KEYS}
        return extraction_record(result, number=number, extra=extra)


class _Endpoints:
    """The endpoints of the application."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.batcher: Optional[Batcher] = None

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Run the batcher as long as the application runs."""
        self.batcher = Batcher(partial(process_each, self.service.nlp), batch_size=self.service.batch_size)
        self.batcher.start()
        yield
        await self.batcher.stop()

    async def post_extract(self, request: "Request") -> "Response":
        """Return the triples of the texts of a JSON request as JSON."""
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            raise BadRequest("expected the header Content-Type: application/json", 415)
        records = self.service.read_texts(await _read_body(request, self.service.limits.bytes))
        return _json_response({"documents": await self._extract(records)})

    async def post_json(self, request: "Request") -> "Response":
        """Return the triples of the text of the form as a JSON file."""
        (record,) = await self._extract([{"text": await self._read_form(request)}])
        return _json_response(record, headers={"Content-Disposition": 'attachment; filename="triples.json"'})

    async def post_page(self, request: "Request") -> "Response":
        """Return the triples of the text of the form as a page with drawings."""
        from starlette.responses import HTMLResponse

        (result,) = await self._submit([await self._read_form(request)])
        if isinstance(result, Exception):
            raise BadRequest(_reason(result), 500)
        return HTMLResponse(render_page([result]))

    async def get_form(self, request: "Request") -> "Response":
        """Return the page with the form."""
        from starlette.responses import HTMLResponse

        return HTMLResponse(_form_page(self.service), headers={"Content-Security-Policy": _POLICY})

    async def get_health(self, request: "Request") -> "Response":
        """Return the status of the service, and how much it has read."""
        assert self.batcher is not None
        meta = {"pipeline": self.service.nlp.meta.get("name", ""), "spacy_relext": version("spacy-relext")}
        counts = {"batches": self.batcher.batches, "texts": self.batcher.items}
        return _json_response({"status": "ok", **meta, **counts})

    def guard(self, endpoint: Callable[["Request"], Awaitable["Response"]]) -> Callable[["Request"], Any]:
        """Wrap an endpoint so that a bad request is answered with an error of one line."""
        from starlette.requests import ClientDisconnect
        from starlette.responses import Response

        async def answer(request: "Request") -> "Response":
            try:
                _check_host(request.headers.get("host", ""), self.service.hosts)
                return await endpoint(request)
            except ClientDisconnect:
                return Response(status_code=499)
            except BadRequest as error:
                return _json_response({"error": " ".join(str(error).split())}, status=error.status)

        return answer

    async def _extract(self, records: List[Record]) -> List[Record]:
        """Extract the triples of records, and make the records of a response."""
        results = await self._submit([self.service.prepare(record) for record in records])
        return [self.service.answer(*pair, number) for number, pair in enumerate(zip(records, results), start=1)]

    async def _submit(self, inputs: Sequence[Union[str, Doc]]) -> List[Union[Doc, Exception]]:
        """Hand texts to the batcher."""
        assert self.batcher is not None
        try:
            return await self.batcher.submit(inputs)
        except Overloaded:
            raise BadRequest("too many texts are waiting; try again", 503) from None

    async def _read_form(self, request: "Request") -> str:
        """Read the text of the form."""
        form = parse_qs((await _read_body(request, self.service.limits.bytes)).decode("utf8", "replace"))
        text = form.get("text", [""])[0].replace("\r\n", "\n")
        self.service.check_text(text, 1)
        return text


def make_app(service: Service) -> "Starlette":
    """Make the ASGI application: `/`, `/page`, `/extract`, `/extract.json`, `/health`.

    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    applications: Any = require("starlette.applications", purpose="`spacy relext serve`", extra="serve")
    from starlette.routing import Route

    ends = _Endpoints(service)
    routes = [
        Route("/", ends.guard(ends.get_form)),
        Route("/health", ends.guard(ends.get_health)),
        Route("/extract", ends.guard(ends.post_extract), methods=["POST"]),
        Route("/extract.json", ends.guard(ends.post_json), methods=["POST"]),
        Route("/page", ends.guard(ends.post_page), methods=["POST"]),
    ]
    app: Starlette = applications.Starlette(routes=routes, lifespan=ends.lifespan)
    return app


def serve(service: Service, *, host: str, port: int) -> None:
    """Serve until Ctrl-C. RAISES (ImportError): If uvicorn is not installed (extra `serve`)."""
    uvicorn: Any = require("uvicorn", purpose="`spacy relext serve`", extra="serve")
    uvicorn.run(make_app(service), host=host, port=port, log_level="warning", timeout_graceful_shutdown=10)


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """Write an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _json_response(value: Record, *, status: int = 200, headers: Optional[Dict[str, str]] = None) -> "Response":
    """Answer with JSON."""
    from starlette.responses import Response

    return Response(to_json(value) + "\n", status_code=status, media_type="application/json", headers=headers)


async def _read_body(request: "Request", most: int) -> bytes:
    """Read a body piece by piece. RAISES (BadRequest): If it has too many bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BadRequest(f"the body has more than {most} bytes", 413)
        parts.append(part)
    return b"".join(parts)


def _check_host(header: str, hosts: Sequence[str]) -> None:
    """Refuse requests to another host. RAISES (BadRequest): If the name in the header is none of `hosts`."""
    name = header.rsplit(":", 1)[0].strip("[]") if not header.endswith("]") else header.strip("[]")
    if hosts and name not in hosts:
        raise BadRequest(f"unknown host {header[:60]!r}", 421)


def _form_page(service: Service) -> str:
    """Write the page with the form."""
    labels = sorted({label for labels in service.nlp.pipe_labels.values() for label in labels})
    title = service.nlp.meta.get("name") or "Triples"
    most = min(service.limits.characters, service.nlp.max_length)
    content = _FORM.format(title=escape(str(title)), relations=escape(", ".join(labels)), most=most)
    return frame_page(content, title=str(title), style=_STYLE, lang=service.nlp.lang or "en")


def find_port_error(host: str, port: int) -> Optional[str]:
    """Return why a port cannot be used; None if it can."""
    import socket

    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        return str(getattr(error, "strerror", None) or error)
    return None
