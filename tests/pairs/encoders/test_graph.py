"""Graph convolutions: the worked numbers, and pairs that do not hear of the pairs beside them."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
import torch
from torch import Tensor

from spacy_relext.pairs.encoders.graph import ContextualGraph, GraphConvolution, neighbours
from spacy_relext.pairs.encoders.states import PairStates, masked_max

STATES = [[1.0, 0.0], [0.5, -1.0], [-2.0, 1.0]]
CHAIN = torch.tensor([[0, 0, 1], [0, 1, 2]])
LAYERS = [([[0.5, -0.25], [1.0, 0.75]], [0.1, -0.2]), ([[1.0, 0.5], [-0.5, 1.0]], [0.0, 0.1])]
EXPECTED = {
    (False, 1): [[0.6, 0.175], [0.016667, 0.0], [0.0, 0.0]],
    (True, 1): [[0.6, 0.175], [0.0, 0.0], [0.0, 0.0]],
    (False, 2): [[0.352083, 0.033333], [0.234722, 0.055556], [0.008333, 0.095833]],
    (True, 2): [[0.343750, 0.0375], [0.229167, 0.025], [0.0, 0.1]],
}
POOLED = {False: [0.352083, 0.095833], True: [0.343750, 0.1]}

N_TAGS, N_TYPES, WIDTH = 4, 3, 6


def worked_layers(*, layers: int, legacy_bias: bool) -> GraphConvolution:
    graph = GraphConvolution(2, width=2, layers=layers, dropout=0.5, legacy_bias=legacy_bias).eval()
    state = {}
    for depth, (weight, bias) in enumerate(LAYERS[:layers]):
        state.update({f"layers.{depth}.weight": torch.tensor(weight), f"layers.{depth}.bias": torch.tensor(bias)})
    graph.load_state_dict(state)
    return graph


def chain_of_three(*, padding: int, value: float = 0.0) -> Tuple[Tensor, Tensor, Tensor]:
    length = 3 + padding
    states = torch.full((1, length, 2), value)
    states[0, :3] = torch.tensor(STATES)
    return states, neighbours(CHAIN, (1, length)), torch.arange(length)[None] < 3


@pytest.mark.parametrize("legacy_bias", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_worked_numbers(layers: int, legacy_bias: bool) -> None:
    states, adjacency, mask = chain_of_three(padding=0)
    assert (1 + adjacency.sum(-1)).tolist() == [[2, 3, 2]]
    found = worked_layers(layers=layers, legacy_bias=legacy_bias)(states, adjacency, mask)
    torch.testing.assert_close(found[0], torch.tensor(EXPECTED[legacy_bias, layers]), atol=1e-6, rtol=0.0)
    if layers == 2:
        torch.testing.assert_close(masked_max(found, mask)[0], torch.tensor(POOLED[legacy_bias]), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("legacy_bias", [False, True])
@pytest.mark.parametrize("value", [0.0, 7.0, float("nan")])
def test_padding_does_not_leak(legacy_bias: bool, value: float) -> None:
    """In the authors' code a padded row becomes (0.2, 0), then (0.2, 0.1), and is pooled with the entities."""
    for layers in (1, 2):
        graph = worked_layers(layers=layers, legacy_bias=legacy_bias)
        alone = graph(*chain_of_three(padding=0))
        padded = graph(*chain_of_three(padding=2, value=value))
        assert torch.equal(padded[:, :3], alone) and not padded[:, 3:].any()
    if legacy_bias:
        subject, obj = (masked_max(padded, torch.arange(5)[None] == token) for token in (0, 2))
        torch.testing.assert_close(torch.cat([subject, obj]), torch.tensor([[0.343750, 0.0375], [0.0, 0.1]]))


@pytest.mark.parametrize("legacy_bias", [False, True])
def test_gradients_of_the_convolution(legacy_bias: bool) -> None:
    torch.manual_seed(0)
    graph = GraphConvolution(3, width=4, layers=2, dropout=0.0, legacy_bias=legacy_bias).double()
    edges = torch.tensor([[0, 0, 1], [0, 2, 1], [0, 2, 3], [1, 0, 1]])
    mask = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
    states = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    names, weights = zip(*graph.named_parameters())

    def run(states: Tensor, *weights: Tensor) -> Tensor:
        arguments = (states, neighbours(edges, (2, 4)), mask)
        return torch.func.functional_call(graph, dict(zip(names, weights)), arguments)

    assert torch.autograd.gradcheck(run, (states, *weights))


