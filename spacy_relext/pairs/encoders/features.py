"""Inputs of encoders of pairs and of the layers above: types and tags of tokens, distances, pruned trees."""

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model

from ...annotations.entities import doc_entities
from ...annotations.trees import chain_heads, edge_list, heads_of_words, prune_tree, text_heads
from ...annotations.words import words_before, words_of
from ...bridge.modules import ModuleInput, module_of
from ...encoders.pieces import CutOptions, IntArray, cut_options
from ...errors import Warnings
from ..pairs import Pairs
from .markers import cut_marked_pairs
from .pieces import OBJECT, SUBJECT, PairPieces, cut_pairs

if TYPE_CHECKING:
    from .transformer import PairTransformer

FAR = 10_000


@dataclass
class PairBatch:
    """One model input."""

    pairs: Pairs
    types: Sequence[str] = ()  # entity types that the model knows; type 0 is none of them
    tags: Sequence[str] = ()  # part-of-speech tags that it knows; tag 0 is none of them
    arrays: Dict[str, NDArray[numpy.generic]] = field(default_factory=dict)  # further arguments of the module

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def docs(self) -> Sequence[Doc]:
        """RETURNS (Sequence[Doc]): The Docs of the pairs."""
        return self.pairs.docs


def prepare_pieces(model: Model, batch: PairBatch, is_train: bool) -> ModuleInput:
    """Cut the pairs' texts into word pieces, for a `PairTransformer` and the heads above it."""
    pieces = _cut(batch, module_of(model).encoder, cut_options(model, is_train))
    if pieces.lost:
        warnings.warn(Warnings.W402.format(name=model.name, max_pieces=model.attrs["max_pieces"]), stacklevel=2)
    names = ("ids", "shapes", "masks", "rows", "roles", "order", "inserted")
    arrays = {name: getattr(pieces, name) for name in names}
    return ModuleInput({**arrays, **piece_arrays(pieces, batch), **batch.arrays})


def _cut(batch: PairBatch, encoder: "PairTransformer", options: CutOptions) -> PairPieces:
    """Cut texts into pieces in the encoder's form."""
    if encoder.form == "means":
        return cut_pairs(batch.pairs, encoder.tokens.tokenizer, **options)
    return cut_marked_pairs(batch.pairs, encoder.tokens.tokenizer, form=encoder.form, **options)


def prepare_tokens(model: Model, batch: PairBatch, is_train: bool) -> ModuleInput:
    """Arrange the tokens of the pairs' texts, for encoders over token vectors; see `token_arrays`."""
    return ModuleInput({**token_arrays(batch), **batch.arrays}, docs=batch.docs)


def prepare_trees(model: Model, batch: PairBatch, is_train: bool) -> ModuleInput:
    """Arrange the tokens of the pairs' texts with pruned dependency trees, for a `ContextualGraph`."""
    arrays, chains = graph_arrays(batch, distance=model.attrs["distance"])
    if chains:
        warnings.warn(Warnings.W403.format(name=model.name), UserWarning, stacklevel=2)
    return ModuleInput({**arrays, **batch.arrays}, docs=batch.docs)


def token_types(doc: Doc, types: Sequence[str]) -> IntArray:
    """Number the entity type of each token, 0 for none; of overlapping entities the shorter counts. Shape (T,)"""
    number = {kind: index for index, kind in enumerate(types, start=1)}
    numbers = numpy.zeros(len(doc), dtype="int64")
    for (start, end), kind in sorted(doc_entities(doc), key=lambda entity: entity[0][0] - entity[0][1]):
        numbers[start:end] = number.get(kind, 0)
    return numbers


def token_tags(doc: Doc, tags: Sequence[str]) -> IntArray:
    """Number the tag of each token, 0 for none. Shape (T,)"""
    number = {tag: index for index, tag in enumerate(tags, start=1)}
    return numpy.asarray([number.get(token.tag_, 0) for token in doc], dtype="int64")


def distances(roles: IntArray, role: int) -> IntArray:
    """Compute signed distances to the cells of a role: negative before, 0 inside, positive after; `FAR` if it has none.

    roles (IntArray): Role of each cell. Shape (P, T)
    RETURNS (IntArray): Shape (P, T)
    """
    if not roles.size:  # argmax fails without cells
        return numpy.zeros_like(roles)
    inside = (roles == role) | (roles == SUBJECT + OBJECT)
    position = numpy.arange(roles.shape[1])
    first = inside.argmax(axis=1)[:, None]
    last = (roles.shape[1] - 1 - inside[:, ::-1].argmax(axis=1))[:, None]
    offsets = numpy.minimum(position - first, 0) + numpy.maximum(position - last, 0)
    return numpy.where(inside.any(axis=1, keepdims=True), offsets, FAR)


def piece_arrays(pieces: PairPieces, batch: PairBatch) -> Dict[str, IntArray]:
    """Compute the types of word pieces, and their distances to both arguments.

    RETURNS (Dict[str, IntArray]): `types`, `to_subject`, `to_object`, and `positions` (token of the text, -1 for
        none), in the pairs' order. Shapes (P, T)
    """
    longest = max((part.shape[1] for part in pieces.tokens), default=0)
    tokens = numpy.full((len(batch), longest), -1, dtype="int64")
    roles = numpy.zeros((len(batch), longest), dtype="int64")
    begin = 0
    for part, role in zip(pieces.tokens, pieces.roles):
        where = pieces.order[begin : begin + len(part)]
        tokens[where, : part.shape[1]], roles[where, : part.shape[1]] = part, role
        begin += len(part)
    flat, offsets = _join([token_types(doc, batch.types) for doc in batch.pairs.docs])
    types = numpy.where(tokens >= 0, flat[(tokens + offsets[batch.pairs.doc][:, None]) * (tokens >= 0)], 0)
    return {
        "types": _with_arguments(types, roles, batch),
        "to_subject": distances(roles, SUBJECT),
        "to_object": distances(roles, OBJECT),
        "positions": numpy.where(tokens >= 0, tokens - batch.pairs.text[:, :1], -1),
    }


