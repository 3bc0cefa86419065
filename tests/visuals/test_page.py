import threading
import urllib.error
import urllib.request

import pytest

from spacy_relext.visuals.page import make_server


def test_serves_the_page_and_nothing_else():
    with make_server("<p>Zoë</p>", port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            host, port = server.server_address[:2]
            assert host == "127.0.0.1"
            with urllib.request.urlopen(f"http://{host}:{port}/", timeout=5) as answer:
                assert answer.read().decode() == "<p>Zoë</p>"
                assert "utf-8" in answer.headers["Content-Type"]
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://{host}:{port}/etc/passwd", timeout=5)
        finally:
            server.shutdown()
            thread.join()


def test_port_that_cannot_be_had():
    with make_server("x", port=0) as server, pytest.raises(ValueError, match="R212"):
        make_server("x", port=server.server_address[1])
    with pytest.raises(ValueError, match="R212"):
        make_server("x", port=99999)
