"""Draw the triples of sentences as arcs over their text, which wraps at the width of a page, as plain SVG."""

from dataclasses import dataclass
from html import escape
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from markupsafe import Markup
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..annotations.triple import Record
from .explanation import rank_records, relation_text, triple_line
from .templates import read_asset
from .text_lines import FONT, FONT_SIZE, SMALL_SIZE, TYPE_SIZE, Box, break_lines, is_right_to_left, shorten, text_width

WIDTH = 860.0  # of a line, in pixels

# Light or dark, as the viewer prefers (`arcs.css`); without a style sheet, the attributes below apply.
_FILE_STYLE = "svg { color: #1c2430; } @media (prefers-color-scheme: dark) { svg { color: #e4e8ee; } }\n"

# Heights in pixels.
_LEVEL, _WORDS, _TYPES, _GAP = 24.0, 26.0, 14.0, 12.0
_SPACE = 5.0  # between arcs of a level
_RADIUS = 8.0

# Attributes work in every viewer, and a page's style sheet overrides them.
_SUBJECT, _OBJECT = "#fde9a9", "#bfe3f7"
_ROLES = (("subject", _SUBJECT), ("object", _OBJECT))
_ARC = "#2f66c0"
_DARK = "#1c2430"


class Passage(NamedTuple):
    """Some sentences of a document; `svg` is "" if they have no triples."""

    text: str
    svg: Markup


class _Drawable(NamedTuple):
    """A triple whose arguments have tokens."""

    row: int  # in the order of `rank_records`
    record: Record
    subject: Span
    object: Span


@dataclass(eq=False)
class _Arc:
    """All triples of a relation between two boxes, the best one first."""

    subject: Box
    object: Box
    triples: List[_Drawable]
    starts: float = 0.0  # where it leaves the subject's box, and where it meets the object's
    ends: float = 0.0


@dataclass(eq=False)
class _Segment:
    """The part of an arc over one line."""

    arc: _Arc
    left: float
    right: float
    has_left: bool  # whether it goes down to the words at its left end, or comes from another line
    has_right: bool
    label: float  # where the middle of the label is
    level: int = 0


def draw_passages(doc: Doc) -> List[Passage]:
    """Draw each sentence that has triples; sentences that a triple spans are drawn together.

    Arguments are coloured by role; of overlapping ones the larger is drawn, and the arcs of the other end there. A
    triple between two arguments that share a word has no arc. Each arc has, as `data-rows`, the positions of its
    triples in `rank_records`, and each arc and colour, as `data-score`, the best score of a triple that it stands for.
    """
    triples = list(_drawable(doc))
    passages = []
    for span in _passage_spans(doc, triples):
        own = [triple for triple in triples if span.start <= triple.subject.start < span.end]
        passages.append(Passage(span.text, Markup(_draw_span(span, own) if own else "")))
    return passages


def style_drawing(svg: str) -> str:
    """Add to a drawing the style that it needs in a file of its own."""
    opening, rest = svg.split("\n", 1)
    return f"{opening}\n<style>\n{_FILE_STYLE}{read_asset('arcs.css')}</style>\n{rest}\n"


def _drawable(doc: Doc) -> Iterator[_Drawable]:
    """Yield the triples whose arguments have tokens; offsets of white space may have none."""
    for row, record in enumerate(rank_records(doc)):
        (first, last), (start, end) = record["subject"], record["object"]
        subject = doc.char_span(first, last, alignment_mode="expand")
        obj = doc.char_span(start, end, alignment_mode="expand")
        if subject is not None and obj is not None and len(subject) and len(obj):
            yield _Drawable(row, record, subject, obj)


def _passage_spans(doc: Doc, triples: Sequence[_Drawable]) -> List[Span]:
    """Split a document into sentences, and join those that a triple spans."""
    starts = {sent.start for sent in doc.sents} if doc.has_annotation("SENT_START") else {0}
    for triple in triples:
        first = min(triple.subject.start, triple.object.start)
        starts -= set(range(first + 1, max(triple.subject.end, triple.object.end)))
    borders = [*sorted(starts), len(doc)]
    return [doc[start:end] for start, end in zip(borders, borders[1:]) if doc[start:end].text.strip()]


