"""Draw triples with displaCy: arguments are the words of a dependency drawing, relations its arcs."""

import unicodedata
from html import escape
from math import inf
from re import Match, sub
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from spacy import displacy
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..annotations.store import get_triples
from ..annotations.triple import Record, Triple
from ..errors import check_range
from .explanation import describe_triple

PIXELS_PER_CHARACTER = 8

DEFAULT_WIDTH = 19  # characters that fit displaCy's default distance

_MIN_WORD_WIDTH, _MAX_WORD_WIDTH = 14, 30  # characters
_PIXELS_BETWEEN_WORDS = 18


class Passage(NamedTuple):
    """Some sentences of a document; `svg` is "" if they have no triples."""

    text: str
    svg: str


class _Word(NamedTuple):
    """A word of the drawing: an argument, or a few tokens between arguments."""

    start: int
    end: int
    text: str
    tag: str
    title: str


def draw_passages(doc: Doc) -> List[Passage]:
    """Draw each sentence that has triples; sentences that a triple joins are drawn together."""
    triples = _drawable(doc)
    passages = []
    for span in _passage_spans(doc, triples):
        own = [triple for triple in triples if span.start <= triple.subject.start < span.end]
        passages.append(Passage(span.text, _draw_span(span, own) if own else ""))
    return passages


def to_displacy(doc: Union[Doc, Span], *, max_width: int = DEFAULT_WIDTH) -> Record:
    """Make input of displaCy: `displacy.render(to_displacy(doc), style="dep", manual=True)`.

    Arguments are words, with the types of entities as tags; other words are joined up to about `max_width`. An arc runs
    from subject to object with the relation as its label. Of overlapping arguments the larger one is a word, and the
    arcs of the other end there. Tags and labels are escaped, since displaCy does not escape them.

    doc (Union[Doc, Span]): A processed Doc, or a part of it such as a sentence: the triples inside it.
    max_width (int): Longest word in characters; 19 fit the default distance of displaCy, 175 pixels.
    RETURNS (Record): `words`, `arcs` and `settings`.
    RAISES (ValueError): If the width is below 2.
    """
    check_range("max_width", max_width, 2, inf)
    span = doc[:] if isinstance(doc, Doc) else doc
    triples = [
        triple
        for triple in _drawable(span.doc)
        if all(span.start <= each.start and each.end <= span.end for each in (triple.subject, triple.object))
    ]
    words = _words(span, triples, max_width)
    return _make_drawing(span, words, _arcs(words, triples)[0])


def _drawable(doc: Doc) -> List[Triple]:
    """List the triples whose arguments have tokens; offsets of white space may have none."""
    return [triple for triple in get_triples(doc) if len(triple.subject) and len(triple.object)]


def _draw_span(span: Span, triples: Sequence[Triple]) -> str:
    """Draw the triples of one sentence as SVG with hover titles.

    Of overlapping arguments the larger one is drawn, and the arcs of the other end there; a triple between two
    arguments that share a word has no arc.
    """
    words = _words(span, triples, _MAX_WORD_WIDTH)
    arcs, titles = _arcs(words, triples)
    width = max(display_width(word.text) for word in words)
    distance = PIXELS_PER_CHARACTER * width + _PIXELS_BETWEEN_WORDS
    options = {"distance": distance, "offset_x": distance / 2, "bg": "none", "color": "currentColor"}
    drawing = _make_drawing(span, words, arcs)
    svg = displacy.render([drawing], style="dep", manual=True, jupyter=False, page=False, options=options)
    svg = _add_titles(svg, '<text class="displacy-token"', [word.title for word in words])
    return _add_titles(svg, '<g class="displacy-arrow"', titles)


def _make_drawing(span: Span, words: Sequence[_Word], arcs: Sequence[Record]) -> Record:
    """Make the input of displaCy, which escapes words, but neither tags nor labels."""
    return {
        "words": [{"text": word.text, "tag": escape(word.tag)} for word in words],
        "arcs": list(arcs),
        "settings": {"lang": span.doc.lang_, "direction": span.doc.vocab.writing_system.get("direction", "ltr")},
    }


