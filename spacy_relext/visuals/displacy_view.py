"""Triples as input of displaCy: arguments are the words of a dependency drawing, relations its arcs."""

import unicodedata
from html import escape
from math import inf
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..annotations.assertion import describe_relation
from ..annotations.store import get_triples
from ..annotations.triple import Record, Triple
from ..errors import check_range

DEFAULT_WIDTH = 19  # characters that fit displaCy's default distance

_MIN_WORD_WIDTH = 14  # characters


class _Word(NamedTuple):
    """A word of the drawing: an argument, or a few tokens between arguments."""

    start: int
    end: int
    text: str
    tag: str


def to_displacy(doc: Union[Doc, Span], *, max_width: int = DEFAULT_WIDTH) -> Record:
    """Make input of displaCy: `displacy.render(to_displacy(doc), style="dep", manual=True)`.

    Arguments are words, with the types of entities as tags; other words are joined up to about `max_width`. An arc runs
    from subject to object; its label is the relation, with attributes in brackets. Of overlapping arguments the larger
    one is a word, and the arcs of the other end there. Tags and labels are escaped, since displaCy does not escape
    them.

    doc (Union[Doc, Span]): A processed Doc, or a part of it such as a sentence: the triples inside it.
    max_width (int): Width of the longest word in characters; 19 fit the default distance of displaCy, 175 pixels.
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
    return _make_drawing(span, words, _arcs(words, triples))


def _drawable(doc: Doc) -> List[Triple]:
    """List the triples whose arguments have tokens; offsets of white space may have none."""
    return [triple for triple in get_triples(doc) if len(triple.subject) and len(triple.object)]


def _make_drawing(span: Span, words: Sequence[_Word], arcs: Sequence[Record]) -> Record:
    """Make the input of displaCy, which escapes words, but neither tags nor labels."""
    return {
        "words": [{"text": word.text, "tag": escape(word.tag)} for word in words],
        "arcs": list(arcs),
        "settings": {"lang": span.doc.lang_, "direction": span.doc.vocab.writing_system.get("direction", "ltr")},
    }


def _words(span: Span, triples: Sequence[Triple], widest: int) -> List[_Word]:
    """Make a word of each argument, and join the tokens between them into words of about that width."""
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
    return _Word(argument.start, argument.end, short, types[0] if types else "")


def _pack(doc: Doc, start: int, end: int, limit: int) -> List[_Word]:
    """Join neighbouring tokens as long as they fit."""
    words: List[_Word] = []
    for index in range(start, end):
        fits = words and display_width(doc[words[-1].start : index + 1].text) <= limit
        first = words.pop().start if fits else index
        words.append(_Word(first, index + 1, " ".join(doc[first : index + 1].text.split()), ""))
    return [word for word in words if word.text]


def _arcs(words: Sequence[_Word], triples: Sequence[Triple]) -> List[Record]:
    """Make an arc for each pair of words and relation."""
    arcs: Dict[Tuple[int, int, str], Record] = {}
    for triple in sorted(triples, key=lambda triple: -triple.score):
        subject, obj = _find_word(words, triple.subject), _find_word(words, triple.object)
        if subject is not None and obj is not None and subject != obj:
            start, end = sorted((subject, obj))
            label = describe_relation(triple.relation, triple.attributes)
            arc = {"start": start, "end": end, "label": escape(label)}
            arcs[subject, obj, label] = {**arc, "dir": "right" if subject < obj else "left"}
    return list(arcs.values())


def _find_word(words: Sequence[_Word], argument: Span) -> Optional[int]:
    """Find the word of an argument, or of the larger one that it overlaps with."""
    overlaps = [min(word.end, argument.end) - max(word.start, argument.start) for word in words]
    largest = max(overlaps, default=0)
    return overlaps.index(largest) if largest > 0 else None


def display_width(text: str) -> int:
    """Measure the width of a text in Latin characters; Chinese ones are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
