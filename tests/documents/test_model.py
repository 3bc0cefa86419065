"""The classifier of pairs against the equations, computed pair by pair, and its gradient."""

import math
from typing import Any, Dict

import pytest
import torch
from torch import Tensor

from spacy_relext.documents.model import GROUP, DocumentPairs


def make_model(heads: int = 2) -> DocumentPairs:
    torch.manual_seed(0)
    model = DocumentPairs(hidden=GROUP, heads=heads, dropout=0.0)
    model.configure(width=6, n_relations=3, n_types=2)
    torch.nn.init.normal_(model.types.weight)
    return model.double().eval()


ARRAYS: Dict[str, Any] = {
    "tokens": [torch.arange(0, 5), torch.arange(3, 8)],
    "mentions": torch.tensor([[[0, 1], [3, 3]], [[4, 4], [-1, -1]], [[3, 4], [-1, -1]], [[6, 7], [5, 5]]]),
    "types": torch.tensor([1, 2, 0, 2]),
    "segments": torch.tensor([0, 0, 1, 1]),
    "pairs": torch.tensor([[0, 1], [1, 0], [2, 3]]),
}


def by_hand(model: DocumentPairs, vectors: Tensor, subject: int, obj: int) -> Tensor:
    def entity(number: int) -> Tensor:
        mentions = [m for m in ARRAYS["mentions"][number].tolist() if m[0] >= 0]
        states = [model.first(vectors[first]) + model.last(vectors[last]) for first, last in mentions]
        return torch.stack(states).exp().sum(0).log()

    rows = ARRAYS["tokens"][int(ARRAYS["segments"][subject])]
    size = GROUP // model.heads
    product = torch.zeros(len(rows), dtype=torch.float64)
    for head in range(model.heads):
        part = slice(head * size, (head + 1) * size)
        key = model.key(vectors[rows])[:, part]
        one, two = (((key @ model.query(entity(each))[part]) / math.sqrt(size)).softmax(0) for each in (subject, obj))
        product = product + one * two
    context = (product / product.sum()) @ model.context(vectors[rows])
    types = ARRAYS["types"]
    one = torch.tanh(model.subject(torch.cat([entity(subject), context])) + model.types.weight[types[subject]])
    two = torch.tanh(model.object(torch.cat([entity(obj), context])) + model.types.weight[3 + types[obj]])
    return model.bilinear(torch.outer(one, two).flatten())


@pytest.mark.parametrize("heads", [1, 4])
def test_the_equations(heads: int) -> None:
    model = make_model(heads)
    vectors = torch.randn(8, 6, dtype=torch.float64)
    output = model(vectors, **ARRAYS)
    for row, (subject, obj) in enumerate(ARRAYS["pairs"].tolist()):
        assert torch.allclose(output.logits[row], by_hand(model, vectors, subject, obj))
    counts = [len(ARRAYS["tokens"][int(ARRAYS["segments"][subject])]) for subject, _ in ARRAYS["pairs"].tolist()]
    assert all(0 <= int(at) < count for at, count in zip(output.evidence, counts))


def test_padding_and_order_change_nothing() -> None:
    model, vectors = make_model(), torch.randn(8, 6, dtype=torch.float64)
    padded = {**ARRAYS, "mentions": torch.cat([ARRAYS["mentions"], torch.full((4, 3, 2), -1)], 1)}
    swapped = {**ARRAYS, "mentions": ARRAYS["mentions"].flip(1)}
    logits = model(vectors, **ARRAYS).logits
    assert torch.allclose(logits, model(vectors, **padded).logits)
    assert torch.allclose(logits, model(vectors, **swapped).logits)
    alone = {**ARRAYS, "pairs": ARRAYS["pairs"][2:]}
    assert torch.allclose(logits[2:], model(vectors, **alone).logits), "a segment without pairs"


def test_gradient() -> None:
    model, vectors = make_model(), torch.randn(8, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: model(v, **ARRAYS).logits, [vectors])


def test_no_pairs() -> None:
    nothing = {**ARRAYS, "pairs": torch.zeros(0, 2, dtype=torch.long), "tokens": []}
    assert make_model()(torch.zeros(8, 6, dtype=torch.float64), **nothing).logits.shape == (0, 3)


def test_only_the_tokens_of_a_part_are_read() -> None:
    """A part of a long text gives what it gives when it stands alone."""
    torch.manual_seed(0)
    model = DocumentPairs(hidden=GROUP, heads=2, dropout=0.0).eval()
    model.configure(width=4, n_relations=3, n_types=2)
    vectors = torch.randn(30, 4)
    tokens, mentions = [torch.arange(10, 16)], torch.tensor([[[10, 11], [15, 15]], [[12, 12], [-1, -1]]])
    types, segments, pairs = torch.tensor([1, 2]), torch.tensor([0, 0]), torch.tensor([[0, 1], [1, 0]])
    with torch.no_grad():
        whole = model(vectors, tokens, mentions, types, segments, pairs)
        moved = torch.where(mentions < 0, mentions, mentions - 10)
        alone = model(vectors[10:16], [tokens[0] - 10], moved, types, segments, pairs)
    assert torch.allclose(whole.logits, alone.logits, atol=1e-5) and torch.equal(whole.evidence, alone.evidence)
