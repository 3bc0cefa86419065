"""A graph as GraphML and as GEXF: entities are nodes, facts are edges. Written as a stream; networkx reads both."""

import re
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple

from ..annotations.triple import Record
from ..corpora.whole import whole_file
from .network import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, graph_edges, graph_nodes
from .tables import GraphTables

# Characters that XML 1.0 cannot represent.
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKED = re.compile('[<>&"\t\n\r]')
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}

_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_GEXF = "http://www.gexf.net/1.2draft"


class _Escape:
    """Escapes texts for XML, and replaces and counts the characters that XML cannot represent."""

    def __init__(self) -> None:
        self.replaced = 0

    def __call__(self, value: object) -> str:
        text = str(value)
        if _INVALID.search(text):
            text, count = _INVALID.subn("\ufffd", text)
            self.replaced += count
        # white space too, which parsers would normalize otherwise
        return _MARKED.sub(lambda match: _ENTITIES[match[0]], text) if _MARKED.search(text) else text


def write_graphml(tables: GraphTables, path: Path) -> int:
    """Write entities and facts as GraphML, with the attributes of `to_networkx`.

    RETURNS (int): Number of characters replaced because XML cannot represent them.
    """
    return _write(tables, path, _graphml_lines)


def write_gexf(tables: GraphTables, path: Path) -> int:
    """Write entities and facts as GEXF, with the attributes of `to_networkx`.

    RETURNS (int): Number of characters replaced because XML cannot represent them.
    """
    return _write(tables, path, _gexf_lines)


def _write(tables: GraphTables, path: Path, lines: Callable[[GraphTables, _Escape], Iterator[str]]) -> int:
    """Write the lines of a file."""
    escape = _Escape()
    with whole_file(path) as stream:
        for line in lines(tables, escape):
            stream.write(line.encode("utf8"))
    return escape.replaced


class _Key(NamedTuple):
    """An attribute of nodes or of edges: its id in the file, its name and its type."""

    id: str
    name: str
    type: str


def _keys(prefix: str, attributes: Dict[str, str]) -> List[_Key]:
    return [_Key(f"{prefix}{number}", name, kind) for number, (name, kind) in enumerate(attributes.items())]


def _graphml_lines(tables: GraphTables, escape: _Escape) -> Iterator[str]:
    """Yield the lines of GraphML."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{_GRAPHML}">\n'
    nodes, edges = _keys("n", NODE_ATTRIBUTES), _keys("e", EDGE_ATTRIBUTES)
    for place, keys in (("node", nodes), ("edge", edges)):
        for key in keys:
            yield f'<key id="{key.id}" for="{place}" attr.name="{key.name}" attr.type="{key.type}"/>\n'
    yield '<graph id="G" edgedefault="directed">\n'
    for node, values in graph_nodes(tables):
        yield f'<node id="{node}">{_data(nodes, values, escape)}</node>\n'
    for (subject, obj, _), values in graph_edges(tables):
        start = f'<edge id="f{values["fact_id"]}" source="{subject}" target="{obj}">'
        yield f"{start}{_data(edges, values, escape)}</edge>\n"
    yield "</graph>\n</graphml>\n"


def _data(keys: List[_Key], values: Record, escape: _Escape) -> str:
    """Write the attributes of an element of GraphML."""
    return "".join(f'<data key="{key.id}">{escape(values[key.name])}</data>' for key in keys if key.name in values)


def _gexf_lines(tables: GraphTables, escape: _Escape) -> Iterator[str]:
    """Yield the lines of GEXF. Its labels and weights are XML attributes of the elements themselves."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="{_GEXF}" version="1.2">\n'
    yield '<graph mode="static" defaultedgetype="directed">\n'
    nodes = [key for key in _keys("n", NODE_ATTRIBUTES) if key.name != "label"]
    edges = [key for key in _keys("e", EDGE_ATTRIBUTES) if key.name != "weight"]
    for place, keys in (("node", nodes), ("edge", edges)):
        yield f'<attributes class="{place}" mode="static">\n'
        for key in keys:
            yield f'<attribute id="{key.id}" title="{key.name}" type="{key.type}"/>\n'
        yield "</attributes>\n"
    yield "<nodes>\n"
    for node, values in graph_nodes(tables):
        yield f'<node id="{node}" label="{escape(values["label"])}">{_attvalues(nodes, values, escape)}</node>\n'
    yield "</nodes>\n<edges>\n"
    for (subject, obj, relation), values in graph_edges(tables):
        start = f'<edge id="f{values["fact_id"]}" source="{subject}" target="{obj}" label="{escape(relation)}"'
        yield f'{start} weight="{values["weight"]}">{_attvalues(edges, values, escape)}</edge>\n'
    yield "</edges>\n</graph>\n</gexf>\n"


def _attvalues(keys: List[_Key], values: Record, escape: _Escape) -> str:
    """Write the attributes of an element of GEXF."""
    parts = (f'<attvalue for="{key.id}" value="{escape(values[key.name])}"/>' for key in keys if key.name in values)
    return f"<attvalues>{''.join(parts)}</attvalues>"
