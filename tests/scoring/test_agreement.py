"""Agreement by a worked example, and what is not defined."""

from typing import Any, Dict, Sequence

import pytest

from spacy_relext.annotations.triple import Record
from spacy_relext.scoring.agreement import Agreement, Disagreement, PairAgreement, match_partly, measure_agreement

# Three names and two more.
TEXTS = {"first": "Ann Ben Cid", "second": "Dan Eve"}
SPANS = {"Ann": [0, 3], "Ben": [4, 7], "Cid": [8, 11], "Dan": [0, 3], "Eve": [4, 7]}


def record(text: str, *triples: Sequence[str], entities: bool = True, **others: Any) -> Record:
    words = TEXTS.get(text, text)
    found: Dict[str, Any] = {"text": words, **others}
    if entities:
        found["entities"] = [{"start": SPANS[w][0], "end": SPANS[w][1], "label": "PERSON"} for w in words.split()]
    found["triples"] = [{"subject": SPANS[s], "relation": r, "object": SPANS[o]} for s, r, o in triples]
    return found


ANN = [record("first", ("Ann", "r", "Ben"), ("Ben", "s", "Cid")), record("second", ("Dan", "r", "Eve"))]
BEN = [record("second", ("Dan", "r", "Eve")), record("first", ("Ann", "r", "Ben"), ("Ann", "s", "Cid"))]


def test_worked_example() -> None:
    """Four pairs: Ann-Ben r r, Ann-Cid none s, Ben-Cid s none, Dan-Eve r r.

    Each has r twice, s once, none once: p_o = 2 / 4, p_e = (2² + 1 + 1) / 4² = 0.375, kappa = 0.125 / 0.625 = 0.2.
    alpha: D_o = (2 + 2) / 8, D_e = (8² - 4² - 2² - 2²) / (8 · 7) = 40 / 56, alpha = 1 - 0.5 · 56 / 40 = 0.3.
    Two of three triples of each are the same: F = 2 · 2 / 6.
    """
    assert measure_agreement([ANN, BEN], names=["ann", "ben"]) == Agreement(
        names=["ann", "ben"],
        shared=2,
        only=[0, 0],
        not_annotated=[0, 0],
        pairs=[
            PairAgreement(
                first=0,
                second=1,
                documents=2,
                triples=(3, 3),
                exact=2,
                partial=2,
                same_assertion=2,
                exact_f=pytest.approx(2 / 3),
                partial_f=pytest.approx(2 / 3),
                relations={"r": 1.0, "s": 0.0},
                pairs=4,
                observed=0.5,
                kappa=pytest.approx(0.2),
            )
        ],
        alpha=pytest.approx(0.3),
        disagreements=[
            Disagreement("Ann Ben Cid", [(0, 11)], [[((4, 7), "s", (8, 11))], [((0, 3), "s", (8, 11))]]),
        ],
    )


def test_two_relations_of_one_pair_and_overlapping_arguments() -> None:
    """Dan-Eve: r and s, r alone. Ann Ben-Cid, which the first does not know, overlaps Ben-Cid.

    The four pairs that both know have rs none s r, r r none none: p_o = 0, p_e = (2 + 2) / 4², kappa = -1 / 3.
    alpha: D_o = (2 + 2 + 2 + 2) / 8, D_e = (8² - 3² - 3² - 1 - 1) / (8 · 7) = 44 / 56.
    """
    first = [record("first", ("Ben", "r", "Cid"), ("Ann", "s", "Cid"))]
    second = [record("first", ("Ann", "r", "Ben"))]
    second[0]["triples"].append({"subject": [0, 7], "relation": "r", "object": [8, 11]})
    first.append(record("second", ("Dan", "r", "Eve"), ("Dan", "s", "Eve")))
    second.append(record("second", ("Dan", "r", "Eve")))
    found = measure_agreement([first, second], names=["a", "b"])
    (pair,) = found.pairs
    assert (pair.documents, pair.triples, pair.exact, pair.partial, pair.same_assertion) == (2, (4, 3), 1, 2, 1)
    assert (pair.exact_f, pair.partial_f) == (pytest.approx(2 / 7), pytest.approx(4 / 7))
    assert pair.relations == {"r": pytest.approx(2 / 5), "s": 0.0}
    assert (pair.pairs, pair.observed, pair.kappa) == (4, 0.0, pytest.approx(-1 / 3))
    assert found.alpha == pytest.approx(1 - 56 / 44)
    # the order of the documents and of the annotators changes nothing
    assert measure_agreement([second, first[::-1]], names=["b", "a"]).pairs[0] == pair._replace(triples=(3, 4))


