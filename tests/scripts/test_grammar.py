import pathlib
import random
import subprocess
import sys
from typing import Any, Dict, List

import pytest
import spacy
from build_corpus import measure_label_noise
from knowledge_base import KnowledgeBase, read_kb

from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.records import read_jsonl
from spacy_relext.kb.alignment import Aligner

Record = Dict[str, Any]
SENTENCES = 1200
PAIRS = ["PERSON-PLACE", "PERSON-ORG", "PERSON-PERSON", "ORG-PLACE", "ORG-ORG", "PERSON-WORK", "PLACE-PLACE"]
BROAD = {"CITY": "PLACE", "COUNTRY": "PLACE", "SCHOOL": "ORG"}


@pytest.fixture(scope="module")
def kb(project_root: pathlib.Path) -> KnowledgeBase:
    return read_kb(project_root / "assets" / "kb")


@pytest.fixture(scope="module")
def templates(project_root: pathlib.Path) -> Any:
    from grammar_templates import read_templates

    return read_templates(project_root / "assets" / "grammar")


@pytest.fixture(scope="module")
def records(kb: KnowledgeBase, templates: Any) -> List[Record]:
    from grammar import generate

    return list(generate(kb, templates, sentences=SENTENCES, seed=0))


def test_enough_templates(kb: KnowledgeBase, templates: Any) -> None:
    for relation in kb.relations:
        assert sum(t.states[0][0] == relation for t in templates.facts) >= 12, relation
    assert len(templates.composites) >= 60
    assert all(2 <= len(t.states) <= 3 for t in templates.composites)


@pytest.mark.parametrize("pair", PAIRS)
def test_enough_wordings_for_unrelated_pairs(templates: Any, pair: str) -> None:
    wordings = 0
    for template in templates.unrelated:
        kinds = [BROAD.get(kind, kind) for kind in list(template.kinds.values())[:2]]
        if "-".join(sorted(kinds)) == "-".join(sorted(pair.split("-"))):
            choices = [part.split("]")[0].count("|") + 1 for part in template.text.split("[")[1:]]
            total = 1
            for number in choices:
                total *= number
            wordings += total
    assert wordings >= 60


def test_every_template_makes_a_sentence(kb: KnowledgeBase, templates: Any) -> None:
    from grammar import Grammar

    grammar = Grammar(kb, templates, random.Random(0))
    for template in [*templates.facts, *templates.composites, *templates.unrelated]:
        assert any(grammar._fill(template) for _ in range(300)), template.text


def test_records_are_canonical(records: List[Record]) -> None:
    assert len(records) == SENTENCES == len({record["text"] for record in records})
    for record in records:
        check_record(record)
        assert 6 <= len(record["text"].split()) <= 40
        assert record["text"][0].isupper() or not record["text"][0].isalpha(), record["text"]
        assert record["text"][-1] in ".?" and not any(mark in record["text"] for mark in "{}[]|"), record["text"]
        assert "  " not in record["text"] and " ," not in record["text"] and ".." not in record["text"], record["text"]


def test_offsets_point_at_names(records: List[Record], kb: KnowledgeBase) -> None:
    from grammar_sentences import surname_of

    for record in records:
        for entity in record["entities"]:
            name, known = record["text"][entity["start"] : entity["end"]], kb[entity["kb_id"]]
            assert entity["label"] == known.type
            allowed = (*known.names, surname_of(known.label))
            assert name in (*allowed, *(other[0].upper() + other[1:] for other in allowed)), (name, known)


def test_true_triples_hold(records: List[Record], kb: KnowledgeBase) -> None:
    for record in records:
        ids = {(e["start"], e["end"]): e["kb_id"] for e in record["entities"]}
        for triple in record["triples"]:
            subject, obj = ids[tuple(triple["subject"])], ids[tuple(triple["object"])]
            relations = set(kb.relations_between(subject, obj))
            if triple["relation"] == "spouse":
                assert triple["subject"] < triple["object"]
                relations.update(kb.relations_between(obj, subject))
            assert triple["relation"] in relations, record["text"]


def test_distant_labels_follow_from_the_text(records: List[Record], kb: KnowledgeBase) -> None:
    from grammar import aligning_kb

    nlp = spacy.blank("en")
    aligner = Aligner(aligning_kb(kb, random.Random(0)), tokenizer=nlp.make_doc)
    assert all(aligner(nlp.make_doc(record["text"])).triples == record["distant"] for record in records)


def test_labels_are_as_wrong_as_they_should_be(records: List[Record]) -> None:
    noise = measure_label_noise((record["triples"], record["distant"]) for record in records)
    assert 0.25 <= noise["all"]["false_negative_rate"] <= 0.35
    assert 0.10 <= noise["all"]["false_positive_rate"] <= 0.20
    assert min(row["true"] for row in noise.values()) >= SENTENCES // 40
    empty = sum(not record["triples"] for record in records) / SENTENCES
    assert 0.25 <= empty <= 0.45


def test_articles() -> None:
    from grammar_sentences import Mention, assemble

    wanted = {"Irish": "an", "Ukrainian": "a", "Ugandan": "a", "American": "an", "Dutch": "a", "Uzbek": "an"}
    for word, article in wanted.items():
        text, mentions = assemble(["she was a(n) ", Mention("x", word), " citizen of the ", Mention("y", "U.S."), "."])
        assert text == f"She was {article} {word} citizen of the U.S."
        assert [text[start:end] for start, end, _ in mentions] == [word, "U.S."]


def test_same_seed_same_file(project_root: pathlib.Path, tmp_path: pathlib.Path, records: List[Record]) -> None:
    path = tmp_path / "new" / "a.jsonl"
    command = [sys.executable, "scripts/grammar.py", "--kb", "assets/kb", "--templates", "assets/grammar"]
    command += ["--sentences", "60", "--seed", "0", "--output", str(path)]
    # another hash seed: no set may decide about the order
    subprocess.run(command, cwd=project_root, check=True, env={"PYTHONHASHSEED": "7", "PYTHONPATH": "."})
    assert list(read_jsonl(path)) == records[:60]


def test_other_seed_and_names_to_avoid(kb: KnowledgeBase, templates: Any, records: List[Record]) -> None:
    from grammar import generate

    avoid = {records[0]["text"][e["start"] : e["end"]] for e in records[0]["entities"]}
    other = list(generate(kb, templates, sentences=30, seed=1, avoid=avoid))
    assert other != records[:30]
    first = next(generate(kb, templates, sentences=30, seed=0, avoid=avoid))
    assert first != records[0]


@pytest.mark.parametrize(
    "conditions, text", [("place of birth", "{a}."), ("a=ROBOT", "{a}."), ("a=PERSON", "{b}."), ("-", "{a}.")]
)
def test_malformed_templates(conditions: str, text: str) -> None:
    from grammar_templates import parse_template

    with pytest.raises(ValueError, match="facts.tsv:7"):
        parse_template(conditions, text, place="facts.tsv:7")
