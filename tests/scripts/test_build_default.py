"""The corpora of the shipped pipeline: text as it is written, types, directions, and what is known."""

import json
import pathlib
from typing import Any, Dict

import build_default
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_relext.annotations.judged import get_judged
from spacy_relext.corpora.records import record_to_doc

WORDS = '" Moss " ( 1990 ) is a film by Ada Holm , Oslo \'s " star " .'.split()
DOCUMENT: Dict[str, Any] = {
    "sents": [WORDS, "She lives in Oslo .".split()],
    "vertexSet": [
        [{"sent_id": 0, "pos": [1, 2], "type": "MISC"}],
        [{"sent_id": 0, "pos": [10, 12], "type": "PER"}],
        [{"sent_id": 0, "pos": [13, 14], "type": "LOC"}, {"sent_id": 1, "pos": [3, 4], "type": "LOC"}],
        [{"sent_id": 0, "pos": [4, 5], "type": "TIME"}],
    ],
    "labels": [
        {"h": 0, "t": 1, "r": "P57", "evidence": [0]},
        {"h": 1, "t": 2, "r": "P27", "evidence": [0, 1]},
        {"h": 2, "t": 1, "r": "P36", "evidence": [0]},
        {"h": 1, "t": 2, "r": "P551", "evidence": [1]},
        {"h": 0, "t": 2, "r": "P840", "evidence": []},
        {"h": 0, "t": 3, "r": "P9999", "evidence": [0]},
    ],
}
PROPERTIES = {
    "P57": [("director", False)],
    "P27": [("citizen", False)],
    "P36": [("capital_of", True)],
    "P551": [("residence", False)],
    "P840": [("setting", False)],
    "P26": [("spouse", False)],
}


def test_sentences_of_a_document() -> None:
    first, second = build_default.read_sentences(DOCUMENT, PROPERTIES)
    assert first["text"] == '"Moss" (1990) is a film by Ada Holm, Oslo\'s "star".' and second["triples"] == []
    found = {first["text"][each["start"] : each["end"]]: each["label"] for each in first["entities"]}
    assert found == {"Moss": "WORK", "Ada Holm": "PERSON", "Oslo": "PLACE", "1990": "TIME"}
    text = first["text"]
    triples = {(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in first["triples"]}
    # P36 is read from object to subject, and of a property without a relation nothing is known
    assert triples == {
        ("Moss", "director", "Ada Holm"),
        ("Ada Holm", "citizen", "Oslo"),
        ("Ada Holm", "capital_of", "Oslo"),
    }
    # whether a sentence states a fact that it is no evidence of is unknown
    assert first["judged"] == ["capital_of", "citizen", "director", "spouse"] and len(second["judged"]) == 6


def test_what_follows_from_a_triple() -> None:
    record: Dict[str, Any] = {
        "text": "a b",
        "triples": [{"subject": [0, 1], "relation": "capital_of", "object": [2, 3]}],
    }
    assert [each["relation"] for each in build_default.add_implied(record)["triples"]] == ["capital_of", "located_in"]
    denied = {**record, "triples": [{**record["triples"][0], "attributes": {"assertion": "denied"}}]}
    assert build_default.add_implied(denied) == denied


def test_what_may_be_a_date_or_a_name_is_no_entity_and_no_other_word() -> None:
    nlp = spacy.blank("en")
    ada = {"start": 0, "end": 3, "label": "PERSON"}
    doc = record_to_doc(nlp.make_doc, {"text": "Ada won Bronze at 19 .", "entities": [ada]})
    doc.set_ents(list(doc.ents), missing=build_default.unmarked(doc), default="unmodified")
    assert Example(nlp.make_doc(doc.text), doc).get_aligned_ner() == ["U-PERSON", "O", None, "O", None, "O"]


def test_the_corpora(project_root: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dev_revised.json").write_text(json.dumps([DOCUMENT] * 441), encoding="utf8")
    build_default.build(tmp_path, project_root / "assets", tmp_path / "corpus")
    docs = {
        path.stem: list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)) for path in tmp_path.glob("*/*")
    }
    assert len(docs["documents-train"]) == 800 and len(docs["documents-dev"]) == 80 and len(docs["documents-test"]) == 2
    twice = [docs[f"{source}-train"] for source in ("documents", "more", "other")]
    assert len(docs["train"]) == len(docs["prose-train"]) + 2 * sum(map(len, twice))

    def count(doc: Doc) -> int:
        judged = get_judged(doc)
        return 0 if judged is None else len(judged)

    assert [count(docs[f"{source}-test"][0]) for source in ("documents", "prose", "more")] == [73, 14, 34]
    assert "documents-train" in capsys.readouterr().out
