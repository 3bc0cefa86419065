"""Ontologies in OWL or RDFS, read as schemas of relations.

    owl:ObjectProperty, owl:DatatypeProperty, rdf:Property      a relation
    rdfs:comment, skos:definition, else rdfs:label              description
    rdfs:domain, rdfs:range; owl:unionOf; subclasses            subject, object
    owl:inverseOf                                               inverse
    owl:SymmetricProperty, owl:FunctionalProperty               symmetric, functional
    owl:TransitiveProperty                                      transitive
    owl:AsymmetricProperty and owl:IrreflexiveProperty          acyclic, which OWL cannot say: see export/rdf.py
    rdfs:subPropertyOf, owl:equivalentProperty                  implies

Other statements about a relation are counted.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Set
from urllib.parse import unquote

from ..errors import Errors, require
from .names import VALUE, kind_of, labels_of
from .triple import Record

if TYPE_CHECKING:
    import rdflib

# Formats of rdflib by the suffix of a file, and by its first words.
_FORMATS = {".ttl": "turtle", ".n3": "n3", ".nt": "nt", ".nq": "nquads", ".trig": "trig", ".jsonld": "json-ld"}
_FORMATS.update({".owl": "xml", ".rdf": "xml"})
_XML = (b"<?xml", b"<rdf", b"<owl", b"<!doctype")
_TURTLE = (b"@prefix", b"@base", b"prefix ", b"base ")

# A local name that is no word: P19, RO_0002200.
_OPAQUE = re.compile(r"[A-Za-z]{1,10}[_:]?\d+")
_XSD = "http://www.w3.org/2001/XMLSchema#"
# Datatypes of values; a range of any other, such as strings, says nothing about entity types.
_VALUES = frozenset(
    "date dateTime dateTimeStamp time gYear gYearMonth gMonth gDay gMonthDay duration integer int long short byte "
    "decimal float double nonNegativeInteger positiveInteger negativeInteger unsignedInt unsignedLong".split()
)


class Ontology(NamedTuple):
    """What a file says of relations.

    schema (Record): Plain values, as of a schema in YAML.
    unused (Dict[str, int]): How many statements about relations are of no use, by predicate.
    """

    schema: Record
    unused: Dict[str, int]


def ontology_format(path: Path) -> str:
    """Return the format of an ontology by the first words of a file or its suffix; "" for what may be a schema."""
    with path.open("rb") as file:
        first = file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if first.startswith(_XML):
        return "xml"
    return "turtle" if first.startswith(_TURTLE) else _FORMATS.get(path.suffix.lower(), "")


def read_ontology(path: Path, form: str) -> Ontology:
    """Read the relations of an ontology.

    form (str): See `ontology_format`.
    RAISES (ImportError): If rdflib is not installed.
    RAISES (ValueError): If it cannot be read, or declares no property.
    """
    rdflib = require("rdflib", purpose="a schema in RDF", extra="kb")
    graph = rdflib.Dataset(default_union=True) if form in ("nquads", "trig") else rdflib.Graph()
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if form == "json-ld" and (where := next(_remote_contexts(text), "")):
        raise ValueError(Errors.R033.format(path=path, reason=f"its @context is at {where}, and nothing is downloaded"))
    try:
        graph.parse(data=text, format=form, publicID=path.resolve().as_uri())
    except Exception as error:  # each parser of rdflib raises errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(Errors.R033.format(path=path, reason=f"no {form}: {reason:.200}")) from None
    found = _Reader(graph).read()
    if not found.schema["relations"]:
        raise ValueError(Errors.R033.format(path=path, reason="it declares no property, such as an owl:ObjectProperty"))
    return found


def _remote_contexts(text: bytes) -> Iterator[str]:
    """Yield the addresses of contexts of JSON-LD, which rdflib would download."""
    try:
        waiting: List[Any] = [json.loads(text)]
    except ValueError:  # the parser says what is wrong
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, each in value.items():
                contexts = each if isinstance(each, list) else [each]
                yield from (one for one in contexts if key in ("@context", "@import") and isinstance(one, str))
                waiting.append(each)
        elif isinstance(value, list):
            waiting += value


class _Reader:
    """Reads the relations of a graph of rdflib."""

    def __init__(self, graph: "rdflib.Graph") -> None:
        from rdflib.namespace import OWL, RDF, RDFS, SKOS

        self.graph, self.owl, self.rdf, self.rdfs = graph, OWL, RDF, RDFS
        self.texts = (RDFS.comment, SKOS.definition, RDFS.label)
        kinds = (OWL.ObjectProperty, OWL.DatatypeProperty, RDF.Property, OWL.FunctionalProperty, OWL.SymmetricProperty)
        declared = {node for kind in kinds for node in graph.subjects(RDF.type, kind) if _is_named(node)}
        self.names: Dict[Any, str] = {}
        for node in sorted(declared, key=str):
            name = self.name(node)
            self.names[node] = name if name not in self.names.values() else str(node)

    def read(self) -> Ontology:
        """RETURNS (Ontology): The relations, by name."""
        rdfs, owl = self.rdfs, self.owl
        used = {*self.texts, self.rdf.type, rdfs.isDefinedBy, rdfs.seeAlso, owl.versionInfo, rdfs.domain, rdfs.range}
        used |= {rdfs.subPropertyOf, owl.inverseOf, owl.equivalentProperty}
        read = {name: self.relation(node) for node, name in self.names.items()}
        stated = (predicate for node in self.names for predicate in self.graph.predicates(node))
        unused = Counter(self.graph.namespace_manager.normalizeUri(str(each)) for each in stated if each not in used)
        return Ontology({"relations": dict(sorted(read.items()))}, dict(unused))

    def relation(self, node: Any) -> Record:
        """RETURNS (Record): What a schema in YAML says of a relation."""
        kinds, name, local = set(self.graph.objects(node, self.rdf.type)), self.names[node], _local(node)
        description = next(filter(None, (self.text(node, each) for each in self.texts)), "")
        made: Record = {
            "description": description if description != name else "",
            "subject": self.types(node, self.rdfs.domain),
            "object": self.types(node, self.rdfs.range),
            "ids": [local] if name not in (local, str(node)) else [],
            "symmetric": self.owl.SymmetricProperty in kinds,
            "functional": self.owl.FunctionalProperty in kinds,
            "transitive": self.owl.TransitiveProperty in kinds,
            "acyclic": {self.owl.AsymmetricProperty, self.owl.IrreflexiveProperty} <= kinds,
            "implies": sorted({*self.wider(node)} - {name}),
        }
        inverses = {*self.graph.objects(node, self.owl.inverseOf), *self.graph.subjects(self.owl.inverseOf, node)}
        inverse = sorted(self.names[each] for each in inverses if each in self.names)
        if made["symmetric"]:
            made["subject"] = made["object"] = sorted({*made["subject"], *made["object"]})
            made["acyclic"] = False
        elif inverse and inverse[0] != name:
            made["inverse"] = inverse[0]
        return {key: value for key, value in made.items() if value}

    def wider(self, node: Any) -> Iterator[str]:
        """Yield the names of relations that follow from a relation, those in the other direction with "-"."""
        for predicate in (self.rdfs.subPropertyOf, self.owl.equivalentProperty):
            for each in self.graph.objects(node, predicate):
                inverse = None if _is_named(each) else self.graph.value(each, self.owl.inverseOf)
                if inverse in self.names:
                    yield f"-{self.names[inverse]}"
                elif each in self.names:
                    yield self.names[each]

    def name(self, node: Any) -> str:
        """RETURNS (str): The local name of a property or class; its label in one word where that is no word."""
        local = _local(node)
        label = self.text(node, self.rdfs.label) if _OPAQUE.fullmatch(local) else ""
        return "_".join(label.split()) or local

    def text(self, node: Any, predicate: Any) -> str:
        """RETURNS (str): A text in English or without a language, else in any; "" if there is none."""
        texts = sorted(self.graph.objects(node, predicate), key=lambda each: (_order(each), str(each)))
        return " ".join(str(texts[0]).split()) if texts else ""

    def types(self, node: Any, predicate: Any) -> List[str]:
        """RETURNS (List[str]): The entity types of a domain or range; none for any."""
        found: Set[str] = set()
        for each in self.graph.objects(node, predicate):
            union = self.graph.value(each, self.owl.unionOf)
            for one in [each] if union is None else self.graph.items(union):
                types = self.entity_types(one)
                if types is None:
                    return []
                found.update(types)
        return sorted(found)

    def entity_types(self, node: Any) -> Optional[Set[str]]:
        """Return the entity types that instances of a class may have; None for any."""
        if node == self.rdfs.Literal:
            return {*labels_of(VALUE)}
        if str(node).startswith(_XSD):
            return {*labels_of(VALUE)} if _local(node) in _VALUES else None
        if node in (self.owl.Thing, self.rdfs.Resource) or not _is_named(node):
            return None
        narrower = self.rdfs.subClassOf
        below = {self.name(each) for each in self.graph.transitive_subjects(narrower, node) if _is_named(each)}
        above = {self.name(each) for each in self.graph.transitive_objects(node, narrower) if _is_named(each)}
        return class_types(self.name(node), below=below, above=above)


def class_types(name: str, *, below: Set[str], above: Set[str]) -> Set[str]:
    """Return the entity types that instances of a class may have.

    A class with the name of a kind of entities, such as Company, or below one, stands for all usual types of it; any
    other, or one in capitals, which is an entity type, for its own name and the names of its subclasses.

    below, above (Set[str]): Names of its subclasses and of its superclasses, its own among them.
    """
    if name.isupper():
        return below
    return below.union(*map(labels_of, {kind_of(each) for each in above | below} - {""}))


def _is_named(node: Any) -> bool:
    """Return True for IRIs, not for blank nodes and literals."""
    return hasattr(node, "defrag")


def _local(node: Any) -> str:
    """Return the last part of an IRI."""
    return unquote(re.split(r"[/#]", str(node).rstrip("/#"))[-1]) or str(node)


def _order(text: Any) -> int:
    """Return 0 for a text in English, 1 for one without a language, 2 for others."""
    language = getattr(text, "language", None)
    return 0 if language and language.lower().startswith("en") else 1 if not language else 2
