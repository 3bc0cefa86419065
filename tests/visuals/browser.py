"""A headless browser without a network, if the machine has one, and applications that it can reach."""

import re
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Set, Tuple

import pytest

from spacy_relext.visuals.web import HOST, bind_port

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)

needs_driver = pytest.mark.skipif(
    BROWSER is None or find_spec("playwright") is None, reason="no headless browser, or no playwright to drive it"
)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no headless browser on this machine")


POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def add_script(page: str, script: str) -> str:
    """Let a further script run at the end of a page, whose policy forbids it."""
    assert POLICY.search(page) and "</body>" in page
    return POLICY.sub("", page).replace("</body>", f"<script>{script}</script></body>")


class Tags(HTMLParser):
    """Collects the tags of a document and its text, and checks that each is closed."""

    VOID = ("br", "input", "link", "meta", "wbr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.open: List[str] = []
        self.seen: Set[str] = set()
        self.attributes: List[Tuple[str, Optional[str]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def open_page(page: Path, profile: Path, *, wait: int = 0, width: int = 1400) -> str:
    """Load a page, check that its script ran to the end without a message, and give back what has become of it.

    wait (int): Milliseconds of the page's own time for what it does after it is loaded.
    width (int): Of the window, in pixels.
    """
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--window-size={width},900",
        f"--user-data-dir={profile}",
    ]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"]
    options += [f"--virtual-time-budget={wait}"] if wait else []
    command: List[str] = [str(BROWSER), *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0 and 'data-ready="true"' in done.stdout, f"{BROWSER}: {done.stderr[-2000:]}"
    assert re.findall(r".*CONSOLE.*", done.stderr) == []
    return done.stdout


@contextmanager
def drive_browser() -> Iterator[Any]:
    """Start a browser that takes clicks and keys, as `playwright` has it; it reaches this machine alone."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serve_app(make: Callable[[int], Any]) -> Iterator[str]:
    """Serve an application, made for a port, in a thread. Gives its address."""
    uvicorn = pytest.importorskip("uvicorn")
    bound = bind_port(HOST, 0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(make(port), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://{HOST}:{port}/"
    finally:
        server.should_exit = True
        thread.join(20)
