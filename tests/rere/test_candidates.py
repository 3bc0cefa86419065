"""Decoding of candidates: spans, scores, and the edges of windows."""

from typing import Any, Dict, List, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext.rere.decode import ExtractorArrays, candidates_by_doc, decode_pointers, decode_scored_pairs
from spacy_relext.rere.rows import QueryRows, all_rows
from spacy_relext.rere.settings import RereDecoding
from spacy_relext.rere.windows import make_windows

NLP = spacy.blank("en")
FOUNDERS = "Bill Gates and Paul Allen founded Microsoft and Vulcan."
# subject start, subject end, object start, object end: probability by token
POINTERS = ({0: 0.9, 3: 0.7}, {1: 0.8, 4: 0.9}, {6: 0.95, 8: 0.6}, {6: 0.9, 8: 0.5})


def rows_and_output(
    text: str, *probs: Dict[int, float], pairs: Any = (), **options: int
) -> Tuple[QueryRows, ExtractorArrays]:
    doc = NLP.make_doc(text)
    rows = all_rows(make_windows([doc], **{"max_length": 100, "stride": 50, **options}), n_labels=1)
    index = rows.windows.token_index()
    logits = numpy.full((*index.shape, 4), -20.0)
    for pointer, by_token in enumerate(probs):
        for row, column in numpy.argwhere(index >= 0):
            prob = by_token.get(int(index[row, column]), 0.0)
            if prob:
                logits[row, column, pointer] = numpy.log(prob / (1 - prob))
    table = numpy.asarray(pairs, dtype="int64").reshape(-1, 5)
    probs_of = 1 / (1 + numpy.exp(-logits))
    ends = [probs_of[table[:, 0], table[:, 1 + pointer], pointer] for pointer in range(4)]
    span_probs = numpy.stack([ends[0] * ends[1], ends[2] * ends[3]], axis=1)
    zeros = numpy.zeros(len(table))
    return rows, ExtractorArrays(logits, index >= 0, table, zeros, span_probs, table[:0, :3], span_probs[:0])


def texts_of(rows: QueryRows, table: Any, threshold: float = 0.0) -> List[Tuple[str, str, float]]:
    thresholds = numpy.asarray([threshold])
    (candidates,) = candidates_by_doc(rows, table, table.scores(), labels=["founded"], thresholds=thresholds)
    text = rows.windows.docs[0].text
    return [(text[slice(*c.subject)], text[slice(*c.object)], round(c.score, 4)) for c in candidates]


@pytest.mark.parametrize(
    "threshold, expected",
    [
        (0.5, {("Paul Allen", "Microsoft"), ("Paul Allen", "Vulcan"), ("Bill Gates", "Microsoft")}),
        (0.65, {("Paul Allen", "Microsoft"), ("Bill Gates", "Microsoft")}),
        (0.75, {("Bill Gates", "Microsoft")}),
        (0.95, set()),
    ],
)
def test_spans_and_nearest_objects(threshold: float, expected: Any) -> None:
    rows, output = rows_and_output(FOUNDERS, *POINTERS)
    triples = texts_of(rows, decode_pointers(rows, output, RereDecoding(span_threshold=threshold)))
    assert {(subject, obj) for subject, obj, _ in triples} == expected and len(triples) == len(expected)


@pytest.mark.parametrize("span_rule", ["mutual", "nearest"])
def test_a_threshold_itself_is_enough(span_rule: str) -> None:
    rows, output = rows_and_output(FOUNDERS, {0: 0.5}, {1: 0.5}, {6: 0.5}, {6: 0.5})
    for threshold, expected in ((0.5, 1), (0.5 + 1e-6, 0)):
        table = decode_pointers(rows, output, RereDecoding(span_rule=span_rule, span_threshold=threshold))
        assert len(texts_of(rows, table)) == expected


