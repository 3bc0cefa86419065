"""Terms of RDF as N-Triples writes them: IRIs under a base, and literals."""

import math
import re
from typing import Dict
from urllib.parse import quote

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
    "sh": "http://www.w3.org/ns/shacl#",
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
