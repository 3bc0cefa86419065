"""Cross-entropy over all entities in memory that is used again for each batch.

Autograd keeps scores, their exponentials and the gradients of both, each as large as questions times entities, and asks
the system for new memory each time, which costs as much as the arithmetic. Here the gradient takes the place of the
scores as soon as these are read. The loss is that of `torch.logsumexp` to within rounding.
"""

from typing import Any, Dict, Tuple

import torch
from torch import Tensor

# Entities whose scores are made at once on a processor, where one product of all of them takes twice as long.
BLOCK = 1_024


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
