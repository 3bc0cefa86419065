"""The page of `spacy relext correct`: one document at a time, its suggestions, and a key for each thing to do."""

import json
from pathlib import Path

from .correction import Correction
from .page import frame_page, hash_content

TOKEN_HEADER = "X-Relext-Token"

_HERE = Path(__file__).parent

# Only the page's own script and style run, and it may contact only its own server, whose headers forbid framing.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'\">"
)

_CONTENT = """<a class="skip" href="#triples">Skip to the triples</a>
<header><h1>Correct</h1><p id="progress" role="status"></p>
<p><label>Document <input type="number" id="number" min="1" max="{total}" inputmode="numeric"></label> of {total:,}</p>
<p><label><input type="checkbox" id="keys" checked> Keys</label></p>
<p id="saved" role="status"></p></header>
<main tabindex="-1" id="main">
<div id="text" dir="auto" role="region" aria-label="Text" tabindex="0"></div>
<p id="selection" class="note" role="status"></p>
<ol id="triples" aria-label="Triples"></ol>
<p id="message" role="alert"></p>
<div class="actions" role="group" aria-label="Document">
<button data-do="done" class="main">Done, next <kbd>Enter</kbd></button>
<button data-do="skip">Skip <kbd>x</kbd></button><button data-do="back">Back <kbd>b</kbd></button>
<button data-do="undo">Undo <kbd>u</kbd></button>
<button data-do="acceptAll">Accept the rest <kbd>Shift A</kbd></button>
<button data-do="rejectAll">Reject the rest <kbd>Shift R</kbd></button>
<button data-do="add">New triple <kbd>n</kbd></button></div>
<section aria-label="Relations"><h2>Relations</h2><ol id="relations"></ol></section>
<details><summary>Keys</summary><table><tbody id="help"></tbody></table>
<p>Select text with the mouse, or a token with <kbd>←</kbd> <kbd>→</kbd> and more with <kbd>Shift</kbd>. A selection
covers whole tokens; with <kbd>Alt</kbd> the mouse selects exact characters. A click selects an entity.</p></details>
</main>
<dialog id="chooser" aria-label="Choose a relation"><label>Relation
<input id="filter" autocomplete="off" role="combobox" aria-expanded="true" aria-controls="choices"></label>
<ul id="choices" role="listbox" aria-label="Relations"></ul></dialog>
<noscript><p>This page needs JavaScript.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


def render_correction_page(correction: Correction, *, token: str) -> str:
    """Make the page, which requests documents from its own server and sends it the answers.

    token (str): What the server expects in the header TOKEN_HEADER.
    """
    style, script = ((_HERE / f"correction_page.{suffix}").read_text(encoding="utf8") for suffix in ("css", "js"))
    data = {
        "token": token,
        "header": TOKEN_HEADER,
        "relations": correction.relations,
        "total": len(correction.records),
        "first": correction.next_open(0),
        "output": str(correction.answers.path),
    }
    content = _CONTENT.format(
        total=len(correction.records),
        # only "<" could end a script element
        data=json.dumps(data).replace("<", "\\u003c"),
        script=script,
    )
    policy = _POLICY.format(script=hash_content(script), style=hash_content(style))
    title = f"Correct {correction.answers.path.name}"
    return frame_page(content, title=title, style=style, lang="en", head=policy)
