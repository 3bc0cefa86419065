"""SHACL shapes of a schema: what a graph must look like to agree with it."""

from typing import Iterator, List, Sequence, Tuple

from ..annotations.schema import RelationSchema, Schema
from .rdf import RdfNames, allowed_types
from .rdf_files import Block, Pairs, literal, name_part, term, typed

_A, _OR, _PROPERTY, _PATH = term("rdf:type"), term("sh:or"), term("sh:property"), term("sh:path")
_CLASS, _MESSAGE, _MAX = term("sh:class"), term("sh:message"), term("sh:maxCount")


def schema_shapes(schema: Schema, *, base: str) -> Iterator[Block]:
    """Yield shapes (`sh:NodeShape`) of the relations with constraints; they target the subjects of the facts.

    Subject and object have one of the types of the schema, or no type; a functional relation has at most one object; an
    acyclic one does not lead back to its start (a constraint in SPARQL). That a relation is symmetric or has an inverse
    says what follows from a fact, not what a graph must have: it is declared, not checked.

    base (str): Absolute IRI for names, that of the graph.
    RAISES (ValueError): If the base is no absolute IRI.
    """
    names = RdfNames(base)
    for name, relation in schema.relations.items():
        for subject, pairs in _Shapes(names, name).blocks(relation):
            yield Block(names.graph, subject, pairs)


class _Shapes:
    """Writes the shapes of one relation, and their parts."""

    def __init__(self, names: RdfNames, name: str) -> None:
        self.names = names
        self.name = name
        self.path = names.relation(name)
        self.parts: List[Tuple[str, Pairs]] = []

    def blocks(self, relation: RelationSchema) -> List[Tuple[str, Pairs]]:
        """Return the shapes and their parts; nothing if there is nothing to check."""
        subjects, objects = allowed_types(relation)
        pairs: Pairs = []
        if subjects:
            message = f"A subject of {self.name} is {_either(subjects)}"
            rows = [*self._target(), (_OR, self._one_of("subject", subjects)), (_MESSAGE, literal(message))]
            self._part("subject", rows)
        if objects:
            message = f"An object of {self.name} is {_either(objects)}"
            rows = [(_PATH, self.path), (_OR, self._one_of("object", objects)), (_MESSAGE, literal(message))]
            pairs.append((_PROPERTY, self._part("object", rows)))
        if relation.functional:
            rows = [(_PATH, self.path), (_MAX, typed(1, "xsd:integer"))]
            rows.append((_MESSAGE, literal(f"{self.name} has at most one object")))
            pairs.append((_PROPERTY, self._part("functional", rows)))
        if relation.acyclic:
            query = f"SELECT $this WHERE {{ $this {self.path}+ $this }}"
            rows = [(term("sh:select"), literal(query))]
            rows.append((_MESSAGE, literal(f"{self.name} leads back to its start")))
            pairs.append((term("sh:sparql"), self._part("acyclic", rows)))
        if pairs:
            self._part("facts", [*self._target(), *pairs])
        return self.parts

    def _target(self) -> Pairs:
        """Return the first statements of a shape, which target all subjects of the relation."""
        return [(_A, term("sh:NodeShape")), (term("sh:targetSubjectsOf"), self.path)]

    def _name(self, *parts: object) -> str:
        return self.names("shape", name_part(self.name), *parts)

    def _part(self, name: str, pairs: Pairs) -> str:
        """Add a shape or a part of one, and return its name."""
        self.parts.append((self._name(name), pairs))
        return self.parts[-1][0]

    def _one_of(self, role: str, types: Sequence[str]) -> str:
        """Add the list of shapes of which an argument must match at least one; return its head."""
        members = [self._part(f"{role}/type/{name_part(each)}", [(_CLASS, self.names.type(each))]) for each in types]
        members.append(self._part(f"{role}/untyped", [(_PATH, _A), (_MAX, typed(0, "xsd:integer"))]))
        for number, member in enumerate(members):
            is_last = number + 1 == len(members)
            rest = term("rdf:nil") if is_last else self._name(role, "list", number + 1)
            self._part(f"{role}/list/{number}", [(term("rdf:first"), member), (term("rdf:rest"), rest)])
        return self._name(role, "list", 0)


def _either(types: Sequence[str]) -> str:
    return " or ".join(types)
