"""Statements of RDF 1.1 as Turtle, N-Triples and N-Quads, written as a stream."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator

from ..corpora.whole import whole_file
from .rdf import Block, Pairs
from .rdf_terms import PREFIXES, term


def write_rdf(blocks: Iterable[Block], path: Path, *, form: str, base: str) -> None:
    """Write statements.

    blocks (Iterable[Block]): Of `graph_statements` or `schema_shapes`.
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
