"""The triples of documents as a graph of networkx."""

from typing import TYPE_CHECKING, Dict, Iterable, Set, Tuple, Union

from spacy.tokens import Doc

from ..annotations.parts import each_doc
from ..annotations.store import get_triple_records
from ..errors import check_range, require

if TYPE_CHECKING:
    import networkx

_Fact = Tuple[str, str, str]


def to_networkx(docs: Union[Doc, Iterable[Doc]], *, min_score: float = 0.0) -> "networkx.MultiDiGraph":
    """Make a graph of the triples of documents: nodes are the texts of arguments, edges run from subject to object.

    Two arguments with equal texts, apart from white space, are one node. Each relation between two nodes is one edge,
    whose key is the relation: `graph["Ada Lovelace"]["London"]["place_of_birth"]`.

    docs (Union[Doc, Iterable[Doc]]): Processed Docs, also a stream such as `nlp.pipe(texts)`.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    RETURNS (networkx.MultiDiGraph): Attributes of an edge: `relation`, `score` (the highest), `support` (how many pairs
        of spans state it; several sources of one count once) and `docs` (in how many documents).
    RAISES (ImportError): If networkx is not installed.
    RAISES (ValueError): If something is not a Doc.
    """
    networkx = require("networkx", purpose="to_networkx", extra="frames")
    check_range("min_score", min_score, 0.0, 1.0)
    scores: Dict[_Fact, float] = {}
    places: Dict[_Fact, Set[Tuple[int, ...]]] = {}
    for number, doc in enumerate(each_doc(docs)):
        for record in get_triple_records(doc) or ():
            if record["score"] >= min_score:
                subject, obj = (" ".join(record[f"{role}_text"].split()) for role in ("subject", "object"))
                fact = (subject, record["relation"], obj)
                scores[fact] = max(record["score"], scores.get(fact, 0.0))
                places.setdefault(fact, set()).add((number, *record["subject"], *record["object"]))
    graph = networkx.MultiDiGraph()
    for (subject, relation, obj), score in scores.items():
        found = places[subject, relation, obj]
        values = {"score": score, "support": len(found), "docs": len({place[0] for place in found})}
        graph.add_edge(subject, obj, key=relation, relation=relation, **values)
    return graph
