"""UIMA CAS with relations, as INCEpTION exports it: relation layers join annotations of a span layer.

A relation has the features `Governor`, its subject, and `Dependent`, its object. dkpro-cassis converts offsets
from UTF-16 units to characters. Files are JSON 0.4, and XMI with its type system, also in folders and in zips as tools
export them.
"""

import re
import warnings
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union
from zipfile import BadZipFile, ZipFile

from ...annotations.encoding import decode, open_utf8
from ...annotations.triple import Record
from ...errors import Errors, require
from ..report import Report
from .annotation import SpanReader
from .checks import check_text, describe
from .sources import Item, parse_json, read_folder

if TYPE_CHECKING:
    from cassis import Cas
    from cassis.typesystem import FeatureStructure, Type, TypeSystem

_ROLES = ("Governor", "Dependent")
_NO_VALUE = ("sofa", "begin", "end", *_ROLES)

_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
SYNTAX = f"{_DKPRO}.syntax."
_SENTENCE = f"{_DKPRO}.segmentation.type.Sentence"
_ENTITY = f"{_DKPRO}.ner.type.NamedEntity"
_CHAIN = f"{_DKPRO}.coref.type.CoreferenceChain"
_METADATA = f"{_DKPRO}.metadata.type.DocumentMetaData"
_CAS_METADATA = "de.tudarmstadt.ukp.clarin.webanno.api.type.CASMetadata"
_ANNOTATION = "uima.tcas.Annotation"

# Layers that annotators fill; others come from preprocessing.
OF_USERS = ("custom.", "webanno.custom.", _ENTITY)

LABELS = ("label", "value")
_KB_ID = "identifier"

_TYPE_SYSTEM = "typesystem.xml"
_SUFFIXES = (".json", ".xmi", ".zip")
# Parts of a project that INCEpTION exports: its settings, and documents as they were before annotation.
_SKIPPED = ("exportedproject", "INITIAL_CAS")
_ANNOTATOR = re.compile(r"/(?:annotation|curation)/[^/]+/([^/]+)\.(?:zip|json|xmi)(?:/|$)")

# A CAS may declare only the types in use, so a document without annotation of a layer lacks the layer's type.
NO_RELATIONS = "documents without the relation layer, read as annotated without triples"


class CasDocument(NamedTuple):
    """A CAS, and further keys of its record."""

    cas: "Cas"
    others: Record


class _File(NamedTuple):
    """One CAS: its name and content, and the type system of an XMI."""

    name: str
    data: bytes
    type_system: Optional[bytes] = None


def read_cas(path: Path) -> Iterator[Item]:
    """Read the documents of a .json, .xmi or .zip file, or of a folder of them. RAISES (ValueError): If there is none.

    The type system of XMI files is the file TypeSystem.xml beside each.
    """
    require("cassis", purpose="`spacy relext convert cas`", extra="annotation")
    if path.is_file() and path.suffix.lower() not in _SUFFIXES:
        raise ValueError(Errors.R209.format(what=path, found="no CAS", expected="a .json, .xmi or .zip file"))
    known: Dict[bytes, TypeSystem] = {}
    yield from read_folder(path, _SUFFIXES, lambda file: (_read_file(each, known) for each in _open_file(file)))


def parse_cas(document: CasDocument) -> Record:
    """Parse a CAS.

    Relations are of all types with `Governor` and `Dependent` but dependencies; spans of the types that these can join.
    The label is the feature `label`, `value`, or the only string feature; without one, the name of the type.
    """
    cas = document.cas
    reader = SpanReader(check_text(cas.sofa_string or "", "the text of the CAS"), "codepoint")
    layers = _find_relation_layers(cas)
    reader.losses[NO_RELATIONS] += not layers
    relations = [relation for layer in layers for relation in cas.select(layer)]
    spans = _find_span_layers(cas, layers, relations)
    for span in (span for layer in spans for span in cas.select(layer)):
        _read_span(span, reader)
    for relation in relations:
        _read_relation(relation, reader)
    _count_others(cas, [*spans, *layers], reader)
    reader.losses["coreference chains"] += len(_select(cas, _CHAIN))
    others = {**document.others, **_read_metadata(cas), **_read_sentences(cas, reader)}
    return reader.record(others)