def _draw_span(span: Span, triples: Sequence[_Drawable]) -> str:
    arguments = filter_spans([argument for triple in triples for argument in (triple.subject, triple.object)])
    boxes = break_lines(span, [(argument.start, argument.end) for argument in arguments], width=WIDTH)
    arcs = _make_arcs(boxes, triples)
    labels = [text_width(_label(arc), SMALL_SIZE) for arc in arcs]
    width = max([box.left + box.width for box in boxes] + labels) + 2
    by_line: Dict[int, List[_Segment]] = {box.line: [] for box in boxes}
    for arc in arcs:
        for line, segment in _cut(arc, width):
            by_line[line].append(segment)
    is_reversed = is_right_to_left(span.text)
    pen = _Pen(width, is_reversed)
    top, parts = 0.0, []
    for line, segments in by_line.items():
        _stack(segments)
        words = top + _LEVEL * max((segment.level + 1 for segment in segments), default=0) + _SPACE
        parts += [pen.segment(segment, words) for segment in sorted(segments, key=lambda segment: -segment.level)]
        on_line = [box for box in boxes if box.line == line]
        parts += [pen.box(box, words, triples, span.doc) for box in on_line]
        top = words + _WORDS + _TYPES * any(box.kind for box in on_line) + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="relext-arcs" xml:lang="{escape(span.doc.lang_)}" '
        f'direction="{"rtl" if is_reversed else "ltr"}" width="{width:.0f}" height="{top:.0f}" '
        f'viewBox="0 0 {width:.0f} {top:.0f}" font-family="{FONT}" font-size="{FONT_SIZE}" fill="currentColor" '
        f'text-anchor="middle">\n' + "\n".join(parts) + "\n</svg>"
    )


def _make_arcs(boxes: Sequence[Box], triples: Sequence[_Drawable]) -> List[_Arc]:
    """Make an arc for each pair of boxes and relation, and spread the ends of arcs over their boxes."""
    arcs: Dict[Tuple[int, int, str], _Arc] = {}
    for triple in triples:
        subject, obj = _find_box(boxes, triple.subject), _find_box(boxes, triple.object)
        if subject is not obj:
            arc = arcs.setdefault((subject.start, obj.start, relation_text(triple.record)), _Arc(subject, obj, []))
            arc.triples.append(triple)
    for box in boxes:
        own = [arc for arc in arcs.values() if box in (arc.subject, arc.object)]
        own.sort(key=lambda arc: _sort_key(box, arc))
        for number, arc in enumerate(own, start=1):
            place = box.left + box.width * number / (len(own) + 1)
            arc.starts, arc.ends = (place, arc.ends) if arc.subject is box else (arc.starts, place)
    return list(arcs.values())


def _sort_key(box: Box, arc: _Arc) -> Tuple[bool, int, int]:
    """Order the arcs of a box so that they do not cross: those to the left first, among both the longest outside."""
    other = arc.object if arc.subject is box else arc.subject
    is_right = (other.line, other.left) > (box.line, box.left)
    number = min(triple.row for triple in arc.triples)  # of several arcs between two boxes the first is the longest
    return is_right, -other.start, number if is_right else -number


def _find_box(boxes: Sequence[Box], argument: Span) -> Box:
    """Find the box of an argument, or of the larger one that it overlaps with."""
    arguments = [box for box in boxes if box.is_argument]
    return max(arguments, key=lambda box: min(box.end, argument.end) - max(box.start, argument.start))


def _cut(arc: _Arc, width: float) -> Iterator[Tuple[int, _Segment]]:
    """Cut an arc at the ends of lines, and yield its parts with their lines."""
    ends = sorted([(arc.subject.line, arc.starts), (arc.object.line, arc.ends)])
    (first, left), (last, right) = ends
    for line in range(first, last + 1):
        begin, end = (left if line == first else 0.0), (right if line == last else width)
        half = text_width(_label(arc), SMALL_SIZE) / 2
        middle = min(max((begin + end) / 2, half), width - half)
        yield line, _Segment(arc, begin, end, line == first, line == last, middle)


def _stack(segments: Sequence[_Segment]) -> None:
    """Set levels so that an arc lies above all shorter ones that it overlaps with."""
    placed: List[_Segment] = []
    for segment in sorted(segments, key=lambda segment: segment.right - segment.left):
        below = [other.level for other in placed if _overlap(segment, other)]
        segment.level = max(below, default=-1) + 1
        placed.append(segment)


def _overlap(one: _Segment, other: _Segment) -> bool:
    """Return True if two parts of arcs, or their labels, would touch on the same level."""
    (left, right), (other_left, other_right) = map(_extent, (one, other))
    return left < other_right + _SPACE and other_left < right + _SPACE


def _extent(segment: _Segment) -> Tuple[float, float]:
    """Return where a part of an arc with its label begins and ends."""
    half = text_width(_label(segment.arc), SMALL_SIZE) / 2
    return min(segment.left, segment.label - half), max(segment.right, segment.label + half)


def _label(arc: _Arc) -> str:
    """Return the relation with its attributes, no longer than a line."""
    return shorten(relation_text(arc.triples[0].record), WIDTH, SMALL_SIZE)