def test_dropout_lies_between_the_layers_only() -> None:
    torch.manual_seed(0)
    states, adjacency, mask = chain_of_three(padding=0)
    one = worked_layers(layers=1, legacy_bias=False).train()
    assert all(torch.equal(one(states, adjacency, mask), one.eval()(states, adjacency, mask)) for _ in range(5))
    two = worked_layers(layers=2, legacy_bias=False).train()
    assert len({tuple(two(states, adjacency, mask).flatten().tolist()) for _ in range(9)}) > 1


def encoder(**options: Any) -> ContextualGraph:
    torch.manual_seed(0)
    built = ContextualGraph(**{"hidden": 5, "tag_width": 2, "type_width": 3, **options})
    built.configure(width=WIDTH, n_tags=N_TAGS, n_types=N_TYPES)
    return built.eval()


def batch(lengths: Sequence[int], *, edges: Optional[List[List[int]]] = None) -> Dict[str, Tensor]:
    """Pairs between a text's first two and its last token; every token but the last ones is in the tree, a chain."""
    torch.manual_seed(1)
    width = max(lengths, default=0)
    cells = torch.arange(width).expand(len(lengths), width)
    sizes = torch.tensor(lengths, dtype=torch.long)[:, None]
    mask = cells < sizes
    index = torch.full(mask.shape, -1)
    index[mask] = torch.randperm(int(mask.sum()))
    roles = torch.where(cells < 2, 1, torch.where(cells == sizes - 1, 2, 0)).masked_fill(~mask, 2)
    to_subject, to_object = (cells - 1).clamp(min=0), cells - sizes + 1
    if edges is None:
        edges = [[pair, token, token - 1] for pair, length in enumerate(lengths) for token in range(1, length)]
    return {
        "vectors": torch.randn(int(mask.sum()), WIDTH),
        "index": index,
        "tags": torch.randint(N_TAGS, mask.shape).masked_fill(~mask, -1),
        "types": torch.randint(N_TYPES, mask.shape).masked_fill(~mask, -1),
        "roles": roles,
        "to_subject": to_subject.masked_fill(~mask, 7),
        "to_object": to_object.masked_fill(~mask, 7),
        "pooled": mask.clone(),
        "edges": torch.tensor(edges, dtype=torch.long).view(-1, 3),
    }


def select(pairs: Dict[str, Tensor], order: List[int], *, width: Optional[int] = None) -> Dict[str, Tensor]:
    """Some pairs of a batch, cut to a width."""
    rows = torch.tensor(order)
    chosen = {key: value[rows, :width] for key, value in pairs.items() if key not in ("vectors", "edges")}
    edges = [[new, *edge[1:]] for new, old in enumerate(order) for edge in pairs["edges"].tolist() if edge[0] == old]
    return {"vectors": pairs["vectors"], "edges": torch.tensor(edges, dtype=torch.long).view(-1, 3), **chosen}


def assert_close(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    assert len(found) == len(expected)
    for left, right in zip(found, expected):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=0.0)


def test_shapes_and_pooling() -> None:
    model, pairs = encoder(), batch([5, 7])
    states = model(**pairs)
    assert isinstance(states, PairStates) and model.output_width == 5
    assert torch.equal(states.mask, pairs["index"] >= 0) and not states.tokens[~states.mask].any()
    assert states.tokens.shape == (2, 7, 5)
    assert model(**{**pairs, "vectors": pairs["vectors"].bfloat16()}).tokens.dtype == torch.float32
    for pair, length in enumerate((5, 7)):
        tokens = states.tokens[pair, :length]
        assert_close((states.sentence[pair], states.subject[pair]), (tokens.amax(0), tokens[:2].amax(0)))
        assert_close([states.object[pair]], [tokens[-1]])


def test_a_pair_gets_the_same_alone_and_beside_a_longer_one() -> None:
    model, pairs = encoder(), batch([4, 9, 2])
    together = model(**pairs)
    for pair, length in enumerate((4, 9, 2)):
        alone = model(**select(pairs, [pair], width=length))
        assert_close([alone.tokens[0]], [together.tokens[pair, :length]])
        assert_close([part[0] for part in alone[2:]], [part[pair] for part in together[2:]])
    order = [2, 0, 1]
    assert_close(model(**select(pairs, order))[2:], [part[order] for part in together[2:]])


def test_the_sentence_is_what_the_tree_says() -> None:
    model, pairs = encoder(), batch([6], edges=[[0, 0, 1], [0, 1, 5]])
    pairs["pooled"][0, [2, 3, 4]] = False
    states = model(**pairs)
    assert_close([states.sentence[0]], [states.tokens[0, [0, 1, 5]].amax(0)])
    pairs["pooled"][0, 4] = True  # a token without an edge
    assert_close([model(**pairs).sentence[0]], [states.sentence[0]])


