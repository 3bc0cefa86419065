"""A graph as RDF 1.1: one plain triple per fact, and a reified statement of where it is stated.

Names under the base: `entity/ID`, `relation/NAME`, `type/NAME`, `document/ID`, `fact/ID` (a statement), `mention/ID`,
`fact/ID/support/NUMBER`, and `vocabulary/NAME` for what no published vocabulary has. Terms are written as in N-Triples;
Turtle, N-Triples and N-Quads are streams, since rdflib would keep all statements in memory: 1.1 KiB each, and a graph
of a million supports has 47 million.
"""

import math
import re
from pathlib import Path
from typing import Callable, Collection, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import quote

from ..annotations.names import VALUE_LABELS
from ..annotations.schema import RelationSchema, Schema
from ..annotations.triple import Record
from ..annotations.values import Value, parse_value
from ..corpora.whole import whole_file
from ..errors import Errors
from .tables import PERIOD, GraphTables, facts_with_support, literal_values, table_rows

DEFAULT_BASE = "http://example.org/graph/"

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "oa": "http://www.w3.org/ns/oa#",
}

# The prefix of the IRIs of Wikidata: its ids are known by their form.
_WIKIDATA = "http://www.wikidata.org/entity/"

# An absolute IRI without the characters that RDF excludes from IRIs.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
# Characters that a literal may not have unescaped, and others that are safer escaped.
_ESCAPED = re.compile('[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ufffe\uffff]')
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def check_base(base: str) -> str:
    """Return a base for names, with a slash at the end.

    RAISES (ValueError): If it is no absolute IRI with a host, or has a query or a fragment.
    """
    base = base if base.endswith("/") else f"{base}/"
    if not is_iri(base) or not re.match(r"[^:]+://[^/?#]+/[^?#]*$", base):
        raise ValueError(Errors.R802.format(found=base))
    return base


def is_iri(text: str) -> bool:
    """Return True if a text is an absolute IRI that RDF can hold."""
    return _IRI.fullmatch(text) is not None


def name_part(name: str) -> str:
    """Encode a name as one part of a path of an IRI: different names remain different."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def term(name: str) -> str:
    """Return the IRI of a name with one of PREFIXES, such as `rdf:type`."""
    prefix, local = name.split(":")
    return f"<{PREFIXES[prefix]}{local}>"


def literal(text: str) -> str:
    """Write a text as a literal."""
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04X}", text)
    return f'"{text}"'


def typed(value: float, kind: str) -> str:
    """Write a number as a literal of a type, such as `xsd:double`."""
    special = {math.inf: "INF", -math.inf: "-INF"}
    text = "NaN" if value != value else special.get(value, repr(value))
    return f'"{text}"^^{_TYPES[kind]}'


_TYPES: Dict[str, str] = {
    f"xsd:{name}": term(f"xsd:{name}")
    for name in "double integer nonNegativeInteger decimal date gYearMonth gYear".split()
}


def date_literal(date: str) -> str:
    """Write a date in ISO 8601 as a literal: a day, a month or a year."""
    return f'"{date}"^^{_TYPES[("xsd:gYear", "xsd:gYearMonth", "xsd:date")[date.count("-")]]}'


def value_literal(text: str, label: str) -> Tuple[str, Optional[Value]]:
    """Write a date or an amount as a literal, typed if it is a date or a mere number; also return what it says."""
    value = parse_value(text, label)
    if value is None or value.unit:
        return literal(text), value
    if value.date:
        return date_literal(value.date), value
    assert value.number is not None
    is_whole = value.number == value.number.to_integral_value()
    return f'"{value.number:f}"^^{_TYPES["xsd:integer" if is_whole else "xsd:decimal"]}', value


# Predicates and objects of a subject.
Pairs = List[Tuple[str, str]]

# Entities that are literals, with their names and types.
Literals = Mapping[int, Tuple[str, str]]


class Block(NamedTuple):
    """Statements about a subject: terms of N-Triples, with the named graph they belong to."""

    graph: str
    subject: str
    pairs: Pairs


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

    A fact is `subject relation object`; dates and amounts are literals, see `literal_values`. It is reified as a
    statement (`rdf:Statement`) with its probability, the documents (`prov:wasDerivedFrom`) and its support: the
    document, the sentence (`oa:exact`) with its characters (`oa:start`, `oa:end`), the score, the attributes as JSON,
    and the two mentions. `start`, `end` and `at` of the vocabulary say when it holds. In N-Quads, statements about a
    text are in the named graph of its document.

    base (str): Absolute IRI for names.
    schema (Optional[Schema]): Adds its declarations.
    RAISES (ValueError): If the base is no absolute IRI.
    """
    names = RdfNames(base)
    declared = set()
    for subject, pairs in declarations(schema, names, values=tables.value_labels) if schema is not None else ():
        declared.add(subject)
        yield Block(names.graph, subject, pairs)
    yield from (block for block in _relations_and_types(tables, names) if block.subject not in declared)
    literals = literal_values(tables)
    yield from _entities(tables, names, literals)
    yield from _documents(tables, names)
    yield from _facts(tables, names, literals)
    yield from _mentions(tables, names, literals)


