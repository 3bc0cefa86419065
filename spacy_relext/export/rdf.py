"""A graph as statements of RDF 1.1: one plain triple per fact, and a reified statement of where it is stated.

Names under the base: `entity/ID`, `relation/NAME`, `type/NAME`, `document/ID`, `fact/ID` (a statement), `mention/ID`,
`fact/ID/support/NUMBER`, and `vocabulary/NAME` for what no published vocabulary has.
"""

from itertools import groupby
from operator import itemgetter
from typing import Iterator, List, Optional, Sequence, Tuple

from ..annotations.schema import RelationSchema, Schema
from ..annotations.triple import Record
from .rdf_files import Block, Pairs, check_base, is_iri, literal, name_part, term, typed
from .tables import GraphTables, table_rows

_A = term("rdf:type")


class RdfNames:
    """Mints the IRIs of a graph, as terms of N-Triples.

    base (str): Absolute IRI; a slash is added if there is none at the end.
    RAISES (ValueError): If it is no absolute IRI.
    """

    def __init__(self, base: str) -> None:
        self.base = check_base(base)
        self.graph = f"<{self.base}>"

    def __call__(self, *parts: object) -> str:
        """Return the IRI of a path, such as ("entity", 7); texts must be encoded."""
        return f"<{self.base}{'/'.join(map(str, parts))}>"

    def relation(self, name: str) -> str:
        """Return the IRI of a relation."""
        return self("relation", name_part(name))

    def type(self, name: str) -> str:
        """Return the IRI of a type of entities."""
        return self("type", name_part(name))

    def document(self, doc_id: str) -> str:
        """Return the IRI of a document, which is also that of the named graph of statements about its text."""
        return self("document", name_part(doc_id))

    def own(self, name: str) -> str:
        """Return the IRI of a term of the vocabulary of this package."""
        return self("vocabulary", name)


def graph_statements(tables: GraphTables, *, base: str, schema: Optional[Schema] = None) -> Iterator[Block]:
    """Yield the statements of a graph, subject by subject, in a fixed order.

    A fact is `subject relation object`. It is reified as a statement (`rdf:Statement`) with its probability, the
    documents (`prov:wasDerivedFrom`) and its support: the document, the sentence (`oa:exact`) with its characters
    (`oa:start`, `oa:end`), the score, the attributes as JSON, and the two mentions. In N-Quads, statements about a
    text are in the named graph of its document.

    base (str): Absolute IRI for names.
    schema (Optional[Schema]): Adds its declarations.
    RAISES (ValueError): If the base is no absolute IRI.
    """
    names = RdfNames(base)
    declared = set()
    for subject, pairs in declarations(schema, names) if schema is not None else ():
        declared.add(subject)
        yield Block(names.graph, subject, pairs)
    yield from (block for block in _relations_and_types(tables, names) if block.subject not in declared)
    yield from _entities(tables, names)
    yield from _documents(tables, names)
    yield from _facts(tables, names)
    yield from _mentions(tables, names)


def declarations(schema: Schema, names: RdfNames) -> Iterator[Tuple[str, Pairs]]:
    """Yield the relations and types of a schema as RDFS and OWL declarations; unions of types are blank nodes."""
    types = {}
    for number, (name, relation) in enumerate(schema.relations.items()):
        pairs = [(_A, term("owl:ObjectProperty")), (term("rdfs:label"), literal(name))]
        if relation.description:
            pairs.append((term("rdfs:comment"), literal(relation.description)))
        marks = {"owl:SymmetricProperty": relation.symmetric, "owl:FunctionalProperty": relation.functional}
        marks.update({"owl:AsymmetricProperty": relation.acyclic, "owl:IrreflexiveProperty": relation.acyclic})
        pairs += [(_A, term(mark)) for mark, is_set in marks.items() if is_set]
        if relation.inverse is not None:
            pairs.append((term("owl:inverseOf"), names.relation(relation.inverse)))
        unions: List[Tuple[str, Pairs]] = []
        for role, predicate, allowed in zip(
            ("subject", "object"), ("rdfs:domain", "rdfs:range"), allowed_types(relation)
        ):
            types.update(dict.fromkeys(allowed))
            if len(allowed) == 1:
                pairs.append((term(predicate), names.type(allowed[0])))
            elif allowed:
                node = f"_:r{number}{role}"
                pairs.append((term(predicate), node))
                unions += _union(node, [names.type(each) for each in allowed])
        yield names.relation(name), pairs
        yield from unions
    for name in types:
        yield names.type(name), [(_A, term("owl:Class")), (term("rdfs:label"), literal(name))]


def allowed_types(relation: RelationSchema) -> Tuple[List[str], List[str]]:
    """List the types that subject and object may have, none for any; those of a symmetric relation are the same."""
    subjects, objects = (list(dict.fromkeys(types)) for types in (relation.subject, relation.object))
    if relation.symmetric:
        subjects = objects = subjects or objects
    return subjects, objects


def _union(node: str, members: Sequence[str]) -> Iterator[Tuple[str, Pairs]]:
    """Yield the union of some classes, and the RDF list of its members."""
    yield node, [(_A, term("owl:Class")), (term("owl:unionOf"), f"{node}0")]
    for number, member in enumerate(members):
        rest = f"{node}{number + 1}" if number + 1 < len(members) else term("rdf:nil")
        yield f"{node}{number}", [(term("rdf:first"), member), (term("rdf:rest"), rest)]