def test_a_tree_of_one_token_is_pooled_over_it() -> None:
    model, pairs = encoder(), batch([6, 4], edges=[[1, 1, 0], [1, 2, 1], [1, 3, 2]])
    pairs["pooled"][0] = torch.arange(6) == 3
    states = model(**pairs)
    assert_close([states.sentence[0]], [states.tokens[0, 3]])
    assert all(part.isfinite().all() for part in states)


def test_the_direction_of_an_edge_does_not_matter() -> None:
    model, pairs = encoder(), batch([5, 7])
    swapped = {**pairs, "edges": pairs["edges"][:, [0, 2, 1]]}
    assert_close(model(**swapped), model(**pairs))
    assert not torch.allclose(model(**{**pairs, "edges": pairs["edges"][:4]}).tokens, model(**pairs).tokens)


def test_role_and_type_stand_for_the_words_of_entities() -> None:
    pairs = batch([6])
    others = {**pairs, "vectors": pairs["vectors"].index_fill(0, pairs["index"][0, [0, 1, 5]], 3.0)}
    masked, bare = encoder(), encoder(mask_entities=False)
    assert torch.equal(masked(**pairs).tokens, masked(**others).tokens)
    assert not torch.allclose(bare(**pairs).tokens, bare(**others).tokens)
    # one row for each role and type, none of them that of dropped words
    types, roles = torch.meshgrid(torch.arange(N_TYPES), torch.arange(1, 4), indexing="ij")
    words = masked._words(pairs["vectors"], torch.zeros_like(types), types, roles)
    expected = masked.placeholders.weight[1:].view(3, N_TYPES, WIDTH).transpose(0, 1)
    assert torch.equal(words, expected)


def test_one_span_may_be_both_arguments() -> None:
    model, pairs = encoder(), batch([6])
    pairs["roles"] = torch.tensor([[0, 3, 3, 0, 0, 0]])
    states = model(**pairs)
    assert torch.equal(states.subject, states.object)
    assert_close([states.subject[0]], [states.tokens[0, 1:3].amax(0)])


def test_words_are_dropped_in_training_only() -> None:
    pairs = batch([6, 4])
    others = {**pairs, "vectors": torch.randn_like(pairs["vectors"])}
    options = {"word_dropout": 1.0, "input_dropout": 0.0, "dropout": 0.0}
    for mask_entities in (True, False):
        model = encoder(mask_entities=mask_entities, **options)
        assert not torch.allclose(model(**pairs).tokens, model(**others).tokens)
        model.train()
        words = model._words(pairs["vectors"], pairs["index"].clamp(min=0), pairs["types"], pairs["roles"])
        assert (words == model.placeholders.weight[0]).all()


def test_every_weight_learns() -> None:
    model, pairs = encoder().train(), batch([6] * 40)
    vectors = pairs["vectors"].requires_grad_()
    states = model(**pairs)
    torch.stack(states[2:]).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
    assert vectors.grad is not None and vectors.grad.any()


@pytest.mark.parametrize("width", [0, 4])
def test_no_pairs(width: int) -> None:
    model, pairs = encoder(), batch([])
    cells = {key: value.new_zeros(0, width) for key, value in pairs.items() if key not in ("vectors", "edges")}
    for module in (model, model.train()):
        states = module(**{**pairs, **cells, "vectors": pairs["vectors"].bfloat16()})
        assert states.sentence.dtype == states.tokens.dtype == torch.float32
        assert [tuple(part.shape) for part in states] == [(0, width, 5), (0, width), (0, 5), (0, 5), (0, 5)]


def test_with_distances_the_order_of_the_arguments_is_read() -> None:
    blind, model = encoder(mask_entities=False), encoder(mask_entities=False, offset_width=3)
    pairs = batch([5, 3])
    swapped = {**pairs, "roles": torch.where(pairs["roles"] > 0, 3 - pairs["roles"], 0)}
    swapped.update(to_subject=pairs["to_object"], to_object=pairs["to_subject"])
    assert torch.equal(blind(**pairs).sentence, blind(**swapped).sentence)
    assert not torch.allclose(model(**pairs).sentence, model(**swapped).sentence)
    alone = model(**select(pairs, [1], width=3))
    assert torch.allclose(alone.sentence, model(**pairs).sentence[1:], atol=1e-6)


def test_as_many_weights_as_the_paper_has() -> None:
    model = ContextualGraph()
    model.configure(width=300, n_tags=2, n_types=2)
    layers = [*model.lstm.parameters(), *model.graph.parameters()]
    head = 600 * 200 + 200 + 200 * 200 + 200 + 200 * 42 + 42
    assert sum(weight.numel() for weight in layers) + head == 1_188_442
