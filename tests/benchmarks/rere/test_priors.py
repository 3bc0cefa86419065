import pytest
import spacy

from benchmarks.rere.priors import PARADIGMS, class_priors
from spacy_relext import set_triples


def test_shares_worked_by_hand() -> None:
    """Ten tokens: Ada wrote two books and lives in a town; three tokens: nothing is said."""
    nlp = spacy.blank("en")
    doc = nlp.make_doc("Ada Lee wrote Rain and Snow here in old Oslo")
    ada, rain, snow, oslo = doc[0:2], doc[3:4], doc[5:6], doc[9:10]
    set_triples(doc, [(ada, "author", rain), (ada, "author", snow), (ada, "home", oslo)])
    empty = nlp.make_doc("It rained again")
    set_triples(empty, [])
    found = class_priors([doc, empty])
    # four arguments: 12 pairs; two relations
    assert found[PARADIGMS[0]] == (None, pytest.approx(3 / (12 * 2)))
    # one subject in 13 tokens; three objects for it in 10 tokens and two relations
    assert found[PARADIGMS[1]] == pytest.approx((1 / 13, 3 / (10 * 2)))
    # two relations in two sentences; author has two ends of Ada and four of books, home two and two
    assert found[PARADIGMS[2]] == pytest.approx((2 / (2 * 2), (6 + 4) / (2 * 4 * 10)))
