"""`spacy relext debug-data`: the counts of small corpora whose problems are known."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_relext import set_triples
from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.corpora.overlap import Overlap
from spacy_relext.corpora.statistics import count_corpus

Triples = List[Tuple[str, str, str]]
Corpora = Tuple[Path, Path]

TRAIN: List[Tuple[str, Triples]] = [
    ("Ada Lovelace married William King in London.", [("Ada Lovelace", "spouse", "William King")]),
    ("William King married Ada Lovelace.", [("William King", "spouse", "Ada Lovelace")]),
    ("Nobody came to the old house in Oslo on Sunday.", []),
    ("The University of Oslo is large. It stands in Norway.", [("University of Oslo", "located_in", "Norway")]),
    (
        "The University of Oslo lies in Oslo.",
        [("University of Oslo", "located_in", "Oslo"), ("Oslo", "city_of", "University of Oslo")],
    ),
]
DEV: List[Tuple[str, Triples]] = [
    ("Ada Lovelace married William King in London!", [("Ada Lovelace", "spouse", "William King")]),
    ("Nobody came to the old house in Oslo on a Sunday.", []),
    ("Kari was born in Bergen.", [("Kari", "place_of_birth", "Bergen")]),
]


def make_doc(text: str, triples: Triples) -> Doc:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp(text)
    set_triples(
        doc,
        [((text.find(s), text.find(s) + len(s)), r, (text.rfind(o), text.rfind(o) + len(o))) for s, r, o in triples],
    )
    doc.ents = [doc.char_span(text.find(s), text.find(s) + len(s), label="NAME") for s, _, _ in triples[:1]]
    return doc


@pytest.fixture
def corpora(tmp_path: Path) -> Corpora:
    for name, texts in (("train", TRAIN), ("dev", DEV)):
        docs = [make_doc(*each) for each in texts]
        if name == "train":
            docs.append(spacy.blank("en")("This one is not annotated."))
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / f"{name}.spacy")
    return tmp_path / "train.spacy", tmp_path / "dev.spacy"


def test_counts(corpora: Corpora) -> None:
    found, docs = count_corpus(corpora[0], spacy.blank("en").vocab)
    assert len(list(docs)) == found.documents == 6
    assert (found.not_annotated, found.annotated, found.empty_documents) == (1, 5, 1)
    assert (found.sentences, found.empty_sentences) == (6, 1)
    assert found.labels == {"spouse": 2, "located_in": 2, "city_of": 1}
    assert sum(found.across.values()) == found.across["located_in"] == 1
    assert found.lengths == {1: 3, 2: 4, 3: 3}
    assert found.types["spouse"] == {("NAME", "(no entity)"): 2}
    assert found.overlapping == 1, "city_of has Oslo within its object"
    assert found.rare() == ["city_of", "spouse", "located_in"]


def test_what_a_teacher_has_labelled_is_not_left_out(tmp_path: Path, run: Callable[..., Any]) -> None:
    taught, other = spacy.blank("en")("Ada met Bo."), spacy.blank("en")("Cy slept.")
    taught.user_data[SOFT_LABELS_KEY] = {"classes": [["met", False]], "pairs": []}
    DocBin(docs=[taught, taught, other], store_user_data=True).to_disk(tmp_path / "taught.spacy")
    done = run("debug-data", tmp_path / "taught.spacy")
    output = " ".join(done.output.split())
    assert "soft labels or refused triples 2 (66.7%)" in output
    assert "taught: 1 documents are not annotated with triples" in output


def test_overlapping_arguments(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp("Oslo University Hospital Trust grew.")
    set_triples(doc, [((0, 15), "part_of", (0, 24)), ((5, 24), "part_of", (0, 15)), ((1, 4), "in", (5, 24))])
    DocBin(docs=[doc, doc], store_user_data=True).to_disk(tmp_path / "corpus.spacy")
    found, docs = count_corpus(tmp_path / "corpus.spacy", nlp.vocab)
    list(docs)
    assert found.repeated_texts == 1
    assert (found.overlapping, found.inside_tokens) == (2 * 2, 2 * 1)


def test_what_is_shared() -> None:
    overlap = Overlap()
    for each in DEV:
        overlap.add_held_out(make_doc(*each))
    for each in TRAIN:
        overlap.add_training(make_doc(*each))
    assert overlap.exact == {0}, "punctuation does not count"
    assert overlap.near == {1}
    assert overlap.counts() == {
        "sentences that are in train": (1, 3),
        "sentences nearly in train": (1, 3),
        "triples that are in train": (1, 2),
        "triples whose pair of arguments is in train": (1, 2),
    }


def test_the_command(corpora: Corpora, run: Callable[..., Any]) -> None:
    done = run("debug-data", *corpora)
    assert done.exit_code == 0, done.output
    for part in ("located_in", "triples across sentences", "NAME → (no entity)"):
        assert part in done.stdout
    shown = " ".join(done.output.split())
    assert "train: 4 sentences with triples are few" in shown and "--have rules" in shown
    assert "train: fewer than 10 triples of city_of (1)" in shown and "dev: no triple of city_of" in shown
    assert "dev: place_of_birth not in train" in " ".join(done.output.split())


def test_what_a_config_misses(corpora: Corpora, tmp_path: Path, run: Callable[..., Any]) -> None:
    for have, reason, count in (
        ("labels", "arguments in different sentences, or too far apart", "1 (20.0%)"),
        ("rules", "no suggested pair", "5 (100.0%)"),
    ):
        config = tmp_path / f"{have}.cfg"
        assert run("init-config", config, "--have", have).exit_code == 0
        done = run("debug-data", config, *corpora)
        assert done.exit_code == 0, done.output
        (line,) = [line for line in done.stdout.splitlines() if reason in line]
        assert count in line


def test_components_are_checked_in_a_new_process(corpora: Corpora, tmp_path: Path, run: Callable[..., Any]) -> None:
    config = tmp_path / "labels.cfg"
    assert run("init-config", config, "--have", "labels").exit_code == 0
    command = [sys.executable, "-m", "spacy", "relext", "debug-data", str(config), *map(str, corpora)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "arguments in different sentences, or too far apart" in done.stdout


def test_corpora_of_the_config(
    corpora: Corpora, tmp_path: Path, run: Callable[..., Any], fails: Callable[..., str]
) -> None:
    config = tmp_path / "labels.cfg"
    assert run("init-config", config, "--have", "labels").exit_code == 0
    assert "[R225]" in fails("debug-data", config)
    text = config.read_text(encoding="utf8")
    text = text.replace("train = null", f'train = "{corpora[0]}"').replace("dev = null", f'dev = "{corpora[1]}"')
    config.write_text(text, encoding="utf8")
    done = run("debug-data", config)
    assert done.exit_code == 0, done.output
    assert "Shared with the first corpus" in done.stdout


def test_wrong_input(corpora: Corpora, tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "[R111]" in fails("debug-data", tmp_path / "none.spacy")
    assert "[R224]" in fails("debug-data", tmp_path / "none.cfg", *corpora)
    (tmp_path / "bad.cfg").write_text("what = is this\n", encoding="utf8")
    assert "[R224]" in fails("debug-data", tmp_path / "bad.cfg", *corpora)
    assert "[R209]" in fails("debug-data", tmp_path / "a.cfg", tmp_path / "b.cfg")
