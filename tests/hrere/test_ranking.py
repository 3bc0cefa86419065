"""What is said of bags and of mentions, as cells of a ranking."""

from typing import Any, Dict, Sequence, Tuple

import numpy
import pytest
import spacy
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.hrere.bags import Bags, gather_bags
from spacy_relext.hrere.ranking import BAG, MENTION, cells_of, judged_pairs
from spacy_relext.pairs.gold import GoldPairs, PairClass, gold_pairs
from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.scoring.ranking import rank_cells, score_ranking

NLP = spacy.blank("en")
IDS = {"Ada": "Q1", "Bo": "Q2"}
FORWARDS, BACKWARDS = PairClass("knows", False), PairClass("knows", True)


def example(verb: str, facts: Sequence[Tuple[str, str, str]], *, ids: Dict[str, str] = IDS) -> Example:
    """Ada and Bo in one sentence, linked as the ids say."""
    doc = NLP.make_doc(f"Ada {verb} Bo .")
    names = {"Ada": doc[0:1], "Bo": doc[2:3]}
    doc.set_ents([doc.char_span(s.start_char, s.end_char, label="P", kb_id=ids.get(n, "")) for n, s in names.items()])
    reference = doc.copy()
    set_triples(reference, [(names[h], relation, names[t]) for h, relation, t in facts])
    return Example(doc, reference)


def bags_with_gold(examples: Sequence[Example], *, unit: str, suggest: Any = None) -> Tuple[Bags, GoldPairs]:
    gold = gold_pairs(suggest or EntityPairs(), examples)
    bags = gather_bags(gold.pairs, across=True)
    if unit == MENTION:
        order = numpy.arange(len(gold.pairs))
        bags = Bags(gold.pairs, order, order, [bags.ids[0]] * len(order))
    return bags, gold


def cells(examples: Sequence[Example], probs: Any, classes: Sequence[PairClass], *, unit: str, **options: Any) -> Any:
    bags, gold = bags_with_gold(examples, unit=unit, **options)
    return cells_of(bags, gold, numpy.asarray(probs), classes, unit=unit)


KNOWN = [example("met", [("Ada", "knows", "Bo")]), example("saw", [])]


def test_a_bag_is_known_by_its_links() -> None:
    found, facts = cells(KNOWN, [[0.3, 0.7], [0.9, 0.1]], [FORWARDS], unit=BAG)
    assert facts == {(("Q1", "Q2"), "knows")}
    assert [(c.key, c.score, c.gold) for c in found] == [(("Q1", "Q2"), 0.7, True), (("Q2", "Q1"), 0.1, False)]


def test_a_mention_is_known_by_its_place() -> None:
    probs = [[0.3, 0.7], [0.9, 0.1], [0.4, 0.6], [0.8, 0.2]]
    found, facts = cells(KNOWN, probs, [FORWARDS], unit=MENTION)
    one, two, three, four = (0, 0, 1), (0, 2, 3), (1, 0, 1), (1, 2, 3)
    assert facts == {((one, two), "knows")}
    assert [cell.key for cell in found] == [(one, two), (two, one), (three, four), (four, three)]
    assert [cell.gold for cell in found] == [True, False, False, False]


def test_without_links_a_bag_is_known_by_its_place() -> None:
    rows = [example("met", [("Ada", "knows", "Bo")], ids={"Ada": "Q1"}), example("saw", [], ids={})]
    found, facts = cells(rows, [[0.3, 0.7]] * 4, [FORWARDS], unit=BAG)
    assert facts == {(((0, 0, 1), (0, 2, 3)), "knows")}
    assert [cell.key[0][0] for cell in found] == [0, 0, 1, 1] and [cell.gold for cell in found] == [True] + [False] * 3


def test_classes_that_are_read_backwards_are_about_the_turned_pair() -> None:
    """Where a pair is scored from both sides, the higher score counts."""
    probs = [[0.1, 0.6, 0.3], [0.1, 0.2, 0.7]]
    found, _ = cells(KNOWN, probs, [FORWARDS, BACKWARDS], unit=BAG)
    assert {c.key: (c.score, c.gold) for c in found} == {("Q1", "Q2"): (0.7, True), ("Q2", "Q1"): (0.3, False)}


