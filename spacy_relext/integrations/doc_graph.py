"""The triples of one text as nodes and edges, for GraphRAG tools."""

from dataclasses import dataclass, field
from typing import Dict, List, Tuple, Union

from spacy.tokens import Doc

from ..annotations.assertion import is_fact
from ..annotations.names import tidy
from ..corpora.formats.sources import to_json
from ..graph.across import Group
from ..graph.collect import group_arguments
from ..graph.documents import doc_to_document

UNTYPED = "Entity"

# A property that graph databases can hold.
Property = Union[str, int, float]


@dataclass
class DocNode:
    """An entity that a text names.

    id (str): Id in a knowledge base, or else the type and the case-folded name; unique in a text.
    name (str): Its most frequent full spelling in the text.
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
    """List the entities of triples as nodes, with the names that `graph build` gives them, and the triples as edges.

    Mentions are merged by the rules of `graph build`. Triples that are denied or hypothetical are left out, and those
    with a pronoun whose antecedent is unknown: a database would merge the pronouns of all texts.

    doc (Doc): A processed Doc.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    RETURNS (Tuple[List[DocNode], List[DocEdge]]): Nodes in the order of the triples, and edges.
    RAISES (ImportError): If rapidfuzz is not installed.
    """
    if not doc.text.strip():
        return [], []
    document = doc_to_document(doc, min_score=min_score)
    stated = [each for each in document.statements if is_fact(each.attributes)]
    groups = group_arguments(document._replace(statements=stated))
    nodes: Dict[str, DocNode] = {}
    edges = []
    for each in stated:
        ends = [groups.get(span) for span in (each.subject, each.object)]
        known = [_node(group) for group in ends if group is not None and not group.name.is_pronoun]
        if len(known) < 2:
            continue
        subject, obj = (nodes.setdefault(node.id, node) for node in known)
        properties: Dict[str, Property] = {"score": each.score, "source": each.source}
        properties["sentence"] = document.text[slice(*each.sentence)]
        for role, span in (("subject", each.subject), ("object", each.object)):
            properties.update({f"{role}_start": span[0], f"{role}_end": span[1]})
        properties.update({"attributes": to_json(each.attributes)} if each.attributes else {})
        edges.append(DocEdge(subject, obj, each.relation, properties))
    return list(nodes.values()), edges


def _node(group: Group) -> DocNode:
    name, kind = tidy(group.name.text), group.name.label or UNTYPED
    properties: Dict[str, Property] = {"kb_id": group.kb_id} if group.kb_id else {}
    return DocNode(group.kb_id or f"{kind}:{name.casefold()}", name, kind, properties)
