"""HRERE's losses and network on worked numbers."""

import math
from typing import Any, Dict

import pytest
import torch
from torch import Tensor, nn

from spacy_relext.hrere.losses import agreement, hrere_loss, masked_logs
from spacy_relext.hrere.model import BagClassifier, HrereOutput, PairKnowledge, SentenceAttention
from spacy_relext.pairs.encoders.states import PairStates, TokenPairs

# of (no relation, r, r2)
TEXT, KB = [0.2, 1.0, -0.5], [-2.1875, -0.55, 0.6875]


def loss(text: Any = (TEXT,), kb: Any = (KB,), gold: Any = ((0.0, 1.0, 0.0),), **options: Any) -> Dict[str, Tensor]:
    settings = {"kb_weight": 1.0, "agree_weight": 1.0, **options}
    linked, shared = settings.pop("linked", [True] * len(text)), settings.pop("shared", [True] * 3)
    outputs = HrereOutput(torch.as_tensor(text), torch.as_tensor(kb), torch.ones(len(text), 1), torch.zeros(0, 3))
    targets = {"gold": torch.tensor(gold), "linked": torch.tensor(linked), "shared": torch.tensor(shared)}
    return hrere_loss(outputs, targets, **settings)  # type: ignore[arg-type]


def values(terms: Dict[str, Tensor]) -> Dict[str, float]:
    return {key: float(value) for key, value in terms.items()}


def test_the_papers_losses() -> None:
    found = values(loss())
    assert found == pytest.approx({"text": 0.514295, "kb": 1.535027, "agree": 2.014295}, abs=1e-6)
    assert sum(found.values()) == pytest.approx(4.063617, abs=1e-6)


@pytest.mark.parametrize("where, expected", [("on r*", 0.0), ("elsewhere", math.inf), ("level", 4.007333)])
def test_bounds_of_agreement(where: str, expected: float) -> None:
    """Of 55 classes."""
    logs = torch.zeros(1, 55).log_softmax(1)
    if where != "level":
        logs = torch.full((1, 55), -math.inf)
        logs[0, 3 if where == "on r*" else 4] = 0.0
    kb = torch.zeros(1, 55)
    kb[0, 3] = 9.0
    assert float(agreement(logs, kb.log_softmax(1))[0]) == pytest.approx(expected, abs=1e-6)


def test_weights() -> None:
    assert set(loss(kb_weight=0.0, agree_weight=0.0)) == {"text"}
    assert float(loss(kb_weight=0.5)["kb"]) == pytest.approx(1.535027 / 2, abs=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_gradients_of_agreement(share: float) -> None:
    """They are largest where text and knowledge base disagree most."""
    logits = torch.tensor([[math.log(1 - share), math.log(share)]], requires_grad=True)
    losses = agreement(logits.log_softmax(1), torch.tensor([[0.0, 3.0]]))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert float(gradient[0, 1]) == pytest.approx(share - 1, abs=1e-6)


def test_text_learns_from_the_knowledge_base_and_not_the_other_way_round() -> None:
    text, kb = torch.tensor([TEXT], requires_grad=True), torch.tensor([KB], requires_grad=True)
    terms = loss(text, kb, kb_weight=0.0)
    assert terms["agree"].requires_grad
    found = torch.autograd.grad(terms["agree"], [text, kb], allow_unused=True)
    assert found[0] is not None and found[1] is None


def test_bags_without_a_link_teach_the_knowledge_base_nothing() -> None:
    both = {"text": (TEXT, TEXT), "kb": (KB, KB), "gold": ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0))}
    found = values(loss(**both, linked=[True, False]))
    assert found == pytest.approx({"text": 0.514295, "kb": 1.535027 / 2, "agree": 2.014295 / 2}, abs=1e-6)
    assert values(loss(linked=[False])) == pytest.approx({"text": 0.514295, "kb": 0.0, "agree": 0.0}, abs=1e-6)


def test_relations_that_the_knowledge_base_does_not_know() -> None:
    logs = masked_logs(torch.tensor([KB]), torch.tensor([True, True, False]))
    assert logs.exp()[0].tolist() == pytest.approx([0.162805, 0.837194, 0.0], abs=1e-6)
    found = values(loss(gold=((0.0, 0.0, 1.0),), shared=[True, True, False]))
    assert found["kb"] == 0.0, "nothing is known of what gold states"
    assert found["agree"] == pytest.approx(0.514295, abs=1e-6), "the likeliest of those it knows"


def test_several_relations_of_a_bag_share_it() -> None:
    found = values(loss(gold=((0.0, 0.5, 0.5),)))
    assert found["text"] == pytest.approx((0.514295 + 2.014295) / 2, abs=1e-6)


