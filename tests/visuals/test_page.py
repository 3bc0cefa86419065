import socket
import struct
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


def test_clients_that_leave(capfd):
    """Closed connections are no error, and a crowd of clients is served."""
    with make_server("x" * 5_000_000, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            address = server.server_address[:2]
            for request in (b"", b"GET", b"GET / HTTP/1.1\r\n\r\n"):
                with socket.create_connection(address, timeout=5) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not closed
                    client.sendall(request)
            crowd = [socket.create_connection(address, timeout=5) for _ in range(64)]
            for client in crowd:
                client.sendall(b"GET /none HTTP/1.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.0 404")
                client.close()
        finally:
            server.shutdown()
            thread.join()
    assert server.request_queue_size >= 64 and capfd.readouterr().err == ""


def test_other_errors_of_the_server_are_told(capfd):
    with make_server("x", port=0) as server:
        try:
            raise KeyError("a fault")
        except KeyError:
            server.handle_error(None, ("127.0.0.1", 1))
    assert "a fault" in capfd.readouterr().err


def test_port_that_cannot_be_had():
    with make_server("x", port=0) as server, pytest.raises(ValueError, match="R212"):
        make_server("x", port=server.server_address[1])
    with pytest.raises(ValueError, match="R212"):
        make_server("x", port=99999)
