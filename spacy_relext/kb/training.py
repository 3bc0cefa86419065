"""Training of knowledge-base embeddings: passes over all facts, early stopping, and what is needed to go on later."""

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
from torch import Tensor

from .embeddings import KINDS, KbEmbeddings, Room, drawn_loss, question_loss, questions_of

LOSSES, OPTIMIZERS = ("all", "drawn"), ("adagrad", "adam")

OF_LOSS = {"all": ("n3", "smoothing", "relation_weight"), "drawn": ("penalty",)}


@dataclass(frozen=True)
class KbSettings:
    """How embeddings are trained.

    kind (str): "complex" or "distmult".
    width (int): Numbers of an embedding.
    loss (str): "all": cross-entropy over all entities; "drawn": logistic, with drawn negatives.
    optimizer (str): "adagrad" or "adam".
    learn_rate (float): Of the optimizer.
    batch_size (int): Facts of an update; of "all" about so many, see `question_loss`.
    passes (int): Most passes.
    n3 (float): Weight of N3, of "all".
    smoothing (float): Of "all".
    relation_weight (float): Weight of asking for relations, too, of "all".
    penalty (float): Weight of the mean squares, of "drawn".
    clip (float): Longest gradient of each table; 0: as long as it is.
    reciprocal (bool): Whether relations have a reciprocal.
    entity_tanh (bool): Whether entities go through tanh.
    scale (float): Of what the tables begin with; 0: drawn from 0 to 1.
    patience (int): Evaluations without a better score after which training ends; 0: all passes.
    every (int): Passes between two evaluations.
    seed (int): Of all that is drawn.
    """

    kind: str = "complex"
    width: int = 100
    loss: str = "all"
    optimizer: str = "adagrad"
    learn_rate: float = 0.1
    batch_size: int = 1_000
    passes: int = 20
    n3: float = 0.0
    smoothing: float = 0.0
    relation_weight: float = 0.0
    penalty: float = 0.0
    clip: float = 0.0
    reciprocal: bool = True
    entity_tanh: bool = False
    scale: float = 1e-3
    patience: int = 3
    every: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the words."""
        for key, known in (("kind", KINDS), ("loss", LOSSES), ("optimizer", OPTIMIZERS)):
            if getattr(self, key) not in known:
                raise ValueError(f"{key} is {getattr(self, key)!r}; expected one of: {', '.join(known)}")
        for key in OF_LOSS["drawn" if self.loss == "all" else "all"]:
            if getattr(self, key):
                raise ValueError(
                    f"{key} is {getattr(self, key)}; expected 0, since the loss {self.loss!r} has no such part"
                )


# The recipe with which Xu and Barbosa (NAACL 2019) made their embeddings: 60,000 updates of 5,000 facts.
LOGISTIC_RECIPE = {"width": 50, "loss": "drawn", "optimizer": "adam", "learn_rate": 1.3e-3, "batch_size": 5_000}

LOGISTIC_RECIPE.update(penalty=0.031, clip=1.0, reciprocal=False, entity_tanh=True, scale=0.0)


@dataclass
class KbState:
    """A training, as far as it is.

    model (KbEmbeddings): The tables of the last pass.
    optimizer (torch.optim.Optimizer): With its sums.
    history (List[Dict[str, float]]): One entry for each pass: `loss`, and `score` where it was evaluated.
    best (Optional[Dict[str, Tensor]]): The tables with the best score.
    generator (torch.Generator): Draws.
    """

    model: KbEmbeddings
    optimizer: torch.optim.Optimizer
    history: List[Dict[str, float]]
    best: Optional[Dict[str, Tensor]]
    generator: torch.Generator

    def tensors(self) -> Dict[str, Tensor]:
        """RETURNS (Dict[str, Tensor]): All that is needed to go on, on the CPU."""
        found = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        found.update({f"best.{key}": value for key, value in (self.best or {}).items()})
        for number, state in self.optimizer.state_dict()["state"].items():
            found.update({f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in state.items()})
        found["generator"] = self.generator.get_state()
        return {key: value.detach().cpu() for key, value in found.items()}

    def load_tensors(self, found: Dict[str, Tensor]) -> None:
        """Go on where `tensors` was called.

        found (Dict[str, Tensor]): What it has given.
        """
        parts: Dict[str, Dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
        for key, value in found.items():
            head, _, rest = key.partition(".")
            if head in parts:
                parts[head][rest] = value
        self.model.load_state_dict(parts["model"])
        self.best = parts["best"] or None
        state: Dict[int, Dict[str, Tensor]] = {}
        for key, value in parts["optimizer"].items():
            number, _, name = key.partition(".")
            state.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.generator.set_state(found["generator"].to(torch.uint8))


def start_training(
    settings: KbSettings, *, n_entities: int, n_relations: int, device: Optional[torch.device] = None
) -> KbState:
    """Begin.

    settings (KbSettings): The settings.
    n_entities (int): E.
    n_relations (int): R.
    device (Optional[torch.device]): Where the tables are; the CPU unless given.
    RETURNS (KbState): Before the first pass.
    """
    torch.manual_seed(settings.seed)
    keys = ("kind", "width", "reciprocal", "entity_tanh", "scale")
    options: Dict[str, Any] = {key: getattr(settings, key) for key in keys}
    model = KbEmbeddings(n_entities=n_entities, n_relations=n_relations, **options).to(device or torch.device("cpu"))
    kinds: Dict[str, Any] = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam}
    optimizer = kinds[settings.optimizer](model.parameters(), lr=settings.learn_rate)
    return KbState(model, optimizer, [], None, torch.Generator().manual_seed(settings.seed))


def train_passes(
    state: KbState,
    triples: Tensor,
    settings: KbSettings,
    *,
    evaluate: Optional[Callable[[KbEmbeddings], float]] = None,
    progress: Any = None,
) -> Iterator[Dict[str, float]]:
    """Train until all passes are done, or the score does not rise any more; in the end the best tables are taken.

    state (KbState): What is trained, from where it is.
    triples (Tensor): Facts. Shape (N, 3)
    settings (KbSettings): The settings.
    evaluate (Optional[Callable[[KbEmbeddings], float]]): Gives the score, of which more is better.
    progress (Any): Wraps the batches of a pass.
    YIELDS (Dict[str, float]): The entry of each pass, when it is done.
    """
    while len(state.history) < settings.passes and not _has_settled(state.history, settings.patience):
        batches = _batches(state, triples, settings)
        total, count = 0.0, 0
        for loss, size in progress(batches, len(state.history)) if progress else batches:
            total, count = total + loss * size, count + size
        entry = {"loss": total / max(count, 1)}
        if evaluate is not None and (len(state.history) + 1) % settings.every == 0:
            entry["score"] = evaluate(state.model)
            if entry["score"] > max((each.get("score", -math.inf) for each in state.history), default=-math.inf):
                state.best = {key: value.detach().clone() for key, value in state.model.state_dict().items()}
        state.history.append(entry)
        yield entry
    if state.best is not None:
        state.model.load_state_dict(state.best)


def _has_settled(history: List[Dict[str, float]], patience: int) -> bool:
    """Say whether the last evaluations have brought nothing."""
    scores = [each["score"] for each in history if "score" in each]
    return patience > 0 and len(scores) > patience and max(scores[-patience:]) <= max(scores[:-patience])


def _batches(state: KbState, triples: Tensor, settings: KbSettings) -> Iterator[Tuple[float, int]]:
    """Update once for each batch; yields its loss, and the number of its facts."""
    losses = _question_losses if settings.loss == "all" else _drawn_losses
    for loss, size in losses(state, triples, settings):
        # not to zero: the gradient of the table is the memory in which the next one will be made
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if settings.clip:
            for table in state.model.parameters():
                torch.nn.utils.clip_grad_norm_(table, settings.clip)
        state.optimizer.step()
        yield loss.item(), size


def _question_losses(state: KbState, triples: Tensor, settings: KbSettings) -> Iterator[Tuple[Tensor, int]]:
    """Questions in an order that is drawn, so many that their answers make a batch on the mean."""
    model, device = state.model, triples.device
    options: Dict[str, Any] = {"n_relations": model.n_relations, "reciprocal": settings.reciprocal}
    subjects, relations, starts, answers = questions_of(triples, **options)
    counts = starts[1:] - starts[:-1]
    step = max(1, round(settings.batch_size * len(counts) / len(answers)))
    order = torch.randperm(len(counts), generator=state.generator).to(device)
    how: Dict[str, Any] = {key: getattr(settings, key) for key in ("n3", "smoothing", "relation_weight")}
    how["room"] = Room()
    for chosen in order.split(step):
        wanted = counts[chosen]
        offsets = torch.repeat_interleave(starts[:-1][chosen] - wanted.cumsum(0) + wanted, wanted)
        found = answers[offsets + torch.arange(len(offsets), device=device)]
        yield question_loss(model, subjects[chosen], relations[chosen], wanted, found, **how), len(found)


def _drawn_losses(state: KbState, triples: Tensor, settings: KbSettings) -> Iterator[Tuple[Tensor, int]]:
    """Facts in an order that is drawn."""
    for chosen in torch.randperm(len(triples), generator=state.generator).split(settings.batch_size):
        batch = triples[chosen.to(triples.device)]
        yield drawn_loss(state.model, batch, penalty=settings.penalty, generator=state.generator), len(batch)
