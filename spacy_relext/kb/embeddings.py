"""Embeddings of a knowledge base: ComplEx (Trouillon et al., ICML 2016) and DistMult (Yang et al., ICLR 2015).

    ComplEx   φ(h, r, t) = Re Σ_k e_h[k] · w_r[k] · conj(e_t[k])
    DistMult  φ(h, r, t) = Σ_k e_h[k] · w_r[k] · e_t[k]

Losses: cross-entropy over all entities (Lacroix et al., ICML 2018, with reciprocal relations and the nuclear 3-norm,
N3), or logistic with drawn negatives, which is how Xu and Barbosa (NAACL 2019) made theirs: one
entity and one relation replaced in each fact, entities through tanh, and squares as a penalty. To the first may be
added −log p(r | h, t) over all relations (Chen et al., AKBC 2021): how two entities are related is what a classifier of
pairs asks.

Questions rather than facts are scored against all entities: a question (h, r, ?) with several answers is scored once,
and its loss is the sum of those of its facts. That changes no loss, and spares time.
"""

from typing import Any, Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KINDS = ("complex", "distmult")


class KbEmbeddings(nn.Module):
    """Tables of entities and relations, and what they say of facts.

    A relation r and what holds the other way round, r + R, have an embedding each where `reciprocal`: (?, r, t) is
    asked as (t, r + R, ?). Complex numbers are kept as their real parts, then their imaginary ones.

    kind (str): "complex" or "distmult".
    n_entities (int): E.
    n_relations (int): R.
    width (int): Numbers of an embedding, complex or real ones.
    reciprocal (bool): Whether relations have a reciprocal.
    entity_tanh (bool): Whether entities go through tanh, as in the recipe of Xu and Barbosa.
    scale (float): Standard deviation of what the tables begin with; 0: drawn from 0 to 1, as in that recipe.
    """

    def __init__(
        self,
        *,
        kind: str,
        n_entities: int,
        n_relations: int,
        width: int,
        reciprocal: bool = True,
        entity_tanh: bool = False,
        scale: float = 1e-3,
    ) -> None:
        super().__init__()
        self.kind, self.n_relations, self.reciprocal, self.entity_tanh = kind, n_relations, reciprocal, entity_tanh
        self.width = width
        columns = 2 * width if kind == "complex" else width
        self.entities = nn.Parameter(self._draw(n_entities, columns, scale))
        self.relations = nn.Parameter(self._draw(n_relations * (2 if reciprocal else 1), columns, scale))

    @staticmethod
    def _draw(rows: int, columns: int, scale: float) -> Tensor:
        return torch.randn(rows, columns) * scale if scale > 0 else torch.rand(rows, columns)

    def entity(self, numbers: Optional[Tensor] = None) -> Tensor:
        """Look entities up.

        numbers (Optional[Tensor]): Shape (...); all where None.
        RETURNS (Tensor): Shape (..., columns)
        """
        found = self.entities if numbers is None else self.entities[numbers]
        return torch.tanh(found) if self.entity_tanh else found

    def forward(self, triples: Tensor) -> Tensor:
        """Score facts.

        triples (Tensor): Subject, relation, object. Shape (B, 3)
        RETURNS (Tensor): φ. Shape (B,)
        """
        subject, relation, obj = triples.unbind(1)
        return (self.combine(self.entity(subject), self.relations[relation]) * self.entity(obj)).sum(1)

    def combine(self, entity: Tensor, relation: Tensor) -> Tensor:
        """Make a question of an entity and a relation: its product with an answer is φ.

        entity (Tensor): Shape (B, columns)
        relation (Tensor): Shape (B, columns)
        RETURNS (Tensor): Shape (B, columns)
        """
        if self.kind == "distmult":
            return entity * relation
        (a, b), (c, d) = entity.chunk(2, 1), relation.chunk(2, 1)
        return torch.cat([a * c - b * d, a * d + b * c], 1)

    def combine_backwards(self, relation: Tensor, obj: Tensor) -> Tensor:
        """Make a question of a relation and an object, without a reciprocal. Shapes (B, columns)"""
        if self.kind == "distmult":
            return obj * relation
        (a, b), (c, d) = obj.chunk(2, 1), relation.chunk(2, 1)
        return torch.cat([a * c + b * d, b * c - a * d], 1)

    def score_objects(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """Score all entities as the object. `relations` may be reciprocal ones. Shapes (B,), (B,) → (B, E)"""
        return self.combine(self.entity(subjects), self.relations[relations]) @ self.entity().T

    def score_subjects(self, relations: Tensor, objects: Tensor) -> Tensor:
        """Score all entities as the subject. Shapes (B,), (B,) → (B, E)"""
        if self.reciprocal:
            return self.score_objects(objects, relations + self.n_relations)
        return self.combine_backwards(self.relations[relations], self.entity(objects)) @ self.entity().T

    def score_relations(self, subjects: Tensor, objects: Tensor) -> Tensor:
        """Score all relations between two entities; with reciprocal ones the mean of both readings.

        subjects (Tensor): Shape (B,)
        objects (Tensor): Shape (B,)
        RETURNS (Tensor): φ. Shape (B, R)
        """
        one, two = self.entity(subjects), self.entity(objects)
        forwards = self.combine_ends(one, two) @ self.relations[: self.n_relations].T
        if not self.reciprocal:
            return forwards
        return (forwards + self.combine_ends(two, one) @ self.relations[self.n_relations :].T) / 2

    def combine_ends(self, one: Tensor, two: Tensor) -> Tensor:
        """What of two entities a relation is multiplied with. Shapes (B, columns)"""
        if self.kind == "distmult":
            return one * two
        (a, b), (c, d) = one.chunk(2, 1), two.chunk(2, 1)
        return torch.cat([a * c + b * d, a * d - b * c], 1)

    def n3(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """Σ |·|³ of the numbers of some embeddings: the nuclear 3-norm of their facts.

        subjects (Tensor): Shape (B,)
        relations (Tensor): Shape (B,)
        objects (Tensor): Shape (B,)
        RETURNS (Tensor): Of each fact. Shape (B,)
        """
        parts = (self.entity(subjects), self.relations[relations], self.entity(objects))
        return torch.stack([self.cubes(part) for part in parts]).sum(0)

    def cubes(self, found: Tensor) -> Tensor:
        """Σ |·|³ of the numbers of embeddings.

        found (Tensor): Shape (B, columns)
        RETURNS (Tensor): Shape (B,)
        """
        if self.kind == "distmult":
            return found.abs().pow(3).sum(1)
        real, imaginary = found.chunk(2, 1)
        return (real.square() + imaginary.square() + 1e-20).pow(1.5).sum(1)


def questions_of(triples: Tensor, *, n_relations: int, reciprocal: bool) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gather facts with the same question.

    triples (Tensor): Shape (N, 3)
    n_relations (int): R.
    reciprocal (bool): Whether each fact is also asked the other way round.
    RETURNS (Tuple[Tensor, Tensor, Tensor, Tensor]): Subject and relation of each question, and the answers of question
        q are `answers[starts[q]:starts[q + 1]]`. Shapes (Q,), (Q,), (Q + 1,), (facts,)
    """
    subject, relation, obj = triples.unbind(1)
    if reciprocal:
        subject, relation, obj = (
            torch.cat([subject, obj]),
            torch.cat([relation, relation + n_relations]),
            torch.cat([obj, subject]),
        )
    keys = subject * (2 * n_relations) + relation
    keys, order = torch.sort(keys, stable=True)
    distinct, counts = torch.unique_consecutive(keys, return_counts=True)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return distinct // (2 * n_relations), distinct % (2 * n_relations), starts, obj[order]


class Room:
    """Memory for the scores of a batch and the gradient of the table, as large as the largest batch so far."""

    def __init__(self) -> None:
        self._kept: Dict[str, Tensor] = {}

    def take(self, name: str, rows: int, *, columns: int, like: Tensor) -> Tensor:
        """Give memory; what it held is lost.

        name (str): What for.
        rows (int): E.
        columns (int): F.
        like (Tensor): Of the same type and on the same device.
        RETURNS (Tensor): Shape (E, F)
        """
        kept, size = self._kept.get(name), rows * columns
        if kept is None or len(kept) < size or kept.device != like.device:
            kept = self._kept[name] = like.new_empty(size)
        return kept[:size].view(rows, columns)


def question_loss(
    model: KbEmbeddings,
    subjects: Tensor,
    relations: Tensor,
    counts: Tensor,
    answers: Tensor,
    *,
    n3: float = 0.0,
    smoothing: float = 0.0,
    relation_weight: float = 0.0,
    room: Optional[Room] = None,
) -> Tensor:
    """Cross-entropy of questions over all entities, the sum over their answers, and N3 and relations of these facts.

    model (KbEmbeddings): The embeddings.
    subjects (Tensor): Of the questions. Shape (B,)
    relations (Tensor): Of the questions. Shape (B,)
    counts (Tensor): Number of answers of each. Shape (B,)
    answers (Tensor): One after the other. Shape (A,)
    n3 (float): Weight of the nuclear 3-norm.
    smoothing (float): Share of each answer that is spread over all entities.
    relation_weight (float): Weight of the cross-entropy of each fact's relation over all relations, or over all
        reciprocal ones.
    room (Optional[Room]): Memory of the batch before, to be used again; its gradients are lost, also those that
        became the `grad` of a table.
    RETURNS (Tensor): Mean over the answers. Shape ()
    """
    rows = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    wanted = torch.cat([subjects, answers]) if n3 or relation_weight else subjects
    found, table = Entities.apply(model.entity(), wanted)
    one, names = found[: len(subjects)], model.relations[relations]
    told = (counts, rows, answers, smoothing, room or Room())
    loss: Tensor = AllEntities.apply(model.combine(one, names), table, *told)
    if n3:
        parts = ((model.cubes(one) + model.cubes(names)) * counts).sum() + model.cubes(found[len(subjects) :]).sum()
        loss = loss + n3 * parts / len(answers)
    if relation_weight:
        ends = model.combine_ends(one[rows], found[len(subjects) :])
        loss = loss + relation_weight * _relation_loss(model, ends, relations[rows])
    return loss


def _relation_loss(model: KbEmbeddings, ends: Tensor, relations: Tensor) -> Tensor:
    """Cross-entropy over the relations that are read in the same direction. Shapes (A, columns), (A,) → ()"""
    scores = (ends @ model.relations.T).view(len(ends), -1, model.n_relations)  # (A, directions, R)
    direction = relations // model.n_relations
    scores = scores.gather(1, direction[:, None, None].expand(-1, 1, model.n_relations))[:, 0]
    return F.cross_entropy(scores, relations % model.n_relations)


def drawn_loss(model: KbEmbeddings, triples: Tensor, *, penalty: float, generator: torch.Generator) -> Tensor:
    """The logistic loss of Xu and Barbosa: each fact against one with another subject or object, and one with
    another relation, none of them checked against what is known.

    model (KbEmbeddings): The embeddings.
    triples (Tensor): Facts. Shape (B, 3)
    penalty (float): Weight of the mean squares of what was looked up.
    generator (torch.Generator): Draws.
    RETURNS (Tensor): Shape ()
    """
    other, changed = triples.clone(), triples.clone()
    entities, count = len(model.entities), len(triples)
    drawn = torch.randint(entities, (count,), generator=generator).to(triples.device)
    first = (torch.rand((count,), generator=generator) < 0.5).to(triples.device)
    other[:, 0] = torch.where(first, drawn, other[:, 0])
    other[:, 2] = torch.where(first, other[:, 2], drawn)
    changed[:, 1] = torch.randint(model.n_relations, (count,), generator=generator).to(triples.device)
    scores = model(torch.cat([triples, other, changed]))
    signs = torch.ones_like(scores)
    signs[:count] = -1.0
    return F.softplus(signs * scores).mean() + penalty * mean_squares(model, triples)


def mean_squares(model: KbEmbeddings, triples: Tensor) -> Tensor:
    """Sum of the mean squares of the six parts of facts, as the code of Xu and Barbosa penalises them. Shape ()"""
    subject, relation, obj = triples.unbind(1)
    parts = (model.entity(subject), model.relations[relation], model.entity(obj))
    pieces = [piece for part in parts for piece in (part.chunk(2, 1) if model.kind == "complex" else (part,))]
    return torch.stack([piece.square().mean() for piece in pieces]).sum()


# Entities whose scores are made at once on a processor, where one product of all of them takes twice as long.
BLOCK = 1_024


class Entities(torch.autograd.Function):
    """Some rows of a table and all of it; the gradients of both become one without new memory."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, numbers: Tensor) -> Tuple[Tensor, Tensor]:
        """Look up.

        table (Tensor): Shape (E, columns)
        numbers (Tensor): Shape (B,)
        RETURNS (Tuple[Tensor, Tensor]): Shapes (B, columns), (E, columns)
        """
        ctx.save_for_backward(numbers)
        return table[numbers], table.view_as(table)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Tuple[Tensor, None]:
        """Add the gradients of the rows to that of the table, in place."""
        return outer[1].index_add_(0, ctx.saved_tensors[0], outer[0]), None


class AllEntities(torch.autograd.Function):
    """−Σ log softmax of the answers to questions; the gradient is ready when the loss is."""

    @staticmethod
    def forward(
        ctx: Any,
        questions: Tensor,
        table: Tensor,
        counts: Tensor,
        rows: Tensor,
        answers: Tensor,
        smoothing: float,
        room: Room,
    ) -> Tensor:
        """Score, and put the gradient in the place of the scores.

        questions (Tensor): Shape (B, columns)
        table (Tensor): Of all entities. Shape (E, columns)
        counts (Tensor): Answers of each question. Shape (B,)
        rows (Tensor): Question of each answer. Shape (A,)
        answers (Tensor): Shape (A,)
        smoothing (float): Share of each answer that is spread over all entities.
        room (Room): Memory; what backward gives lies there, until the next call.
        RETURNS (Tensor): Mean over the answers. Shape ()
        """
        share, scores = 1.0 / len(answers), _scores(table, questions, room)
        loss = -scores[answers, rows].sum() * (1.0 - smoothing)
        if smoothing:
            loss -= smoothing * (scores.mean(0) * counts).sum()
        top = scores.amax(0)
        sums = scores.sub_(top).exp_().sum(0)
        loss += ((sums.log() + top) * counts).sum()
        weights = counts * share
        scores.mul_(weights / sums)
        if smoothing:
            scores.sub_(weights * (smoothing / len(table)))
        scores.index_put_((answers, rows), scores.new_full((1,), -share * (1.0 - smoothing)), accumulate=True)
        of_table = room.take("table", len(table), columns=table.shape[1], like=table)
        ctx.gradients = (scores.T @ table, torch.mm(scores, questions, out=of_table))
        return loss * share

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Tuple[Any, ...]:
        """Give the gradients, once."""
        of_questions, of_table = ctx.gradients
        ctx.gradients = None
        return (of_questions.mul_(outer[0]), of_table.mul_(outer[0]), *(None for _ in range(5)))


def _scores(table: Tensor, questions: Tensor, room: Room) -> Tensor:
    """Score all entities. Shapes (E, columns), (B, columns) → (E, B)"""
    scores = room.take("scores", len(table), columns=len(questions), like=table)
    step = BLOCK if table.device.type == "cpu" else len(table)
    for start in range(0, len(table), step):
        end = start + step
        torch.mm(table[start:end], questions.T, out=scores[start:end])
    return scores
