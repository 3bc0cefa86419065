"""The triples of one text as nodes and edges, for GraphRAG tools."""

from dataclasses import dataclass, field
from typing import Dict, List, Tuple, Union

from spacy.tokens import Doc

from ..annotations.assertion import is_fact
from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..export.records import extraction_record

UNTYPED = "Entity"

# A property that graph databases can hold.
Property = Union[str, int, float]


@dataclass
class DocNode:
    """An entity that a text names.

    id (str): Id in a knowledge base, or else the type and the case-folded name; unique in a text.
    name (str): Its text in the first triple that has it.
    type (str): Type of the entity; UNTYPED if no component sets one.
    properties (Dict[str, Property]): `kb_id`, if there is one.
    """

    id: str
    name: str
    type: str
    properties: Dict[str, Property] = field(default_factory=dict)


@dataclass
class DocEdge:
    """A triple between two nodes, once for each pair of spans and source.

    subject (DocNode): Start of the edge.
    object (DocNode): End of the edge.
    relation (str): Type of the edge.
    properties (Dict[str, Property]): `score`, `source`, the `sentence`, the characters of both arguments, and the
        triple's `attributes` as JSON if it has some.
    """

    subject: DocNode
    object: DocNode
    relation: str
    properties: Dict[str, Property]


def doc_graph(doc: Doc, *, min_score: float = 0.0) -> Tuple[List[DocNode], List[DocEdge]]:
    """List the arguments of triples as nodes, those with the same id once, and the triples as edges.

    Triples that are denied or hypothetical are left out.

    doc (Doc): A processed Doc.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    RETURNS (Tuple[List[DocNode], List[DocEdge]]): Nodes in the order of the triples, and edges.
    """
    record = extraction_record(doc, min_score=min_score)
    entities = {(entity["start"], entity["end"]): entity for entity in record.get("entities", ())}
    nodes: Dict[str, DocNode] = {}
    edges = []
    for triple in record["triples"]:
        attributes = triple.get("attributes", {})
        if not is_fact(attributes):
            continue
        ends = []
        for role in ("subject", "object"):
            node = _node(triple[f"{role}_text"], entities.get(tuple(triple[role]), {}))
            ends.append(nodes.setdefault(node.id, node))
        places = {
            f"{role}_{side}": triple[role][number]
            for role in ("subject", "object")
            for number, side in enumerate(("start", "end"))
        }
        sentence = record["text"][triple["sent_start"] : triple["sent_end"]]
        properties = {"score": triple["score"], "source": triple["source"], "sentence": sentence, **places}
        properties.update({"attributes": to_json(attributes)} if attributes else {})
        edges.append(DocEdge(ends[0], ends[1], triple["relation"], properties))
    return list(nodes.values()), edges


def _node(text: str, entity: Record) -> DocNode:
    name, kind, kb_id = " ".join(text.split()), entity.get("label") or UNTYPED, entity.get("kb_id")
    properties: Dict[str, Property] = {"kb_id": kb_id} if kb_id else {}
    return DocNode(kb_id or f"{kind}:{name.casefold()}", name, kind, properties)