def check_cas(report: Report) -> None:
    """RAISES (ValueError): If no document of a conversion has a relation layer."""
    if report.docs and report.losses[NO_RELATIONS] == report.docs:
        raise ValueError(Errors.R122.format(count=report.docs))


def _find_relation_layers(cas: "Cas") -> List["Type"]:
    layers = [each for each in cas.typesystem.get_types() if all(map(each.get_feature, _ROLES))]
    return [layer for layer in layers if not layer.name.startswith(SYNTAX)]


def _find_span_layers(cas: "Cas", layers: Sequence["Type"], relations: Sequence["FeatureStructure"]) -> List["Type"]:
    """Find the types of spans: those that relations can join or do join."""
    if not layers:
        return [each for each in cas.typesystem.get_types() if each.name in ("custom.Span", _ENTITY)]
    features = [layer.get_feature(role) for layer in layers for role in _ROLES]
    types = [feature.rangeType for feature in features if feature is not None]
    types += [argument.type for relation in relations for argument in _arguments(relation) if argument is not None]
    return list({each.name: each for each in types if each.name != _ANNOTATION}.values())


def _arguments(relation: "FeatureStructure") -> List[Optional["FeatureStructure"]]:
    """Return subject and object, which may be absent."""
    return [relation.get(role) for role in _ROLES]


def _read_span(span: "FeatureStructure", reader: SpanReader) -> None:
    """Read a span, unless it was read before: a type and its subtype can both be layers."""
    key, name = span.xmiID, f"span {span.xmiID} ({span.type.short_name})"
    if key in reader.spans:
        return
    if span.begin == span.end:
        reader.losses["spans without a character"] += 1
        reader.spans[key] = None
        return
    labels = _read_labels(span)
    reader.add_span(key, span.begin, span.end, labels, name=name)
    values = _values(span)
    kb_id = values.pop(_KB_ID, None)
    for entity in reader.entities[len(reader.entities) - len(labels) :]:
        entity.update({"kb_id": kb_id} if isinstance(kb_id, str) and kb_id else {})
    values.pop(_label_feature(span.type) or "", None)
    for other in values:
        reader.losses[f"features of spans: {other}"] += 1


def _read_relation(relation: "FeatureStructure", reader: SpanReader) -> None:
    """Read a relation; features other than its label are attributes."""
    arguments = _arguments(relation)
    if any(argument is None for argument in arguments):
        reader.lose("relations without a subject or an object")
        return
    subject, obj = (argument.xmiID for argument in arguments if argument is not None)
    for key in (subject, obj):
        reader.spans.setdefault(key, None)  # of another layer, or removed by the annotator
    label = _label_feature(relation.type)
    attributes = {}
    for key, value in _values(relation).items():
        if isinstance(value, (str, int, float)):
            attributes.update({} if key == label else {key: value})
        elif key != label:
            reader.losses[f"features of relations that are no plain values: {key}"] += 1
    name = f"relation {relation.xmiID} ({relation.type.short_name})"
    reader.add_relation(subject, _read_labels(relation), obj, name=name, attributes=attributes)


