"""A server on this machine alone for the page of `spacy relext correct`: sends documents, takes answers."""

import json
import re
import secrets
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Optional

from ..annotations.triple import Record
from ..corpora.formats.sources import parse_json
from ..corpora.jsonl import to_json
from .correction import Correction, StaleAnswer
from .correction_page import TOKEN_HEADER, render_correction_page
from .page import HOST, PageServer, start_server

MAX_BODY = 16 * 1024 * 1024

_DOCUMENT = re.compile(r"/documents/(\d{1,9})")

# The page is never cached: after a restart of the server, its token is a new one.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


class CorrectionServer(PageServer):
    """A server with documents to correct; `token` is what its page sends with each request."""

    correction: Correction
    token: str
    page: bytes
    lock: Lock


class CorrectionHandler(BaseHTTPRequestHandler):
    """Answers with the page, with a document, or with the state after an answer."""

    server: CorrectionServer
    timeout = 60

    def do_GET(self) -> None:  # noqa: N802  (the name http.server calls)
        """Send the page or a document."""
        if not self._is_own_host():
            self._send_error(403, "another host")
        elif self.path.split("?")[0] in ("/", "/index.html"):
            self._send(200, self.server.page, "text/html; charset=utf-8")
        elif (number := self._number()) is not None:
            with self.server.lock:
                self._send_json(200, self.server.correction.read(number))

    def do_POST(self) -> None:  # noqa: N802
        """Write an answer."""
        length = self.headers.get("Content-Length", "")
        if not self._is_own_host():
            self._send_error(403, "another host")
        elif self.headers.get_content_type() != "application/json":
            self._send_error(415, "expected application/json")
        elif not length.isascii() or not length.isdigit():
            self._send_error(411, "expected a Content-Length")
        elif len(length) > 12 or int(length) > MAX_BODY:
            self._send_error(413, f"more than {MAX_BODY:,} bytes")
        elif (number := self._number()) is not None:
            self._write(number, self.rfile.read(int(length)))

    def _write(self, number: int, body: bytes) -> None:
        try:
            answer = parse_json(body.decode("utf8"))
            if not isinstance(answer, dict):
                raise ValueError("expected a JSON object")
            with self.server.lock:
                self._send_json(200, self.server.correction.write(number, answer))
        except StaleAnswer:
            self._send_error(409, "the document has another answer")
        except ValueError as error:
            self._send_error(400, str(error))
        except OSError as error:  # of the disk: if the connection was closed, the answer is already written
            if not isinstance(error, ConnectionError):
                self._send_error(507, f"cannot write {self.server.correction.answers.path}: {error.strerror or error}")

    def _is_own_host(self) -> bool:
        """Return True if the request is for this server, from its own page or from none."""
        port = self.server.server_address[1]
        hosts = [f"{name}:{port}" for name in (HOST, "localhost")]
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in hosts and (origin is None or origin in [f"http://{h}" for h in hosts])

    def _number(self) -> Optional[int]:
        """Return the number of the document; None if token or path are wrong, after sending the error."""
        given = self.headers.get(TOKEN_HEADER, "")
        if not compare_digest(given.encode("utf8", "replace"), self.server.token.encode("ascii")):
            self._send_error(403, "the server was started again: another token")
            return None
        match = _DOCUMENT.fullmatch(self.path)
        if match is None or int(match[1]) >= len(self.server.correction.records):
            self._send_error(404, "no such document")
            return None
        return int(match[1])

    def _send_json(self, status: int, value: Record) -> None:
        self._send(status, to_json(value).encode("utf8"), "application/json")

    def _send_error(self, status: int, what: str) -> None:
        self.close_connection = True
        self._send(status, json.dumps({"error": what}).encode("ascii"), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def make_correction_server(correction: Correction, *, port: int = 5000) -> CorrectionServer:
    """Make a server of a page to correct documents, which only this machine can reach.

    It answers only requests for its own host names, against DNS rebinding. Documents and answers need a token, which
    other sites cannot read.

    port (int): Port to listen on; 0 for any free one.
    RAISES (ValueError): If the port cannot be used.
    """
    server = start_server(CorrectionHandler, port=port, kind=CorrectionServer)
    server.correction, server.lock, server.token = correction, Lock(), secrets.token_urlsafe(24)
    server.page = render_correction_page(correction, token=server.token).encode("utf8", "replace")
    return server
