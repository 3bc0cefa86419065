"""Drawings and tables of triples in a Jupyter notebook."""

from html import escape
from typing import Iterable, List, Union

from spacy.tokens import Doc, Span

from ..annotations.parts import each_doc, span_to_doc
from .page import CONTENT_STYLE, draw_doc

# Nested CSS rules apply only inside the element. It has colours of its own: a notebook's theme need not be that of
# the system, and a notebook colours tables and code by its theme.
_STYLE = f"""
.relext {{ font: 14px/1.5 system-ui, sans-serif; color: #1c2430; background: #ffffff; padding: .25rem 1rem; }}
@media (prefers-color-scheme: dark) {{ .relext {{ color: #e4e8ee; background: #161a20; }} }}
.relext {{
table, code {{ color: inherit; }} tr, code {{ background: none !important; }}{CONTENT_STYLE}}}
"""


class Rendering:
    """Drawn documents: Jupyter shows them, `html` is their source.

    html (str): A self-contained HTML fragment, all text escaped, without scripts; needs no network.
    """

    def __init__(self, html: str, *, count: int) -> None:
        self.html = html
        self._count = count

    def __repr__(self) -> str:
        return f"<drawing of {self._count} document{'s' * (self._count != 1)}: Jupyter shows it, .html is its source>"

    def _repr_html_(self) -> str:
        """Return what Jupyter shows."""
        return self.html


def render(docs: Union[Doc, Span, Iterable[Doc]]) -> Rendering:
    """Draw the triples of documents for a Jupyter notebook, as the page of `spacy relext view` does.

    Each sentence that has triples is drawn with arcs from subject to object; a table lists all triples with scores and
    evidence.

    docs (Union[Doc, Span, Iterable[Doc]]): A processed Doc, a part of one such as a sentence, or several Docs.
    RETURNS (Rendering): Shown by Jupyter as the value of a cell, or with `IPython.display.display`.
    RAISES (ValueError): If something is not a Doc.
    """
    parts: List[str] = []
    for doc in each_doc(span_to_doc(docs) if isinstance(docs, Span) else docs):
        parts.append(f'<div class="document" lang="{escape(doc.lang_)}">\n{draw_doc(doc)}\n</div>')
    content = "\n".join(parts)
    return Rendering(f'<div class="relext">\n<style>{_STYLE}</style>\n{content}\n</div>', count=len(parts))
