"""A pipeline behind HTTP: a page to try it, and JSON in, JSON out."""

import ipaddress
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, AsyncIterator, List, Optional, Sequence, Union
from urllib.parse import parse_qs

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..corpora.canonical import KNOWN_KEYS, check_record
from ..corpora.documents import MARKUP, PASSAGES_KEY, looks_like_markup, read_document
from ..corpora.formats.sources import parse_json
from ..corpora.reader import predicted_doc
from ..errors import Warnings
from ..export.records import extraction_record
from ..visuals.page import render_page
from ..visuals.templates import draw_page
from ..visuals.web import BadRequest, html_response, json_response, make_app, read_body, require_json
from .batcher import Batcher, Overloaded
from .workers import process_each

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PURPOSE = "`spacy relext serve`"


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

        A record with the key `format`, "html" or "markdown", has the passages of a document for its text.

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
        record = {"text": value} if isinstance(value, str) else value
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise BadRequest(f"text {number} is neither a string nor an object with the key text")
        self.check_text(record["text"], number)
        record = {key: each for key, each in record.items() if key != "triples"}
        try:
            if record.get("format") in list(MARKUP):
                kept = {key: each for key, each in record.items() if key not in KNOWN_KEYS}  # offsets no longer hold
                text, places = read_document(record["text"], record["format"])
                record = {**kept, **places, "text": text}
                self.check_text(text, number)
            return check_record(record)
        except (ImportError, ValueError) as error:
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
        if PASSAGES_KEY not in extra and looks_like_markup(record["text"]):
            extra["warning"] = Warnings.W204
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
        require_json(request)
        records = self.service.read_texts(await read_body(request, self.service.limits.bytes))
        return json_response({"documents": await self._extract(records)})

    async def post_json(self, request: "Request") -> "Response":
        """Return the triples of the text of the form as a JSON file."""
        (record,) = await self._extract([{"text": await self._read_form(request)}])
        return json_response(record, headers={"Content-Disposition": 'attachment; filename="triples.json"'})

    async def post_page(self, request: "Request") -> "Response":
        """Return the triples of the text of the form as a page with drawings."""
        (result,) = await self._submit([await self._read_form(request)])
        if isinstance(result, Exception):
            raise BadRequest(_reason(result), 500)
        return html_response(render_page([result]))

    async def get_form(self, request: "Request") -> "Response":
        """Return the page with the form."""
        return html_response(_form_page(self.service))

    async def get_health(self, request: "Request") -> "Response":
        """Return the status of the service, and how much it has read."""
        assert self.batcher is not None
        meta = {"pipeline": self.service.nlp.meta.get("name", ""), "spacy_relext": version("spacy-relext")}
        counts = {"batches": self.batcher.batches, "texts": self.batcher.items}
        return json_response({"status": "ok", **meta, **counts})

    def check_host(self, request: "Request") -> None:
        """Refuse requests to another host. RAISES (BadRequest): If the name in the header is none of its own."""
        header, hosts = request.headers.get("host", ""), self.service.hosts
        name = header.rsplit(":", 1)[0].strip("[]") if not header.endswith("]") else header.strip("[]")
        if hosts and name not in hosts:
            raise BadRequest(f"unknown host {header[:60]!r}", 421)

    async def _extract(self, records: List[Record]) -> List[Record]:
        results = await self._submit([self.service.prepare(record) for record in records])
        return [self.service.answer(*pair, number) for number, pair in enumerate(zip(records, results), start=1)]

    async def _submit(self, inputs: Sequence[Union[str, Doc]]) -> List[Union[Doc, Exception]]:
        assert self.batcher is not None
        try:
            return await self.batcher.submit(inputs)
        except Overloaded:
            raise BadRequest("too many texts are waiting; try again", 503) from None

    async def _read_form(self, request: "Request") -> str:
        form = parse_qs((await read_body(request, self.service.limits.bytes)).decode("utf8", "replace"))
        text = form.get("text", [""])[0].replace("\r\n", "\n")
        self.service.check_text(text, 1)
        return text


def make_service_app(service: Service) -> "Starlette":
    """Make the ASGI application: `/`, `/page`, `/extract`, `/extract.json`, `/health`.

    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    ends = _Endpoints(service)
    routes = [
        ("GET", "/", ends.get_form),
        ("GET", "/health", ends.get_health),
        ("POST", "/extract", ends.post_extract),
        ("POST", "/extract.json", ends.post_json),
        ("POST", "/page", ends.post_page),
    ]
    return make_app(routes, purpose=PURPOSE, check=ends.check_host, lifespan=ends.lifespan)


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _form_page(service: Service) -> str:
    labels = sorted({label for labels in service.nlp.pipe_labels.values() for label in labels})
    title = service.nlp.meta.get("name") or "Triples"
    return draw_page(
        "extraction/form.html",
        title=str(title),
        lang=service.nlp.lang or "en",
        assets=["extraction/form.css"],
        allowed=["frame-src 'self'", "form-action 'self'"],
        relations=", ".join(labels),
        max_length=min(service.limits.characters, service.nlp.max_length),
    )