class _Pen:
    """Writes elements; in a text from right to left, everything is mirrored."""

    def __init__(self, width: float, is_reversed: bool) -> None:
        self.width, self.is_reversed = width, is_reversed

    def x(self, place: float) -> float:
        """Return a place on a line in the coordinates of the drawing."""
        return self.width - place if self.is_reversed else place

    def box(self, box: Box, top: float, triples: Sequence[_Drawable], doc: Doc) -> str:
        """Write a piece of text; an argument also gets its colours and a title."""
        middle, base = self.x(box.left + box.width / 2), top + 0.72 * _WORDS
        inner = text_width(box.text) if box.is_argument else box.width
        fill = f' class="relext-word" fill="{_DARK}"' if box.is_argument else ""
        fill += f' direction="{"rtl" if box.is_reversed else "ltr"}"' if box.is_reversed != self.is_reversed else ""
        text = (
            f'<text x="{middle:.1f}" y="{base:.1f}" textLength="{inner:.1f}" lengthAdjust="spacingAndGlyphs"{fill}>'
            f"{escape(box.text)}</text>"
        )
        if not box.is_argument:
            return text
        span = doc[box.start : box.end]
        title = f"{' '.join(span.text.split())} (characters {span.start_char} to {span.end_char})"
        left = middle - box.width / 2
        parts = [f"<title>{escape(title)}</title>", *_colours(box, left, top, triples), text]
        if box.kind:
            place = f'x="{middle:.1f}" y="{top + _WORDS + 0.75 * _TYPES:.1f}"'
            parts.append(
                f'<text class="relext-type" {place} font-size="{TYPE_SIZE}" opacity=".7">{escape(box.kind)}</text>'
            )
        return f'<g class="relext-argument">{"".join(parts)}</g>'

    def segment(self, segment: _Segment, words: float) -> str:
        """Write a part of an arc; the words below begin at `words`."""
        arc, best = segment.arc, segment.arc.triples[0]
        texts = (best.subject.text, relation_text(best.record), best.object.text)
        title = triple_line(*texts, score=best.record["score"], source=best.record["source"])
        y = words - _SPACE - _LEVEL * segment.level - 8.0
        left, right = self.x(segment.left), self.x(segment.right)
        turn = min(_RADIUS, abs(right - left) / 2) * (1 if left < right else -1)
        path = f"M{left:.1f} {words - 1:.1f}V{y + _RADIUS:.1f}Q{left:.1f} {y:.1f} {left + turn:.1f} {y:.1f}"
        path = path if segment.has_left else f"M{left:.1f} {y:.1f}"
        path += f"H{right - turn:.1f}Q{right:.1f} {y:.1f} {right:.1f} {y + _RADIUS:.1f}V{words - 1:.1f}"
        if not segment.has_right:
            path = path[: path.index("H")] + f"H{right:.1f}"
        points_left = (arc.object.line, arc.ends) < (arc.subject.line, arc.starts)
        is_end = segment.has_left if points_left else segment.has_right
        end = left if points_left else right
        head = f'<path d="M{end:.1f} {words:.1f}l-4.5 -8h9z" fill="{_ARC}" class="relext-head"/>' if is_end else ""
        rows = " ".join(str(triple.row) for triple in arc.triples)
        return (
            f'<g class="relext-arc" data-rows="{rows}" data-score="{best.record["score"]:.6f}">'
            f"<title>{escape(' '.join(title.split()))}</title>"
            f'<path d="{path}" fill="none" stroke="transparent" stroke-width="14"/>'
            f'<path class="relext-line" d="{path}" fill="none" stroke="{_ARC}" stroke-width="1.5"/>{head}'
            f'<text class="relext-label" x="{self.x(segment.label):.1f}" y="{y - 6:.1f}" font-size="{SMALL_SIZE}" '
            f'fill="{_ARC}">{escape(_label(arc))}</text></g>'
        )


def _colours(box: Box, left: float, top: float, triples: Sequence[_Drawable]) -> Iterator[str]:
    """Write the background of an argument: a colour for each role, one above the other if it has both."""
    scores: Dict[str, float] = {}
    for triple in triples:
        for role, span in (("subject", triple.subject), ("object", triple.object)):
            if max(box.start, span.start) < min(box.end, span.end):
                scores[role] = max(scores.get(role, 0.0), triple.record["score"])
    for role, colour in _ROLES:
        if role in scores:
            half = _WORDS / 2 if role == "object" and len(scores) > 1 else 0.0
            yield (
                f'<rect class="relext-{role}" data-score="{scores[role]:.6f}" x="{left:.1f}" y="{top + half:.1f}" '
                f'width="{box.width:.1f}" height="{_WORDS - half:.1f}" rx="4" fill="{colour}"/>'
            )
