"""`spacy relext kb align`: a knowledge base labels a corpus."""

from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_relext.cli.main import relext
from spacy_relext.pairs.suggesters import AnnotatedPairs
from tests.corpora.test_convert import read

FACTS = ["Q1\tborn_in\tQ9", "Q1\tspouse\tQ2", "Q3\tborn_in\tQ9", "Q9\tpart_of\tQ9"]
NAMES = [
    "id\tlabel\ttype\taliases",
    "Q1\tUna Brekk\tPERSON\tBrekk|U. Brekk",
    "Q2\tOle Brekk\tPERSON\tBrekk",
    "Q3\tKari Lund\tPERSON\t",
    "Q9\tTrysil\tPLACE\tthe Trysil valley",
]
TEXTS = ["Una Brekk left Trysil .", "Brekk , Kari Lund and Ole Brekk met .", "Trysil is far .", "Nobody came ."]


@pytest.fixture
def kb(tmp_path: Path) -> str:
    for name, lines in (("facts", FACTS), ("names", NAMES)):
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf8")
    return f"{tmp_path / 'facts.tsv'},{tmp_path / 'names.tsv'}"


def corpus(path: Path, texts: List[str]) -> Path:
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=text.split()) for text in texts]
    for doc in docs:
        doc[0].is_sent_start = True
    DocBin(docs=docs, attrs=["ORTH", "SPACY", "SENT_START"]).to_disk(path)
    return path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(relext, ["kb", "align", *map(str, arguments)])


def test_names(kb: str, tmp_path: Path) -> None:
    out = tmp_path / "out.spacy"
    result = run(kb, corpus(tmp_path / "in.spacy", TEXTS), out, "--symmetric", "spouse")
    assert result.exit_code == 0, result.output
    docs = read(out)
    ents = [[(ent.text, ent.label_, ent.kb_id_) for ent in doc.ents] for doc in docs]
    assert ents[0] == [("Una Brekk", "PERSON", "Q1"), ("Trysil", "PLACE", "Q9")] and ents[3] == []
    # the name of two people means the one with facts about others of the sentence
    assert ents[1] == [("Brekk", "PERSON", "Q1"), ("Kari Lund", "PERSON", "Q3"), ("Ole Brekk", "PERSON", "Q2")]
    triples = [[(t.subject.text, t.relation, t.object.text) for t in doc._.triples] for doc in docs]
    assert triples == [[("Una Brekk", "born_in", "Trysil")], [("Brekk", "spouse", "Ole Brekk")], [], []]
    marked = AnnotatedPairs()(docs)
    texts = [
        (docs[d][a:b].text, docs[d][c:e].text) for d, (a, b), (c, e) in zip(marked.doc, marked.subject, marked.object)
    ]
    assert texts == [
        ("Una Brekk", "Trysil"),
        ("Brekk", "Kari Lund"),
        ("Brekk", "Ole Brekk"),
        ("Kari Lund", "Ole Brekk"),
    ]
    assert all(each in result.output for each in ("an entity to itself, kept: 1", "of these, marked", "spouse"))


def test_fewer_pairs_without_a_fact(kb: str, tmp_path: Path) -> None:
    texts = corpus(tmp_path / "in.spacy", ["Kari Lund met Ole Brekk ."] * 40)
    for share, low, high in ((0.0, 0, 0), (0.5, 10, 30), (1.0, 40, 40)):
        assert run(kb, texts, tmp_path / "out.spacy", "--unrelated", share).exit_code == 0
        assert low <= len(AnnotatedPairs()(read(tmp_path / "out.spacy"))) <= high


