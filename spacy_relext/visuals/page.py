"""One self-contained HTML page with drawings and a table of triples, and a server that shows it on localhost."""

import sys
from base64 import b64encode
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional, Sequence, Type, TypeVar

from spacy.tokens import Doc

from ..annotations.near_miss import NearMiss
from ..errors import Errors
from .arcs import STYLE as ARC_STYLE
from .arcs import draw_passages
from .evidence import STYLE as EVIDENCE_STYLE
from .evidence import draw_evidence
from .explanation import argument_texts, explain_absence, rank_records, relation_text

HOST = "127.0.0.1"

_HERE = Path(__file__).parent
_SCRIPT = (_HERE / "triples_page.js").read_text(encoding="utf8")
_PAGE_STYLE = (_HERE / "triples_page.css").read_text(encoding="utf8")

# Style of what `draw_doc` returns, without the page around it.
CONTENT_STYLE = ARC_STYLE + (_HERE / "triples.css").read_text(encoding="utf8") + EVIDENCE_STYLE

# Nothing but the page's own script may run, and nothing may be loaded.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'; base-uri 'none'\">"
)

_HEADER = """<header><h1>{title}</h1>
<p><mark class="subject">subject</mark> → <mark class="object">object</mark></p>
<div id="controls" hidden><label>Score at least <input type="range" id="least" min="0" max="1" step="0.01" value="0">
<output id="shown" for="least"></output></label></div></header>"""

_COLUMNS = ("Subject", "Relation", "Object", "Score", "Source", "Characters", "Evidence")
_MISS_COLUMNS = ("Subject", "Relation", "Object", "Score", "Threshold", "Source", "Stopped by", "Why")


def render_page(
    docs: Sequence[Doc],
    *,
    title: str = "Triples",
    reasons: Sequence[str] = (),
    misses: Sequence[Optional[Sequence[NearMiss]]] = (),
) -> str:
    """Draw processed documents as an HTML page that needs no network; all text is escaped.

    reasons (Sequence[str]): Why each has no triple; "" if it has some or the reason is unknown.
    misses (Sequence[Optional[Sequence[NearMiss]]]): Near misses of each to list; None: not requested.
    """
    parts = [_HEADER.format(title=escape(title))]
    for number, doc in enumerate(docs, start=1):
        if len(docs) > 1:
            parts.append(f"<h2>Document {number}</h2>")
        drawn = draw_doc(doc, reason=reasons[number - 1] if reasons else "")
        parts.append(f'<section class="document" lang="{escape(doc.lang_)}">\n{drawn}')
        if misses and (listed := misses[number - 1]) is not None:
            parts.append(_miss_table(doc, listed))
        parts.append("</section>")
    parts.append(f"<script>{_SCRIPT}</script>")
    policy = _POLICY.format(script=hash_content(_SCRIPT))
    style, lang = _PAGE_STYLE + CONTENT_STYLE, docs[0].lang_ if docs else "en"
    return frame_page("\n".join(parts), title=title, style=style, lang=lang, head=policy)


def draw_doc(doc: Doc, *, reason: str = "") -> str:
    """Draw a processed document as escaped HTML: its sentences, those with triples as arcs, and a table of triples.

    reason (str): Why it has no triple; "" if it has some or the reason is unknown.
    """
    passages = [
        f'<div class="drawing">{svg}</div>' if svg else f'<p class="plain">{escape(text)}</p>'
        for text, svg in draw_passages(doc)
    ]
    return "\n".join([*passages, _table(doc, reason)])


def _table(doc: Doc, reason: str) -> str:
    """Write the triples with exact offsets, the highest scores first."""
    records = rank_records(doc)
    if not records:
        return f"<p>{escape(explain_absence(reason))}</p>"
    rows = []
    for row, record in enumerate(records):
        (start, end), (object_start, object_end) = record["subject"], record["object"]
        subject, obj = doc.text[start:end], doc.text[object_start:object_end]
        relation = relation_text(record)
        words = {"subject": subject, "relation": relation, "object": obj}
        cells = "".join(f'<td data-cell="{name}">{_breakable(value)}</td>' for name, value in words.items())
        hover = f"{subject} → {relation} → {obj}"
        rows.append(
            f'<tr title="{escape(hover)}" data-row="{row}" data-score="{record["score"]:.6f}">{cells}'
            f'<td class="number" data-cell="score">{record["score"]:.3f}</td>'
            f'<td data-cell="source">{_breakable(record["source"])}</td>'
            f'<td class="number" data-cell="characters">{start}–{end}, {object_start}–{object_end}</td>'
            f'<td class="evidence" data-cell="evidence">{draw_evidence(doc, record)}</td></tr>'
        )
    return _make_table(_COLUMNS, rows)


def _miss_table(doc: Doc, misses: Sequence[NearMiss]) -> str:
    """Write near misses, and what stopped each."""
    if not misses:
        return "<p>No near miss.</p>"
    rows = []
    for miss in misses:
        subject, obj = argument_texts(doc, miss)
        limit = "" if miss.stopped_by == "constraints" else f"{miss.threshold:.3f}"
        texts = "".join(f"<td>{_breakable(text)}</td>" for text in (subject, miss.relation, obj))
        rows.append(
            f'<tr>{texts}<td class="number">{miss.score:.3f}</td><td class="number">{limit}</td>'
            f"<td>{_breakable(miss.source)}</td><td>{escape(miss.stopped_by)}</td>"
            f'<td class="evidence">{escape(miss.text)}</td></tr>'
        )
    return f"<h3>Near misses</h3>\n{_make_table(_MISS_COLUMNS, rows)}"


def _breakable(text: str) -> str:
    """Escape a text whose names may break after an underscore."""
    return escape(text).replace("_", "_<wbr>")


def _make_table(columns: Sequence[str], rows: Sequence[str]) -> str:
    """Write a table of rows in HTML."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>{head}
<style>{style}</style>
</head>
<body>
{content}
</body>
</html>
"""


def frame_page(content: str, *, title: str, style: str, lang: str, head: str = "") -> str:
    """Make a page of escaped HTML, an unescaped title, CSS, the language of the texts, and more HTML for the head."""
    return _PAGE.format(lang=escape(lang), title=escape(title), style=style, content=content, head=head)


def hash_content(text: str) -> str:
    """Compute the SHA-256 hash by which a Content-Security-Policy allows a script or a style."""
    return b64encode(sha256(text.encode("utf8")).digest()).decode("ascii")


class PageServer(ThreadingHTTPServer):
    """A server whose clients may close their connections at any time, and may be many."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


Server = TypeVar("Server", bound=PageServer)


def make_server(page: str, *, port: int = 5000) -> ThreadingHTTPServer:
    """Make a server that only this machine can reach and that answers / with a page.

    port (int): Port to listen on; 0 for any free one.
    RAISES (ValueError): If the port cannot be used.
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
            """Log nothing."""

    return start_server(PageHandler, port=port, kind=PageServer)


def start_server(handler: Type[BaseHTTPRequestHandler], *, port: int, kind: Type[Server]) -> Server:
    """Listen on a port of this machine with a kind of server. RAISES (ValueError): If the port cannot be used."""
    try:
        return kind((HOST, port), handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(Errors.R212.format(port=port, reason=reason)) from None
