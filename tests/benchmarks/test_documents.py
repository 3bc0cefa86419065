"""The simple rule of coreference, and the scores on GAP."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from benchmarks.documents import Passage, nearest_name, read_gap, score_gap
from spacy_relext.annotations.store import get_coref, set_coref

TEXT = "Ada Holm met Eva Moe.  She ran Nordlys, and it grew; he left."
NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")


def make_doc() -> Doc:
    doc = NLP(TEXT)
    names = [("Ada Holm", "PERSON"), ("Eva Moe", "PERSON"), ("Nordlys", "ORG")]
    doc.set_ents([doc.char_span(TEXT.index(name), TEXT.index(name) + len(name), label) for name, label in names])
    return doc


def place(word: str) -> "tuple[int, int]":
    return TEXT.index(word), TEXT.index(word) + len(word)


def test_the_rule_takes_the_nearest_name_of_the_type() -> None:
    chains = get_coref(nearest_name(make_doc()))
    assert chains == [
        [place("Eva Moe"), place("She"), place("he left")[:1] + (TEXT.index("he left") + 2,)],
        [place("Nordlys"), (TEXT.index("it grew"), TEXT.index("it grew") + 2)],
    ]


def test_scores_of_gap(tmp_path: Path) -> None:
    she, ada, eva = place("She"), place("Ada Holm"), place("Moe")
    passage = Passage(TEXT, she, (ada, eva), (True, False))
    right, wrong = make_doc(), make_doc()
    set_coref(right, [[ada, she]])
    set_coref(wrong, [[place("Eva Moe"), she]])
    assert score_gap([right], [passage]) == {
        "all": 1.0,
        "feminine": 1.0,
        "masculine": 0.0,
        "ratio": pytest.approx(1e12),
    }
    assert score_gap([wrong], [passage])["all"] == 0.0, "part of a name counts"
    assert score_gap([right, wrong, make_doc()], [passage] * 3)["all"] == pytest.approx(2 / (2 + 1 + 2))


def test_gap_is_read(tmp_path: Path) -> None:
    head = ["ID", "Text", "Pronoun", "Pronoun-offset", "A", "A-offset", "A-coref", "B", "B-offset", "B-coref", "URL"]
    row = ["1", 'Ada met "Bo".', "he", "0", "Ada", "0", "FALSE", "Bo", "9", "TRUE", "-"]
    (tmp_path / "gap.tsv").write_text("\t".join(head) + "\n" + "\t".join(row) + "\n", encoding="utf8")
    assert list(read_gap(tmp_path / "gap.tsv")) == [Passage('Ada met "Bo".', (0, 2), ((0, 3), (9, 11)), (False, True))]
