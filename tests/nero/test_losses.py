"""NERO's soft matcher and losses, on worked numbers."""

import math
from types import SimpleNamespace
from typing import List

import pytest
import torch

from spacy_relext.nero import losses as nero_losses
from spacy_relext.nero.grounding import entropy_confidence
from spacy_relext.nero.losses import batch_weights, clustering_loss, target_cross_entropy
from spacy_relext.nero.model import AttentionPooling, SoftMatcher

WORDS = {
    "S": (1.0, 0.0, 0.5),
    "O": (0.0, 1.0, -0.5),
    "was": (0.1, 0.1, 0.1),
    "founded": (0.8, 0.2, 1.0),
    "created": (0.7, 0.3, 0.8),
    "by": (-0.2, 0.4, 0.0),
    "sued": (-0.9, 0.1, 0.3),
}
RULE, CREATED, SUED = "S was founded by O", "S was created by O", "S was sued by O"
UNIFORM, ATTENTIVE = [0.0, 0.0, 0.0], [1.0, -1.0, 2.0]


def pooling_of(vector: List[float]) -> AttentionPooling:
    pooling = AttentionPooling(3, hidden=3)
    with torch.no_grad():
        pooling.project.weight.copy_(torch.eye(3))
        pooling.project.bias.zero_()
        pooling.vector.copy_(torch.tensor(vector))
    return pooling


def pool(texts: List[str], vector: List[float], *, pad: int = 0) -> torch.Tensor:
    pooling = pooling_of(vector)
    vectors = [torch.tensor([WORDS[word] for word in text.split()]) for text in texts]
    length = max(map(len, vectors)) + pad
    padded = torch.stack([torch.nn.functional.pad(each, (0, 0, 0, length - len(each)), value=9.0) for each in vectors])
    mask = torch.arange(length) < torch.tensor([len(each) for each in vectors])[:, None]
    return pooling(padded, mask)


def score(left: torch.Tensor, right: torch.Tensor, scale: List[float]) -> float:
    matcher = SoftMatcher(3)
    with torch.no_grad():
        matcher.scale.copy_(torch.tensor(scale))
        return float(matcher(left, right)[0, 0])


@pytest.mark.parametrize("vector, pooled", [(UNIFORM, (0.34, 0.34, 0.22)), (ATTENTIVE, (0.766982, 0.135898, 0.684145))])
def test_pooling(vector: List[float], pooled: List[float]) -> None:
    assert pool([RULE], vector)[0].tolist() == pytest.approx(pooled, abs=1e-6)
    assert pool([RULE], vector, pad=4)[0].tolist() == pytest.approx(pooled, abs=1e-6)


def test_attention() -> None:
    vectors = torch.tensor([[WORDS[word] for word in RULE.split()]])
    weights = pooling_of(ATTENTIVE).weights(vectors, torch.ones(1, 5, dtype=torch.bool))
    assert weights[0].tolist() == pytest.approx((0.367672, 0.083154, 0.498305, 0.038246, 0.012623), abs=1e-6)


@pytest.mark.parametrize(
    "vector, scale, created, sued",
    [
        (UNIFORM, [1.0, 1.0, 1.0], 0.995977, 0.724710),
        (UNIFORM, [1.0, 2.0, 0.5], 0.998537, 0.892418),
        (ATTENTIVE, [1.0, 1.0, 1.0], 0.995751, 0.986388),
        (ATTENTIVE, [1.0, 2.0, 0.5], 0.994194, 0.991628),
    ],
)
def test_matching(vector: List[float], scale: List[float], created: float, sued: float) -> None:
    rule = pool([RULE], vector)
    for text, expected in ((CREATED, created), (SUED, sued), (RULE, 1.0)):
        found = pool([text], vector)
        assert score(rule, found, scale) == pytest.approx(expected, abs=1e-6)
        for same in ([-each for each in scale], [3.0 * each for each in scale]):
            assert score(rule, found, same) == pytest.approx(expected, abs=1e-6)
        assert score(7.0 * rule, found, scale) == pytest.approx(expected, abs=1e-6)


def test_a_text_without_tokens_is_like_nothing() -> None:
    pooling = AttentionPooling(3, hidden=4)
    found = pooling(torch.randn(1, 2, 3), torch.zeros(1, 2, dtype=torch.bool))
    assert found.tolist() == [[0.0] * 3] and SoftMatcher(3)(found, torch.ones(1, 3)).tolist() == [[0.0]]
    found.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in pooling.parameters() if weight.grad is not None)


@pytest.mark.parametrize(
    "best, expected",
    [
        ([0.9, 0.5, 0.2, -0.1], [0.981092, 0.017969, 0.000895, 0.000045]),
        ([0.95, 0.9, 0.85, 0.6], [0.498851, 0.302568, 0.183517, 0.015064]),
        ([], []),
    ],
)
def test_weights_in_a_batch(best: List[float], expected: List[float]) -> None:
    scores = torch.tensor(best, requires_grad=True)
    weights = batch_weights(scores, sharpness=10.0)
    assert weights.tolist() == pytest.approx(expected, abs=1e-6) and not weights.requires_grad
    assert torch.allclose(batch_weights(scores + 5, sharpness=10.0), weights, atol=1e-5)


