"""UIMA CAS with relations, as INCEpTION exports it: relation layers join annotations of a span layer.

A relation has the features `Governor`, its subject, and `Dependent`, its object. dkpro-cassis converts offsets
from UTF-16 units to characters. `cas_files` reads the files.
"""

from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Tuple

from ...annotations.triple import Record
from ...errors import Errors
from ..report import Report
from .annotation import SpanReader
from .cas_files import CasDocument
from .checks import check_text

if TYPE_CHECKING:
    from cassis import Cas
    from cassis.typesystem import FeatureStructure, Type

_ROLES = ("Governor", "Dependent")
_NO_VALUE = ("sofa", "begin", "end", *_ROLES)

_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
_SYNTAX = f"{_DKPRO}.syntax."
_SENTENCE = f"{_DKPRO}.segmentation.type.Sentence"
_ENTITY = f"{_DKPRO}.ner.type.NamedEntity"
_CHAIN = f"{_DKPRO}.coref.type.CoreferenceChain"
_METADATA = f"{_DKPRO}.metadata.type.DocumentMetaData"
_CAS_METADATA = "de.tudarmstadt.ukp.clarin.webanno.api.type.CASMetadata"
_ANNOTATION = "uima.tcas.Annotation"

# Layers that annotators fill; others come from preprocessing.
_OF_USERS = ("custom.", "webanno.custom.", _ENTITY)

_LABELS = ("label", "value")
_KB_ID = "identifier"

# A CAS may declare only the types in use, so a document without annotation of a layer lacks the layer's type.
_NO_RELATIONS = "documents without the relation layer, read as annotated without triples"
_NO_SPANS = "documents without the span layer"


def parse_cas(
    document: CasDocument,
    *,
    span_layer: Optional[str] = None,
    relation_layer: Optional[str] = None,
    span_label: Optional[str] = None,
    relation_label: Optional[str] = None,
) -> Record:
    """Parse a CAS.

    span_layer (Optional[str]): Type of the spans, with or without its package; None: those that relations can join.
    relation_layer (Optional[str]): Type of the relations; None: all with `Governor` and `Dependent` but dependencies.
    span_label (Optional[str]): Feature with the label; None: `label`, `value`, or the only string feature; without
        one, the label is the name of the type.
    relation_label (Optional[str]): The same for relations.
    """
    cas = document.cas
    reader = SpanReader(check_text(cas.sofa_string or "", "the text of the CAS"))
    layers = _find_relation_layers(cas, relation_layer)
    reader.losses[_NO_RELATIONS] += not layers
    relations = [(layer, relation) for layer in layers for relation in cas.select(layer)]
    spans = _find_span_layers(cas, span_layer, layers, [relation for _, relation in relations])
    reader.losses[_NO_SPANS] += span_layer is not None and not spans
    for span in (span for layer in spans for span in cas.select(layer)):
        _read_span(span, span_label, reader)
    for _, relation in relations:
        _read_relation(relation, relation_label, reader)
    _count_others(cas, [*spans, *layers], reader)
    others = {**document.others, **_read_metadata(cas), **_read_sentences(cas, reader), **_read_clusters(cas, reader)}
    return reader.record(others)


def check_cas(report: Report) -> None:
    """Check that a conversion has found its layers.

    RAISES (ValueError): If no document has the relation layer, or none the span layer that is named.
    """
    for loss, error in ((_NO_RELATIONS, Errors.R122), (_NO_SPANS, Errors.R126)):
        if report.docs and report.losses[loss] == report.docs:
            raise ValueError(error.format(count=report.docs))


def _find_relation_layers(cas: "Cas", name: Optional[str]) -> List["Type"]:
    """Find the types of relations."""
    if name is not None:
        return _find_types(cas, name)
    layers = [each for each in cas.typesystem.get_types() if all(map(each.get_feature, _ROLES))]
    return [layer for layer in layers if not layer.name.startswith(_SYNTAX)]


def _find_types(cas: "Cas", name: str) -> List["Type"]:
    """Find a type by its name, or by the last part of it."""
    return [each for each in cas.typesystem.get_types() if name in (each.name, each.short_name)]


def _find_span_layers(
    cas: "Cas", name: Optional[str], layers: Sequence["Type"], relations: Sequence["FeatureStructure"]
) -> List["Type"]:
    """Find the types of spans: those that relations can join or do join."""
    if name is not None:
        return _find_types(cas, name)
    if not layers:
        return [each for each in cas.typesystem.get_types() if each.name in ("custom.Span", _ENTITY)]
    features = [layer.get_feature(role) for layer in layers for role in _ROLES]
    types = [feature.rangeType for feature in features if feature is not None]
    types += [argument.type for relation in relations for argument in _arguments(relation) if argument is not None]
    return list({each.name: each for each in types if each.name != _ANNOTATION}.values())


def _arguments(relation: "FeatureStructure") -> List[Optional["FeatureStructure"]]:
    """Return subject and object, which may be absent."""
    return [relation.get(role) for role in _ROLES]


