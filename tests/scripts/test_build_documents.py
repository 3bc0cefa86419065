"""The corpora of documents: marks become names, mentions and facts; what the checker finds."""

import json
import pathlib
import random
from typing import Any, Dict, List, Tuple

import build_documents
import check_documents
import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext.annotations.doc_entities import get_facts
from spacy_relext.annotations.judged import get_judged
from spacy_relext.annotations.store import get_coref, has_triples, is_incomplete

TEXT = (
    "[P1 Ada Holm] led the [O2 University of [L3 Oslo]] in [T4 1950]. "
    "[P1~ She] loved [O2~ [P1~ her] school]. It rained."
)
REDOCRED: Dict[str, Any] = {
    "sents": [["Ada", "Holm", "ran", "."], ["Nordlys", "was", "hers", "in", "Oslo", "."]],
    "vertexSet": [
        [{"sent_id": 0, "pos": [0, 2], "type": "PER"}],
        [{"sent_id": 1, "pos": [0, 1], "type": "ORG"}],
        [{"sent_id": 1, "pos": [4, 5], "type": "LOC"}],
    ],
    "labels": [{"h": 1, "t": 0, "r": "P112", "evidence": []}, {"h": 2, "t": 2, "r": "P131", "evidence": [1]}],
}
GAP = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n" + (
    "d-1\tAda met Eva. She ran.\tShe\t13\tAda\t0\tTRUE\tEva\t8\tFALSE\thttp\n"
)


def test_a_document_with_marks() -> None:
    record = build_documents.parse_document(TEXT, "|| 1 employer 2; 2 located_in 3")
    text = record["text"]
    assert text.startswith("Ada Holm led the University of Oslo in 1950. She loved her school.")
    assert {text[e["start"] : e["end"]]: e["label"] for e in record["entities"]} == {
        "Ada Holm": "PERSON",
        "University of Oslo": "ORG",
        "Oslo": "PLACE",
        "1950": "TIME",
    }
    mentions = [[text[slice(*place)] for place in cluster] for cluster in record["coref"]]
    assert mentions == [["Ada Holm", "She", "her"], ["Oslo"], ["University of Oslo", "her school"]]
    triples = [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record["triples"]]
    assert triples == [("Ada Holm", "employer", "University of Oslo"), ("University of Oslo", "located_in", "Oslo")]


@pytest.mark.parametrize(
    "text, facts, message",
    [
        (TEXT, "|| 1 employer 2", None),
        (TEXT, "1 employer 2", "does not begin with"),
        (TEXT.replace("[P1~ She]", "She"), "||", "'She' has no mark"),
        (TEXT.replace("[P1~ She]", "[O1~ She]"), "||", "has types"),
        (TEXT.replace("[P1~ She]", "[P9~ She]"), "||", "has one mention"),
        (TEXT.replace("1950]", "1950"), "||", "brackets"),
        (TEXT, "|| 1 employs 2", "no fact"),
        (TEXT, "|| 1 employer 4", "the object is"),
        (TEXT, "|| 7 employer 2", "has no name"),
        ("[P1 Ada] ran.", "||", "fewer than three"),
    ],
)
def test_what_the_checker_finds(text: str, facts: str, message: Any) -> None:
    found = check_documents.check(text, facts)
    assert found == [] if message is None else any(message in each for each in found)


def test_the_corpora(project_root: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(build_documents.JOINED, "all", {"redocred": 2, "own": 1, "gap": 1})
    monkeypatch.setitem(build_documents.JOINED, "both", {"own": 1})
    (tmp_path / "dev_revised.json").write_text(json.dumps([REDOCRED] * 441), encoding="utf8")
    for part in ("development", "validation"):
        (tmp_path / f"gap-{part}.tsv").write_text(GAP, encoding="utf8")
    build_documents.build(project_root / "assets", tmp_path / "out", redocred=tmp_path, gap=tmp_path)
    vocab = spacy.blank("en").vocab
    docs = {path.stem: list(DocBin().from_disk(path).get_docs(vocab)) for path in (tmp_path / "out").glob("*.spacy")}
    assert [len(docs[f"redocred-{part}"]) for part in ("train", "dev", "test")] == [400, 40, 1]
    assert len(docs["all-train"]) == 2 * 400 + len(docs["own-train"]) + 1 and "gap-test" not in docs
    assert min(len(docs[f"own-{part}"]) for part in ("dev", "test")) >= 60 and len(docs["own-train"]) >= 280
    (whole,) = docs["redocred-test"]
    (fact,) = get_facts(whole)
    assert (fact.subject.name, fact.relation, fact.object.name) == ("Nordlys", "founded_by", "Ada Holm")
    assert get_coref(whole) == [] and has_triples(whole) and len(list(whole.sents)) == 2
    (gap,) = docs["gap-dev"]
    assert get_coref(gap) == [[(0, 3), (13, 16)], [(8, 11)]] or get_coref(gap)[0] == [(13, 16), (0, 3)]
    assert is_incomplete(gap) and not has_triples(gap)
    own = docs["own-train"][0]
    assert get_facts(own) and len(get_judged(own) or ()) >= 30


def test_the_documents_are_clean(project_root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = sorted((project_root / "assets" / "prose" / "documents").glob("*.txt"))
    monkeypatch.setattr("sys.argv", ["check_documents.py", *map(str, paths)])
    assert check_documents.main() == 0


SENTENCES = [
    "Liv Holm founded Skog AS , and Liv Holm sold Skog AS 's hall .".split(),
    "Holm lives in Skien .".split(),
    "The first Holm house burned ; Skog AS grew .".split(),
    "She was sued by Skog AS in Skien .".split(),
]


def test_pronouns_replace_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def mentions(kind: str, *places: Tuple[int, int, int]) -> List[Dict[str, Any]]:
        return [{"type": kind, "sent_id": sent, "pos": [start, end]} for sent, start, end in places]

    vertices = [
        mentions("PER", (0, 0, 2), (0, 7, 9), (1, 0, 1), (2, 2, 3)),
        mentions("ORG", (0, 3, 5), (0, 10, 12), (2, 6, 8), (3, 4, 6)),
        mentions("LOC", (1, 3, 4), (3, 7, 8)),
    ]
    monkeypatch.setattr(build_documents, "REPLACED", 1.0)
    document = {"sents": SENTENCES, "vertexSet": vertices}
    made = build_documents.read_replaced(document, random.Random(0))
    assert made is not None and made["incomplete"]
    assert made["text"] == (
        "Liv Holm founded Skog AS, and she sold Skog AS's hall. She lives in Skien. "
        "The first Holm house burned; it grew. She was sued by it in Skien."
    )
    found = [[made["text"][start:end] for start, end in cluster] for cluster in made["coref"]]
    assert found == [
        ["Liv Holm", "she", "She", "Holm"],
        ["Skog AS", "Skog AS", "it", "it"],
        ["Skien", "Skien"],
    ]
    both = {**document, "sents": [*SENTENCES, "He left .".split()]}
    other = build_documents.read_replaced(both, random.Random(0))
    assert other is not None and "and Liv Holm sold" in other["text"], "nobody knows whose gender is whose"
    assert build_documents.read_replaced({"sents": SENTENCES, "vertexSet": vertices[2:]}, random.Random(0)) is None
