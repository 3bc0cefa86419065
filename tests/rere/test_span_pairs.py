"""Candidate spans: the soft mutual rule against its definition, and which are selected."""

import itertools
from typing import Any, Set, Tuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spacy_relext.rere import span_pairs
from spacy_relext.rere.span_pairs import (
    PairScorer,
    SpanLimits,
    cross_spans,
    propose_pairs,
    propose_spans,
    rank_in_group,
    score_spans,
    soft_span_scores,
    top_k_per_row,
)


def test_soft_scores_are_the_probability_of_the_mutual_rule() -> None:
    """Enumerate all draws of four tokens' pointers and count in which the rule gives each span."""
    starts, ends = [0.9, 0.2, 0.6, 0.1], [0.3, 0.8, 0.5, 0.7]
    scores = soft_span_scores(torch.tensor([starts]), torch.tensor([ends]))[0]
    for i, j in itertools.combinations_with_replacement(range(4), 2):
        expected = 0.0
        for drawn in itertools.product((0, 1), repeat=8):
            s, e = drawn[:4], drawn[4:]
            probability = 1.0
            for on, p in zip(drawn, starts + ends):
                probability *= p if on else 1 - p
            if s[i] and e[j] and not any(e[i:j]) and not any(s[i + 1 : j + 1]):
                expected += probability
        assert scores[i, j].item() == pytest.approx(expected, abs=1e-5)
    assert torch.equal(scores, torch.triu(scores))


def test_a_span_over_two_names_is_improbable() -> None:
    """Starts at 0 and 3, ends at 1 and 4: the span 0 to 4 has two certain ends and is no name."""
    starts, ends = torch.tensor([[0.95, 0, 0, 0.9, 0]]), torch.tensor([[0, 0.9, 0, 0, 0.95]])
    spans, _ = propose_spans(starts, ends, SpanLimits(0.1, 15, 8))
    assert sorted(spans.tolist()) == [[0, 0, 1], [0, 3, 4]]


def test_scores_of_single_spans_agree_with_the_table() -> None:
    torch.manual_seed(0)
    starts, ends = torch.rand(3, 9), torch.rand(3, 9)
    spans = torch.tensor([[r, i, j] for r in range(3) for i in range(9) for j in range(i, 9)])
    table = soft_span_scores(starts, ends)
    assert torch.allclose(score_spans(starts, ends, spans), table[tuple(spans.T)], atol=1e-6)


def test_best_spans_of_each_row() -> None:
    spans = torch.tensor([[1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 2, 2]])
    kept, scores = top_k_per_row(spans, torch.tensor([0.1, 0.2, 0.9, 0.5]), top_k=2)
    assert kept.tolist() == [[0, 1, 1], [0, 2, 2], [1, 0, 0]]
    assert torch.equal(scores, torch.tensor([0.9, 0.5, 0.1]))
    assert top_k_per_row(spans[:0], torch.zeros(0), top_k=2)[0].shape == (0, 3)


def test_pairs_stay_in_their_row_and_differ() -> None:
    subjects, objects = torch.tensor([[0, 1, 2], [1, 0, 0]]), torch.tensor([[0, 1, 2], [0, 4, 4], [1, 3, 3]])
    assert cross_spans(subjects, objects)[0].tolist() == [[0, 1, 2, 4, 4], [1, 0, 0, 3, 3]]


def test_what_lies_between_is_pooled_by_attention() -> None:
    torch.manual_seed(0)
    scorer = PairScorer(6, n_relations=0, hidden=4, dropout=0.0, between=True)
    tokens, context = torch.randn(1, 7, 6), torch.zeros(1, 6)
    pairs = torch.tensor([[0, 0, 1, 4, 5], [0, 4, 5, 0, 1], [0, 0, 2, 2, 4], [0, 1, 1, 2, 2]])
    assert scorer.between is not None
    values = scorer.between(tokens)[0]
    pooled = torch.zeros(4, 4)
    pooled[:2] = values[2:4, 4].softmax(0) @ values[2:4, :4]  # tokens 2 and 3; nothing between touching spans
    sums = span_pairs.pooled_sums(values.unsqueeze(0))
    assert torch.allclose((sums[4] - sums[2])[:4] / (sums[4] - sums[2])[4], pooled[0], atol=1e-6)
    logits = scorer(tokens, context, pairs, torch.zeros(4, dtype=torch.long), None)
    tokens[0, 6] += 1.0  # outside
    assert torch.equal(scorer(tokens, context, pairs, torch.zeros(4, dtype=torch.long), None), logits)
    tokens[0, 3] += 1.0
    changed = scorer(tokens, context, pairs, torch.zeros(4, dtype=torch.long), None) != logits
    assert changed.tolist() == [True, True, False, False]


@pytest.mark.parametrize("between", [False, True])
def test_many_pairs_are_scored_in_chunks(monkeypatch: pytest.MonkeyPatch, between: bool) -> None:
    torch.manual_seed(0)
    scorer = PairScorer(6, n_relations=3, hidden=4, dropout=0.0, between=between)
    tokens, context = torch.randn(2, 5, 6, requires_grad=True), torch.randn(2, 6, requires_grad=True)
    pairs = torch.tensor([[row, i, i, j, j] for row in (0, 1) for i in range(5) for j in range(5) if i != j])
    arguments = (tokens, context, pairs, pairs[:, 0], torch.arange(len(pairs)) % 3)

    def run() -> Tuple[Tensor, ...]:
        logits = scorer(*arguments)
        return (logits, *torch.autograd.grad(logits.square().sum(), [tokens, context, *scorer.parameters()]))

    whole = run()
    monkeypatch.setattr(span_pairs, "PAIRS_PER_CHUNK", 7)
    for value, expected in zip(run(), whole):
        torch.testing.assert_close(value, expected)


SPANS = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), max_size=12)


@given(SPANS, SPANS)
def test_every_subject_meets_every_other_span_of_its_row(subjects: Set[Tuple[int, ...]], objects: Any) -> None:
    expected = sorted((*s, *o[1:]) for s in subjects for o in objects if s[0] == o[0] and s[1:] != o[1:])
    tables = [torch.tensor(sorted(spans), dtype=torch.long).view(-1, 3) for spans in (subjects, objects)]
    assert sorted(map(tuple, cross_spans(*tables)[0].tolist())) == expected


def test_candidates_do_not_depend_on_how_many_rows_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    pointers, mask = torch.randn(30, 7, 4), torch.ones(30, 7, dtype=torch.bool)
    limits = SpanLimits(0.3, max_length=5, top_k=3)
    pairs, scores = propose_pairs(pointers, mask, None, limits)
    assert len(pairs)
    monkeypatch.setattr(span_pairs, "TABLE_CELLS", 300)
    for found, expected in zip(propose_pairs(pointers, mask, None, limits), (pairs, scores)):
        assert torch.equal(found, expected)


def test_members_are_numbered_within_their_group() -> None:
    assert rank_in_group(torch.tensor([2, 0, 2, 1, 2])).tolist() == [0, 0, 1, 0, 2]
    assert rank_in_group(torch.tensor([0, 2, 2, 2, 3, 3])).tolist() == [0, 0, 1, 2, 0, 1]
    assert rank_in_group(torch.zeros(0, dtype=torch.long)).tolist() == []
