import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.annotation import count_losses
from spacy_relext.corpora.formats.cas import CasDocument, parse_cas, read_cas
from spacy_relext.corpora.report import Report

from .tool_records import records

pytest.importorskip("cassis")
from .cas_builder import DEPENDENCY, ENTITY, SENTENCE, TOKEN, Record, make_cas, make_types

NAME = "cas"
# The first character has two UTF-16 units.
TEXT = "😀 Ada Holm was born in Bergen."
ADA, BERGEN = {"start": 2, "end": 10, "label": "PERSON"}, {"start": 23, "end": 29, "label": "PLACE", "kb_id": "Q26793"}
BORN: Record = {"subject": [2, 10], "relation": "born_in", "object": [23, 29]}
RECORD: Record = {"text": TEXT, "entities": [ADA, BERGEN], "triples": [BORN]}


def parse(cas: Any) -> Tuple[Record, Dict[str, int]]:
    report = Report()
    record = count_losses(parse_cas(CasDocument(cas, {})), report)
    assert record is not None
    return check_record(record), dict(+report.losses)


def save(cas: Any, path: Path) -> Path:
    """Save as JSON or as XMI with its type system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        cas.to_json(path)
    else:
        cas.to_xmi(path)
        cas.typesystem.to_xml(path.parent / "TypeSystem.xml")
    return path


@pytest.mark.parametrize("suffix", [".json", ".xmi"])
def test_a_document_with_everything(tmp_path: Path, suffix: str) -> None:
    attributes = {"negated": True, "certainty": "low", "weight": 3}
    record = {**RECORD, "triples": [{**BORN, "attributes": attributes}]}
    record.update({"sents": [[0, 30]], "id": "d1"})
    types = make_types(negated="uima.cas.Boolean", certainty="uima.cas.String", weight="uima.cas.Integer")
    path = save(make_cas(record, types), tmp_path / f"a{suffix}")
    (item,) = read_cas(path)
    assert not item.error and parse(item.value.cas) == (record, {})
    report = convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")
    assert (report.docs, report.triples, report.entities, report.entities_linked) == (1, 1, 2, 1)


@settings(max_examples=60, deadline=None)
@given(records(), st.sampled_from([".json", ".xmi"]))
def test_what_is_written_is_read(tmp_path_factory: Any, record: Record, suffix: str) -> None:
    path = save(make_cas(record, make_types()), tmp_path_factory.mktemp("cas") / f"a{suffix}")
    (item,) = read_cas(path)
    read, losses = parse(item.value.cas)
    # A CAS has no order of its own.
    for made in (record, read):
        for key in ("entities", "triples"):
            made[key].sort(key=str)
    assert not item.error and read == record and not losses


def test_entities_that_relations_join(tmp_path: Path) -> None:
    """A relation layer of NamedEntity; custom spans are counted, dependencies are no relations."""
    types = make_types(relation="")
    relation = types.create_type("webanno.custom.Fact")
    for role in ("Governor", "Dependent"):
        types.create_feature(relation, role, types.get_type(ENTITY))
    cas = make_cas({"text": TEXT, "entities": [ADA], "triples": []}, types)
    person = types.get_type(ENTITY)(begin=2, end=10, value="PER")
    place = types.get_type(ENTITY)(begin=23, end=29, value="LOC", identifier="http://example.org/Q1")
    token = types.get_type(TOKEN)(begin=2, end=5)
    dependency = types.get_type(DEPENDENCY)(begin=2, end=5, Governor=token, Dependent=token, DependencyType="nsubj")
    cas.add_all([person, place, token, dependency, relation(begin=23, end=29, Governor=person, Dependent=place)])
    record, losses = parse(cas)
    assert record["entities"] == [
        {"start": 2, "end": 10, "label": "PER"},
        {"start": 23, "end": 29, "label": "LOC", "kb_id": "http://example.org/Q1"},
    ]
    assert record["triples"] == [{**BORN, "relation": "Fact"}]
    assert losses == {"annotations of the layer custom.Span": 1}


def test_relations_of_any_annotation() -> None:
    types = make_types(span="")
    person = types.create_type("custom.Person")
    subject, obj = person(begin=2, end=10), types.get_type(ENTITY)(begin=23, end=29, value="LOC")
    cas = make_cas({"text": TEXT, "entities": [], "triples": []}, types)
    relation = types.get_type("custom.Relation")(begin=23, end=29, Governor=subject, Dependent=obj, label="born_in")
    cas.add_all([subject, obj, relation])
    record, losses = parse(cas)
    assert [entity["label"] for entity in record["entities"]] == ["Person", "LOC"] and not losses
    assert record["triples"] == [BORN]


def test_what_a_record_has_no_place_for_is_counted() -> None:
    types = make_types(link="uima.cas.TOP")
    cas = make_cas({**RECORD, "sents": [[0, 20], [10, 30]]}, types)
    first, second = cas.select("custom.Span")
    empty, removed = (types.get_type("custom.Span")(begin=begin, end=end, label="X") for begin, end in ((4, 4), (2, 5)))
    cas.add(empty)
    for subject, obj in ((first, None), (first, first), (empty, first), (removed, first), (first, second)):
        cas.add(types.get_type("custom.Relation")(begin=2, end=10, Governor=subject, Dependent=obj, link=first))
    record, losses = parse(cas)
    assert record["triples"] == [BORN] and "sents" not in record
    assert losses == {
        "spans without a character": 1,
        "relations without a subject or an object": 1,
        "relations of a span with itself": 1,
        "relations of spans that are left out": 2,
        "relations without a label": 1,
        "features of relations that are no plain values: link": 4,
        "sentences of documents where they overlap": 2,
    }


def test_features_of_spans_are_counted() -> None:
    types = make_types()
    types.create_feature(types.get_type("custom.Span"), "slots", "uima.cas.FSArray")
    cas = make_cas(RECORD, types)
    cas.select("custom.Span")[0].slots = types.get_type("uima.cas.FSArray")(elements=[])
    assert parse(cas) == (RECORD, {"features of spans: slots": 1})


def test_several_labels() -> None:
    """Of a feature with a list."""
    types = make_types(span="")
    place = types.create_type("custom.Place")
    types.create_feature(place, "kinds", "uima.cas.StringArray")
    cas = make_cas({"text": TEXT, "entities": [], "triples": []}, types)
    made = place(begin=23, end=29, kinds=types.get_type("uima.cas.StringArray")(elements=["CITY", "PORT"]))
    cas.add_all([made, types.get_type("custom.Relation")(begin=23, end=29, Governor=made, Dependent=made, label="x")])
    record, losses = parse(cas)
    assert [entity["label"] for entity in record["entities"]] == ["CITY", "PORT"] and losses == {
        "relations of a span with itself": 1
    }


def test_the_annotator_and_the_document_that_the_tool_exports() -> None:
    types = make_types()
    metadata = types.create_type("de.tudarmstadt.ukp.clarin.webanno.api.type.CASMetadata")
    for name in ("username", "sourceDocumentName"):
        types.create_feature(metadata, name, "uima.cas.String")
    cas = make_cas({**RECORD, "id": "title"}, types)
    cas.add(metadata(username="ada", sourceDocumentName="a.txt"))
    assert parse(cas) == ({**RECORD, "id": "a.txt", "annotator": "ada"}, {})


def test_documents_without_the_relation_layer(tmp_path: Path) -> None:
    """A CAS may have the types in use alone: one among others is annotated and empty, all of them are a mistake."""
    bare, full = make_types(relation=""), make_types()
    paths = [save(make_cas({**RECORD, "triples": []}, bare), tmp_path / "bare.json")]
    with pytest.raises(ValueError, match="R122.*None of the 1 documents has a relation layer") as error:
        convert(NAME, paths, tmp_path / "a.spacy")
    assert "\n" not in str(error.value) and not (tmp_path / "a.spacy").exists()
    paths.append(save(make_cas(RECORD, full), tmp_path / "full.json"))
    report = convert(NAME, paths, tmp_path / "a.spacy", malformed="refuse")
    assert (report.docs, report.not_annotated, report.triples) == (2, 0, 1)


def test_the_type_system(tmp_path: Path) -> None:
    path = save(make_cas(RECORD, make_types()), tmp_path / "in" / "a.xmi")
    make_types(relation="").to_xml(tmp_path / "in" / "TypeSystem.xml")
    with pytest.raises(ValueError, match=r"R100.*R719.*custom\.Relation"):
        convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")
    (tmp_path / "in" / "TypeSystem.xml").unlink()
    with pytest.raises(ValueError, match=r"R100.*a\.xmi:1: \[R744\]"):
        convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")


def test_folders_and_zips(tmp_path: Path) -> None:
    """An exported project: zips in a zip, of annotators and of the state before."""
    xmi = save(make_cas(RECORD, make_types()), tmp_path / "in" / "alice.xmi")
    with ZipFile(tmp_path / "alice.zip", "w") as inner:
        inner.write(xmi, "alice.xmi")
        inner.write(xmi.parent / "TypeSystem.xml", "TypeSystem.xml")
    data = save(make_cas(RECORD, make_types()), tmp_path / "bob.json")
    with ZipFile(tmp_path / "project.zip", "w") as archive:
        archive.write(tmp_path / "alice.zip", "annotation/a.txt/alice.zip")
        archive.write(tmp_path / "alice.zip", "annotation/a.txt/INITIAL_CAS.zip")
        archive.write(data, "annotation/a.txt/bob.json")
        archive.writestr("exportedproject.json", "{}")
        archive.writestr("source/a.txt", TEXT)
    items = list(read_cas(tmp_path / "project.zip"))
    assert [item.value.others for item in items] == [{"annotator": "alice"}, {"annotator": "bob"}]
    assert all(parse(item.value.cas)[0] == RECORD for item in items)
    assert convert(NAME, [tmp_path], tmp_path / "a.spacy", malformed="refuse").docs == 5


BAD: List[Tuple[str, bytes, str]] = [
    ("a.json", b"{", "[R719] Not UIMA CAS JSON 0.4 or XMI: Expecting"),
    ("a.json", b'{"_context": {}, "_views": {}}', "found ['_context', '_views']"),
    ("a.json", b"[1]", "found [1]"),
    ("a.json", b'{"%TYPES": {}, "%FEATURE_STRUCTURES": [3], "%VIEWS": {}}', "[R719]"),
    ("a.json", b'{"%TYPES": {}, "%FEATURE_STRUCTURES": [], "%VIEWS": {}}', "the text of the CAS is empty"),
    ("a.json", b"\xff\xfe", "[R719]"),
    ("a.xmi", b"<xmi", "[R719]"),
]


@pytest.mark.parametrize("name, data, message", BAD)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    make_types().to_xml(tmp_path / "TypeSystem.xml")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match="R100") as error:
        convert(NAME, [tmp_path / name], tmp_path / "a.spacy", malformed="refuse")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_offsets_inside_a_character(tmp_path: Path) -> None:
    path = save(make_cas(RECORD, make_types()), tmp_path / "a.json")
    path.write_text(path.read_text(encoding="utf8").replace('"begin": 3', '"begin": 1'), encoding="utf8")
    with pytest.raises(ValueError, match=r"R719.*Not mapping external offset \[1\]"):
        convert(NAME, [path], tmp_path / "a.spacy", malformed="refuse")


def test_files_that_are_no_cas(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf8")
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"R209.*a\.txt.*expected a \.json, \.xmi or \.zip file"):
        convert(NAME, [tmp_path / "a.txt"], tmp_path / "a.spacy")
    with pytest.raises(ValueError, match=r"R101.*a\.zip"):
        convert(NAME, [tmp_path / "a.zip"], tmp_path / "a.spacy")


def test_the_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(make_cas(RECORD, make_types()), tmp_path / "a.json")
    monkeypatch.setitem(sys.modules, "cassis", None)
    with pytest.raises(ImportError, match=r"R006.*dkpro-cassis.*spacy-relext\[annotation\]"):
        convert(NAME, [path], tmp_path / "a.spacy")


def test_sentences_are_sorted() -> None:
    types = make_types()
    cas = make_cas({**RECORD, "sents": [[11, 30]]}, types)
    cas.add(types.get_type(SENTENCE)(begin=0, end=10))
    assert parse(cas)[0]["sents"] == [[0, 10], [11, 30]]