def test_links(kb: str, tmp_path: Path) -> None:
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words="she left home with her husband".split(), sent_starts=[True] + [False] * 5)
    links = ((0, "Q1"), (2, "Q9"), (5, "NIL"))
    doc.ents = [Span(doc, at, at + 1, label="X", kb_id=each) for at, each in links]
    DocBin(docs=[doc]).to_disk(tmp_path / "in.spacy")
    result = run(kb.split(",")[0], tmp_path / "in.spacy", tmp_path / "out.spacy", "--by", "link")
    assert result.exit_code == 0, result.output
    (found,) = read(tmp_path / "out.spacy")
    assert [(t.subject.text, t.relation, t.object.text) for t in found._.triples] == [("she", "born_in", "home")]
    assert len(found.ents) == 3, "entities stay as they were"


def linked(path: Path, *texts: List[str]) -> Path:
    vocab = spacy.blank("en").vocab
    docs = []
    for ids in texts:
        doc = Doc(vocab, words=["it"] * len(ids), sent_starts=[True] + [False] * (len(ids) - 1))
        doc.ents = [Span(doc, at, at + 1, label="X", kb_id=each) for at, each in enumerate(ids)]
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)
    return path


def test_links_to_what_the_knowledge_base_lacks(kb: str, tmp_path: Path) -> None:
    """Nothing is known of these, which does not mean that nothing holds."""
    texts, out = linked(tmp_path / "in.spacy", ["Q77", "Q1", "Q88"], ["Q1", "Q9", "Q77"]), tmp_path / "out.spacy"
    result = run(kb, texts, out, "--by", "link")
    assert result.exit_code == 0, result.output
    assert [len(AnnotatedPairs()([doc])) for doc in read(out)] == [0, 1]
    (row,) = [line for line in result.output.splitlines() if "lacks" in line]
    assert row.split()[-1] == "3"
    for ids, found in ((["Q77", "Q88"], "2 are linked"), (["", ""], "0 are linked")):
        result = run(kb, linked(tmp_path / "in.spacy", ids), out, "--by", "link")
        assert result.exit_code == 1 and "R740" in result.output and found in " ".join(result.output.split())


def test_how_pairs_are_marked_tells_nothing(kb: str, tmp_path: Path) -> None:
    """Whichever entity of a fact comes first, and whether there is a fact: marks stand in the order of the text."""
    out = tmp_path / "out.spacy"
    for ids in (["Q1", "Q9", "Q2", "Q3"], ["Q3", "Q2", "Q9", "Q1"], ["Q9", "Q3", "Q1"]):
        assert run(kb, linked(tmp_path / "in.spacy", ids), out, "--by", "link").exit_code == 0
        (doc,) = read(out)
        marked = AnnotatedPairs()([doc])
        places = list(zip(marked.subject[:, 0].tolist(), marked.object[:, 0].tolist()))
        assert places == [(one, two) for one in range(len(ids)) for two in range(one + 1, len(ids))]
        born = [(t.subject[0].ent_kb_id_, t.object[0].ent_kb_id_) for t in doc._.triples if t.relation == "born_in"]
        assert sorted(born) == [("Q1", "Q9"), ("Q3", "Q9")], "subject and object of a triple are those of the fact"


def test_shards(kb: str, tmp_path: Path) -> None:
    texts = corpus(tmp_path / "in.spacy", TEXTS)
    assert run(kb, texts, tmp_path / "out", "--shard", 2).exit_code == 0
    assert len(list((tmp_path / "out").glob("*.spacy"))) == 2 and len(read(tmp_path / "out")) == 4


def test_bad_input(kb: str, tmp_path: Path) -> None:
    texts = corpus(tmp_path / "in.spacy", ["Nobody came ."])
    result = run(kb, texts, tmp_path / "out.spacy")
    assert result.exit_code == 1 and "R729" in result.output and "7 names" in result.output
    assert not (tmp_path / "out.spacy").exists()
    assert "R007" in run(kb, texts, tmp_path / "out.spacy", "--symmetric", "spouse,likes").output
    assert "expected one of: name, link" in run(kb, texts, tmp_path / "out.spacy", "--by", "x").output
