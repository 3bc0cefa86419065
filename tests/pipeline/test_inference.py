"""`relext_inference`: derived facts on a Doc, with their sources, and how they are saved."""

from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_relext import set_triples

TEXT = "Skien  is the capital of Telemark.\nTelemark is in Norway. Norway borders Sweden."
SCHEMA = """
relations:
  capital_of: {implies: [located_in], inverse: capital, subject: [PLACE], object: [PLACE]}
  located_in: {transitive: true, subject: [PLACE], object: [PLACE]}
  capital: {}
"""


def make_pipeline(folder: Path, **config: Any) -> Language:
    path = folder / "schema.yaml"
    path.write_text(SCHEMA, encoding="utf8")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("relext_inference", config=config)
    nlp.get_pipe("relext_inference").initialize(lambda: [], nlp=nlp, schema_path=path)  # type: ignore[attr-defined]
    return nlp


def read(nlp: Language, label: str = "PLACE") -> Doc:
    doc = nlp.get_pipe("sentencizer")(nlp.make_doc(TEXT))
    places = [(TEXT.index(name), name) for name in ("Skien", "Telemark", "Norway", "Sweden")]
    places.append((TEXT.rindex("Telemark"), "Telemark"))
    places.append((TEXT.rindex("Norway"), "Norway"))
    doc.set_ents([doc.char_span(start, start + len(name), label=label) for start, name in sorted(places)])
    chars = [(doc[i:j].start_char, doc[i:j].end_char) for i, j in [(0, 1), (6, 7), (9, 10), (12, 13)]]
    triples = [(chars[0], "capital_of", chars[1], 0.9), (chars[2], "located_in", chars[3], 0.8)]
    set_triples(
        doc, [{"subject": s, "relation": r, "object": o, "score": score} for s, r, o, score in triples], source="a"
    )
    return nlp.get_pipe("relext_inference")(doc)


def rows(doc: Doc) -> List[Any]:
    return [
        (each.subject.name, each.relation, each.object.name, round(each.score, 4), each.rule) for each in doc._.facts
    ]


def test_derived_facts_name_their_sources(tmp_path: Path) -> None:
    doc = read(make_pipeline(tmp_path))
    assert rows(doc) == [
        ("Skien", "capital_of", "Telemark", 0.9, ""),
        ("Telemark", "located_in", "Norway", 0.8, ""),
        ("Skien", "located_in", "Telemark", 0.9, "implies"),
        ("Telemark", "capital", "Skien", 0.9, "inverse"),
        ("Skien", "located_in", "Norway", 0.72, "transitive"),
    ]
    last = doc._.facts[-1]
    assert [(each.subject.name, each.object.name) for each in last.sources] == [
        ("Skien", "Telemark"),
        ("Telemark", "Norway"),
    ]
    assert [sentence.text.strip() for sentence in last.sentences] == [
        "Skien  is the capital of Telemark.",
        "Telemark is in Norway.",
    ]
    assert (last.source, last.triples, len(doc._.triples)) == ("relext_inference", [], 2)


def test_facts_survive_saving_and_a_second_run(tmp_path: Path) -> None:
    nlp = make_pipeline(tmp_path)
    doc = read(nlp)
    (copy,) = DocBin(store_user_data=True, docs=[doc]).get_docs(nlp.vocab)
    assert rows(copy) == rows(doc)
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved").get_pipe("relext_inference")(copy)
    assert rows(again) == rows(doc)


def test_types_and_threshold(tmp_path: Path) -> None:
    assert [row[-1] for row in rows(read(make_pipeline(tmp_path), label="PERSON"))] == ["", "", "inverse"]
    assert [row[-1] for row in rows(read(make_pipeline(tmp_path, threshold=0.95)))] == ["", ""]
    assert [row[-1] for row in rows(read(make_pipeline(tmp_path, rules=["implies"])))] == ["", "", "implies"]


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sometimes"):
        make_pipeline(tmp_path, rules=["sometimes"])
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match="R004"):
        nlp.add_pipe("relext_inference")(nlp("Ada"))