def token_arrays(batch: PairBatch) -> Dict[str, IntArray]:
    """Compute words, tags, types and roles of the texts of pairs, and the words between both arguments.

    RETURNS (Dict[str, IntArray]): `index` (word among all tokens of the Docs, -1 on padding), `tags`, `types`,
        `roles`, `pooled` (True between the arguments), `to_subject`, `to_object`, `positions`. Shapes (P, T)
    """
    pairs = batch.pairs
    tokens, inside = word_table(pairs)
    types, offsets = _join([token_types(doc, batch.types) for doc in pairs.docs])
    tags, _ = _join([token_tags(doc, batch.tags) for doc in pairs.docs])
    index = numpy.where(inside, tokens + offsets[pairs.doc][:, None], -1)
    roles = numpy.zeros(inside.shape, dtype="int64")
    for bounds, role in ((pairs.subject, SUBJECT), (pairs.object, OBJECT)):
        roles += role * ((tokens >= bounds[:, :1]) & (tokens < bounds[:, 1:]))
    read = index * inside
    to_subject, to_object = distances(roles, SUBJECT), distances(roles, OBJECT)
    return {
        "index": index,
        "tags": numpy.where(inside, tags[read], 0) if len(tags) else index * 0,
        "types": _with_arguments(numpy.where(inside, types[read], 0) if len(types) else index * 0, roles, batch),
        "roles": roles,
        "pooled": inside & (to_subject * to_object < 0),
        "to_subject": to_subject,
        "to_object": to_object,
        "positions": numpy.where(inside, tokens - pairs.text[:, :1], -1),
    }


def word_table(pairs: Pairs) -> Tuple[IntArray, NDArray[numpy.bool_]]:
    """Arrange the words of the texts of pairs: the token of each in its Doc, -1 on padding, and True on words.

    Shapes (P, T), (P, T)
    """
    words, offsets = _join([words_of(doc) for doc in pairs.docs])
    before, starts = _join([words_before(doc) for doc in pairs.docs])
    first, last = (before[starts[pairs.doc] + pairs.text[:, column]] for column in (0, 1))
    position = numpy.arange(max(1, int((last - first).max(initial=1))))
    inside = position < (last - first)[:, None]
    tokens = numpy.full(inside.shape, -1, dtype="int64")
    tokens[inside] = words[((offsets[pairs.doc] + first)[:, None] + position)[inside]]
    return tokens, inside


def graph_arrays(batch: PairBatch, *, distance: int) -> Tuple[Dict[str, IntArray], int]:
    """Compute tokens, tags, types, roles and pruned trees of the texts of pairs; the heads of a text are read once.

    distance (int): Largest distance of a token from the path between both arguments, in edges; -1: unlimited.
    RETURNS (Tuple[Dict[str, IntArray], int]): The arrays of `token_arrays`, with `pooled` True on the pruned tree, and
        `edges` (pair, token, token) of shape (E, 3); the number of pairs in a text without a parse, whose tree is a
        chain.
    """
    arrays, pairs = token_arrays(batch), batch.pairs
    pooled = numpy.zeros(arrays["index"].shape, dtype=bool)
    edges: List[IntArray] = [numpy.zeros((0, 3), dtype="int64")]
    heads: Dict[Tuple[int, int, int], Tuple[IntArray, bool]] = {}
    chains = 0
    for number, (doc, (start, end)) in enumerate(zip(pairs.doc.tolist(), pairs.text.tolist())):
        words = arrays["positions"][number]
        words = words[words >= 0]
        if (doc, start, end) not in heads:
            parsed = text_heads(pairs.docs[doc], start=start, end=end)
            tree = chain_heads(len(words)) if parsed is None else heads_of_words(parsed, words)
            heads[doc, start, end] = (tree, parsed is None)
        tree, is_chain = heads[doc, start, end]
        chains += is_chain
        subject, obj = (
            tuple(numpy.searchsorted(words, bounds[number] - start).tolist())
            for bounds in (pairs.subject, pairs.object)
        )
        mask = prune_tree(tree, subject=subject, object=obj, distance=-1 if is_chain else distance)
        pooled[number, : len(words)] = mask
        links = edge_list(tree, mask)
        edges.append(numpy.column_stack([numpy.full(len(links), number, dtype="int64"), links]))
    return {**arrays, "pooled": pooled, "edges": numpy.concatenate(edges)}, chains


def _with_arguments(types: IntArray, roles: IntArray, batch: PairBatch) -> IntArray:
    """Set the types of arguments without an entity type to those of the pair. Shape (P, T)"""
    number = {kind: index for index, kind in enumerate(batch.types, start=1)}
    kinds = numpy.asarray([[number.get(kind, 0) for kind in pair] for pair in batch.pairs.types], dtype="int64")
    for role, column in zip((SUBJECT, OBJECT), kinds.reshape(-1, 2).T):
        inside = (roles == role) | (roles == SUBJECT + OBJECT)
        types = numpy.where((types == 0) & inside, column[:, None], types)
    return types


def _join(parts: Sequence[IntArray]) -> Tuple[IntArray, IntArray]:
    """Concatenate arrays of Docs, and return the offset of each."""
    lengths = numpy.asarray([len(part) for part in parts], dtype="int64")
    joined = numpy.concatenate(parts) if parts else numpy.zeros(0, dtype="int64")
    return joined, numpy.cumsum(lengths) - lengths
