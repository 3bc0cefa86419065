"""Training of knowledge-base embeddings: epochs over all facts, and early stopping."""

import math
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Type, Union

import torch
from torch import Tensor

from ..bridge.weights import PRECISIONS, uses_bf16
from ..errors import check_range
from .embeddings import Buffers, KbEmbeddings, Queries, group_queries, negative_sampling_loss, query_loss

LOSSES = ("all", "drawn")
OPTIMIZERS: Dict[str, Type[torch.optim.Optimizer]] = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam}

# Lowest and highest value of each number.
RANGES = {
    "width": (1, 1_000_000),
    "learn_rate": (0.0, 1_000.0),
    "batch_size": (1, 1_000_000_000),
    "epochs": (1, 1_000_000_000),
    "n3": (0.0, 1_000.0),
    "relation_weight": (0.0, 1_000.0),
    "penalty": (0.0, 1_000.0),
    "clip": (0.0, 1_000_000.0),
    "scale": (0.0, 1_000.0),
    "patience": (0, 1_000_000_000),
    "eval_frequency": (1, 1_000_000_000),
    "seed": (0, 2**32 - 1),
}

LOSS_SETTINGS = {"all": ("n3", "relation_weight"), "drawn": ("penalty",)}

Batches = Iterable[Tuple[float, int]]  # loss and number of facts of each batch
Progress = Callable[[Batches], Batches]


