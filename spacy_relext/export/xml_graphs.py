"""The tables of a graph as GraphML and GEXF, written an element at a time: networkx needs 8 GB for a million facts."""

import re
from pathlib import Path
from typing import IO, Dict, Iterator, Tuple
from xml.etree.ElementTree import Element, SubElement, tostring

from ..annotations.triple import Record
from ..corpora.whole import whole_file
from .network import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, VALUE_ATTRIBUTES, graph_edges, graph_nodes
from .tables import GraphTables, own_values

# Characters that XML 1.0 cannot represent.
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_HEAD = b"<?xml version='1.0' encoding='utf-8'?>\n"
_GRAPHML = b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
_GEXF = b'<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'

# Attributes that are no texts.
_TYPES = {"n_mentions": "long", "n_documents": "long", "n_sentences": "long", "fact_id": "long"}
_TYPES.update({"number": "double", "weight": "double", "best_score": "double"})

# Names of the attributes of nodes and edges in a file.
_KEYS = {
    kind: {name: f"{kind[0]}{at}" for at, name in enumerate(names)}
    for kind, names in {"node": (*NODE_ATTRIBUTES, *VALUE_ATTRIBUTES), "edge": tuple(EDGE_ATTRIBUTES)}.items()
}


class _Writer:
    """Writes elements, and counts the characters that it replaces, since XML cannot represent them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.replaced = stream, 0

    def write(self, element: Element) -> None:
        self.stream.write(tostring(element, "utf-8", xml_declaration=False) + b"\n")

    def text(self, value: object) -> str:
        if not isinstance(value, str):
            return repr(value)
        text, count = _INVALID.subn("\ufffd", value)
        self.replaced += count
        return text


def _rows(tables: GraphTables, kind: str) -> Iterator[Tuple[Dict[str, str], Record]]:
    """Yield the attributes of the elements of nodes, or of edges, with their values."""
    if kind == "node":
        for number, values in graph_nodes(tables):
            yield {"id": str(number)}, values
        return
    for (subject, obj, _), values in graph_edges(tables):
        yield {"id": str(values["fact_id"]), "source": str(subject), "target": str(obj)}, values


def write_graphml(tables: GraphTables, path: Path) -> int:
    """Write entities and facts as GraphML, with the attributes of `to_networkx`; line ends are read as "\\n".

    RETURNS (int): Number of characters replaced because XML cannot represent them.
    """
    tables = own_values(tables)
    with whole_file(path) as stream:
        writer = _Writer(stream)
        stream.write(_HEAD + _GRAPHML)
        for kind, names in _KEYS.items():
            for name, key in names.items():
                row = {"id": key, "for": kind, "attr.name": name, "attr.type": _TYPES.get(name, "string")}
                writer.write(Element("key", row))
        stream.write(b'<graph edgedefault="directed">\n')
        for kind, names in _KEYS.items():
            for attributes, values in _rows(tables, kind):
                element = Element(kind, attributes)
                for name, value in values.items():
                    SubElement(element, "data", key=names[name]).text = writer.text(value)
                writer.write(element)
        stream.write(b"</graph>\n</graphml>\n")
        return writer.replaced


def write_gexf(tables: GraphTables, path: Path) -> int:
    """Write entities and facts as GEXF, with the attributes of `to_networkx`; the label of an edge is its relation.

    RETURNS (int): Number of characters replaced because XML cannot represent them.
    """
    tables = own_values(tables)
    with whole_file(path) as stream:
        writer = _Writer(stream)
        stream.write(_HEAD + _GEXF + b'<graph defaultedgetype="directed" mode="dynamic" timeformat="date">\n')
        for kind, names in _KEYS.items():
            declared = Element("attributes", {"class": kind, "mode": "static"})
            for name, key in names.items():
                SubElement(declared, "attribute", id=key, title=name, type=_TYPES.get(name, "string"))
            writer.write(declared)
        for kind in _KEYS:
            stream.write(f"<{kind}s>\n".encode())
            for attributes, values in _rows(tables, kind):
                writer.write(_gexf_element(writer, kind, attributes, values))
            stream.write(f"</{kind}s>\n".encode())
        stream.write(b"</graph>\n</gexf>\n")
        return writer.replaced


def _gexf_element(writer: _Writer, kind: str, attributes: Dict[str, str], values: Record) -> Element:
    """Make an element of GEXF, which has attributes of its own for label, weight and period."""
    own: Record = {name: values[name] for name in ("label", "weight", "start", "end") if name in values}
    if kind == "edge":
        own.update(id=f"f{attributes['id']}", label=values["relation"])
    element = Element(kind, {**attributes, **{name: writer.text(value) for name, value in own.items()}})
    rest = SubElement(element, "attvalues")
    for name, value in values.items():
        if name not in own:
            SubElement(rest, "attvalue", {"for": _KEYS[kind][name], "value": writer.text(value)})
    return element
