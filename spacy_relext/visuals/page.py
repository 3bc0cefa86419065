"""One self-contained HTML page with drawings and a table of triples, and a server that shows it on localhost."""

from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Optional, Sequence

from spacy.tokens import Doc

from ..annotations.near_miss import NearMiss
from ..errors import Errors
from .displacy_view import draw_passages
from .evidence import STYLE as EVIDENCE_STYLE
from .evidence import draw_evidence
from .explanation import argument_texts, explain_absence, rank_records

HOST = "127.0.0.1"

_DOC_STYLE = """
.drawing { overflow-x: auto; margin: 1rem 0; }
.drawing svg { display: block; }
.displacy-word { font-size: 16px; } .displacy-tag { font-size: 11px; opacity: .65; }
.displacy-arrow { color: #2b5fb4; } .displacy-arrow:hover, .displacy-token:hover { color: #b4402b; }
.displacy-arrow:hover .displacy-arc { stroke-width: 3px; }
.plain { opacity: .75; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #d5dbe3; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; } td.evidence { font-size: .8rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  th, td { border-color: #39414d; }
  .displacy-arrow { color: #8db4f5; }
}
"""

# Of what `draw_doc` returns, without the page around it.
CONTENT_STYLE = _DOC_STYLE + EVIDENCE_STYLE

_PAGE_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1c2430; background: #ffffff; }
h1 { font-size: 1.25rem; } h2 { font-size: 1rem; margin-top: 2.5rem; }
@media (prefers-color-scheme: dark) { body { color: #e4e8ee; background: #161a20; } }
"""

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
    misses (Sequence[Optional[Sequence[NearMiss]]]): Near misses of each to list; None: not asked for.
    """
    parts = [f"<h1>{escape(title)}</h1>"]
    for number, doc in enumerate(docs, start=1):
        if len(docs) > 1:
            parts.append(f"<h2>Document {number}</h2>")
        parts.append(draw_doc(doc, reason=reasons[number - 1] if reasons else ""))
        if misses and (listed := misses[number - 1]) is not None:
            parts.append(_miss_table(doc, listed))
    lang = docs[0].lang_ if docs else "en"
    return frame_page("\n".join(parts), title=title, style=_PAGE_STYLE + CONTENT_STYLE, lang=lang)


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
    for record in records:
        (start, end), (object_start, object_end) = record["subject"], record["object"]
        subject, obj = doc.text[start:end], doc.text[object_start:object_end]
        cells = "".join(f"<td>{escape(value)}</td>" for value in (subject, record["relation"], obj))
        hover = f"{subject} → {record['relation']} → {obj}"
        rows.append(
            f'<tr title="{escape(hover)}">{cells}'
            f'<td class="number">{record["score"]:.3f}</td><td>{escape(record["source"])}</td>'
            f'<td class="number">{start}–{end}, {object_start}–{object_end}</td>'
            f'<td class="evidence">{draw_evidence(doc, record)}</td></tr>'
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
        texts = "".join(f"<td>{escape(text)}</td>" for text in (subject, miss.relation, obj))
        rows.append(
            f'<tr>{texts}<td class="number">{miss.score:.3f}</td><td class="number">{limit}</td>'
            f"<td>{escape(miss.source)}</td><td>{escape(miss.stopped_by)}</td>"
            f'<td class="evidence">{escape(miss.text)}</td></tr>'
        )
    return f"<h3>Near misses</h3>\n{_make_table(_MISS_COLUMNS, rows)}"


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
    """Make a page of escaped HTML, with a title that is not escaped, CSS, the language of the texts, and more head."""
    return _PAGE.format(lang=escape(lang), title=escape(title), style=style, content=content, head=head)


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

    try:
        return ThreadingHTTPServer((HOST, port), PageHandler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(Errors.R212.format(port=port, reason=reason)) from None
