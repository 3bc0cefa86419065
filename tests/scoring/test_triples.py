import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.store import set_triples
from spacy_relext.scoring.triples import TRIPLE_SCORE_WEIGHTS, TripleScorer, collect_outcomes, score_triples
from tests.scoring.builders import locate, make_example

BIRTHS = "William Shakespeare came from Stratford-upon-Avon. Joe Biden came from Scranton."
GUS = ("Gus", "met", "Hal")
GOLD = [("William Shakespeare", "born", "Stratford-upon-Avon"), ("Joe Biden", "born", "Scranton")]


def test_worked_numbers_of_exact_and_partial_match():
    predicted = [
        ("William", "born", "Stratford-upon-Avon"),
        ("Joe Biden", "born", "Scranton"),
        ("Joe Biden", "born", "Avon"),
    ]
    scores = score_triples([make_example(BIRTHS, GOLD, predicted)])
    assert scores["exact_p"] == pytest.approx(0.333333, abs=1e-6)
    assert scores["exact_r"] == pytest.approx(0.5)
    assert scores["exact_f"] == pytest.approx(0.4)
    assert scores["partial_p"] == pytest.approx(0.666667, abs=1e-6)
    assert scores["partial_r"] == pytest.approx(1.0)
    assert scores["partial_f"] == pytest.approx(0.8)


def test_partial_match_takes_new_york_for_new_jersey_and_collapses():
    text = "New York and New Jersey lie near Lake Erie ."
    example = make_example(
        text, [("New York", "near", "Lake Erie")], [("New Jersey", "near", "Lake Erie"), ("New York", "near", "Lake")]
    )
    scores = score_triples([example])
    assert (scores["exact_f"], scores["partial_p"], scores["partial_r"]) == (0.0, 1.0, 1.0)


def test_span_match_sees_which_mention():
    text = "Ada met Bo . Ada left ."
    example = make_example(text, [("Ada", "met", "Bo")], None)
    set_triples(example.predicted, [{"subject": [13, 16], "relation": "met", "object": [8, 10]}], source="fake")
    scores = score_triples([example])
    assert (scores["exact_f"], scores["span_f"]) == (1.0, 0.0)


def test_gold_inside_a_token_is_widened_as_in_training():
    text = "Nr2785708 gehört Havgass ."
    example = make_example(text, [("2785708", "of", "Havgass")], [("Nr2785708", "of", "Havgass")])
    scores = score_triples([example])
    assert (scores["exact_f"], scores["span_f"]) == (1.0, 1.0)


def test_exact_match_is_case_sensitive_and_counts_a_repeated_triple_once():
    text = "Ada met Bo . Ada met Bo . ada met Bo ."
    example = make_example(text, [("Ada", "met", "Bo")], [("ada", "met", "Bo")])
    twice = [{"subject": [i, i + 3], "relation": "met", "object": [i + 8, i + 10]} for i in (0, 13)]
    set_triples(example.predicted, twice, source="other")
    scores = score_triples([example])
    assert (scores["exact_p"], scores["exact_r"]) == (0.5, 1.0)


def test_unannotated_documents_are_skipped_and_empty_ones_count():
    missed = make_example(BIRTHS, None, GOLD)
    assert score_triples([missed]) == {key: None for key in TRIPLE_SCORE_WEIGHTS}
    assert score_triples([]) == {key: None for key in TRIPLE_SCORE_WEIGHTS}
    scores = score_triples([missed, make_example(BIRTHS, GOLD, GOLD), make_example(BIRTHS, [], GOLD)])
    assert (scores["exact_p"], scores["exact_r"]) == (0.5, 1.0)
    assert scores["empty_error_rate"] == 1.0
    assert set(scores) == set(TRIPLE_SCORE_WEIGHTS)


def test_no_prediction_is_a_miss():
    scores = score_triples([make_example(BIRTHS, GOLD, None)])
    assert (scores["exact_p"], scores["exact_r"], scores["exact_f"]) == (0.0, 0.0, 0.0)
    assert scores["direction_accuracy"] is None


