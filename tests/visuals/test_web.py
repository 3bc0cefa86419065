"""Applications of this package behind a real server: the page, clients that leave, ports, what is not installed."""

import socket
import struct
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")

from spacy_relext import errors as optional  # noqa: E402
from spacy_relext.visuals.web import HOST, bind_port, html_response, make_app, serve  # noqa: E402
from tests.visuals.browser import serve_app  # noqa: E402


def make_page_app(page: str) -> Any:
    async def get_page(request: Any) -> Any:
        return html_response(page)

    return make_app([("GET", "/", get_page)], purpose="a test")


def test_serves_the_page_and_nothing_else() -> None:
    with serve_app(lambda port: make_page_app("<p>Zoë \ud800</p>")) as address:
        answer = httpx.get(address)
        assert answer.text == "<p>Zoë ?</p>" and "utf-8" in answer.headers["Content-Type"]
        missing = httpx.get(f"{address}etc/passwd")
        assert missing.status_code == 404 and missing.json() == {"error": "Not Found"}
        assert httpx.post(address).status_code == 405


def test_clients_that_leave(capfd: Any) -> None:
    """Closed connections are no error, and a crowd of clients is served."""
    with serve_app(lambda port: make_page_app("x" * 5_000_000)) as address:
        place = (HOST, int(address.split(":")[-1].strip("/")))
        for request in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(place, timeout=5) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not closed
                client.sendall(request)
        crowd = [socket.create_connection(place, timeout=5) for _ in range(64)]
        for client in crowd:
            client.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 404")
            client.close()
    assert capfd.readouterr().err == ""


def test_port_that_cannot_be_had() -> None:
    with bind_port(HOST, 0) as bound:
        bound.listen()
        with pytest.raises(ValueError, match="R212"):
            bind_port(HOST, bound.getsockname()[1])
    with pytest.raises(ValueError, match="R212"):
        bind_port(HOST, 99999)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    app = make_page_app("x")
    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"R006.*starlette.*a test.*spacy-relext\[serve\]"):
        make_page_app("x")
    with bind_port(HOST, 0) as bound, pytest.raises(ImportError, match=r"R006.*uvicorn.*spacy-relext\[serve\]"):
        serve(app, bound, purpose="a test")