def _values(annotation: "FeatureStructure") -> Dict[str, object]:
    names = [feature.name for feature in annotation.type.all_features if feature.name not in _NO_VALUE]
    values = {name: annotation.get(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _read_labels(annotation: "FeatureStructure") -> List[str]:
    """Read the labels, several if the feature is a list; without such a feature, the name of the type."""
    label = _label_feature(annotation.type)
    if label is None:
        return [annotation.type.short_name]
    value = annotation.get(label)
    values = getattr(value, "elements", [value])
    return [str(each) for each in values if each is not None]


def _label_feature(layer: "Type") -> Optional[str]:
    """Find the feature with the label; None if a type has none."""
    features = {each.name: each.rangeType.name for each in layer.all_features if each.name not in _NO_VALUE}
    strings = [each for each, kind in features.items() if kind in ("uima.cas.String", "uima.cas.StringArray")]
    return next((each for each in LABELS if each in strings), strings[0] if len(strings) == 1 else None)


def _count_others(cas: "Cas", layers: Sequence["Type"], reader: SpanReader) -> None:
    for each in cas.typesystem.get_types():
        if each.name.startswith(OF_USERS) and not any(layer.subsumes(each) for layer in layers):
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


def _select(cas: "Cas", name: str) -> List["FeatureStructure"]:
    """List the annotations of a type in the order of the text; none if the CAS lacks the type."""
    found: Tuple[FeatureStructure, ...] = tuple(cas.select(name)) if cas.typesystem.contains_type(name) else ()
    return sorted(found, key=lambda each: (getattr(each, "begin", 0), getattr(each, "end", 0)))


def _open_file(path: Path) -> Iterator[_File]:
    """Yield the CAS files of a file, which may be a zip."""
    if path.suffix.lower() == ".zip":
        try:
            yield from _open_zip(str(path), path)
        except BadZipFile as error:
            raise ValueError(Errors.R101.format(path=path, what=error, expected="a zip of CAS files")) from None
    elif not path.stem.startswith(_SKIPPED):
        beside = [each for each in path.parent.iterdir() if each.name.lower() == _TYPE_SYSTEM]
        yield _File(path.as_posix(), path.read_bytes(), beside[0].read_bytes() if beside else None)


def _open_zip(name: str, file: Union[Path, BytesIO]) -> Iterator[_File]:
    """Yield the CAS files of a zip, and of zips in it."""
    with ZipFile(file) as archive:
        members = [PurePosixPath(each) for each in sorted(archive.namelist())]
        systems = [each for each in members if each.name.lower() == _TYPE_SYSTEM]
        system = archive.read(str(systems[0])) if systems else None
        for member in members:
            suffix = member.suffix.lower()
            if suffix not in _SUFFIXES or member.stem.startswith(_SKIPPED):
                continue
            data = archive.read(str(member))
            if suffix == ".zip":
                yield from _open_zip(f"{name}/{member}", BytesIO(data))
            else:
                yield _File(f"{name}/{member}", data, system)


def _read_file(file: _File, known: Dict[bytes, "TypeSystem"]) -> Item:
    """Read one CAS.

    known (Dict[bytes, TypeSystem]): Type systems read before.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            cas = _load(file, known)
        except Exception as error:  # the library raises errors of many kinds
            what = str(error).strip().splitlines() or [type(error).__name__]
            return Item(file.name, 1, error=what[0] if what[0].startswith("[R") else Errors.R719.format(what=what[0]))
    outside = [str(each.message) for each in caught if str(each.message).startswith("Not mapping")]
    if outside:
        return Item(file.name, 1, error=Errors.R719.format(what=outside[0]))
    annotator = _ANNOTATOR.search(file.name)
    return Item(file.name, 1, CasDocument(cas, {"annotator": annotator.group(1)} if annotator else {}))


def _load(file: _File, known: Dict[bytes, "TypeSystem"]) -> "Cas":
    """Load a CAS by its content: XMI if it starts with `<`, else JSON."""
    from cassis import load_cas_from_json, load_cas_from_xmi, load_typesystem

    if open_utf8(BytesIO(file.data)).read(200).lstrip()[:1] != b"<":
        value = parse_json(text := decode(file.data))
        if not isinstance(value, dict) or not value.keys() >= {"%TYPES", "%FEATURE_STRUCTURES", "%VIEWS"}:
            found = describe(sorted(value)) if isinstance(value, dict) else describe(value)
            raise ValueError(Errors.R719.format(what=f"found {found}"))
        return load_cas_from_json(text)
    if file.type_system is None:
        raise ValueError(Errors.R744)
    if file.type_system not in known:
        known[file.type_system] = load_typesystem(BytesIO(file.type_system))
    return load_cas_from_xmi(BytesIO(file.data), typesystem=known[file.type_system])
