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
    "index": torch.tensor([[0, 1, 2, 3, 4, -1], [3, 4, 5, 6, 7, -1]]),
    "mentions": torch.tensor([[[0, 1], [3, 3]], [[4, 4], [-1, -1]], [[6, 7], [-1, -1]], [[9, 10], [8, 8]]]),
    "types": torch.tensor([1, 2, 0, 2]),
    "segments": torch.tensor([0, 0, 1, 1]),
    "pairs": torch.tensor([[0, 1], [1, 0], [2, 3]]),
}


def by_hand(model: DocumentPairs, vectors: Tensor, subject: int, obj: int) -> Tensor:
    def entity(number: int) -> Tensor:
        cells = ARRAYS["index"].flatten()
        mentions = [cells[mention].tolist() for mention in ARRAYS["mentions"][number] if mention[0] >= 0]
        states = [model.first(vectors[first]) + model.last(vectors[last]) for first, last in mentions]
        return torch.stack(states).exp().sum(0).log()

    rows = ARRAYS["index"][int(ARRAYS["segments"][subject]), :5]
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
    assert all(0 <= int(at) < 5 for at in output.evidence)


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
    nothing = {**ARRAYS, "pairs": torch.zeros(0, 2, dtype=torch.long), "index": torch.zeros(0, 0, dtype=torch.long)}
    nothing.update(
        mentions=torch.zeros(0, 0, 2, dtype=torch.long), types=nothing["pairs"][:, 0], segments=nothing["pairs"][:, 0]
    )
    assert make_model()(torch.zeros(8, 6, dtype=torch.float64), **nothing).logits.shape == (0, 3)
