"""Pruned trees: the worked example, the definition taken literally, and texts that are no single tree."""

from typing import Any, List, Set, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_relext.annotations.trees import chain_heads, edge_list, join_trees, prune_tree, text_heads
from tests.pairs.builders import NLP, make_doc

WORDS = "Mike Cane , an old relative of Dan Ross , lived quietly in Paris".split()
HEADS = numpy.asarray([2, 11, 2, 6, 6, 2, 9, 9, 6, 2, 11, 11, 14, 11]) - 1  # the root has itself
MIKE, DAN, PARIS = (0, 2), (7, 9), (13, 14)
NEAR_DAN = list(range(10))


@pytest.mark.parametrize(
    ("obj", "distance", "kept", "n_edges"),
    [
        (DAN, 0, [0, 1, 5, 7, 8], 4),
        (DAN, 1, NEAR_DAN, 9),
        (DAN, 2, NEAR_DAN, 9),
        (DAN, -1, list(range(14)), 13),
        (PARIS, 0, [0, 1, 10, 13], 3),
        (PARIS, 1, [0, 1, 2, 5, 9, 10, 11, 12, 13], 8),
        (PARIS, 2, [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13], 11),
    ],
)
def test_the_worked_example(obj: Tuple[int, int], distance: int, kept: List[int], n_edges: int) -> None:
    found = prune_tree(HEADS, subject=MIKE, object=obj, distance=distance)
    assert numpy.flatnonzero(found).tolist() == kept
    edges = edge_list(HEADS, found)
    assert edges.shape == (n_edges, 2) and edges.dtype == numpy.int64
    # the one token without an edge to its head is the root: Cane, then lived
    (root,) = set(kept) - set(edges[:, 0].tolist())
    assert WORDS[root] == ("Cane" if obj == DAN and distance >= 0 else "lived")


def test_two_trees_are_joined_at_their_roots() -> None:
    heads = numpy.asarray([1, 1, 1, 4, 4, 4])
    assert join_trees(heads).tolist() == [1, 1, 1, 4, 1, 4]
    assert heads.tolist() == [1, 1, 1, 4, 4, 4]
    kept = prune_tree(heads, subject=(0, 1), object=(5, 6), distance=0)
    assert numpy.flatnonzero(kept).tolist() == [0, 1, 4, 5]
    assert edge_list(heads, kept).tolist() == [[0, 1], [4, 1], [5, 4]]
    # within the second tree the first one stays out
    kept = prune_tree(heads, subject=(3, 4), object=(5, 6), distance=3)
    assert numpy.flatnonzero(kept).tolist() == [3, 4, 5]


@pytest.mark.parametrize("heads", [[1, 0, 2], [0, 2, 3, 1], [1, 2, 0]])
def test_a_cycle_is_refused(heads: List[int]) -> None:
    with pytest.raises(ValueError, match="into a cycle") as error:
        prune_tree(numpy.asarray(heads), subject=(0, 1), object=(2, 3), distance=1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("bounds", [(2, 2), (-1, 1), (13, 15)])
def test_an_entity_outside_the_text_is_refused(bounds: Tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="inside a text of 14 tokens"):
        prune_tree(HEADS, subject=MIKE, object=bounds, distance=1)


def test_heads_of_a_part_of_a_doc() -> None:
    doc = Doc(NLP.vocab, words=WORDS, heads=HEADS.tolist(), deps=["dep"] * len(WORDS))
    whole = text_heads(doc, start=0, end=14)
    assert whole is not None and whole.tolist() == HEADS.tolist() and whole.dtype == numpy.int64
    part = text_heads(doc, start=2, end=9)  # heads before and behind it are cut off
    assert part is not None and part.tolist() == [0, 3, 3, 3, 6, 6, 3]


def test_a_doc_without_a_parse_is_read_as_a_chain() -> None:
    doc = make_doc(WORDS, starts=[0])
    assert text_heads(doc, start=0, end=14) is None
    assert chain_heads(4).tolist() == [0, 0, 1, 2] and chain_heads(0).shape == (0,)
    kept = prune_tree(chain_heads(14), subject=MIKE, object=DAN, distance=0)
    assert numpy.flatnonzero(kept).tolist() == list(range(9))
    kept = prune_tree(chain_heads(14), subject=MIKE, object=DAN, distance=-1)
    assert edge_list(chain_heads(14), kept).tolist() == [[i, i - 1] for i in range(1, 14)]


def test_long_chains_need_no_recursion() -> None:
    length = 20_000
    kept = prune_tree(chain_heads(length), subject=(0, 1), object=(length - 1, length), distance=3)
    assert kept.all()


@st.composite
def texts(draw: Any) -> Any:
    """Heads of one or several trees, projective or not, and two entities."""
    length = draw(st.integers(1, 12))
    order = draw(st.permutations(range(length)))
    heads = [0] * length
    for i, token in enumerate(order):
        heads[token] = order[draw(st.integers(0, i))]  # an earlier token, or itself
    spans = st.tuples(st.integers(0, length - 1), st.integers(1, 4)).map(lambda s: (s[0], min(s[0] + s[1], length)))
    return numpy.asarray(heads), draw(spans), draw(spans)


def chain(heads: List[int], token: int) -> List[int]:
    found = [token]
    while heads[token] != token:
        token = heads[token]
        found.append(token)
    return found


def kept_by_definition(heads: List[int], entities: Set[int], distance: int) -> List[int]:
    chains = {token: chain(heads, token) for token in range(len(heads))}
    common = set.intersection(*(set(chains[token]) for token in entities))
    (lowest,) = (c for c in common if not any(heads[child] == c and child != c for child in common))
    path = set().union(*(chains[token] for token in entities)) - common | {lowest}
    steps = {token: [i for i, above in enumerate(up) if above in path] for token, up in chains.items()}
    return [token for token, found in steps.items() if found and found[0] <= distance]


@given(texts(), st.integers(0, 5))
def test_pruning_follows_its_definition(text: Any, distance: int) -> None:
    heads, subject, obj = text
    entities = {*range(*subject), *range(*obj)}
    kept = prune_tree(heads, subject=subject, object=obj, distance=distance)
    assert numpy.flatnonzero(kept).tolist() == kept_by_definition(join_trees(heads).tolist(), entities, distance)


@given(texts(), st.integers(-1, 5))
def test_what_is_kept_is_a_tree_with_both_entities(text: Any, distance: int) -> None:
    heads, subject, obj = text
    kept = prune_tree(heads, subject=subject, object=obj, distance=distance)
    assert kept[slice(*subject)].all() and kept[slice(*obj)].all()
    edges = edge_list(heads, kept).tolist()
    assert len(edges) == kept.sum() - 1
    reached = {subject[0]}
    for _ in edges:
        reached |= {token for edge in edges if reached & set(edge) for token in edge}
    assert sorted(reached) == numpy.flatnonzero(kept).tolist()
    swapped = prune_tree(heads, subject=obj, object=subject, distance=distance)
    assert (swapped == kept).all()
