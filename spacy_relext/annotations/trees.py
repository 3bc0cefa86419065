"""Dependency trees of texts, pruned to what lies near the path between two entities."""

from typing import Optional, Set

import numpy
from numpy.typing import NDArray
from spacy.attrs import HEAD
from spacy.tokens import Doc

from ..errors import Errors
from .entities import Bounds

IntArray = NDArray[numpy.int64]

BoolArray = NDArray[numpy.bool_]


def text_heads(doc: Doc, *, start: int, end: int) -> Optional[IntArray]:
    """Read the heads of the tokens `start` to `end` of a Doc, counted from `start`.

    RETURNS (Optional[IntArray]): Head of each token; itself for roots and tokens whose head lies outside the text.
        None if the Doc has no parse. Shape (T,)
    """
    if not doc.has_annotation("DEP"):
        return None
    position = numpy.arange(end - start, dtype="int64")
    # spaCy stores a head as the distance to it, in unsigned numbers that wrap around
    stored = doc[start:end].to_array([HEAD])  # type: ignore[attr-defined]
    heads = position + stored.reshape(-1).astype("int64")
    return numpy.where((heads >= 0) & (heads < end - start), heads, position)


def heads_of_words(heads: IntArray, words: IntArray) -> IntArray:
    """Select the heads of words, counted among the words; a word whose head is white space is a root.

    heads (IntArray): Head of each token. Shape (T,)
    words (IntArray): Tokens that are not white space. Shape (W,)
    """
    numbers = numpy.full(len(heads), -1, dtype="int64")
    numbers[words] = numpy.arange(len(words))
    found = numbers[heads[words]]
    return numpy.where(found >= 0, found, numbers[words])


def chain_heads(length: int) -> IntArray:
    """Make each token the head of the next one: the tree of a text without a parse. Shape (T,)"""
    return numpy.maximum(numpy.arange(length, dtype="int64") - 1, 0)


def join_trees(heads: IntArray) -> IntArray:
    """Join several trees: each root but the first gets the previous root as its head. Shapes (T,) → (T,)"""
    roots = numpy.flatnonzero(heads == numpy.arange(len(heads)))
    joined = heads.copy()
    joined[roots[1:]] = roots[:-1]
    return joined


def prune_tree(heads: IntArray, *, subject: Bounds, object: Bounds, distance: int) -> BoolArray:
    """Choose the tokens near the path between two entities (Zhang et al., EMNLP 2018, section 3.2).

    The path leads from all tokens of both entities up to their lowest common ancestor. The pruned tree has the tokens
    from which at most `distance` steps towards the root lead to the path, so none outside the ancestor's subtree; its
    edges are those of `edge_list`. Several trees are joined first (`join_trees`).

    heads (IntArray): Head of each token, itself for roots; need not be projective. Shape (T,)
    subject (Bounds): First token of the first entity, and the token after its last.
    object (Bounds): The same of the second entity, which may overlap or equal the first.
    distance (int): In steps; 0 keeps the path alone, -1 all tokens.
    RETURNS (BoolArray): True for the tokens of the pruned tree. Shape (T,)
    RAISES (ValueError): If an entity has no token in the text, or heads form a cycle.
    """
    for start, end in (subject, object):
        if not 0 <= start < end <= len(heads):
            expected = f"an entity inside a text of {len(heads)} tokens"
            raise ValueError(Errors.R007.format(key="entity", found=f"{start}:{end}", expected=expected))
    heads = join_trees(heads)
    cycle = find_cycle(heads)
    if cycle is not None:
        raise ValueError(Errors.R411.format(where="a text", length=len(heads), token=cycle))
    if distance < 0:
        return numpy.ones(len(heads), dtype=bool)
    near = _path(heads, subject, object)
    for _ in range(distance):
        wider = near | near[heads]
        if (wider == near).all():
            break
        near = wider
    return near


def edge_list(heads: IntArray, mask: BoolArray) -> IntArray:
    """List the edges of a pruned tree, including those that join several trees.

    heads (IntArray): Head of each token; itself for roots. Shape (T,)
    mask (BoolArray): From `prune_tree`. Shape (T,)
    RETURNS (IntArray): Token and its head; one edge fewer than tokens. Shape (E, 2)
    """
    heads = join_trees(heads)
    child = numpy.flatnonzero(mask & mask[heads] & (heads != numpy.arange(len(heads))))
    return numpy.stack([child, heads[child]], axis=1)


def find_cycle(heads: IntArray) -> Optional[int]:
    """Find the first token whose chain of heads leads into a cycle instead of to a root; spaCy accepts such heads."""
    ancestors = heads
    for _ in range(len(heads).bit_length()):  # each iteration doubles the steps, up to more than there are tokens
        ancestors = ancestors[ancestors]
    cyclic = numpy.flatnonzero(heads[ancestors] != ancestors)
    return int(cyclic[0]) if len(cyclic) else None


def _path(heads: IntArray, subject: Bounds, object: Bounds) -> BoolArray:
    """Mark the tokens from both entities up to their lowest common ancestor. Shape (T,)"""
    up = heads.tolist()
    token = subject[0]
    trunk = [token]  # from one entity token to the root; the common ancestor is one of these
    while up[token] != token:
        token = up[token]
        trunk.append(token)
    height = {token: steps for steps, token in enumerate(trunk)}
    seen: Set[int] = set(trunk)
    top = 0
    for token in (*range(*subject), *range(*object)):
        while token not in seen:
            seen.add(token)
            token = up[token]
        # a chain that ends in an earlier one reaches the trunk where that one did
        top = max(top, height.get(token, 0))
    path = numpy.zeros(len(heads), dtype=bool)
    path[list(seen.difference(trunk[top + 1 :]))] = True
    return path
