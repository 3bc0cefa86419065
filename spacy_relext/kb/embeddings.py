"""Embeddings of a knowledge base: ComplEx (Trouillon et al., ICML 2016).

    φ(h, r, t) = Re Σ_k e_h[k] · w_r[k] · conj(e_t[k])

Losses: cross-entropy over all entities, with reciprocal relations and the nuclear 3-norm N3 (Lacroix et al., ICML 2018)
and, optionally, −log p(r | h, t) over all relations (Chen et al., AKBC 2021), which a classifier of pairs predicts; or
the logistic loss with negative sampling of Xu and Barbosa (NAACL 2019), with entities through tanh and an L2 penalty.
"""

from typing import Dict, NamedTuple, Optional, Protocol, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Entities that are scored at once on a CPU, where one product with all of them takes twice as long.
BLOCK = 1_024


class KbEmbeddings(nn.Module):
    """Embedding tables of entities and relations, and their score φ.

    If `reciprocal`, each relation r has a reciprocal relation r + R with an embedding of its own, and (?, r, t) is
    scored as (t, r + R, ?). The real parts of an embedding come first, then the imaginary parts.

    n_entities (int): E.
    n_relations (int): R.
    width (int): Complex dimensions of an embedding.
    entity_tanh (bool): Whether entities go through tanh, as in the recipe of Xu and Barbosa.
    scale (float): Standard deviation of the initial values; 0: uniform between 0 and 1, as in that recipe.
    """

    def __init__(
        self,
        *,
        n_entities: int,
        n_relations: int,
        width: int,
        reciprocal: bool = True,
        entity_tanh: bool = False,
        scale: float = 1e-3,
    ) -> None:
        super().__init__()
        self.n_relations, self.reciprocal, self.entity_tanh = n_relations, reciprocal, entity_tanh
        sizes = (n_entities, 2 * width), (n_relations * (2 if reciprocal else 1), 2 * width)
        tables = [torch.randn(size) * scale if scale > 0 else torch.rand(size) for size in sizes]
        self.entities, self.relations = map(nn.Parameter, tables)

    def entity(self, numbers: Optional[Tensor] = None) -> Tensor:
        """Look up embeddings of entities; None: of all. Shapes (...) → (..., columns)"""
        vectors = self.entities if numbers is None else self.entities[numbers]
        return torch.tanh(vectors) if self.entity_tanh else vectors

    def forward(self, triples: Tensor) -> Tensor:
        """Score facts (subject, relation, object). Shapes (B, 3) → (B,)"""
        subject, relation, obj = triples.unbind(1)
        return (self.object_query(self.entity(subject), self.relations[relation]) * self.entity(obj)).sum(1)

    # A query is a vector whose product with a candidate's embedding is φ. Shapes (B, columns), (B, columns) → the same

    def object_query(self, entity: Tensor, relation: Tensor) -> Tensor:
        """Query the object of a subject and a relation."""
        (a, b), (c, d) = entity.chunk(2, 1), relation.chunk(2, 1)
        return torch.cat([a * c - b * d, a * d + b * c], 1)

    def conjugate_query(self, known: Tensor, obj: Tensor) -> Tensor:
        """Query the subject if a relation is known, without a reciprocal one, or the relation if a subject is known."""
        (a, b), (c, d) = known.chunk(2, 1), obj.chunk(2, 1)
        return torch.cat([a * c + b * d, a * d - b * c], 1)

    def score_objects(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """Score all entities as the object; relations may be reciprocal. Shapes (B,), (B,) → (B, E)"""
        return self.object_query(self.entity(subjects), self.relations[relations]) @ self.entity().T

    def score_subjects(self, relations: Tensor, objects: Tensor) -> Tensor:
        """Score all entities as the subject. Shapes (B,), (B,) → (B, E)"""
        if self.reciprocal:
            return self.score_objects(objects, relations + self.n_relations)
        return self.conjugate_query(self.relations[relations], self.entity(objects)) @ self.entity().T

    def score_relations(self, subjects: Tensor, objects: Tensor) -> Tensor:
        """Score all relations; φ is the mean of both directions if `reciprocal`. Shapes (B,), (B,) → (B, R)"""
        one, two = self.entity(subjects), self.entity(objects)
        scores = self.conjugate_query(one, two) @ self.relations[: self.n_relations].T
        if not self.reciprocal:
            return scores
        return (scores + self.conjugate_query(two, one) @ self.relations[self.n_relations :].T) / 2

    def n3(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """Compute the nuclear 3-norm of facts. Shapes (B,), (B,), (B,) → (B,)"""
        parts = (self.entity(subjects), self.relations[relations], self.entity(objects))
        return torch.stack([self.cubes(part) for part in parts]).sum(0)

    def cubes(self, vectors: Tensor) -> Tensor:
        """Compute Σ |·|³ of embeddings. Shapes (B, columns) → (B,)"""
        real, imaginary = vectors.chunk(2, 1)
        return (real.square() + imaginary.square() + 1e-20).pow(1.5).sum(1)


class Queries(NamedTuple):
    """Queries (subject, relation, ?) and their answers."""

    subjects: Tensor  # (Q,)
    relations: Tensor  # (Q,)
    counts: Tensor  # number of answers of each query: (Q,)
    answers: Tensor  # those of all queries, concatenated: (A,)


def group_queries(triples: Tensor, *, n_relations: int, reciprocal: bool) -> Queries:
    """Group facts, with their reciprocals if `reciprocal`, by their query. Shape (N, 3)"""
    subject, relation, obj = triples.unbind(1)
    if reciprocal:
        relation = torch.cat([relation, relation + n_relations])
        subject, obj = torch.cat([subject, obj]), torch.cat([obj, subject])
    keys = subject * (2 * n_relations) + relation
    keys, order = torch.sort(keys, stable=True)
    distinct, counts = torch.unique_consecutive(keys, return_counts=True)
    return Queries(distinct // (2 * n_relations), distinct % (2 * n_relations), counts, obj[order])


class Buffers:
    """Memory for the scores of a batch and the gradient of the table, reused from batch to batch."""

    def __init__(self) -> None:
        self._buffers: Dict[str, Tensor] = {}

    def take(self, name: str, rows: int, *, columns: int, like: Tensor) -> Tensor:
        """Return a buffer of shape (rows, columns) with the type and device of `like`; its former content is lost."""
        buffer, size = self._buffers.get(name), rows * columns
        if buffer is None or len(buffer) < size or buffer.device != like.device:
            buffer = self._buffers[name] = like.new_empty(size)
        return buffer[:size].view(rows, columns)


def query_loss(
    model: KbEmbeddings,
    queries: Queries,
    *,
    n3: float = 0.0,
    relation_weight: float = 0.0,
    buffers: Optional[Buffers] = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Compute the cross-entropy of queries over all entities, and the N3 and relation terms of their facts.

    A query with several answers is scored once. Its loss is the sum over its facts, which is faster than scoring each.

    n3 (float): Weight of the nuclear 3-norm.
    relation_weight (float): Weight of the cross-entropy over all relations of the same direction.
    buffers (Optional[Buffers]): Buffers of the previous batch, whose gradients (and `grad` of tables) are overwritten.
    dtype (torch.dtype): Type in which queries and the table are multiplied; the softmax and all tables stay in fp32.
    RETURNS (Tensor): Mean over the answers. Shape ()
    """
    subjects, relations, counts, answers = queries
    rows = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    looked_up = torch.cat([subjects, answers]) if n3 or relation_weight else subjects
    vectors, table = _Lookup.apply(model.entity(), looked_up)
    one, two, names = vectors[: len(subjects)], vectors[len(subjects) :], model.relations[relations]
    options = (counts, rows, answers, buffers or Buffers(), dtype)
    loss: Tensor = _QueryCrossEntropy.apply(model.object_query(one, names), table, *options)
    if n3:
        norm = ((model.cubes(one) + model.cubes(names)) * counts).sum() + model.cubes(two).sum()
        loss = loss + n3 * norm / len(answers)
    if relation_weight:
        loss = loss + relation_weight * _relation_loss(model, model.conjugate_query(one[rows], two), relations[rows])
    return loss


def _relation_loss(model: KbEmbeddings, queries: Tensor, relations: Tensor) -> Tensor:
    """Compute the cross-entropy over the relations of the same direction. Shapes (A, columns), (A,) → ()"""
    scores = (queries @ model.relations.T).view(len(queries), -1, model.n_relations)  # (A, directions, R)
    direction = relations // model.n_relations
    scores = scores.gather(1, direction[:, None, None].expand(-1, 1, model.n_relations))[:, 0]
    return F.cross_entropy(scores, relations % model.n_relations)


def negative_sampling_loss(
    model: KbEmbeddings, triples: Tensor, *, penalty: float, generator: torch.Generator
) -> Tensor:
    """Compute the logistic loss of Xu and Barbosa, with two unfiltered negative samples for each fact.

    One negative replaces the subject or the object, the other one the relation; `penalty` weights `mean_squares`.
    Shapes (B, 3) → ()
    """
    other_entity, other_relation = triples.clone(), triples.clone()
    entities, count = len(model.entities), len(triples)
    sample = torch.randint(entities, (count,), generator=generator).to(triples.device)
    is_subject = (torch.rand((count,), generator=generator) < 0.5).to(triples.device)
    other_entity.scatter_(1, torch.where(is_subject, 0, 2)[:, None], sample[:, None])
    other_relation[:, 1] = torch.randint(model.n_relations, (count,), generator=generator).to(triples.device)
    scores = model(torch.cat([triples, other_entity, other_relation]))
    losses = F.softplus(torch.cat([-scores[:count], scores[count:]]))
    return losses.mean() + penalty * mean_squares(model, triples)


def mean_squares(model: KbEmbeddings, triples: Tensor) -> Tensor:
    """Sum the mean squares of the six parts of facts, as Xu and Barbosa's code does. Shapes (B, 3) → ()"""
    subject, relation, obj = triples.unbind(1)
    parts = (model.entity(subject), model.relations[relation], model.entity(obj))
    pieces = [piece for part in parts for piece in part.chunk(2, 1)]
    return torch.stack([piece.square().mean() for piece in pieces]).sum()


class _Context(Protocol):
    """The part of autograd's context that is used here."""

    saved_tensors: Tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Lookup(torch.autograd.Function):
    """Rows of a table and the whole table; the gradient of the rows is added to that of the table in place."""

    @staticmethod
    def forward(ctx: _Context, table: Tensor, numbers: Tensor) -> Tuple[Tensor, Tensor]:
        """Look up. Shapes (E, columns), (B,) → (B, columns), (E, columns)"""
        ctx.save_for_backward(numbers)
        return table[numbers], table.view_as(table)

    @staticmethod
    def backward(ctx: _Context, *outer: Tensor) -> Tuple[Tensor, None]:
        """Add the gradients of the rows to that of the table."""
        return outer[1].index_add_(0, ctx.saved_tensors[0], outer[0]), None


class _QueryCrossEntropy(torch.autograd.Function):
    """−Σ log softmax of the answers to queries; forward computes the gradient, too."""

    @staticmethod
    def forward(
        ctx: _Context,
        queries: Tensor,  # (B, columns)
        table: Tensor,  # (E, columns)
        counts: Tensor,  # answers of each query: (B,)
        rows: Tensor,  # query of each answer: (A,)
        answers: Tensor,  # (A,)
        buffers: Buffers,
        dtype: torch.dtype,
    ) -> Tensor:
        """Compute the mean over the answers, and write the gradient over the scores."""
        gradient = buffers.take("table", len(table), columns=table.shape[1], like=table)
        scores = buffers.take("scores", len(table), columns=len(queries), like=table)
        table, queries = table.to(dtype), queries.to(dtype)
        _score(table, queries, out=scores)
        share = 1.0 / len(answers)
        loss = -scores[answers, rows].sum()
        top = scores.amax(0)
        sums = scores.sub_(top).exp_().sum(0)
        loss += ((sums.log() + top) * counts).sum()
        scores.mul_(counts * share / sums)
        scores.index_put_((answers, rows), scores.new_full((1,), -share), accumulate=True)
        scores = scores.to(dtype)
        ctx.save_for_backward((scores.T @ table).to(gradient.dtype), _multiply(scores, queries, out=gradient))
        return loss * share

    @staticmethod
    def backward(ctx: _Context, *outer: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Scale the gradients in place."""
        of_queries, of_table = ctx.saved_tensors
        return (of_queries.mul_(outer[0]), of_table.mul_(outer[0]), *(None for _ in range(5)))


def _score(table: Tensor, queries: Tensor, *, out: Tensor) -> None:
    """Score all entities. Shapes (E, columns), (B, columns) → (E, B)"""
    step = BLOCK if table.device.type == "cpu" else len(table)
    for start in range(0, len(table), step):
        _multiply(table[start : start + step], queries.T, out=out[start : start + step])


def _multiply(one: Tensor, two: Tensor, *, out: Tensor) -> Tensor:
    """Multiply matrices into `out`, which may have another type."""
    return torch.mm(one, two, out=out) if one.dtype == out.dtype else out.copy_(one @ two)