def test_annotated_but_nothing_to_find():
    scores = score_triples([make_example(BIRTHS, [], [])])
    assert scores["exact_f"] == 0.0 and scores["macro_f"] is None
    assert scores["empty_error_rate"] == 0.0 and scores["triples_per_type"] == {}


def test_macro_is_over_gold_relations_only():
    text = "Ada met Bo . Cy saw Di ."
    example = make_example(
        text,
        [("Ada", "met", "Bo"), ("Cy", "saw", "Di")],
        [("Ada", "met", "Bo"), ("Ada", "saw", "Di"), ("Ada", "knew", "Di")],
    )
    scores = score_triples([example])
    assert (scores["macro_p"], scores["macro_r"], scores["macro_f"]) == (0.5, 0.5, 0.5)
    assert (scores["exact_p"], scores["exact_r"], scores["exact_f"]) == (pytest.approx(1 / 3), 0.5, 0.4)
    assert scores["triples_per_type"] == {
        "knew": {"p": 0.0, "r": 0.0, "f": 0.0},
        "met": {"p": 1.0, "r": 1.0, "f": 1.0},
        "saw": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_empty_error_rate_counts_sentences():
    text = "Ada met Bo . Cy slept . Di met Ed . Flo slept ."
    example = make_example(text, [("Ada", "met", "Bo")], [("Ada", "met", "Bo"), ("Di", "met", "Ed")])
    assert score_triples([example])["empty_error_rate"] == pytest.approx(1 / 3)
    whole = make_example(text, [("Ada", "met", "Bo")], [("Di", "met", "Ed")], sents=False)
    assert score_triples([whole])["empty_error_rate"] is None
    crossing = make_example("Ada left . Cy slept . Di slept .", [("Ada", "met", "Cy")], [("Ada", "met", "Di")])
    assert score_triples([crossing])["empty_error_rate"] == 1.0, "of the third sentence: both of the others hold a part"


def test_direction():
    text = "Ada met Bo . Cy met Di . Ed met Flo ."
    gold = [("Ada", "met", "Bo"), ("Cy", "met", "Di"), ("Ed", "met", "Flo")]
    predicted = [("Ada", "met", "Bo"), ("Di", "met", "Cy"), ("Flo", "met", "Ed"), ("Ada", "saw", "Bo")]
    example, right = make_example(text, gold, predicted), make_example("Gus met Hal .", [GUS], [GUS])
    for examples, accuracy in (([example], 1 / 3), ([example, right], 2 / 4), ([right, example], 2 / 4)):
        assert score_triples(examples)["direction_accuracy"] == pytest.approx(accuracy)


def test_outcomes_are_collected_document_by_document():
    """The triple of two places counts once, with the higher score of the two."""
    text = "Ada met Bo . Cy saw Di . Ada met Bo ."
    first = make_example(text, [("Ada", "met", "Bo"), ("Cy", "saw", "Di")], [("Di", "saw", "Cy", 0.9)])
    places = [{"subject": [i, i + 3], "relation": "met", "object": [i + 8, i + 10]} for i in (0, 25)]
    set_triples(first.predicted, [{**each, "score": s} for each, s in zip(places, (0.3, 0.8))], source="other")
    examples = [first, make_example("Ed left .", None, []), make_example("Gus met Hal .", [GUS], [(*GUS, 0.5)])]
    found = collect_outcomes(examples)
    assert (found.scores.tolist(), found.correct.tolist()) == ([0.9, 0.8, 0.5], [False, True, True])
    assert (found.labels, found.gold_per_label, found.n_gold) == (["saw", "met", "met"], {"met": 2, "saw": 1}, 3)
    counts = (found.correct_per_document, found.predicted_per_document, found.gold_per_document)
    assert [each.tolist() for each in counts] == [[1, 1], [2, 1], [2, 1]]
    assert collect_outcomes(examples, source="other", label_filter=["met"]).scores.tolist() == [0.8]
    assert collect_outcomes(examples, candidates=[[], [], []], source="other").n_gold == 3


def test_source_and_gold_on_the_predicted_doc():
    example = make_example(BIRTHS, GOLD, GOLD[:1], source="one")
    set_triples(example.predicted, locate(BIRTHS, GOLD[1:]), source="two")
    set_triples(example.predicted, locate(BIRTHS, GOLD), source="")
    assert score_triples([example])["exact_r"] == 1.0
    assert score_triples([example], source="one")["exact_r"] == 0.5
    assert score_triples([example], source="absent")["exact_r"] == 0.0


def test_label_filter_keeps_emptiness():
    text = "Ada met Bo . Cy slept ."
    example = make_example(text, [("Ada", "met", "Bo")], [("Ada", "saw", "Bo"), ("Ada", "met", "Bo")])
    scores = score_triples([example], label_filter=["saw"])
    assert scores["exact_p"] == 0.0 and list(scores["triples_per_type"]) == ["saw"]
    assert scores["empty_error_rate"] == 0.0  # the first sentence does state something, if not a relation asked for
    assert score_triples([example], label_filter=["met"])["exact_f"] == 1.0


def test_registered_scorer_takes_a_components_settings_and_pickles():
    scorer = registry.scorers.get("spacy_relext.triple_scorer.v1")(label_filter=["born"])
    scorer = pickle.loads(pickle.dumps(scorer))
    example = make_example(BIRTHS, GOLD, GOLD)
    assert scorer([example], labels=["x"], threshold=0.3)["exact_f"] == 1.0
    assert scorer([example], source="fake")["exact_f"] == 1.0
    assert scorer([example], source="nobody")["exact_f"] == 0.0
    assert TripleScorer(source="fake")([example], source="nobody")["exact_f"] == 1.0
    both = make_example("Ada met Bo .", [("Ada", "met", "Bo")], [("Ada", "met", "Bo"), ("Bo", "saw", "Ada")])
    assert TripleScorer(label_filter=["met"])([both])["exact_p"] == 1.0 > TripleScorer()([both])["exact_p"]


def test_empty_text_and_nested_arguments():
    assert score_triples([make_example("", [], [])])["empty_error_rate"] is None
    text = "University of Bergen lies there ."
    nested = [("University of Bergen", "located_in", "Bergen")]
    assert score_triples([make_example(text, nested, nested)])["span_f"] == 1.0


WORDS = "Ada Bo Cy Di Ed".split()
TRIPLES = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(["met", "saw"]), st.sampled_from(WORDS)).filter(
        lambda t: t[0] != t[2]
    ),
    max_size=6,
)