def test_nearest_rule_keeps_the_start_before_another_start() -> None:
    rows, output = rows_and_output(FOUNDERS, {0: 0.9, 3: 0.7}, {4: 0.9}, {6: 0.9}, {6: 0.9})
    nearest = RereDecoding(span_threshold=0.5, span_rule="nearest")
    subjects = {s for s, _, _ in texts_of(rows, decode_pointers(rows, output, nearest))}
    assert subjects == {"Bill Gates and Paul Allen", "Paul Allen"}
    (only,) = texts_of(rows, decode_pointers(rows, output, RereDecoding(span_threshold=0.5)))
    assert only == ("Paul Allen", "Microsoft", round((0.7 * 0.9 * 0.9 * 0.9) ** (1 / 6), 4))


def test_scored_pairs() -> None:
    rows, output = rows_and_output(FOUNDERS, *POINTERS, pairs=[[0, 0, 1, 6, 6], [0, 3, 4, 8, 8]])
    table = decode_scored_pairs(rows, output)
    expected = [((0.72 * 0.855) ** 0.5 * 0.5) ** (1 / 3), ((0.63 * 0.3) ** 0.5 * 0.5) ** (1 / 3)]
    assert table.scores() == pytest.approx(expected)
    assert texts_of(rows, table, threshold=0.7) == [("Bill Gates", "Microsoft", round(expected[0], 4))]


def test_evidence_has_four_digits_and_the_score_all() -> None:
    rows, output = rows_and_output(FOUNDERS, {0: 1 / 3}, {1: 1 / 3}, {6: 2 / 3}, {6: 1 / 3}, pairs=[[0, 0, 1, 6, 6]])
    table = decode_scored_pairs(rows, output)
    ((found,),) = candidates_by_doc(rows, table, table.scores(), labels=["founded"], thresholds=numpy.zeros(1))
    assert found.evidence == {"relation": 1.0, "subject": 0.1111, "object": 0.2222, "pair": 0.5}
    assert found.score == pytest.approx(((1 / 9 * 2 / 9) ** 0.5 * 0.5) ** (1 / 3), abs=1e-12)
    assert (found.subject, found.relation, found.object) == ((0, 10), "founded", (34, 43))


def test_empty_table() -> None:
    rows, output = rows_and_output(FOUNDERS)
    table = decode_pointers(rows, output, RereDecoding(span_threshold=0.5))
    assert len(table.scores()) == 0 and texts_of(rows, table) == []
    assert texts_of(rows, decode_scored_pairs(rows, output)) == []


def test_spans_at_a_cut_edge_are_dropped() -> None:
    # windows 0-4, 2-6 and 4-8 of eight tokens
    pairs = [
        [0, 0, 0, 2, 3],  # the object touches the right cut of the first window
        [1, 1, 1, 2, 2],  # inside the second
        [1, 0, 0, 2, 2],  # the subject touches its left cut
        [2, 1, 1, 3, 3],  # the end of the sentence is no cut
    ]
    probs = [dict.fromkeys(range(8), 0.9)] * 4
    rows, output = rows_and_output("a b c d e f g h", *probs, pairs=pairs, max_length=4, stride=2)
    assert [(s, o) for s, o, _ in texts_of(rows, decode_scored_pairs(rows, output))] == [("d", "e"), ("f", "h")]


def test_without_vectors_average_precision_is_of_the_triples(nlp: Language, examples: List[Example]) -> None:
    """What a listener reads is gone when the scores are computed."""
    pipe: Any = nlp.get_pipe("rere_extractor")
    pipe.cfg["threshold"] = 0.01
    expected = nlp.evaluate(examples)["exact_ap"]
    nlp.add_pipe("doc_cleaner", config={"attrs": {"tensor": None}})
    assert nlp.evaluate(examples)["exact_ap"] == pytest.approx(expected)
    pipe.cfg["threshold"] = 1.01
    assert nlp.evaluate(examples)["exact_ap"] == 0.0
