"""Dependency trees of texts, pruned to what lies near the path between two entities."""

from typing import Any, Optional, Set, Tuple, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import HEAD
from spacy.tokens import Doc

from ..errors import Errors

IntArray = NDArray[numpy.int64]

BoolArray = NDArray[numpy.bool_]

Bounds = Tuple[int, int]


def text_heads(doc: Doc, *, start: int, end: int) -> Optional[IntArray]:
    """Read the heads of some tokens of a Doc, counted from the first of them.

    doc (Doc): The document.
    start (int): First token of the text.
    end (int): Token after its last.
    RETURNS (Optional[IntArray]): Head of each token; roots, and tokens whose head lies outside the text, have
        themselves. None where the Doc has no parse. Shape (T,)
    """
    if not doc.has_annotation("DEP"):
        return None
    position = numpy.arange(end - start, dtype="int64")
    # spaCy stores a head as the distance to it, in unsigned numbers that wrap around
    heads = position + cast(Any, doc[start:end]).to_array([HEAD]).reshape(-1).astype("int64")
    return numpy.where((heads >= 0) & (heads < end - start), heads, position)


def chain_heads(length: int) -> IntArray:
    """Give each token the previous one as its head: what stands for a tree where there is no parse.

    length (int): Tokens in the text, T.
    RETURNS (IntArray): The first token is the root. Shape (T,)
    """
    return numpy.maximum(numpy.arange(length, dtype="int64") - 1, 0)


def join_trees(heads: IntArray) -> IntArray:
    """Make one tree of several, by giving each root but the first the previous root as its head.

    heads (IntArray): Head of each token, roots have themselves. Shape (T,)
    RETURNS (IntArray): The same where there is one root. Shape (T,)
    """
    roots = numpy.flatnonzero(heads == numpy.arange(len(heads)))
    joined = heads.copy()
    joined[roots[1:]] = roots[:-1]
    return joined


def prune_tree(heads: IntArray, *, subject: Bounds, object: Bounds, distance: int) -> BoolArray:
    """Choose the tokens near the path between two entities (Zhang et al., EMNLP 2018, section 3.2).

    The path leads from all tokens of both entities up to their lowest common ancestor. A token is kept when at most
    `distance` steps towards the root lead from it to the path, so nothing outside the ancestor's subtree is. The kept
    tokens and the edges of `edge_list` are one tree again. Several trees are joined first (`join_trees`).

    heads (IntArray): Head of each token of the text, roots have themselves; need not be projective. Shape (T,)
    subject (Bounds): First token of the first entity, and the token after its last.
    object (Bounds): The same of the second one, which may overlap with the first or be the same.
    distance (int): In steps; 0 keeps the path alone, -1 all tokens.
    RETURNS (BoolArray): True on tokens that are kept. Shape (T,)
    RAISES (ValueError): Where an entity covers no token of the text, or a token is its own ancestor.
    """
    for start, end in (subject, object):
        if not 0 <= start < end <= len(heads):
            found = f"{start}:{end}"
            expected = f"an entity inside a text of {len(heads)} tokens"
            raise ValueError(Errors.R007.format(key="entity", found=found, expected=expected))
    heads = join_trees(heads)
    _check_tree(heads)
    if distance < 0:
        return numpy.ones(len(heads), dtype=bool)
    kept = _path(heads, subject, object)
    for _ in range(distance):
        wider = kept | kept[heads]
        if (wider == kept).all():
            break
        kept = wider
    return kept


def edge_list(heads: IntArray, kept: BoolArray) -> IntArray:
    """List the edges of a tree between kept tokens, those that join several trees among them.

    heads (IntArray): Head of each token, roots have themselves. Shape (T,)
    kept (BoolArray): Which tokens are kept. Shape (T,)
    RETURNS (IntArray): Token and its head; one less than the tokens that `prune_tree` keeps. Shape (E, 2)
    """
    heads = join_trees(heads)
    child = numpy.flatnonzero(kept & kept[heads] & (heads != numpy.arange(len(heads))))
    return numpy.stack([child, heads[child]], axis=1)


def _check_tree(heads: IntArray) -> None:
    """Raise unless every token's chain of heads ends in a root."""
    token = find_cycle(heads)
    if token is not None:
        raise ValueError(Errors.R411.format(where="a text", length=len(heads), token=token))


def find_cycle(heads: IntArray) -> Optional[int]:
    """Find a token from which the heads lead into a cycle instead of to a root; spaCy stores such heads without a word.

    heads (IntArray): Head of each token, roots have themselves. Shape (T,)
    RETURNS (Optional[int]): The first such token; None where there is none.
    """
    far = heads
    for _ in range(len(heads).bit_length()):  # each turn doubles the steps, up to more than there are tokens
        far = far[far]
    lost = numpy.flatnonzero(heads[far] != far)
    return int(lost[0]) if len(lost) else None


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