def _passage_spans(doc: Doc, triples: Sequence[Triple]) -> List[Span]:
    """Split a document into sentences, and join those that a triple joins."""
    starts = {sent.start for sent in doc.sents} if doc.has_annotation("SENT_START") else {0}
    for triple in triples:
        first = min(triple.subject.start, triple.object.start)
        starts -= set(range(first + 1, max(triple.subject.end, triple.object.end)))
    borders = [*sorted(starts), len(doc)]
    return [doc[start:end] for start, end in zip(borders, borders[1:]) if doc[start:end].text.strip()]


def _words(span: Span, triples: Sequence[Triple], widest: int) -> List[_Word]:
    """Make a word of each argument, and words of about that width of the tokens between them."""
    arguments = {(a.start, a.end): a for triple in triples for a in (triple.subject, triple.object)}
    drawn = filter_spans(arguments.values())
    limit = max([min(_MIN_WORD_WIDTH, widest), *(min(display_width(a.text), widest) for a in drawn)])
    words: List[_Word] = []
    position = span.start
    for argument in drawn:
        words += [*_pack(span.doc, position, argument.start, limit), _argument_word(argument, widest)]
        position = argument.end
    return words + _pack(span.doc, position, span.end, limit)


def _argument_word(argument: Span, widest: int) -> _Word:
    """Make the word of an argument, shortened to the maximal width."""
    text = " ".join(argument.text.split())
    short = text
    while display_width(short) > widest:
        short = short[:-2] + "…"
    types = [ent.label_ for ent in argument.ents if (ent.start, ent.end) == (argument.start, argument.end)]
    title = f"{text} (characters {argument.start_char} to {argument.end_char})"
    return _Word(argument.start, argument.end, short, types[0] if types else "", title)


def _pack(doc: Doc, start: int, end: int, limit: int) -> List[_Word]:
    """Join neighbouring tokens as long as they fit."""
    words: List[_Word] = []
    for index in range(start, end):
        fits = words and display_width(doc[words[-1].start : index + 1].text) <= limit
        first = words.pop().start if fits else index
        words.append(_Word(first, index + 1, " ".join(doc[first : index + 1].text.split()), "", ""))
    return [word for word in words if word.text]


def _arcs(words: Sequence[_Word], triples: Sequence[Triple]) -> Tuple[List[Record], List[str]]:
    """Make an arc for each pair of words and relation, with the title of its best triple."""
    arcs: Dict[Tuple[int, int, str], str] = {}
    for triple in sorted(triples, key=lambda triple: -triple.score):
        subject, obj = _find_word(words, triple.subject), _find_word(words, triple.object)
        if subject is not None and obj is not None and subject != obj:
            texts = (triple.subject.text, triple.relation, triple.object.text)
            title = describe_triple(*texts, score=triple.score, source=triple.source)
            arcs.setdefault((subject, obj, triple.relation), title)
    drawn = []
    for subject, obj, relation in arcs:
        start, end = sorted((subject, obj))
        direction = "right" if subject < obj else "left"
        drawn.append({"start": start, "end": end, "label": escape(relation), "dir": direction})
    return drawn, list(arcs.values())


def _find_word(words: Sequence[_Word], argument: Span) -> Optional[int]:
    """Find the word of an argument, or of the larger one that it overlaps with."""
    overlaps = [min(word.end, argument.end) - max(word.start, argument.start) for word in words]
    largest = max(overlaps, default=0)
    return overlaps.index(largest) if largest > 0 else None


def _add_titles(svg: str, opening: str, titles: Sequence[str]) -> str:
    """Insert a hover title into each element of a kind; displaCy draws elements in the order of its input."""
    remaining = iter(titles)

    def with_title(match: "Match[str]") -> str:
        title = next(remaining)
        return match.group(0) + (f"<title>{escape(title)}</title>" if title else "")

    return sub(opening + "[^>]*>", with_title, svg)


def display_width(text: str) -> int:
    """Measure the width of a text in Latin characters; Chinese ones are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
