"""The application behind the page of `spacy relext annotate correct`: sends documents, takes answers."""

import secrets
from hmac import compare_digest
from typing import TYPE_CHECKING, Sequence

from ..corpora.formats.sources import parse_json
from .correction import Correction, StaleAnswer
from .templates import draw_page
from .web import BadRequest, html_response, json_response, make_app, read_body, require_json

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MAX_BODY = 16 * 1024 * 1024
PURPOSE = "`spacy relext annotate correct`"

_TOKEN_HEADER = "X-Relext-Token"

# The page is never cached: after a restart of the server, its token is a new one.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


def make_correction_app(correction: Correction, *, hosts: Sequence[str]) -> "Starlette":
    """Make the application of a page to correct documents.

    It answers only requests for its own hosts, against DNS rebinding. Documents and answers need a token, which other
    sites cannot read.

    hosts (Sequence[str]): Names with ports that requests may be for.
    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    token = secrets.token_urlsafe(24)
    page = render_correction_page(correction, token=token)

    def check(request: "Request") -> None:
        host, origin = request.headers.get("host"), request.headers.get("origin")
        if host not in hosts or not (origin is None or origin in [f"http://{each}" for each in hosts]):
            raise BadRequest("another host", 403)

    def read_number(request: "Request") -> int:
        given = request.headers.get(_TOKEN_HEADER, "")
        if not compare_digest(given.encode("utf8", "replace"), token.encode("ascii")):
            raise BadRequest("the server was started again: another token", 403)
        number: int = request.path_params["number"]
        if number >= len(correction.records):
            raise BadRequest("no such document", 404)
        return number

    async def get_page(request: "Request") -> "Response":
        return html_response(page)

    async def get_document(request: "Request") -> "Response":
        return json_response(correction.read(read_number(request)))

    async def post_answer(request: "Request") -> "Response":
        require_json(request)
        number = read_number(request)
        return _write(correction, number, await read_body(request, MAX_BODY))

    routes = [
        ("GET", "/", get_page),
        ("GET", "/index.html", get_page),
        ("GET", "/documents/{number:int}", get_document),
        ("POST", "/documents/{number:int}", post_answer),
    ]
    return make_app(routes, purpose=PURPOSE, check=check, headers=_HEADERS)


def _write(correction: Correction, number: int, body: bytes) -> "Response":
    """Write an answer to the disk. RAISES (BadRequest): If it is malformed, outdated, or cannot be written."""
    try:
        answer = parse_json(body.decode("utf8"))
        if not isinstance(answer, dict):
            raise ValueError("expected a JSON object")
        return json_response(correction.write(number, answer))
    except StaleAnswer:
        raise BadRequest("the document has another answer", 409) from None
    except (ValueError, RecursionError) as error:
        raise BadRequest(str(error)) from None
    except OSError as error:
        raise BadRequest(f"cannot write {correction.answers.path}: {error.strerror or error}", 507) from None


def render_correction_page(correction: Correction, *, token: str) -> str:
    """Make the page, which requests documents from its own server and sends it the answers.

    token (str): What the server expects in a header of each request.
    """
    data = {
        "token": token,
        "header": _TOKEN_HEADER,
        "relations": correction.relations,
        "total": len(correction.records),
        "first": correction.next_open(0),
        "output": str(correction.answers.path),
    }
    return draw_page(
        "correction.html",
        title=f"Correct {correction.answers.path.name}",
        assets=("correction.css", "correction.js"),
        data=data,
        allowed=["connect-src 'self'"],
        total=len(correction.records),
    )
