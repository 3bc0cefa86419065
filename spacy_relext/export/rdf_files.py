"""RDF 1.1 as text: terms as N-Triples writes them; Turtle, N-Triples and N-Quads, written as a stream.

rdflib would keep all statements in memory: 1.1 KiB each, and a graph of a million supports has 47 million.
"""

import math
import re
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Tuple
from urllib.parse import quote

from ..corpora.whole import whole_file
from ..errors import Errors

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


_TYPES: Dict[str, str] = {f"xsd:{name}": term(f"xsd:{name}") for name in ("double", "integer", "nonNegativeInteger")}

# Predicates and objects of a subject.
Pairs = List[Tuple[str, str]]


class Block(NamedTuple):
    """Statements about a subject: terms of N-Triples, with the named graph they belong to."""

    graph: str
    subject: str
    pairs: Pairs


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
    """Yield the lines of each subject."""
    for _, subject, pairs in blocks:
        yield "".join([f"{subject} {predicate} {obj} .\n" for predicate, obj in pairs])


def _n_quads(blocks: Iterable[Block], base: str) -> Iterator[str]:
    """Yield the lines of each subject, with its graph."""
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


_A = term("rdf:type")
RDF_FORMS: Dict[str, Callable[[Iterable[Block], str], Iterator[str]]] = {
    "ttl": _turtle,
    "nt": _n_triples,
    "nq": _n_quads,
}
