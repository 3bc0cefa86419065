"""Schemas in LinkML, if linkml-runtime is installed."""

import importlib
from pathlib import Path

import pytest

from spacy_relext.annotations.schema import read_schema

HEAD = """
id: https://example.org/firms
name: firms
prefixes:
  linkml: https://w3id.org/linkml/
  wd: https://www.wikidata.org/entity/
imports: [linkml:types]
default_range: string
"""

FIRMS = (
    HEAD
    + """
classes:
  Person:
    slots: [full name, employer, spouse, birth_date]
  Company:
    slots: [employs, owned by, wholly_owned_by]
  Ministry:
    is_a: Body
  Body: {}
  Gadget:
    attributes:
      maker: {range: Company, description: "who  makes\\n it"}
      code: {identifier: true}
slots:
  full name: {}
  employer: {range: Company, slot_uri: "wd:P108", inverse: employs}
  employs: {range: Person, multivalued: true}
  spouse: {range: Person, symmetric: true}
  birth_date: {range: date, multivalued: false}
  owned by: {range: Body, transitive: true, asymmetric: true, irreflexive: true}
  wholly_owned_by: {is_a: owned by, range: Body}
"""
)


@pytest.fixture(autouse=True)
def needs_the_runtime() -> None:
    pytest.importorskip("linkml_runtime")


def write(folder: Path, text: str, name: str = "firms.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_relations(tmp_path: Path) -> None:
    relations = read_schema(write(tmp_path, FIRMS)).relations
    assert set(relations) == {
        *("full_name", "employer", "employs", "spouse", "birth_date", "owned_by", "wholly_owned_by", "maker")
    }
    employer, owned = relations["employer"], relations["owned_by"]
    assert employer.inverse == "employs" and list(employer.ids) == ["P108"] and not employer.functional
    assert "PERSON" in employer.subject and {"ORG", "Company"} <= set(employer.object)
    assert relations["spouse"].symmetric and relations["birth_date"].functional
    assert "DATE" in relations["birth_date"].object
    assert owned.transitive and owned.acyclic and {"Body", "Ministry"} <= set(owned.object)
    assert list(relations["wholly_owned_by"].implies) == ["owned_by"]
    assert relations["maker"].description == "who makes it" and list(relations["maker"].subject) == ["Gadget"]
    assert not relations["full_name"].object


def test_imports_beside_it(tmp_path: Path) -> None:
    write(tmp_path, FIRMS, "base.yaml")
    text = HEAD.replace("[linkml:types]", "[linkml:types, base]") + "slots: {rival: {range: Company}}"
    relations = read_schema(write(tmp_path, text, "more.yaml")).relations
    assert {"rival", "employer"} <= set(relations) and "Company" in relations["rival"].object


@pytest.mark.parametrize(
    "text, reason",
    [
        (HEAD + "classes: {Person: {}}", "it declares no slot"),
        (HEAD.replace("[linkml:types]", "['https://example.org/other']") + "slots: {a: {}}", "nothing is downloaded"),
        (HEAD.replace("[linkml:types]", "[missing]") + "slots: {a: {}}", "nothing is downloaded"),
        ("slots: {a: {range: [1]}}", "no LinkML"),
        (HEAD + "slots: {a: {inverse: 3, nonsense: 1}}", "no LinkML"),
    ],
)
def test_broken(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        read_schema(write(tmp_path, text))
    assert "\n" not in str(error.value) and "R033" in str(error.value)


def test_without_the_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_: object) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(ImportError, match="linkml"):
        from spacy_relext.annotations.linkml import read_linkml

        read_linkml(write(tmp_path, FIRMS))
