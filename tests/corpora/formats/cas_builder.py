"""CAS as INCEpTION makes them, of canonical records."""

from typing import Any, Dict

from cassis import Cas, TypeSystem
from cassis.typesystem import TYPE_NAME_ANNOTATION, TYPE_NAME_STRING

Record = Dict[str, Any]

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
SENTENCE = f"{DKPRO}.segmentation.type.Sentence"
TOKEN = f"{DKPRO}.segmentation.type.Token"
ENTITY = f"{DKPRO}.ner.type.NamedEntity"
DEPENDENCY = f"{DKPRO}.syntax.type.dependency.Dependency"


def make_types(span: str = "custom.Span", relation: str = "custom.Relation", **features: str) -> TypeSystem:
    """The layers of INCEpTION; `features` are further ones of relations, with their types."""
    types = TypeSystem()
    types.create_type(SENTENCE)
    token = types.create_type(TOKEN)
    entity = types.create_type(ENTITY)
    for name in ("value", "identifier"):
        types.create_feature(entity, name, TYPE_NAME_STRING)
    dependency = types.create_type(DEPENDENCY)
    types.create_feature(dependency, "DependencyType", TYPE_NAME_STRING)
    for role in ("Governor", "Dependent"):
        types.create_feature(dependency, role, token)
    metadata = types.create_type(f"{DKPRO}.metadata.type.DocumentMetaData")
    types.create_feature(metadata, "documentTitle", TYPE_NAME_STRING)
    spans = types.create_type(span) if span else types.get_type(TYPE_NAME_ANNOTATION)
    if span:
        for name in ("label", "identifier"):
            types.create_feature(spans, name, TYPE_NAME_STRING)
    if relation:
        relations = types.create_type(relation)
        for role in ("Governor", "Dependent"):
            types.create_feature(relations, role, spans)
        for name, kind in {"label": TYPE_NAME_STRING, **features}.items():
            types.create_feature(relations, name, kind)
    return types


def make_cas(record: Record, types: TypeSystem) -> Cas:
    """A CAS with a record, whose arguments are entities."""
    cas = Cas(typesystem=types)
    cas.sofa_string = record["text"]
    if "id" in record:
        cas.add(types.get_type(f"{DKPRO}.metadata.type.DocumentMetaData")(documentTitle=record["id"]))
    for start, end in record.get("sents", ()):
        cas.add(types.get_type(SENTENCE)(begin=start, end=end))
    spans = {}
    for entity in record["entities"]:
        made = types.get_type("custom.Span")(begin=entity["start"], end=entity["end"], label=entity["label"])
        made.identifier = entity.get("kb_id")
        cas.add(made)
        spans.setdefault((made.begin, made.end), made)
    for triple in record["triples"]:
        subject, obj = (spans[tuple(triple[role])] for role in ("subject", "object"))
        made = types.get_type("custom.Relation")(begin=obj.begin, end=obj.end, Governor=subject, Dependent=obj)
        made.label = triple["relation"]
        for name, value in triple.get("attributes", {}).items():
            setattr(made, name, value)
        cas.add(made)
    return cas