def test_three_annotators() -> None:
    """The third annotates one text as the first: alpha has units of three and of two values.

    First text: r r r, none s none, s none s; second: r r. D_o = ((9 - 5) / 2 + (9 - 5) / 2) / 11 = 4 / 11;
    n = r 5, s 3, none 3: D_e = (121 - 25 - 9 - 9) / (11 · 10), alpha = 1 - 4 / 11 · 110 / 78.
    """
    found = measure_agreement([ANN, BEN, ANN[:1]], names=["a", "b", "c"])
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert found.pairs[1].exact_f == 1.0 and found.pairs[1].kappa == 1.0 and found.pairs[2].documents == 1
    assert found.alpha == pytest.approx(1 - 4 / 11 * 110 / 78)
    assert found.disagreements[0].annotations[2] == [((4, 7), "s", (8, 11))]
    assert measure_agreement([ANN[::-1], BEN, ANN[:1]], names=["a", "b", "c"]) == found, "the order of texts is nothing"
    assert measure_agreement([ANN, BEN, ANN[1:]], names=["a", "b", "c"]).disagreements[0].annotations[2] is None


def test_direction_sentences_and_suggestions() -> None:
    one = record("second", ("Dan", "r", "Eve"))
    other = record("second", ("Eve", "r", "Dan"))
    suggested = {**other["triples"][0], "source": "model"}
    found = measure_agreement([[one], [{**other, "triples": [*other["triples"], suggested]}]], names=["a", "b"])
    assert (found.pairs[0].exact, found.pairs[0].observed, found.pairs[0].triples) == (0, 0.0, (1, 1))
    # pairs across sentences are none, unless somebody joined them
    divided = [{**each, "sents": [[0, 7], [8, 11]]} for each in (ANN[0], BEN[1])]
    found = measure_agreement([divided[:1], divided[1:]], names=["a", "b"])
    assert found.pairs[0].pairs == 1  # Ann-Ben; each of the others is known to one only
    for sents, passages in (([[0, 7], [8, 11]], [(0, 7)]), ([[8, 11]], [(0, 11)])):  # outside of all: the whole text
        both = [[{**record("first", *triples), "sents": sents}] for triples in ([("Ann", "r", "Ben")], [])]
        (dispute,) = measure_agreement(both, names=["a", "b"]).disagreements
        assert dispute.passages == passages


def test_assertions() -> None:
    denied = record("second", ("Dan", "r", "Eve"))
    denied["triples"][0]["attributes"] = {"negated": True}
    found = measure_agreement([ANN, [denied, BEN[1]]], names=["a", "b"])
    (pair,) = found.pairs
    assert (pair.exact, pair.same_assertion, pair.exact_f) == (2, 1, pytest.approx(2 / 3))
    assert found.disagreements[1].annotations == [[((0, 3), "r", (4, 7))], [((0, 3), "r (denied)", (4, 7))]]


def test_partial_matches_are_one_to_one() -> None:
    first = {((0, 10), "r", (20, 30)), ((0, 4), "r", (20, 24))}
    assert match_partly(first, {((0, 4), "r", (20, 24))}) == 1
    assert match_partly(first, {((0, 4), "r", (20, 24)), ((5, 12), "r", (29, 40))}) == 2
    assert match_partly(first, {((0, 10), "s", (20, 30)), ((20, 30), "r", (0, 10))}) == 0


def test_which_documents_are_compared() -> None:
    bare = {"text": "Nothing here."}
    assert measure_agreement([[bare, bare, *ANN], BEN], names=["a", "b"]).not_annotated == [2, 0]
    alone = record("Ann Ben")
    found = measure_agreement([[*ANN, bare, alone], [BEN[0], bare]], names=["a", "b"])
    assert (found.shared, found.only, found.not_annotated) == (1, [2, 0], [1, 1])
    same = [record("first", ("Ann", "r", "Ben")), record("first")]
    found = measure_agreement([same, same], names=["a", "b"])  # one text twice: in the order of the files
    assert found.shared == 2 and found.pairs[0].exact_f == 1.0 and found.disagreements == []


def test_what_is_not_defined() -> None:
    empty = [record("first")]
    found = measure_agreement([empty, empty], names=["a", "b"])
    (pair,) = found.pairs
    assert (pair.exact_f, pair.partial_f, pair.observed, pair.kappa, found.alpha) == (None, None, 1.0, None, None)
    one = [record("first", ("Ann", "r", "Ben"), entities=False)]
    other = [record("first", ("Ann", "r", "Cid"), entities=False)]
    found = measure_agreement([one, other], names=["a", "b"])  # no pair that both know
    assert (found.pairs[0].pairs, found.pairs[0].kappa, found.alpha) == (0, None, None)
    assert found.pairs[0].exact_f == 0.0
