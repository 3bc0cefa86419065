"""One self-contained HTML page of a graph: search, facts with their sentences, conflicts, merges, a drawing."""

import json
from html import escape
from pathlib import Path

from ..annotations.triple import Record
from .page import frame_page, hash_content

_HERE = Path(__file__).parent

# Nothing but what the page itself holds may run, and nothing may be loaded.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
    "base-uri 'none'; form-action 'none'\">"
)

_CONTENT = """<a class="skip" href="#main">Skip to the entity</a>
<header><h1>{title}</h1><p>{about}</p></header>
<form id="filters" aria-label="Filters of facts">
<label>Relation <select id="relation"><option value="">all</option></select></label>
<label>Probability at least <input type="range" id="probability" min="0" max="100" value="0">
<output id="least" for="probability">0.00</output></label>
<label><input type="checkbox" id="conflicts"> Only conflicts ({conflicts:,})</label>
</form>
<div class="columns">
<nav aria-label="Entities">
<input type="search" id="words" placeholder="Search entities" aria-label="Search entities by name" autocomplete="off">
<label>Type <select id="type"><option value="">all</option></select></label>
<p><span id="found" role="status"></span>; keys <kbd>/</kbd> <kbd>↑</kbd> <kbd>↓</kbd></p>
<ol id="entities"></ol><button id="more-entities" type="button" hidden>Show more</button>
</nav>
<main id="main" tabindex="-1" hidden>
<h2 id="name" tabindex="-1"></h2><div id="about"></div>
<figure>
<svg id="drawing" role="group" aria-label="Neighbours of the entity; the facts below say the same as text"></svg>
<figcaption><span id="drawn" role="status"></span><span>Thicker: more probable; dashed: in conflict</span>
<label>Steps <select id="steps"><option>1</option><option>2</option></select></label></figcaption>
</figure>
<details id="merges" hidden><summary>Why these names are one entity (<span id="joined"></span>)</summary>
<table><thead><tr><th>Name</th><th>is the same as</th><th>because</th><th>certainty</th><th>documents</th></tr></thead>
<tbody id="reasons"></tbody></table></details>
<h3 id="count" role="status"></h3>
<ol id="facts"></ol><button id="more-facts" type="button" hidden>Show more</button>
</main>
</div>
<noscript><p>This page needs JavaScript.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


def render_graph_page(data: Record, *, title: str, about: str) -> str:
    """Make the page of a graph, which needs no network; the same data give the same page.

    data (Record): What `graph_page.js` reads: columns of entities, facts and support, and the lists that they index.
    title (str), about (str): Heading, and a line about the graph; not escaped.
    """
    style, script = ((_HERE / f"graph_page.{suffix}").read_text(encoding="utf8") for suffix in ("css", "js"))
    content = _CONTENT.format(
        title=escape(title),
        about=escape(about),
        conflicts=len(data["conflicts"]),
        # only "<" could end a script element
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        script=script,
    )
    policy = _POLICY.format(script=hash_content(script), style=hash_content(style))
    return frame_page(content, title=title, style=style, lang="en", head=policy)
