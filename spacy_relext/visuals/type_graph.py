"""Draw the relations between types of entities: a bipartite graph in plain SVG."""

import unicodedata
from collections import Counter
from html import escape
from types import MappingProxyType
from typing import Iterable, List, Mapping, NamedTuple, Sequence

Table = Mapping[str, Mapping[str, int]]

# Sizes in pixels.
_ROW_HEIGHT, _HEADER, _GRAPH_WIDTH, _MARGIN, _CHARACTER = 24, 64, 420, 24, 8
_MIN_LINE, _MAX_LINE = 1.0, 14.0

# Attributes work in every viewer; some ignore style sheets, but this one is only for the mouse.
_STYLE = "path:hover { stroke-opacity: 1; }"
_FONT = 'font-family="system-ui, sans-serif" font-size="13" fill="#1c2430"'
_LINES = 'fill="none" stroke="#2b5fb4" stroke-opacity=".45" stroke-linecap="butt"'
_ONLY = 'class="only" stroke="#c8641e" stroke-opacity=".6"'
_NOTE = "The wider the line, the more triples; (n of m): m - n pairs have none. Orange: a single relation."


class _Node(NamedTuple):
    """A label with its place."""

    text: str
    x: float
    y: float


def draw_type_graph(
    table: Table, unrelated: Mapping[str, int] = MappingProxyType({}), *, title: str = "Type patterns"
) -> str:
    """Draw type pairs on the left, relations on the right, and a line for each combination that occurs.

    Relations are near their most frequent type pairs, so that few lines cross.

    table (Table): Type pair → relation → count, in the order of the drawing.
    unrelated (Mapping[str, int]): Type pair → pairs of entities without a triple.
    RETURNS (str): A self-contained SVG document; all text is escaped.
    """
    totals: Counter[str] = Counter()
    for counts in table.values():
        totals.update(counts)
    lefts = [f"{pair} ({_share(sum(counts.values()), unrelated.get(pair, 0))})" for pair, counts in table.items()]
    names = _by_mean_row(table, totals)
    rights = [f"{relation} ({totals[relation]:,})" for relation in names]
    left_x = _MARGIN + _width(lefts)
    height = _ROW_HEIGHT * max(len(lefts), len(rights), 1)
    left = dict(zip(table, _column(lefts, left_x, height)))
    right = dict(zip(names, _column(rights, left_x + _GRAPH_WIDTH, height)))
    content = [
        f"<g {_LINES}>",
        *_lines(table, left, right),
        "</g>",
        *_labels(left.values(), side="left"),
        *_labels(right.values(), side="right"),
    ]
    full_width = max(left_x + _GRAPH_WIDTH + _width(rights), _width([title, _NOTE])) + _MARGIN
    full_height = _HEADER + height + _MARGIN
    return "\n".join([*_header(title, full_width, full_height), *content, "</g>", "</svg>\n"])


def _share(triples: int, unrelated: int) -> str:
    """Write how many pairs have a triple, and of how many if some have none."""
    return f"{triples:,} of {triples + unrelated:,}" if unrelated else f"{triples:,}"


def _header(title: str, width: float, height: float) -> List[str]:
    """Write the opening of the document, with heading and legend."""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>{_STYLE}</style>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f"<g {_FONT}>",
        f'<text font-size="15" font-weight="600" x="{_MARGIN}" y="22">{_safe(title)}</text>',
        f'<text fill="#5a6575" x="{_MARGIN}" y="42">{_NOTE}</text>',
    ]


def _by_mean_row(table: Table, totals: Mapping[str, int]) -> List[str]:
    """Order relations by the mean row of their type pairs, weighted by count."""
    sums: Counter[str] = Counter()
    for row, counts in enumerate(table.values()):
        sums.update({relation: row * count for relation, count in counts.items()})
    return sorted(totals, key=lambda relation: (sums[relation] / max(totals[relation], 1), relation))


def _column(texts: Sequence[str], x: float, height: float) -> List[_Node]:
    """Distribute labels evenly over the height."""
    step = height / max(len(texts), 1)
    return [_Node(text, x, _HEADER + step * (row + 0.5)) for row, text in enumerate(texts)]


def _lines(table: Table, left: Mapping[str, _Node], right: Mapping[str, _Node]) -> List[str]:
    """Draw the lines, wide ones first, so that thin ones stay visible."""
    edges = [(count, pair, relation) for pair, counts in table.items() for relation, count in counts.items()]
    most = max((count for count, _, _ in edges), default=1)
    drawn = []
    for count, pair, relation in sorted(edges, key=lambda edge: -edge[0]):
        start, end = left[pair], right[relation]
        x, end_x, middle = start.x + 6, end.x - 6, (start.x + end.x) / 2
        line = f"M{x:.1f} {start.y:.1f}C{middle:.1f} {start.y:.1f} {middle:.1f} {end.y:.1f} {end_x:.1f} {end.y:.1f}"
        width = max(_MIN_LINE, _MAX_LINE * count / most)
        kind = f" {_ONLY}" if len(table[pair]) == 1 else ""
        share = count / sum(table[pair].values())
        hover = f"{pair}: {relation}, {count:,} ({share:.1%} of the type pair)"
        drawn.append(f'<path{kind} d="{line}" stroke-width="{width:.2f}"><title>{_safe(hover)}</title></path>')
    return drawn


def _labels(nodes: Iterable[_Node], *, side: str) -> List[str]:
    """Write a column, with a dot at the ends of each label's lines."""
    anchor = "end" if side == "left" else "start"
    drawn = []
    for text, x, y in nodes:
        dot = x + 6 if side == "left" else x - 6
        drawn.append(f'<circle cx="{dot:.1f}" cy="{y:.1f}" r="3"/>')
        drawn.append(f'<text text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}" dy=".35em">{_safe(text)}</text>')
    return drawn


def _width(texts: Sequence[str]) -> float:
    """Estimate the width of the longest text in pixels."""
    sizes = (sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text) for text in texts)
    return _CHARACTER * max(sizes, default=0)


def _safe(text: str) -> str:
    """Escape a text, without the control characters that XML cannot hold."""
    return escape("".join(character for character in text if character.isprintable()))