@dataclass(frozen=True)
class KbTraining:
    """Hyperparameters of the embeddings and their training.

    The loss "all" is cross-entropy over all entities, and "drawn" the logistic loss with negative sampling. Each has
    settings of its own, `LOSS_SETTINGS`. Other settings: see `KbEmbeddings`.

    optimizer (str): "adagrad" or "adam".
    batch_size (int): Facts of an update; their approximate number for "all", see `query_loss`.
    epochs (int): Maximum number of epochs over the facts.
    n3 (float): Weight of N3.
    relation_weight (float): Weight of the cross-entropy over relations.
    penalty (float): Weight of the mean squares.
    clip (float): Maximum gradient norm of each table; 0: no clipping.
    patience (int): Evaluations without a better score until training stops early; 0: no early stopping.
    eval_frequency (int): Epochs between two evaluations.
    precision (str): Precision of entity scores in the loss "all": "fp32", "bf16" or "auto": bf16 if the processor or
        GPU multiplies such matrices natively. Tables, gradients and the softmax stay in fp32.
    """

    width: int = 100
    loss: str = "all"
    optimizer: str = "adagrad"
    learn_rate: float = 0.1
    batch_size: int = 1_000
    epochs: int = 20
    n3: float = 0.0
    relation_weight: float = 0.0
    penalty: float = 0.0
    clip: float = 0.0
    reciprocal: bool = True
    entity_tanh: bool = False
    scale: float = 1e-3
    patience: int = 3
    eval_frequency: int = 1
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Validate choices and ranges, and that only settings of the chosen loss are given."""
        for key, (low, high) in RANGES.items():
            check_range(key, getattr(self, key), low, high)
        choices = {"loss": LOSSES, "optimizer": tuple(OPTIMIZERS), "precision": PRECISIONS}
        for key, known in choices.items():
            if getattr(self, key) not in known:
                raise ValueError(f"{key} is {getattr(self, key)!r}; expected one of: {', '.join(known)}")
        for key in LOSS_SETTINGS["drawn" if self.loss == "all" else "all"]:
            if getattr(self, key):
                reason = f"expected 0, since the loss {self.loss!r} has no such part"
                raise ValueError(f"{key} is {getattr(self, key)}; {reason}")


# The recipe of Xu and Barbosa (NAACL 2019), which they train with 60,000 updates of 5,000 facts.
LOGISTIC_RECIPE: Dict[str, Union[str, float]] = {
    "width": 50,
    "loss": "drawn",
    "optimizer": "adam",
    "learn_rate": 1.3e-3,
    "batch_size": 5_000,
    "penalty": 0.031,
    "clip": 1.0,
    "reciprocal": False,
    "entity_tanh": True,
    "scale": 0.0,
}


@dataclass
class TrainingState:
    """State of training: the tables after the last epoch, and those with the best score.

    history (List[Dict[str, float]]): `loss` of each epoch, and `score` if it was evaluated.
    """

    model: KbEmbeddings
    optimizer: torch.optim.Optimizer
    history: List[Dict[str, float]]
    best: Optional[Dict[str, Tensor]]
    generator: torch.Generator


def start_training(
    settings: KbTraining, *, n_entities: int, n_relations: int, device: Optional[torch.device] = None
) -> TrainingState:
    """Initialize tables and optimizer on a device; None: the CPU."""
    torch.manual_seed(settings.seed)
    model = KbEmbeddings(
        n_entities=n_entities,
        n_relations=n_relations,
        width=settings.width,
        reciprocal=settings.reciprocal,
        entity_tanh=settings.entity_tanh,
        scale=settings.scale,
    ).to(device or torch.device("cpu"))
    options = {"lr": settings.learn_rate, "fused": model.entities.device.type == "cpu"}  # seven times as fast there
    optimizer = OPTIMIZERS[settings.optimizer](model.parameters(), **options)  # type: ignore[arg-type]
    return TrainingState(model, optimizer, [], None, torch.Generator().manual_seed(settings.seed))


def train_epochs(
    state: TrainingState,
    triples: Tensor,
    settings: KbTraining,
    *,
    evaluate: Optional[Callable[[KbEmbeddings], float]] = None,
    progress: Progress = iter,
) -> Iterator[Dict[str, float]]:
    """Train until all epochs are done or training stops early, and restore the best tables.

    triples (Tensor): Facts. Shape (N, 3)
    evaluate (Optional[Callable[[KbEmbeddings], float]]): Returns a score, higher is better.
    progress (Progress): Wraps the batches of an epoch.
    YIELDS (Dict[str, float]): The entry of the history for each epoch.
    """
    while len(state.history) < settings.epochs and not _has_converged(state.history, settings.patience):
        total, count = 0.0, 0
        for loss, size in progress(_update(state, triples, settings)):
            total, count = total + loss * size, count + size
        entry = {"loss": total / max(count, 1)}
        if evaluate is not None and (len(state.history) + 1) % settings.eval_frequency == 0:
            entry["score"] = evaluate(state.model)
            if entry["score"] > max((each.get("score", -math.inf) for each in state.history), default=-math.inf):
                state.best = {key: value.detach().clone() for key, value in state.model.state_dict().items()}
        state.history.append(entry)
        yield entry
    if state.best is not None:
        state.model.load_state_dict(state.best)


def _has_converged(history: List[Dict[str, float]], patience: int) -> bool:
    """Return True if the last evaluations brought no better score."""
    scores = [each["score"] for each in history if "score" in each]
    return patience > 0 and len(scores) > patience and max(scores[-patience:]) <= max(scores[:-patience])


def _update(state: TrainingState, triples: Tensor, settings: KbTraining) -> Iterator[Tuple[float, int]]:
    """Update the tables once for each batch. YIELDS its loss and the number of its facts."""
    losses = _query_losses if settings.loss == "all" else _sampling_losses
    for loss, size in losses(state, triples, settings):
        # not zeroed: the gradient of the table lies in a buffer that the next batch overwrites
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if settings.clip:
            for table in state.model.parameters():
                torch.nn.utils.clip_grad_norm_(table, settings.clip)
        state.optimizer.step()
        yield loss.item(), size


def _query_losses(state: TrainingState, triples: Tensor, settings: KbTraining) -> Iterator[Tuple[Tensor, int]]:
    """Shuffle queries; each batch has so many that they have `batch_size` answers on average."""
    model, device = state.model, triples.device
    queries = group_queries(triples, n_relations=model.n_relations, reciprocal=settings.reciprocal)
    subjects, relations, counts, answers = queries
    starts = counts.cumsum(0) - counts
    step = max(1, round(settings.batch_size * len(counts) / len(answers)))
    order = torch.randperm(len(counts), generator=state.generator).to(device)
    buffers, dtype = Buffers(), torch.bfloat16 if uses_bf16(settings.precision, device) else torch.float32
    for batch in order.split(step):
        sizes = counts[batch]
        offsets = torch.repeat_interleave(starts[batch] - sizes.cumsum(0) + sizes, sizes)
        chosen = answers[offsets + torch.arange(len(offsets), device=device)]
        loss = query_loss(
            model,
            Queries(subjects[batch], relations[batch], sizes, chosen),
            n3=settings.n3,
            relation_weight=settings.relation_weight,
            buffers=buffers,
            dtype=dtype,
        )
        yield loss, len(chosen)


def _sampling_losses(state: TrainingState, triples: Tensor, settings: KbTraining) -> Iterator[Tuple[Tensor, int]]:
    """Shuffle facts, and split them into batches. YIELDS the loss of each and the number of its facts."""
    for chosen in torch.randperm(len(triples), generator=state.generator).split(settings.batch_size):
        batch = triples[chosen.to(triples.device)]
        loss = negative_sampling_loss(state.model, batch, penalty=settings.penalty, generator=state.generator)
        yield loss, len(batch)
