"""Triples as drawings and tables: a self-contained HTML page, and a fragment for a Jupyter notebook."""

from typing import Iterable, Optional, Sequence, Union

from markupsafe import Markup
from spacy.tokens import Doc, Span

from ..annotations.doc_entities import facts_beyond_triples
from ..annotations.near_miss import NearMiss
from ..annotations.parts import each_doc, span_to_doc
from .arcs import draw_passages
from .evidence import draw_evidence
from .explanation import argument_texts, explain_absence, rank_records, relation_text
from .templates import STYLE_ATTRIBUTES, draw_page, fill_template, read_asset

# Style of what `draw_doc` returns, without the page around it.
_STYLES = ("arcs.css", "triples.css", "evidence.css")


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
    documents = []
    for number, doc in enumerate(docs):
        listed = misses[number] if misses else None
        documents.append(
            {
                "lang": doc.lang_,
                "drawing": draw_doc(doc, reason=reasons[number] if reasons else ""),
                "misses": None if listed is None else [(argument_texts(doc, miss), miss) for miss in listed],
            }
        )
    return draw_page(
        "view.html",
        title=title,
        lang=docs[0].lang_ if docs else "en",
        assets=("view.css", *_STYLES, "view.js"),
        allowed=[STYLE_ATTRIBUTES],
        documents=documents,
    )


def draw_doc(doc: Doc, *, reason: str = "") -> Markup:
    """Draw a processed document as escaped HTML: its sentences, those with triples as arcs, and a table of triples.

    The table also has the facts of the document that no triple states.

    reason (str): Why it has no triple; "" if it has some or the reason is unknown.
    """
    records = [
        {**record, "shown": relation_text(record), "drawn": draw_evidence(doc, record)}
        for record in [*rank_records(doc), *facts_beyond_triples(doc)]
    ]
    absence = explain_absence(reason)
    return fill_template("triples.html", passages=draw_passages(doc), text=doc.text, records=records, absence=absence)


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
        return self.html


def render(docs: Union[Doc, Span, Iterable[Doc]]) -> Rendering:
    """Draw the triples of documents for a Jupyter notebook, as the page of `spacy relext view` does.

    Each sentence that has triples is drawn with arcs from subject to object; a table lists all triples with scores and
    evidence.

    docs (Union[Doc, Span, Iterable[Doc]]): A processed Doc, a part of one such as a sentence, or several Docs.
    RETURNS (Rendering): Shown by Jupyter as the value of a cell, or with `IPython.display.display`.
    RAISES (ValueError): If something is not a Doc.
    """
    listed = each_doc(span_to_doc(docs) if isinstance(docs, Span) else docs)
    drawings = [(doc.lang_, draw_doc(doc)) for doc in listed]
    style = Markup("").join(map(read_asset, _STYLES))
    html = fill_template("notebook.html", colors=read_asset("notebook.css"), style=style, drawings=drawings)
    return Rendering(str(html), count=len(drawings))