def test_unmatched_pairs() -> None:
    costs = torch.tensor([0.3, 1.2, 0.8, 2.0])
    logits = logits_of(costs.tolist())
    weights = batch_weights(torch.tensor([0.95, 0.9, 0.85, 0.6]), sharpness=10.0)
    zeros = torch.zeros(4, dtype=torch.long)
    assert float(target_cross_entropy(logits, zeros, weights=weights)) == pytest.approx(0.689679, abs=1e-6)
    assert float(target_cross_entropy(logits, zeros)) == pytest.approx(float(costs.mean()), abs=1e-6)
    soft = torch.nn.functional.one_hot(zeros, 2).float()
    assert float(target_cross_entropy(logits, soft, weights=weights)) == pytest.approx(0.689679, abs=1e-6)
    assert float(target_cross_entropy(logits[:0], zeros[:0])) == 0.0


G = [[1.0, 0.6, 0.4, -0.2], [0.6, 1.0, 0.1, 0.3], [0.4, 0.1, 1.0, 0.75], [-0.2, 0.3, 0.75, 1.0]]


def test_rules_in_clusters() -> None:
    scores, relations = torch.tensor(G), torch.tensor([0, 0, 1, 1])
    assert float(clustering_loss(scores, relations, margin=0.7)) == pytest.approx(0.13, abs=1e-6)
    weighted = clustering_loss(scores, relations, margin=0.7, weights=torch.tensor([11, 3, 5, 1]))
    assert float(weighted) == pytest.approx(0.153, abs=1e-6)
    # as the paper writes it: the same but for a constant
    same = relations[:, None] == relations
    push = (1 - scores.clamp(min=0.0).square()).masked_fill(same, 2.0).amin(1)
    pull = (0.7 - scores).clamp(min=0.0).square().masked_fill(~same, 0.0).amax(1)
    assert float((pull - push).mean()) == pytest.approx(-0.87, abs=1e-6)


def logits_of(costs: List[float]) -> torch.Tensor:
    """Logits of two classes whose first one has these cross-entropies."""
    return torch.stack([-(torch.tensor(costs).exp() - 1).log(), torch.zeros(len(costs))], 1)


@pytest.mark.parametrize("w_rules, total", [(1.0, 1.675439), (0.1, 1.225439)])
def test_all_terms(w_rules: float, total: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nero_losses, "clustering_loss", lambda *args, **kwargs: torch.tensor(0.153))
    units = torch.tensor([[1.0], [0.95], [0.9], [0.85], [0.6], [1.0]])  # a matched pair, four unmatched ones, a rule
    outputs = SimpleNamespace(logits=logits_of([0.8, 0.3, 1.2, 0.8, 2.0, 0.5]), unit=units)
    targets = {
        "matched": torch.tensor([[1.0, 0.0]]),
        "grid": torch.zeros(4, 1, dtype=torch.long),
        "teacher": torch.full((4, 2), 0.5),
        "low_confidence": torch.zeros(4, dtype=torch.bool),
        "rules": torch.ones(1, 1),
        "relations": torch.zeros(1, dtype=torch.long),
        "unmatched": torch.tensor(True),
    }
    options = {"margin": 0.7, "sharpness": 10.0, "temperature": 0.0, "teacher_share": 0.0}
    terms = nero_losses.nero_loss(outputs, targets, w_rules=w_rules, w_clus=0.2, w_unmatched=0.5, **options)
    assert float(terms["unmatched"]) == pytest.approx(0.5 * 0.689679, abs=1e-6)
    assert float(sum(terms.values())) == pytest.approx(total, abs=1e-6)


def test_clusters_of_one_relation_or_of_single_rules() -> None:
    scores = torch.tensor(G, requires_grad=True)
    one = clustering_loss(scores, torch.zeros(4, dtype=torch.long), margin=0.7)
    assert float(one.detach()) == pytest.approx((0.81 + 0.36 + 0.36 + 0.81) / 4, abs=1e-6)
    alone = clustering_loss(scores, torch.arange(4), margin=0.7)
    assert float(alone.detach()) == pytest.approx((0.36 + 0.36 + 0.5625 + 0.5625) / 4, abs=1e-6)
    alone.backward()
    assert torch.isfinite(scores.grad).all()  # type: ignore[arg-type]
    assert float(clustering_loss(scores[:0, :0].detach(), torch.zeros(0), margin=0.7)) == 0.0


def entropy(logits: torch.Tensor) -> float:
    """H in nats, from the confidence 1 - H / ln R."""
    (confidence,) = entropy_confidence(logits.softmax(1).numpy())
    return float(1.0 - confidence) * math.log(logits.shape[1])


def test_entropy() -> None:
    assert entropy(torch.tensor([[2.0, 0.5, -1.0]])) == pytest.approx(0.621585, abs=1e-6)
    for probs, expected in (([0.7, 0.2, 0.1], 0.801819), ([0.9, 0.05, 0.05], 0.394398), ([1 / 3] * 3, math.log(3))):
        assert entropy(torch.tensor([probs]).log()) == pytest.approx(expected, abs=1e-6)
    flat = [0.6, *[0.4 / 7] * 7]
    assert entropy(torch.tensor([flat]).log()) == pytest.approx(1.451376, abs=1e-6)
    assert entropy(torch.tensor([[1e4, 0.0]])) == pytest.approx(0.0, abs=1e-6)