def declarations(
    schema: Schema, names: RdfNames, *, values: Collection[str] = VALUE_LABELS
) -> Iterator[Tuple[str, Pairs]]:
    """Yield the relations and types of a schema as RDFS and OWL declarations; unions and inverses are blank nodes.

    values (Collection[str]): Entity types of values, in upper case.
    """
    types = {}
    for number, (name, relation) in enumerate(schema.relations.items()):
        has_values = bool(relation.object) and all(each.upper() in values for each in relation.object)
        kind = "owl:DatatypeProperty" if has_values else "owl:ObjectProperty"
        pairs = [(_A, term(kind)), (term("rdfs:label"), literal(name))]
        if relation.description:
            pairs.append((term("rdfs:comment"), literal(relation.description)))
        marks = {"owl:SymmetricProperty": relation.symmetric, "owl:FunctionalProperty": relation.functional}
        marks.update({"owl:AsymmetricProperty": relation.acyclic, "owl:IrreflexiveProperty": relation.acyclic})
        marks["owl:TransitiveProperty"] = relation.transitive
        pairs += [(_A, term(mark)) for mark, is_set in marks.items() if is_set]
        blank: List[Tuple[str, Pairs]] = []
        for place, other in enumerate(relation.implies):
            turned = f"_:r{number}inverse{place}"
            pairs.append((term("rdfs:subPropertyOf"), turned if other[0] == "-" else names.relation(other)))
            blank += [(turned, [(term("owl:inverseOf"), names.relation(other[1:]))])] if other[0] == "-" else []
        if relation.inverse is not None:
            pairs.append((term("owl:inverseOf"), names.relation(relation.inverse)))
        for role, predicate, allowed in zip(
            ("subject", "object"), ("rdfs:domain", "rdfs:range"), allowed_types(relation)
        ):
            if has_values and role == "object":
                pairs.append((term(predicate), term("rdfs:Literal")))
                continue
            types.update(dict.fromkeys(allowed))
            if len(allowed) == 1:
                pairs.append((term(predicate), names.type(allowed[0])))
            elif allowed:
                node = f"_:r{number}{role}"
                pairs.append((term(predicate), node))
                blank += _union(node, [names.type(each) for each in allowed])
        yield names.relation(name), pairs
        yield from blank
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
    for column, mint in ((tables.facts["relation"], names.relation), (tables.entities["label"], names.type)):
        for name in sorted(each for each in column.unique().to_pylist() if each):
            yield Block(names.graph, mint(name), [(term("rdfs:label"), literal(name))])


def _entities(tables: GraphTables, names: RdfNames, literals: Literals) -> Iterator[Block]:
    label, alias, identifier = term("rdfs:label"), term("skos:altLabel"), term("dcterms:identifier")
    same = term("owl:sameAs")
    for number, name, kind, kb_id, aliases in table_rows(
        tables.entities, ("entity_id", "name", "label", "kb_id", "aliases")
    ):
        if number in literals:
            continue
        pairs = [(_A, names.type(kind))] if kind else []
        pairs.append((label, literal(name)))
        pairs += [(alias, literal(each)) for each in dict.fromkeys(aliases) if each != name]
        if kb_id:
            pairs.append((identifier, literal(kb_id)))
            iri = f"{_WIKIDATA}{kb_id}" if re.fullmatch(r"Q[1-9]\d*", kb_id) else kb_id
            pairs += [(same, f"<{iri}>")] if iri.startswith(("http://", "https://")) and is_iri(iri) else []
        yield Block(names.graph, names("entity", number), pairs)


def _documents(tables: GraphTables, names: RdfNames) -> Iterator[Block]:
    for (doc_id,) in table_rows(tables.documents, ("doc_id",)):
        node = names.document(doc_id)
        yield Block(node, node, [(_A, term("prov:Entity")), (term("dcterms:identifier"), literal(doc_id))])


_SUPPORT = ("doc_id", "sent", "sent_start", "sent_end", "sentence", "score", "source", "attributes")


