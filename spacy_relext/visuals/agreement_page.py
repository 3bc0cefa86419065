"""The disagreements of annotators as one HTML page without a script."""

from html import escape
from typing import List, Optional, Sequence

from ..annotations.triple import CharSpan
from ..scoring.agreement import Agreement, Disagreement, Key
from .page import frame_page, hash_content
from .passages import PASSAGE_STYLE

_STYLE = """
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem 1.25rem .2rem 0; }
ul { margin: .25rem 0; padding-left: 1.25rem; } .readings { display: grid; gap: .25rem 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); } .readings > div { overflow-wrap: anywhere; }
"""

_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; "
    "base-uri 'none'; form-action 'none'\">"
)


def render_agreement(agreement: Agreement, *, rows: Sequence[Sequence[str]], header: Sequence[str], title: str) -> str:
    """Draw scores and disagreements as a page that needs no network; all text is escaped.

    rows (Sequence[Sequence[str]]), header (Sequence[str]): The table of scores.
    """
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    cards = "\n".join(_card(each, agreement.names) for each in agreement.disagreements)
    content = (
        f"<h1>{escape(title)}</h1>\n<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>\n"
        f"<h2>{len(agreement.disagreements):,} disagreements</h2>\n"
        '<p><mark class="subject">Subject</mark> → relation → <mark class="object">object</mark>; triples that all '
        f"have are not shown.</p>\n{cards}"
    )
    style = PASSAGE_STYLE + _STYLE
    return frame_page(content, title=title, style=style, lang="en", head=_POLICY.format(style=hash_content(style)))


def _card(each: Disagreement, names: Sequence[str]) -> str:
    """Write a passage and the reading of each annotator."""
    shown = " … ".join(escape(each.text[start:end].strip()) for start, end in each.passages)
    columns = "".join(
        f"<div><b>{escape(name)}</b>{_reading(each.text, keys)}</div>" for name, keys in zip(names, each.readings)
    )
    return f'<section class="card"><p dir="auto">{shown}</p><div class="readings">{columns}</div></section>'


def _reading(text: str, keys: Optional[List[Key]]) -> str:
    """Write the triples of one annotator."""
    if not keys:
        return "<p>not annotated</p>" if keys is None else "<p>none of these</p>"
    items = "".join(
        f"<li>{_mark(text, subject, 'subject')} → {escape(relation)} → {_mark(text, obj, 'object')}</li>"
        for subject, relation, obj in keys
    )
    return f"<ul>{items}</ul>"


def _mark(text: str, span: CharSpan, role: str) -> str:
    return f'<mark class="{role}"><bdi>{escape(text[slice(*span)])}</bdi></mark>'
