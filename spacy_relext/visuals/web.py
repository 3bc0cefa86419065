"""Applications behind HTTP, made with Starlette and served by uvicorn: errors are JSON of one line."""

import secrets
import socket
from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Mapping, Optional, Sequence, Tuple

from ..corpora.formats.sources import to_json
from ..errors import Errors, require

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Endpoint = Callable[["Request"], Awaitable["Response"]]

HOST = "127.0.0.1"  # which only this machine can reach


class BadRequest(Exception):
    """A request that is answered with an error.

    status (int): HTTP status of the response.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(" ".join(message.split()))
        self.status = status


# A page with a token is never cached: after a restart of the server, the token is a new one.
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
TOKEN_HEADER = "X-Relext-Token"


class Guard:
    """Lets only the page of this server read and write: others do not know its token, and DNS rebinding its hosts.

    hosts (Sequence[str]): Names with ports that requests may be for.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts, self.token = hosts, secrets.token_urlsafe(24)

    def check(self, request: "Request") -> None:
        """RAISES (BadRequest): If a request is for another host, or from another site."""
        host, origin = request.headers.get("host"), request.headers.get("origin")
        if host not in self.hosts or not (origin is None or origin in [f"http://{each}" for each in self.hosts]):
            raise BadRequest("another host", 403)

    def check_token(self, request: "Request") -> None:
        """RAISES (BadRequest): If a request does not have the token."""
        given = request.headers.get(TOKEN_HEADER, "")
        if not compare_digest(given.encode("utf8", "replace"), self.token.encode("ascii")):
            raise BadRequest("the server was started again: another token", 403)


def make_app(
    routes: Sequence[Tuple[str, str, Endpoint]],
    *,
    purpose: str,
    check: Callable[["Request"], None] = lambda request: None,
    headers: Mapping[str, str] = {},  # noqa: B006  (read only)
    lifespan: Any = None,
) -> "Starlette":
    """Make an ASGI application.

    routes (Sequence[Tuple[str, str, Endpoint]]): Method, path as Starlette reads it, and what answers.
    purpose (str): What needs the application, for the message.
    check (Callable[[Request], None]): Raises BadRequest for requests that no endpoint shall answer.
    headers (Mapping[str, str]): Headers of each response.
    lifespan (Any): Context in which the application runs, as Starlette takes it.
    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    applications: Any = require("starlette.applications", purpose=purpose, extra="serve")
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.responses import Response
    from starlette.routing import Route

    def guard(endpoint: Endpoint) -> Endpoint:
        async def answer(request: "Request") -> "Response":
            check(request)
            response = await endpoint(request)
            response.headers.update(headers)
            return response

        return answer

    async def answer_error(request: "Request", error: Exception) -> "Response":
        if isinstance(error, HTTPException):  # no such path or method
            return json_response({"error": error.detail}, status=error.status_code, headers=headers)
        assert isinstance(error, BadRequest)
        return json_response({"error": str(error)}, status=error.status, headers=headers)

    async def answer_nobody(request: "Request", error: Exception) -> "Response":
        return Response(status_code=499)

    app: Starlette = applications.Starlette(
        routes=[Route(path, guard(endpoint), methods=[method]) for method, path, endpoint in routes],
        exception_handlers={BadRequest: answer_error, HTTPException: answer_error, ClientDisconnect: answer_nobody},
        lifespan=lifespan,
    )
    return app


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] = {}) -> "Response":  # noqa: B006
    """Answer with one line of JSON."""
    from starlette.responses import Response

    return Response(to_json(value) + "\n", status_code=status, media_type="application/json", headers=dict(headers))


def html_response(page: str, *, headers: Optional[Dict[str, str]] = None) -> "Response":
    """Answer with a page."""
    from starlette.responses import HTMLResponse

    return HTMLResponse(page.encode("utf8", "replace"), headers=headers)


def require_json(request: "Request") -> None:
    """Refuse bodies of another kind. RAISES (BadRequest): If the header does not name JSON."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise BadRequest("expected the header Content-Type: application/json", 415)


async def read_body(request: "Request", max_bytes: int) -> bytes:
    """Read a body piece by piece. RAISES (BadRequest): If it has too many bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise BadRequest(f"the body has more than {max_bytes} bytes", 413)
        parts.append(part)
    return b"".join(parts)


def bind_port(host: str, port: int) -> socket.socket:
    """Reserve a port, 0 for any free one, without serving yet. RAISES (ValueError): If it cannot be used."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise ValueError(Errors.R212.format(port=port, reason=getattr(error, "strerror", None) or error)) from None
    return bound


def serve_page(make: Callable[[Sequence[str]], "Starlette"], port: int, *, state: str, purpose: str) -> None:
    """Serve the application of a page on this machine until Ctrl-C, and print its state and address.

    make (Callable[[Sequence[str]], Starlette]): Makes it for the names with ports that requests may be for.
    RAISES (ValueError): If the port cannot be used.
    """
    bound = bind_port(HOST, port)
    port = bound.getsockname()[1]
    app = make([f"{HOST}:{port}", f"localhost:{port}"])
    print(state)
    print(f"Serving on http://{HOST}:{port} (Ctrl-C to stop)", flush=True)
    serve(app, bound, purpose=purpose)


def serve(app: "Starlette", bound: socket.socket, *, purpose: str) -> None:
    """Serve an application on a reserved port until Ctrl-C.

    RAISES (ImportError): If uvicorn is not installed (extra `serve`).
    """
    uvicorn: Any = require("uvicorn", purpose=purpose, extra="serve")
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=10)
    with bound, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])
