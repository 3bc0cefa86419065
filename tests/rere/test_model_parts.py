"""Entity types of arguments, the ranking of pairs with a common argument, and the mean of word pieces."""

import math

import pytest
import torch

from spacy_relext.rere.losses import extractor_loss, rank_loss
from spacy_relext.rere.model import ExtractorOutput, means_of_rows
from spacy_relext.rere.settings import RereExtractorLoss
from spacy_relext.rere.span_pairs import ArgumentTypes, no_types

PAIRS = torch.tensor([[0, 0, 1, 3, 3], [0, 3, 3, 0, 1], [1, 2, 2, 0, 1]])


def test_each_span_of_a_sentence_is_typed_once() -> None:
    torch.manual_seed(0)
    types = ArgumentTypes(6, n_relations=2, n_types=3)
    sentence, relation = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
    fit, spans, logits = types(torch.randn(2, 5, 6), PAIRS, sentence, relation)
    assert spans.tolist() == [[0, 0, 1], [0, 3, 3], [1, 0, 1], [1, 2, 2]]
    assert logits.shape == (4, 4)
    assert fit.tolist() == [0.0, 0.0, 0.0], "types say nothing of relations before training"


def test_fit_is_the_affinity_of_both_types() -> None:
    types = ArgumentTypes(6, n_relations=2, n_types=1)
    with torch.no_grad():
        types.ends.weight.zero_()
        types.ends.bias.copy_(torch.tensor([0.0, 0.0, math.log(3.0), 0.0]))  # every span: 3/4 and 1/4
        types.subject.weight[1] = torch.tensor([4.0, 0.0])
        types.object.weight[1] = torch.tensor([0.0, 8.0])
    fit, *_ = types(torch.randn(2, 5, 6), PAIRS, torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    assert fit.tolist() == pytest.approx([0.0, 5.0, 5.0])


def test_rank_loss_by_hand() -> None:
    """Two objects of one subject with logits log 3 and 0, the first is gold: -log 3/4; as objects they stand alone."""
    pairs = torch.tensor([[0, 0, 0, 2, 2], [0, 0, 0, 4, 4]])
    gold = torch.tensor([1.0, 0.0])
    loss = rank_loss(torch.tensor([math.log(3.0), 0.0]), pairs, gold)
    assert float(loss) == pytest.approx(-math.log(0.75) / 2)


def test_ranked_pairs_are_of_one_row() -> None:
    pairs = torch.tensor([[0, 0, 0, 2, 2], [1, 0, 0, 4, 4]])
    assert float(rank_loss(torch.zeros(2), pairs, torch.tensor([1.0, 0.0]))) == 0.0
    assert float(rank_loss(torch.zeros(0), torch.zeros(0, 5, dtype=torch.long), torch.zeros(0))) == 0.0


def test_rank_loss_has_the_right_gradient() -> None:
    pairs = torch.tensor([[0, 0, 0, 2, 2], [0, 0, 0, 4, 4], [0, 1, 1, 2, 2], [0, 1, 1, 4, 4]])
    gold = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    logits = torch.randn(4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: rank_loss(z, pairs, gold), (logits,))


@pytest.mark.parametrize(("entities", "classes"), [([[0, 0, 1, 1]], [1, 2]), ([[0, 3, 3, 0]], [2, 0]), ([], [2, 2])])
def test_type_of_a_span_is_that_of_its_entity(entities: list, classes: list) -> None:
    spans = torch.tensor([[0, 0, 1], [0, 3, 3]])
    logits = torch.tensor([[1.0, 2.0, 4.0], [0.5, 0.0, 1.0]])
    output = ExtractorOutput(
        torch.zeros(1, 5, 4),
        torch.ones(1, 5, dtype=torch.bool),
        PAIRS[:1],
        torch.zeros(1),
        torch.zeros(1, 2),
        spans,
        logits,
    )
    targets = {
        "pointers": torch.zeros(1, 5, 4),
        "weights": torch.ones(1),
        "gold_pairs": torch.zeros(0, 5, dtype=torch.long),
        "entities": torch.tensor(entities, dtype=torch.long).reshape(-1, 4),
    }
    loss = extractor_loss(output, targets, RereExtractorLoss(type_weight=2.0))["types"]
    expected = -logits.log_softmax(1)[[0, 1], classes].mean()
    assert float(loss) == pytest.approx(2.0 * float(expected))
    unknown = {**targets, "untyped": torch.tensor([0])}  # nothing is known about entities of the only sentence
    assert float(extractor_loss(output, unknown, RereExtractorLoss(type_weight=2.0))["types"]) == 0.0
    other = {**targets, "untyped": torch.tensor([1])}
    assert float(extractor_loss(output, other, RereExtractorLoss(type_weight=2.0))["types"]) == float(loss)
    without = output._replace(**dict(zip(("spans", "type_logits"), no_types(PAIRS))))
    assert "types" not in extractor_loss(without, targets, RereExtractorLoss())


def test_the_mean_of_all_pieces_of_a_sequence() -> None:
    """Two padded batches, of two sequences and of one; the last sequence comes first in the input."""
    masks = [torch.tensor([[True, True, False], [True, True, True]]), torch.tensor([[True, True]])]
    cells = torch.tensor([[1.0], [3.0], [100.0], [2.0], [4.0], [9.0], [7.0], [9.0]])
    assert means_of_rows(cells, masks, torch.tensor([6, 0, 3])).tolist() == [[8.0], [2.0], [5.0]]


def test_no_sentences() -> None:
    assert means_of_rows(torch.zeros(0, 4), [], torch.zeros(0, dtype=torch.long)).shape == (0, 4)
