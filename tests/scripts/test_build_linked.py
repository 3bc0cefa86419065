"""Corpora of sentences whose entities the embedded knowledge base knows."""

import pathlib
from typing import Any, Dict, List, Set, Tuple

import pytest
import spacy
from knowledge_base import read_kb
from spacy.tokens import Doc, DocBin

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.records import doc_to_record

PARTS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def built(project_root: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    from build_linked import build

    output = tmp_path_factory.mktemp("linked")
    return {"output": output, "counts": build(project_root / "assets", output, sentences=120, seed=2)}


def read(built: Dict[str, Any], part: str) -> List[Doc]:
    return list(DocBin().from_disk(built["output"] / f"{part}.spacy").get_docs(spacy.blank("en").vocab))


def pairs_of(doc: Doc) -> List[Tuple[str, str]]:
    ids = {(each["start"], each["end"]): each["kb_id"] for each in doc_to_record(doc)["entities"]}
    return [(ids[tuple(pair["subject"])], ids[tuple(pair["object"])]) for pair in doc.user_data[PAIRS_KEY]]


def test_no_pair_and_no_sentence_is_in_two_parts(built: Dict[str, Any]) -> None:
    pairs: Dict[str, Set[Tuple[str, str]]] = {}
    texts: Dict[str, Set[str]] = {}
    for part in PARTS:
        docs = read(built, part)
        assert len(docs) == built["counts"][part]["sentences"] > 0
        found = [pair for doc in docs for pair in pairs_of(doc)]
        assert all(one < two for one, two in found) and len(found) == built["counts"][part]["mentions"]
        pairs[part], texts[part] = set(found), {doc.text for doc in docs}
    for one, two in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not pairs[one] & pairs[two] and not texts[one] & texts[two]


def test_train_is_labelled_by_the_knowledge_base_and_all_ends_are_marked(
    built: Dict[str, Any], project_root: pathlib.Path
) -> None:
    kb = read_kb(project_root / "assets" / "kb")
    for part in PARTS:
        for doc in read(built, part):
            ids = {(each["start"], each["end"]): each["kb_id"] for each in doc_to_record(doc)["entities"]}
            marked = {frozenset(pair) for pair in pairs_of(doc)}
            for triple in get_records(doc) or []:
                ends = (ids[tuple(triple["subject"])], ids[tuple(triple["object"])])
                assert frozenset(ends) in marked
                known = {*kb.relations_between(*ends), *kb.relations_between(*ends[::-1])}
                assert triple["relation"] in known, "what a sentence states is true of the knowledge base, too"


def test_templates_of_dev_and_test_are_others(project_root: pathlib.Path) -> None:
    from build_linked import split_templates
    from grammar_templates import read_templates

    templates = read_templates(project_root / "assets" / "grammar")
    train, held = split_templates(templates)
    for name in ("facts", "composites", "unrelated"):
        one, two = ({each.text for each in getattr(side, name)} for side in (train, held))
        assert not one & two and one | two == {each.text for each in getattr(templates, name)}
    stated = [{each.states[0][0] for each in side.facts} for side in (train, held)]
    assert stated[0] == stated[1], "every relation is in both"
