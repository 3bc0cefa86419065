"""`spacy relext relabel`: which triples are added, how many of each relation, and that the rest stays."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_relext import get_records, set_triples
from spacy_relext.annotations.store import set_rejected
from spacy_relext.pipeline.relabeling import RelabelReport, relabel
from tests.cli.fake_pipeline import make_pipeline, save_pipeline

# A text, and whether its first and last word are annotated; None: not annotated.
Text = Tuple[str, Optional[str]]

TEXTS: List[Text] = [
    ("Ada met Bo", "met"),
    ("Cy met Di", ""),
    ("Ed saw Flo", "saw"),
    ("Gus met Hal", None),
    ("Ida saw Jo", ""),
    ("Kim knew Lou", ""),
    ("Mo met Ned", ""),
]
# met is always right and half of it is missed, saw is right and never missed
DEV: List[Text] = [("Ada met Bo", "met"), ("Ada knows Bo", "met"), ("Ed saw Flo", "saw")]


def write(path: Path, texts: Sequence[Text], *, rejected: Sequence[str] = ()) -> Path:
    nlp, docs = spacy.blank("en"), []
    for text, relation in texts:
        doc = nlp.make_doc(text)
        triple = [(doc[0:1], "met", doc[-1:])]
        if relation is not None:
            set_triples(doc, [(subject, relation, obj) for subject, _, obj in triple if relation])
        if text in rejected:
            set_rejected(doc, triple)
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def stated(doc: Doc) -> Optional[List[Tuple[str, str, str]]]:
    records = get_records(doc, source="")
    text = doc.text
    return records and [(text[slice(*r["subject"])], r["relation"], text[slice(*r["object"])]) for r in records]


@pytest.fixture
def folds(tmp_path: Path, run: Callable[..., Any]) -> Path:
    corpus = write(tmp_path / "corpus.spacy", TEXTS, rejected=["Mo met Ned"])
    assert run("folds", corpus, tmp_path / "folds", "--folds", 2).exit_code == 0
    for fold in range(2):
        save_pipeline(tmp_path / f"fold{fold}")
    return tmp_path / "folds"


def relabelled(folds: Path, run: Callable[..., Any], *options: Any) -> Tuple[str, List[Doc]]:
    output = folds.parent / "out.spacy"
    done = run("relabel", folds, output, "--pipelines", folds.parent / "fold{}", *options)
    assert done.exit_code == 0, done.output
    return done.output, list(DocBin().from_disk(output).get_docs(spacy.blank("en").vocab))


def test_all_that_is_found(folds: Path, run: Callable[..., Any]) -> None:
    output, docs = relabelled(folds, run, "--beta", 0)
    assert [doc.text for doc in docs] == [text for text, _ in TEXTS], "in the order of the corpus"
    assert [stated(doc) for doc in docs] == [
        [("Ada", "met", "Bo")],
        [("Cy", "met", "Di")],
        [("Ed", "saw", "Flo")],
        None,
        [("Ida", "saw", "Jo")],
        [],
        [],
    ]
    (old,), (new,) = (get_records(docs[number]) or [] for number in (0, 1))
    assert (old["score"], old["evidence"]) == (1.0, {})
    assert (new["score"], new["source"], new["evidence"]) == (0.9, "", {"relabelled": True})
    assert "1 documents that are not annotated" in output and "7 documents with 2 new triples" in output


def test_shares_by_relation(folds: Path, run: Callable[..., Any]) -> None:
    write(folds.parent / "dev.spacy", DEV)
    output, docs = relabelled(folds, run, "--dev", folds.parent / "dev.spacy", "--seed", 3)
    table = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.startswith(("met", "saw"))}
    assert table["met"][:4] == ["100.0", "50.0", "50.0", "1"] and table["saw"] == ["100.0", "100.0", "0.0", "1", "0"]
    assert stated(docs[4]) == [], "saw is never missed"
    again, _ = relabelled(folds, run, "--dev", folds.parent / "dev.spacy", "--seed", 3)
    assert again == output


def test_without_dev_the_folds_judge(folds: Path, run: Callable[..., Any]) -> None:
    """Annotated are one of three found met, and one of two found saw: nothing seems to be missed."""
    output, docs = relabelled(folds, run)
    table = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.startswith(("met", "saw"))}
    assert table == {"met": ["33.3", "100.0", "0.0", "1", "0"], "saw": ["50.0", "100.0", "0.0", "1", "0"]}
    assert [stated(doc) for doc in docs][1] == []


def test_as_many_as_the_share_says(tmp_path: Path) -> None:
    dev = write(tmp_path / "dev.spacy", DEV)
    for fold in range(2):
        write(tmp_path / f"held{fold}.spacy", [(f"Ann{number} met Bo", "") for number in range(200)])
    drawn: Dict[float, int] = {}
    for beta in (1.0, 2.0):
        report = relabel(tmp_path, [make_pipeline() for _ in range(2)], tmp_path / "out.spacy", dev=dev, beta=beta)
        assert report.share("met") == 0.5**beta and report.candidates == {"met": 400}
        drawn[beta] = report.added["met"]
    assert 160 < drawn[1.0] < 240 and 70 < drawn[2.0] < 130


def test_fewer_pipelines_than_folds(tmp_path: Path) -> None:
    for fold in range(2):
        write(tmp_path / f"held{fold}.spacy", [("Ann met Bo", "")])
    with pytest.raises(ValueError, match=r"^\[R107\].*one per fold"):
        relabel(tmp_path, [make_pipeline()], tmp_path / "out.spacy")


def test_shares_worked_by_hand() -> None:
    report = RelabelReport(beta=0.5)
    report.right["a"], report.predicted["a"], report.gold["a"] = 6, 8, 24
    assert (report.precision("a"), report.recall("a")) == (0.75, 0.25)
    assert report.share("a") == pytest.approx(0.75) and report.share("never found") == 0.0


def test_wrong_options(folds: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "[R259]" in fails("relabel", tmp_path / "none", tmp_path / "out.spacy")
    assert "[R107] --pipelines is" in fails("relabel", folds, tmp_path / "out.spacy", "--pipelines", tmp_path / "fold0")
    assert not (tmp_path / "out.spacy").exists()