def test_facts_that_nobody_scored_are_missed() -> None:
    lost = example("knew", [("Ada", "knows", "Bo"), ("Ada", "owes", "Bo")])
    found, facts = cells([lost], [[0.3, 0.7], [0.9, 0.1]], [FORWARDS], unit=BAG)
    ranking = rank_cells(found, unit=BAG, facts=facts)
    assert (ranking.positives, ranking.unscored) == (2, 1)
    scores = score_ranking(ranking)
    assert scores["bag_ap"] == pytest.approx(0.5), "the first of two is found, the other never"

    nobody = EntityPairs(max_distance=0)
    found, facts = cells([lost], numpy.zeros((0, 2)), [FORWARDS], unit=BAG, suggest=nobody)
    assert not found and rank_cells(found, unit=BAG, facts=facts).unscored == 2


def test_the_same_fact_in_two_sentences_is_one_of_bags_and_two_of_mentions() -> None:
    rows = [example(verb, [("Ada", "knows", "Bo")]) for verb in ("met", "saw")]
    counts = {}
    for unit, probs in ((BAG, [[0.3, 0.7]] * 2), (MENTION, [[0.3, 0.7]] * 4)):
        found, facts = cells(rows, probs, [FORWARDS], unit=unit)
        counts[unit] = rank_cells(found, unit=unit, facts=facts).positives
    assert counts == {BAG: 1, MENTION: 2}


def relink(known: Example, **ids: str) -> Example:
    """The same with other ids on the predicted Doc, as a linker gives them; "" removes the entity."""
    doc = known.predicted.copy()
    spans = [doc.char_span(e.start_char, e.end_char, label="P", kb_id=ids.get(e.text, e.kb_id_)) for e in doc.ents]
    doc.set_ents([span for span in spans if span.kb_id_])
    return Example(doc, known.reference)


def test_facts_are_about_the_entities_that_gold_links() -> None:
    """A relation of a wrong id is wrong, wherever it stands, and that of the right one is missed."""
    rows = [relink(KNOWN[0], Ada="Q7"), relink(KNOWN[0], Ada="")]
    found, facts = cells(rows, [[0.3, 0.7], [0.9, 0.1]], [FORWARDS], unit=BAG)
    assert facts == {(("Q1", "Q2"), "knows")}
    assert [(cell.key, cell.gold) for cell in found] == [(("Q7", "Q2"), False), (("Q2", "Q7"), False)]
    assert rank_cells(found, unit=BAG, facts=facts).unscored == 1


def test_without_gold_links_facts_are_about_those_that_were_found() -> None:
    bare = example("met", [("Ada", "knows", "Bo")], ids={})
    found, facts = cells([relink(bare, Ada="Q1", Bo="Q2")], [[0.3, 0.7], [0.9, 0.1]], [FORWARDS], unit=BAG)
    assert facts == {(("Q1", "Q2"), "knows")} and [cell.gold for cell in found] == [True, False]


def test_what_a_corpus_does_not_mark_is_not_ranked() -> None:
    """Unless one of both is no entity: then the pair is wrong."""
    doc = NLP.make_doc("Ada met Bo and Cy .")
    doc.set_ents([doc.char_span(*place, label="P") for place in ((0, 3), (8, 10), (15, 17))])
    reference = doc.copy()
    set_triples(reference, [])
    reference.set_ents([reference.char_span(*place, label="P") for place in ((0, 3), (8, 10))])
    pairs = {}
    for marks in (None, [], [{"subject": [8, 10], "object": [0, 3]}]):
        if marks is not None:
            reference.user_data[PAIRS_KEY] = marks
        gold = judged_pairs(gold_pairs(EntityPairs(), [Example(doc, reference)]))
        spans = [gold.pairs.spans(n) for n in range(len(gold))]
        pairs[str(marks)] = sorted({" ".join(sorted(span.text for span in each)) for each in spans})
    everything = ["Ada Bo", "Ada Cy", "Bo Cy"]
    assert list(pairs.values()) == [everything, everything[1:], everything]