@given(TRIPLES, TRIPLES)
def test_properties(gold, predicted):
    text = " ".join(WORDS)
    scores = score_triples([make_example(text, gold, predicted)])
    swapped = score_triples([make_example(text, predicted, gold)])
    assert scores["exact_p"] == swapped["exact_r"]
    assert scores["exact_f"] == pytest.approx(swapped["exact_f"])
    assert scores["exact_f"] == scores["span_f"] == scores["partial_f"]  # each word occurs once
    values = [v for key, v in scores.items() if key != "triples_per_type" and v is not None]
    assert all(0 <= value <= 1 for value in values)
    if gold and set(gold) == set(predicted):
        assert scores["exact_f"] == scores["macro_f"] == 1.0


def test_average_precision_is_of_all_candidates():
    """Of four candidates the first and the third are right; the second gold triple is below the threshold."""
    births = [(*GOLD[0], 0.9), ("Joe Biden", "born", "Stratford-upon-Avon", 0.8), (*GOLD[1], 0.3)]
    candidates = locate(BIRTHS, [*births, ("Joe Biden", "died", "Scranton", 0.1)])
    example = make_example(BIRTHS, GOLD, births[:2])
    unannotated = make_example(BIRTHS, None, births[:2])
    scores = score_triples([unannotated, example], candidates=[candidates, candidates])
    assert scores["exact_ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores["exact_p"] == scores["exact_r"] == 0.5
    assert score_triples([example])["exact_ap"] == 0.5
    nothing = score_triples([example], candidates=[candidates], label_filter=["died"])
    assert nothing["exact_ap"] is None, "there is no gold"


def test_candidates_are_those_of_the_component():
    example = make_example(BIRTHS, GOLD, [(*GOLD[0], 0.9)], source="one")
    candidates = [locate(BIRTHS, [(*each, 0.4) for each in GOLD])]
    options = {"source": "one", "candidates": candidates, "threshold": 0.5}
    assert TripleScorer()([example], **options)["exact_ap"] == 1.0
    assert TripleScorer(source="one")([example], **options)["exact_ap"] == 1.0
    assert TripleScorer(source="two")([example], **options)["exact_ap"] == 0.0


def test_pairs_that_a_corpus_does_not_mark_are_not_judged():
    text = "Ada met Bo and Cy . Ada left ."
    predicted = [("Ada", "met", "Bo"), ("Ada", "met", "Cy"), ("Ada", "met", "left")]
    example = make_example(text, [("Ada", "met", "Bo")], predicted)
    assert score_triples([example])["exact_p"] == pytest.approx(1 / 3)
    doc = example.reference
    doc.set_ents([doc.char_span(*place, label="P") for place in ((0, 3), (8, 10), (15, 17))])
    doc.user_data[PAIRS_KEY] = [{"subject": [8, 10], "object": [0, 3]}]
    assert score_triples([example])["exact_p"] == pytest.approx(1 / 2), "Ada and Cy are not marked; 'left' is no entity"
    again = [{"subject": [20, 23], "relation": "met", "object": [8, 10]}]
    set_triples(example.predicted, again, source="fake")
    assert score_triples([example])["exact_f"] == 1.0, "what gold states of the same names counts wherever it stands"


def test_assertions_of_right_triples_by_hand():
    text = "Ada met Bo . Cy saw Di . Ed knew Flo ."
    triples = [("Ada", "met", "Bo"), ("Cy", "saw", "Di"), ("Ed", "knew", "Flo")]

    def example(gold, predicted, extra=()):
        made = make_example(text, triples, [*triples, *extra])
        for doc, source, labels in ((made.reference, "", gold), (made.predicted, "fake", [*predicted, "denied"])):
            records = locate(text, [*triples, *extra] if source else triples)
            for record, label in zip(records, labels):
                record["attributes"] = {} if label == "stated" else {"assertion": label}
            set_triples(doc, records, source=source)
        return made

    wrong_triple = [("Bo", "met", "Ada")]
    scores = score_triples([example(["stated", "denied", "denied"], ["denied", "denied", "stated"], wrong_triple)])
    assert scores["assertion_accuracy"] == pytest.approx(1 / 3), "of the triple that is wrong, nothing is asked"
    assert scores["assertion_macro_f"] == pytest.approx((0.5 + 0.0) / 2)  # denied: one right, one wrong, one missed
    right = score_triples([example(["stated", "denied", "denied"], ["stated", "denied", "denied"])])
    assert (right["assertion_accuracy"], right["assertion_macro_f"]) == (1.0, 1.0)
    assert "assertion_accuracy" not in score_triples([example(["stated"] * 3, ["denied"] * 3)])
    assert "assertion_accuracy" not in score_triples([example(["denied"] * 3, ["denied"] * 3)])
    nothing = example(["stated", "denied", "denied"], ["stated"] * 3)
    set_triples(nothing.predicted, [], source="fake")
    found = score_triples([nothing])
    assert found["assertion_accuracy"] is None and found["assertion_macro_f"] is None
