"""Pairs over shared token vectors: what they read, that padding changes nothing, that everything learns."""

from typing import Any, Dict, Sequence

import pytest
import torch

from spacy_relext.pairs.encoders.shared import SharedPairs

WIDTH, HIDDEN, N_TYPES = 4, 6, 3


def encoder(**options: Any) -> SharedPairs:
    torch.manual_seed(0)
    model = SharedPairs(hidden=HIDDEN, dropout=0.0, **options)
    model.configure(width=WIDTH, n_tags=1, n_types=N_TYPES)
    return model.eval()


def batch(lengths: Sequence[int], *, room: int = 0) -> Dict[str, Any]:
    """A text for each pair; the subject is its first token, the object its last."""
    torch.manual_seed(1)
    longest = max(lengths, default=0) + room
    index = torch.full((len(lengths), longest), -1)
    roles, pooled = torch.zeros_like(index), torch.zeros_like(index, dtype=torch.bool)
    begin = 0
    for row, length in enumerate(lengths):
        index[row, :length] = torch.arange(begin, begin + length)
        roles[row, 0], roles[row, length - 1] = 1, 2
        pooled[row, 1 : length - 1] = True
        begin += length
    vectors = torch.randn(begin, WIDTH)
    types = torch.arange(longest).remainder(N_TYPES).repeat(len(lengths), 1)
    return {"vectors": vectors, "index": index, "types": types, "roles": roles, "pooled": pooled}


def test_what_a_pair_reads() -> None:
    states = encoder()(**batch([5]))
    assert torch.equal(states.subject[0], states.tokens[0, 0]) and torch.equal(states.object[0], states.tokens[0, 4])
    assert torch.equal(states.sentence[0], states.tokens[0, 1:4].amax(0))


def test_neighbours_without_a_word_between_them_are_the_sentence() -> None:
    states = encoder()(**batch([2]))
    assert torch.equal(states.sentence[0], states.tokens[0].amax(0))


def test_roles_and_types_are_read() -> None:
    model, pairs = encoder(), batch([5])
    swapped = model(**{**pairs, "roles": torch.tensor([[2, 0, 0, 0, 1]])})
    assert not torch.allclose(swapped.subject, model(**pairs).object)
    retyped = model(**{**pairs, "types": (pairs["types"] + 1) % N_TYPES})
    assert not torch.allclose(retyped.subject, model(**pairs).subject)


def test_context_has_the_tokens_between_the_whole_text_and_the_distance() -> None:
    model, pairs = encoder(context=True), batch([6])
    pairs["roles"], pairs["pooled"][0, 4] = torch.tensor([[1, 0, 0, 0, 2, 0]]), False
    states, vectors = model(**pairs), pairs["vectors"]
    scores, values = model.scores(vectors), model.values(vectors)
    between, whole = scores[1:4, 0].softmax(0) @ values[1:4, :HIDDEN], scores[:, 1].softmax(0) @ values[:, HIDDEN:]
    context = torch.nn.functional.gelu(between + whole + model.distances.weight[12 + 4])
    torch.testing.assert_close(states.sentence[0], states.tokens[0, 1:4].amax(0) + context)
    backwards = model(**{**pairs, "roles": torch.tensor([[2, 0, 0, 0, 1, 0]])})
    assert not torch.allclose(backwards.sentence, states.sentence)


@pytest.mark.parametrize("context", [False, True])
def test_padding_changes_nothing(context: bool) -> None:
    model, pairs = encoder(context=context), batch([5], room=3)
    pairs["types"][0, 5:], pairs["roles"][0, 5:], pairs["pooled"][0, 5:] = 2, 3, True
    padded, alone = model(**pairs), model(**batch([5]))
    assert torch.equal(padded.tokens[:, :5], alone.tokens) and not padded.tokens[:, 5:].any()
    for parts in zip(padded[2:], alone[2:]):
        torch.testing.assert_close(*parts)


@pytest.mark.parametrize("context", [False, True])
def test_every_weight_learns(context: bool) -> None:
    model, pairs = encoder(context=context).train(), batch([6] * 20)
    vectors = pairs["vectors"].requires_grad_()
    torch.stack(model(**pairs)[2:]).square().sum().backward()
    assert vectors.grad is not None and vectors.grad.any()
    learnt = {name: weight.grad for name, weight in model.named_parameters()}
    assert all(gradient is not None and gradient.any() for gradient in learnt.values())
    assert learnt["roles.weight"][:3].any(1).all()  # type: ignore[index]


@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("width", [0, 4])
def test_no_pairs(width: int, context: bool) -> None:
    empty = torch.zeros(0, width, dtype=torch.long)
    arrays = {"index": empty, "types": empty, "roles": empty, "pooled": empty.bool()}
    states = encoder(context=context)(vectors=torch.zeros(3, WIDTH), **arrays)
    assert [tuple(part.shape) for part in states] == [(0, width, HIDDEN), (0, width), *[(0, HIDDEN)] * 3]