def _relations_and_types(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    """Yield the labels of relations and of types."""
    for column, mint in ((tables.facts["relation"], names.relation), (tables.entities["label"], names.type)):
        for name in sorted(each for each in column.unique().to_pylist() if each):
            yield Block(names.graph, mint(name), [(term("rdfs:label"), literal(name))])


def _entities(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    """Yield names, type and id of entities."""
    label, alias, identifier = term("rdfs:label"), term("skos:altLabel"), term("dcterms:identifier")
    same = term("owl:sameAs")
    for number, name, kind, kb_id, aliases in table_rows(
        tables.entities, ("entity_id", "name", "label", "kb_id", "aliases")
    ):
        pairs = [(_A, names.type(kind))] if kind else []
        pairs.append((label, literal(name)))
        pairs += [(alias, literal(each)) for each in dict.fromkeys(aliases) if each != name]
        if kb_id:
            pairs.append((identifier, literal(kb_id)))
            pairs += [(same, f"<{kb_id}>")] if kb_id.startswith(("http://", "https://")) and is_iri(kb_id) else []
        yield Block(names.graph, names("entity", number), pairs)


def _documents(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    """Yield the ids of documents."""
    for (doc_id,) in table_rows(tables.documents, ("doc_id",)):
        node = names.document(doc_id)
        yield Block(node, node, [(_A, term("prov:Entity")), (term("dcterms:identifier"), literal(doc_id))])


_SUPPORT = (
    "fact_id",
    "doc_id",
    "sent",
    "sent_start",
    "sent_end",
    "sentence",
    "score",
    "source",
    "attributes",
    "subject_mention",
    "object_mention",
)


def _facts(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    """Yield facts, each with its statement and its support; both tables are sorted by fact."""
    groups = groupby(table_rows(tables.support, _SUPPORT), key=itemgetter(0))
    following = next(groups, None)
    # predicates of a statement, made once
    reified = [term("rdf:subject"), term("rdf:predicate"), term("rdf:object")]
    probability, best, derived = names.own("probability"), names.own("bestScore"), term("prov:wasDerivedFrom")
    supported, statement = names.own("support"), (_A, term("rdf:Statement"))
    columns = ("fact_id", "subject", "relation", "object", "probability", "best_score")
    for fact, subject, relation, obj, share, score in table_rows(tables.facts, columns):
        rows: List[Record] = []
        if following is not None and following[0] == fact:
            rows = [dict(zip(_SUPPORT, row)) for row in following[1]]
            following = next(groups, None)
        terms = [names("entity", subject), names.relation(relation), names("entity", obj)]
        node = names("fact", fact)
        pairs = [statement, *zip(reified, terms)]
        pairs += [(probability, typed(share, "xsd:double")), (best, typed(score, "xsd:double"))]
        documents = dict.fromkeys(names.document(row["doc_id"]) for row in rows)
        pairs += [(derived, document) for document in documents]
        pairs += [(supported, names("fact", fact, "support", number)) for number in range(len(rows))]
        yield Block(names.graph, terms[0], [(terms[1], terms[2])])
        yield Block(names.graph, node, pairs)
        for number, row in enumerate(rows):
            yield from _support(names, ("fact", fact, "support", number), row)


def _support(names: RdfNames, parts: Tuple[object, ...], row: Record) -> Iterator[Block]:
    """Yield where a fact is stated: a part of a document, selected by its offsets and by its text."""
    pairs = [(names.own("score"), typed(row["score"], "xsd:double"))]
    pairs += [(names.own("component"), literal(row["source"]))] if row["source"] else []
    pairs += [(names.own("attributes"), literal(row["attributes"]))] if row["attributes"] else []
    pairs.append((names.own("sentence"), typed(row["sent"], "xsd:integer")))
    for role in ("subject", "object"):
        pairs.append((names.own(f"{role}Mention"), names("mention", row[f"{role}_mention"])))
    place = (row["sent_start"], row["sent_end"], row["sentence"])
    yield from _selection(names, parts, names.document(row["doc_id"]), place, pairs)


def _mentions(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    """Yield the mentions of entities, as parts of documents."""
    columns = ("mention_id", "doc_id", "start", "end", "text", "entity_id")
    for mention, doc_id, start, end, text, entity in table_rows(tables.mentions, columns):
        pairs = [(names.own("refersTo"), names("entity", entity))]
        yield from _selection(names, ("mention", mention), names.document(doc_id), (start, end, text), pairs)


_SPECIFIC, _SOURCE, _SELECTOR = (term(f"oa:{name}") for name in ("SpecificResource", "hasSource", "hasSelector"))
_POSITION, _START, _END = (term(f"oa:{name}") for name in ("TextPositionSelector", "start", "end"))
_QUOTE, _EXACT = term("oa:TextQuoteSelector"), term("oa:exact")
_DERIVED = term("prov:wasDerivedFrom")


def _selection(
    names: RdfNames, parts: Tuple[object, ...], document: str, place: Tuple[int, int, str], pairs: Pairs
) -> Iterator[Block]:
    """Yield a part of a document with its two selectors."""
    node, position, quote = names(*parts), names(*parts, "position"), names(*parts, "quote")
    shared = [(_A, _SPECIFIC), (_SOURCE, document), (_DERIVED, document), (_SELECTOR, position), (_SELECTOR, quote)]
    start, end, text = place
    bounds = [(_START, typed(start, "xsd:nonNegativeInteger")), (_END, typed(end, "xsd:nonNegativeInteger"))]
    yield Block(document, node, [*shared, *pairs])
    yield Block(document, position, [(_A, _POSITION), *bounds])
    yield Block(document, quote, [(_A, _QUOTE), (_EXACT, literal(text))])
