"""`spacy relext research teach`: what a teacher thinks, written into a corpus."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy
import pytest
import spacy
from spacy.tokens import DocBin, Span
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.store import SOFT_LABELS_KEY, TRIPLES_KEY, has_triples
from spacy_relext.kd.soft_labels import PARTS
from tests.corpora.test_convert import read
from tests.kd.pipes import GRAPH_STUDENT, GRAPH_TEACHER, ROWS, TEACHER, make_examples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained teacher, and the corpus it was trained on."""
    path = tmp_path_factory.mktemp("teach")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(TEACHER, config={"model": GRAPH_TEACHER})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.to_disk(path / "teacher")
    DocBin(docs=[example.reference for example in examples], store_user_data=True).to_disk(path / "corpus.spacy")
    return path


Label = Tuple[Tuple[int, ...], Tuple[int, ...], Dict[str, Any]]


def soft_labels(path: Path) -> List[Label]:
    found = []
    for doc in read(path):
        for pair in doc.user_data[SOFT_LABELS_KEY]["pairs"]:
            parts = {key: pytest.approx(pair[key], abs=1e-4) for key in PARTS}
            found.append((tuple(pair["subject"]), tuple(pair["object"]), parts))
    return found


def test_the_rest_of_the_corpus_stays(folder: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    run("research", "teach", folder / "teacher", folder / "corpus.spacy", tmp_path / "labelled.spacy")
    for before, after in zip(read(folder / "corpus.spacy"), read(tmp_path / "labelled.spacy")):
        assert after.text == before.text and after._.triples == before._.triples
        assert [(e.start, e.end, e.label_) for e in after.ents] == [(e.start, e.end, e.label_) for e in before.ents]


def test_unlabelled_text_is_labelled_and_then_learned(folder: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    docs = read(folder / "corpus.spacy")
    for doc in docs:
        del doc.user_data[TRIPLES_KEY]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "unlabelled.spacy")
    for options in ([], ["--held-out"]):
        done = run(
            "research", "teach", folder / "teacher", tmp_path / "unlabelled.spacy", tmp_path / "taught.spacy", *options
        )
        assert done.exit_code == 0 and "soft labels for 16 pairs" in done.stdout, done.output
        assert "Temperature: 1.00" in done.stdout or not options, "there is no gold to fit it to"
    taught = read(tmp_path / "taught.spacy")
    assert len(soft_labels(tmp_path / "taught.spacy")) == 16 and not any(map(has_triples, taught))
    student = spacy.blank("en")
    student.add_pipe("kd_classifier", config={"model": GRAPH_STUDENT})
    examples = [*make_examples(student), *(Example(student.make_doc(doc.text), doc) for doc in taught)]
    for example in examples[len(ROWS) :]:
        example.predicted.ents = example.reference.ents  # as the corpus reader does
    student.initialize(lambda: examples)
    assert student.update(examples[len(ROWS) :])["kd_classifier_teacher"] > 0.0


def test_only_the_first_documents(folder: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("research", "teach", folder / "teacher", folder / "corpus.spacy", tmp_path / "some.spacy", "--limit", 2)
    assert "2 documents" in done.stdout
    corpus = read(folder / "corpus.spacy")
    assert len(corpus) > 2 and [doc.text for doc in read(tmp_path / "some.spacy")] == [doc.text for doc in corpus[:2]]


def test_a_pipeline_without_a_teacher(folder: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    line = fails("research", "teach", tmp_path / "blank", folder / "corpus.spacy", tmp_path / "out.spacy")
    assert "[R405]" in line and "configs/kd_teacher.cfg" in line


def test_a_corpus_without_pairs(folder: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    bare, single = map(spacy.blank("en"), ("Nothing here.", "Ada slept."))
    single.ents = [Span(single, 0, 1, "PER")]
    set_triples(single, [])
    path, out = tmp_path / "empty.spacy", tmp_path / "out.spacy"
    for doc, reason in (
        (bare, "(1 documents): the corpus needs entities"),
        (single, "no two entities stand in the same sentence"),
    ):
        DocBin(docs=[doc], store_user_data=True).to_disk(path)
        line = fails("research", "teach", folder / "teacher", path, out)
        assert "[R406]" in line and "empty.spacy" in line and reason in line and not out.exists()


def test_held_out_documents_are_labelled_under_a_fitted_temperature(
    folder: Path, run: Callable[..., Any], tmp_path: Path
) -> None:
    teacher, corpus = folder / "teacher", folder / "corpus.spacy"
    done = run("research", "teach", teacher, corpus, tmp_path / "held.spacy", "--held-out")
    assert done.exit_code == 0 and "Temperature: " in done.stdout
    temperature = float(done.stdout.split("Temperature: ")[1].split()[0])
    assert temperature != 1.0
    run("research", "teach", teacher, corpus, tmp_path / "plain.spacy")
    for scaled, plain in zip(soft_labels(tmp_path / "held.spacy"), soft_labels(tmp_path / "plain.spacy")):
        held, text = (numpy.asarray(each[2]["teacher_text"].expected) for each in (scaled, plain))
        assert held == pytest.approx(text / temperature, abs=0.02), "what types say differs: nothing is left out there"
        types = numpy.asarray(scaled[2]["teacher_types"].expected)
        assert numpy.asarray(scaled[2]["teacher"].expected) == pytest.approx(held + types, abs=1e-4)