def test_attention_over_the_mentions_of_a_bag() -> None:
    attention = SentenceAttention(3)
    with torch.no_grad():
        attention.diagonal.copy_(torch.tensor([1.0, 0.5, -1.0]))
        attention.query.copy_(torch.tensor([0.7, -0.3, 0.2]))
    rows = torch.tensor([[0.5, -0.2, 0.1], [0.9, 0.3, -0.4], [-0.6, 0.8, 0.2]])
    rows = rows.tanh()
    sentence, weights = attention(rows, torch.zeros(3, dtype=torch.long), 1)
    assert weights.tolist() == pytest.approx([0.377320, 0.461112, 0.161568], abs=1e-6)
    assert sentence[0].tolist() == pytest.approx([0.417890, 0.167141, -0.105703], abs=1e-6)
    twice, halves = attention(torch.cat([rows, rows]), torch.zeros(6, dtype=torch.long), 1)
    assert torch.allclose(twice, sentence, atol=1e-6) and torch.allclose(halves[:3] * 2, weights, atol=1e-6)
    same, equal = attention(rows[:1].repeat(4, 1), torch.zeros(4, dtype=torch.long), 1)
    assert equal.tolist() == pytest.approx([0.25] * 4) and torch.allclose(same[0], rows[0])


def test_bags_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    attention = SentenceAttention(4)
    nn.init.normal_(attention.query)
    rows = torch.randn(5, 4)
    alone, _ = attention(rows[2:], torch.zeros(3, dtype=torch.long), 1)
    together, _ = attention(rows, torch.tensor([0, 0, 1, 1, 1]), 2)
    assert torch.allclose(alone[0], together[1], atol=1e-6)


def knowledge(no_relation: str = "bias") -> PairKnowledge:
    found = PairKnowledge(3, no_relation=no_relation, kb_width=4, kb_rows=2)
    relations = torch.tensor([[0.3, -1.0, 0.7, 0.2], [1.0, 0.5, 0.0, -0.5]])
    found.load(relations, torch.zeros_like(relations))
    return found


H, T = torch.tensor([[1.0, -0.5, 0.5, 1.0]]), torch.tensor([[0.5, 2.0, -1.0, 0.25]])
NONE = torch.zeros(1, dtype=torch.long)


def test_what_the_knowledge_base_says() -> None:
    module = knowledge()
    with torch.no_grad():
        module.bias[0] = -2.1875
        found = module(H, T, NONE, NONE)
        assert found[0].tolist() == pytest.approx(KB)
        assert found.softmax(1)[0].tolist() == pytest.approx([0.041898, 0.215450, 0.742653], abs=1e-6)
        assert float(module(T, H, NONE, NONE)[0, 1]) == pytest.approx(2.05)
        module.reversed.copy_(module.forwards)
        module.forwards.zero_()
        assert float(module(T, H, NONE, NONE)[0, 1]) == pytest.approx(-0.55), "read the other way round"


def test_no_relation_has_an_embedding() -> None:
    module = knowledge("vector")
    with torch.no_grad():
        assert float(module(H, T, NONE, NONE)[0, 0]) == 0.0, "it begins as the bias does"
        assert module.none is not None
        module.none.copy_(torch.tensor([[0.4, 0.2, 0.1, 0.9]]))
        assert module(H, T, NONE, NONE)[0].tolist() == pytest.approx([-2.1875, *KB[1:]])
        module.scale.fill_(2.0)
        assert float(module(H, T, NONE, NONE)[0, 0]) == pytest.approx(-4.375)


def test_changes_of_entities_begin_with_none() -> None:
    module = knowledge()
    with torch.no_grad():
        assert torch.equal(module(H, T, NONE + 1, NONE + 2), module(H, T, NONE, NONE))
        module.changes.weight[1] = 0.5
        assert torch.equal(module(H, T, NONE + 1, NONE), module(H + 0.5, T, NONE, NONE))


class Encoder(TokenPairs):
    """Takes the vectors of tokens as they are."""

    output_width = 4

    def configure(self, **_: Any) -> None:
        """Nothing is to be sized."""

    def forward(self, tokens: Tensor, mask: Tensor) -> PairStates:
        """The first token is the subject, the second one the object."""
        return PairStates(tokens, mask, tokens[:, 0], tokens[:, 0], tokens[:, 1])


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    module = BagClassifier(Encoder(), hidden=8, dropout=0.0)
    module.configure(n_classes=3, n_types=1, encoder={})
    module.eval()
    tokens = torch.randn(2, 5, 4)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    arrays = {"bag": torch.tensor([0, 1]), "subjects": torch.zeros(2, 1), "objects": torch.zeros(2, 1)}
    arrays.update(subject_rows=NONE.repeat(2), object_rows=NONE.repeat(2))
    short = module(tokens=tokens, mask=mask, **arrays)
    wide = torch.cat([tokens, torch.full((2, 20, 4), 9.0)], 1)
    long = module(tokens=wide, mask=torch.cat([mask, torch.zeros(2, 20, dtype=torch.bool)], 1), **arrays)
    assert torch.allclose(short.text, long.text, atol=1e-6)
    assert not short.knowledge.any(), "there is no knowledge base"
