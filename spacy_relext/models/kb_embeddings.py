"""Embeddings of a knowledge base: ComplEx (Trouillon et al., ICML 2016) and DistMult (Yang et al., ICLR 2015).

    ComplEx   φ(h, r, t) = Re Σ_k e_h[k] · w_r[k] · conj(e_t[k])
    DistMult  φ(h, r, t) = Σ_k e_h[k] · w_r[k] · e_t[k]

Losses: cross-entropy over all entities (Lacroix et al., ICML 2018, with reciprocal relations and the nuclear 3-norm,
N3), or logistic with drawn negatives, which is how the embeddings of HRERE (Xu and Barbosa, NAACL 2019) were made: one
entity and one relation replaced in each fact, entities through tanh, and squares as a penalty. To the first may be
added −log p(r | h, t) over all relations (Chen et al., AKBC 2021): how two entities are related is what a classifier of
pairs asks.

Questions rather than facts are scored against all entities: a question (h, r, ?) with several answers is scored once,
and its loss is the sum of those of its facts. That changes no loss, and spares time.
"""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kb_softmax import AllEntities, Entities, Room

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
    entity_tanh (bool): Whether entities go through tanh, as in the recipe of HRERE.
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
    """The logistic loss of HRERE's embeddings: each fact against one with another subject or object, and one with
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
    """Sum of the mean squares of the six parts that facts look up, as HRERE's code penalises them. Shape ()"""
    subject, relation, obj = triples.unbind(1)
    parts = (model.entity(subject), model.relations[relation], model.entity(obj))
    pieces = [piece for part in parts for piece in (part.chunk(2, 1) if model.kind == "complex" else (part,))]
    return torch.stack([piece.square().mean() for piece in pieces]).sum()