def _read_span(span: "FeatureStructure", feature: Optional[str], reader: SpanReader) -> None:
    """Read a span, unless it was read before: a type and its subtype can both be layers."""
    key, name = span.xmiID, f"span {span.xmiID} ({span.type.short_name})"
    if key in reader.spans:
        return
    if span.begin == span.end:
        reader.losses["spans without a character"] += 1
        reader.spans[key] = None
        return
    labels = _read_labels(span, feature)
    reader.add_span(key, span.begin, span.end, labels, name=name)
    values = _values(span)
    kb_id = values.pop(_KB_ID, None)
    for entity in reader.entities[len(reader.entities) - len(labels) :]:
        entity.update({"kb_id": kb_id} if isinstance(kb_id, str) and kb_id else {})
    values.pop(_label_feature(span.type, feature) or "", None)
    for other in values:
        reader.losses[f"features of spans: {other}"] += 1


def _read_relation(relation: "FeatureStructure", feature: Optional[str], reader: SpanReader) -> None:
    """Read a relation; features other than its label are attributes."""
    arguments = _arguments(relation)
    if any(argument is None for argument in arguments):
        reader.losses["relations without a subject or an object"] += 1
        return
    subject, obj = (argument.xmiID for argument in arguments if argument is not None)
    for key in (subject, obj):
        reader.spans.setdefault(key, None)  # of another layer, or removed by the annotator
    label = _label_feature(relation.type, feature)
    attributes = {}
    for key, value in _values(relation).items():
        if isinstance(value, (str, int, float)):
            attributes.update({} if key == label else {key: value})
        elif key != label:
            reader.losses[f"features of relations that are no plain values: {key}"] += 1
    name = f"relation {relation.xmiID} ({relation.type.short_name})"
    reader.add_relation(subject, _read_labels(relation, feature), obj, name=name, attributes=attributes)


def _values(annotation: "FeatureStructure") -> Dict[str, object]:
    """List the features that have a value."""
    names = [feature.name for feature in annotation.type.all_features if feature.name not in _NO_VALUE]
    values = {name: annotation.get(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _read_labels(annotation: "FeatureStructure", feature: Optional[str]) -> List[str]:
    """Read the labels, several if the feature is a list; without such a feature, the name of the type."""
    label = _label_feature(annotation.type, feature)
    if label is None:
        return [annotation.type.short_name]
    value = annotation.get(label)
    values = getattr(value, "elements", [value])
    return [str(each) for each in values if each is not None]


def _label_feature(layer: "Type", name: Optional[str]) -> Optional[str]:
    """Find the feature with the label; None if a type has none.

    RAISES (ValueError): If the type lacks the feature that is named.
    """
    features = {each.name: each.rangeType.name for each in layer.all_features if each.name not in _NO_VALUE}
    if name is not None:
        if name not in features:
            raise ValueError(Errors.R718.format(layer=layer.name, name=name, found=", ".join(features) or "none"))
        return name
    strings = [each for each, kind in features.items() if kind in ("uima.cas.String", "uima.cas.StringArray")]
    return next((each for each in _LABELS if each in strings), strings[0] if len(strings) == 1 else None)


def _count_others(cas: "Cas", layers: Sequence["Type"], reader: SpanReader) -> None:
    """Count annotations of layers that are not read."""
    for each in cas.typesystem.get_types():
        if each.name.startswith(_OF_USERS) and not any(layer.subsumes(each) for layer in layers):
            reader.losses[f"annotations of the layer {each.name}"] += sum(f.type == each for f in cas.select(each))


def _read_metadata(cas: "Cas") -> Record:
    """Read the name of the document as `id`, and the annotator if the tool exports it."""
    values = {}
    for name in (_METADATA, _CAS_METADATA):
        for each in _select(cas, name):
            values.update(_values(each))
    names = {"documentTitle": "id", "sourceDocumentName": "id", "username": "annotator"}
    return {key: values[feature] for feature, key in names.items() if values.get(feature)}


def _read_sentences(cas: "Cas", reader: SpanReader) -> Record:
    """Read the sentences, if they follow each other."""
    sents = [[each.begin, each.end] for each in _select(cas, _SENTENCE) if each.begin < each.end]
    if any(start < end for (_, end), (start, _) in zip(sents, sents[1:])):
        reader.losses["sentences of documents where they overlap"] += len(sents)
        return {}
    return {"sents": sents} if sents else {}


def _read_clusters(cas: "Cas", reader: SpanReader) -> Record:
    """Read coreference chains."""
    clusters = [[[link.begin, link.end] for link in _links(chain)] for chain in _select(cas, _CHAIN)]
    return {"coref": [cluster for cluster in clusters if cluster]} if clusters else {}


def _links(chain: "FeatureStructure") -> Iterator["FeatureStructure"]:
    """Yield the links of a chain."""
    link, seen = chain.get("first"), set()
    while link is not None and link.xmiID not in seen:
        seen.add(link.xmiID)
        yield link
        link = link.get("next")


def _select(cas: "Cas", name: str) -> List["FeatureStructure"]:
    """List the annotations of a type in the order of the text; none if the CAS lacks the type."""
    found: Tuple[FeatureStructure, ...] = tuple(cas.select(name)) if cas.typesystem.contains_type(name) else ()
    return sorted(found, key=lambda each: (getattr(each, "begin", 0), getattr(each, "end", 0)))
