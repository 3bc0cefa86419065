"""How long a browser takes to open the page of a graph, and to respond, on random documents."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from html import unescape
from pathlib import Path

from benchmarks.graph.scale import draw
from benchmarks.harness.call import Call
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import read_documents
from spacy_relext.graph.page import MOST_FACTS, draw_graph

TRIPLES, OPENINGS = 60_000, 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A reader's first actions, each timed until the page has changed, painting not counted.
READER = """
const times = {};
const run = (name, act) => { const start = performance.now(); act(); times[name] = performance.now() - start; };
const set = (id, value, kind) => { get(id).value = value; get(id).dispatchEvent(new Event(kind)); };
run("search", () => set("words", "bar", "input"));
run("search_again", () => set("words", "barb", "input"));
run("filter", () => set("probability", 80, "input"));
run("choose", () => { location.hash = `#e${E.id[1]}`; choose(); });
const out = make("pre", "", JSON.stringify(times)); out.id = "times"; document.body.append(out);
"""


def page(call: Call) -> None:
    """Write the page of a random graph and open it in headless Chromium."""
    path = call.settings.runs / f"drawn-documents-{TRIPLES}.jsonl"
    if not path.exists():
        draw(path, TRIPLES)
    metrics = measure(path, openings=OPENINGS)
    data = f"the {MOST_FACTS:,} most probable facts of {TRIPLES:,} drawn triples"
    call.record("page", metrics, data=data, split="headless Chromium", system="default", seed=0)
    call.tell(f"  {metrics}")


def measure(path: Path, *, openings: int) -> dict[str, float]:
    """Measure the page of the graph of some documents, as medians of several openings.

    RETURNS (dict[str, float]): `draw_seconds`, `facts_found` and `page_mib` of the page; `open_seconds` from navigation
        to the first rendering; `browser_seconds` of a browser that takes a screenshot, from start to end; for each
        action of `READER`, the seconds until the page has changed.
    """
    tables = build_graph(read_documents([path])).tables
    start = time.perf_counter()
    drawn = draw_graph(tables)
    metrics = {"draw_seconds": time.perf_counter() - start, "facts_found": drawn.facts}
    with tempfile.TemporaryDirectory() as folder:
        plain, read = Path(folder) / "plain.html", Path(folder) / "read.html"
        plain.write_text(drawn.html, encoding="utf8")
        metrics["page_mib"] = plain.stat().st_size / 2**20
        # the page's policy allows no other script
        free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", drawn.html)
        read.write_text(free.replace("</body>", f"<script>{READER}</script></body>"), encoding="utf8")
        pictures = [run_browser(plain, f"--screenshot={folder}/page.png") for _ in range(openings)]
        metrics["browser_seconds"] = statistics.median(seconds for seconds, _ in pictures)
        contents = [run_browser(read, "--dump-dom")[1] for _ in range(openings)]
    ready = [int(each) for text in contents for each in re.findall(r'<body[^>]* data-milliseconds="(\d+)"', text)]
    metrics["open_seconds"] = statistics.median(ready) / 1000
    times = [json.loads(unescape(re.findall(r'<pre[^>]*id="times"[^>]*>(.*?)</pre>', text)[0])) for text in contents]
    for name in times[0]:
        metrics[f"{name}_seconds"] = statistics.median(each[name] for each in times) / 1000
    return metrics


def run_browser(path: Path, action: str) -> tuple[float, str]:
    """Open a page in a new browser with an empty profile. RETURNS: Seconds until the browser has ended, its output."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ValueError(f"No browser: none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", action]
        command = [browser, *options, f"--user-data-dir={profile}", path.as_uri()]
        start = time.perf_counter()
        content = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout
        return time.perf_counter() - start, content