def _facts(tables: GraphTables, names: RdfNames, literals: Literals) -> Iterator[Block]:
    # predicates of a statement, made once
    reified = [term("rdf:subject"), term("rdf:predicate"), term("rdf:object")]
    probability, best, derived = names.own("probability"), names.own("bestScore"), term("prov:wasDerivedFrom")
    supported, statement = names.own("support"), (_A, term("rdf:Statement"))
    number_of, unit_of = names.own("number"), names.own("unit")
    columns = ("subject", "relation", "object", "probability", "best_score", *PERIOD)
    for fact, rows in facts_with_support(tables, columns, (*_SUPPORT, "subject_mention", "object_mention")):
        number = fact["fact_id"]
        terms = [names("entity", fact["subject"]), names.relation(fact["relation"]), names("entity", fact["object"])]
        value = None
        if fact["object"] in literals:
            terms[2], value = value_literal(*literals[fact["object"]])
        node = names("fact", number)
        pairs = [statement, *zip(reified, terms)]
        pairs += [(probability, typed(fact["probability"], "xsd:double"))]
        pairs += [(best, typed(fact["best_score"], "xsd:double"))]
        if value is not None and value.unit:
            pairs += [(number_of, f'"{value.number:f}"^^{_TYPES["xsd:decimal"]}'), (unit_of, literal(value.unit))]
        pairs += [(names.own(part), date_literal(fact[part])) for part in PERIOD if fact[part]]
        documents = dict.fromkeys(names.document(row["doc_id"]) for row in rows)
        pairs += [(derived, document) for document in documents]
        pairs += [(supported, names("fact", number, "support", place)) for place in range(len(rows))]
        yield Block(names.graph, terms[0], [(terms[1], terms[2])])
        yield Block(names.graph, node, pairs)
        for place, row in enumerate(rows):
            yield from _support(names, ("fact", number, "support", place), row)


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


def _mentions(tables: GraphTables, names: RdfNames, literals: Literals) -> Iterator[Block]:
    columns = ("mention_id", "doc_id", "start", "end", "text", "entity_id")
    for mention, doc_id, start, end, text, entity in table_rows(tables.mentions, columns):
        pairs = [] if entity in literals else [(names.own("refersTo"), names("entity", entity))]
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


def write_rdf(blocks: Iterable[Block], path: Path, *, form: str, base: str) -> None:
    """Write statements.

    blocks (Iterable[Block]): Of `graph_statements`.
    form (str): "ttl", "nt" or "nq"; only N-Quads have the named graphs.
    base (str): With a slash at the end; names under it are relative in Turtle.
    """
    with whole_file(path) as stream:
        for text in RDF_FORMS[form](blocks, base):
            stream.write(text.encode("utf8"))


def _n_triples(blocks: Iterable[Block], base: str) -> Iterator[str]:
    for _, subject, pairs in blocks:
        yield "".join([f"{subject} {predicate} {obj} .\n" for predicate, obj in pairs])


def _n_quads(blocks: Iterable[Block], base: str) -> Iterator[str]:
    for graph, subject, pairs in blocks:
        yield "".join([f"{subject} {predicate} {obj} {graph} .\n" for predicate, obj in pairs])


def _turtle(blocks: Iterable[Block], base: str) -> Iterator[str]:
    """Yield the subjects one by one, with short names of well-known terms."""
    yield f"@base <{base}> .\n"
    yield "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    shorten = _Shortener(base)
    for _, subject, pairs in blocks:
        yield f"\n{shorten(subject)} {_lines(pairs, shorten)} .\n"


def _lines(pairs: Pairs, shorten: "_Shortener") -> str:
    """Write the predicates and objects of a subject; `a` stands for rdf:type."""
    rows = (f"{'a' if predicate == _A else shorten(predicate)} {shorten(obj)}" for predicate, obj in pairs)
    return " ;\n    ".join(rows)


class _Shortener:
    """Writes terms of N-Triples in Turtle: well-known ones with their prefix, those under the base as relative IRIs."""

    def __init__(self, base: str) -> None:
        self.start = f"<{base}"
        self.known: Dict[str, str] = {}

    def __call__(self, value: str) -> str:
        if value.startswith(self.start):
            return f"<{value[len(self.start) :]}"
        if value[0] == "<":
            return self.known.get(value) or self._add(value)
        text, mark, kind = value.rpartition('"^^')
        return f'{text}"^^{self(kind)}' if mark and kind[0] == "<" and kind[-1] == ">" else value

    def _add(self, value: str) -> str:
        """Shorten a term with a prefix, and cache the result; others stay as they are."""
        for prefix, iri in PREFIXES.items():
            local = value[1 + len(iri) : -1]
            if value.startswith(f"<{iri}") and local.isidentifier() and local.isascii():
                self.known[value] = f"{prefix}:{local}"
                return self.known[value]
        return value


RDF_FORMS: Dict[str, Callable[[Iterable[Block], str], Iterator[str]]] = {
    "ttl": _turtle,
    "nt": _n_triples,
    "nq": _n_quads,
}
