"""Show one page on localhost."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..errors import Errors

HOST = "127.0.0.1"


def make_server(page: str, *, port: int = 5000) -> ThreadingHTTPServer:
    """Make a server that answers / with a page; only this machine can reach it.

    page (str): The HTML.
    port (int): Where to listen; 0 for any free port.
    RETURNS (ThreadingHTTPServer): Call `serve_forever`.
    RAISES (ValueError): Where the port cannot be had.
    """
    body = page.encode("utf-8")

    class PageHandler(BaseHTTPRequestHandler):
        """Answers every request with the page or with 404."""

        def do_GET(self) -> None:  # noqa: N802  (the name http.server calls)
            """Send the page."""
            if self.path.split("?")[0] not in ("/", "/index.html"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the terminal quiet."""

    try:
        return ThreadingHTTPServer((HOST, port), PageHandler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(Errors.R212.format(port=port, reason=reason)) from None
