"""A learning rate that falls to zero by the end of training, and the length of a training, from its config."""

import inspect
import random
import warnings
from typing import Callable, Dict, Iterable, Iterator, List

from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy.util import resolve_dot_names

from ..errors import Errors, check_range
from .initialize import check_shared_vectors

Reader = Callable[[Language], Iterable[Example]]
Batcher = Callable[[Iterable[Example]], Iterable[List[Example]]]


@registry.schedules("spacy_relext.warmup_linear.v1")
def warmup_linear(initial_rate: float, warmup: float = 0.06, total_steps: int = 0) -> Iterator[float]:
    """Return a learning-rate schedule: linear warm-up, then linear decay to zero.

    initial_rate (float): Highest rate.
    warmup (float): Share of all steps that are warm-up, 0 to 1.
    total_steps (int): Steps after which the rate is zero; 0: as many as the training has, which the callback
        `spacy_relext.set_total_steps.v1` sets.
    RETURNS (Iterator[float]): The rate of each step.
    RAISES (ValueError): If a number is out of range; at the second step if total_steps is still 0.
    """
    check_range("initial_rate", initial_rate, 0.0, 1_000.0)
    check_range("warmup", warmup, 0.0, 1.0)
    check_range("total_steps", total_steps, 0, 1_000_000_000)
    return _rates(initial_rate, warmup, total_steps)


def _rates(initial_rate: float, warmup: float, total: int) -> Iterator[float]:
    """Yield the rates; the first does not depend on the total, so that an optimizer can be created without it."""
    yield 0.0 if warmup else initial_rate
    if not total:
        raise ValueError(Errors.R014)
    rise = max(1, round(warmup * total)) if warmup else 0
    step = 1
    while True:
        yield initial_rate * (step / rise if step < rise else max(0.0, (total - step) / max(1, total - rise)))
        step += 1


@registry.callbacks("spacy_relext.set_total_steps.v1")
def create_set_total_steps() -> Callable[[Language], Language]:
    """Create a callback for `[initialize.before_init]` that sets total_steps to the length of the training.

    The number replaces that of `[training.optimizer.learn_rate]`, and is saved with the pipeline.
    """

    def set_total_steps(nlp: Language) -> Language:
        rate = nlp.config["training"]["optimizer"].get("learn_rate")
        if not isinstance(rate, dict) or not ("total_steps" in rate or _takes_total_steps(rate)):
            raise ValueError(Errors.R015.format(found=rate))
        check_shared_vectors(nlp)
        rate["total_steps"] = training_length(nlp)
        return nlp

    return set_total_steps


def _takes_total_steps(rate: Dict[str, object]) -> bool:
    """Return True if the schedule of a section, which need not be filled, has the argument total_steps."""
    name = rate.get("@schedules")
    if not registry.has("schedules", str(name)):
        return False
    return "total_steps" in inspect.signature(registry.get("schedules", str(name))).parameters


def training_length(nlp: Language) -> int:
    """Compute the steps of the training that the config of a pipeline describes.

    It ends at max_steps or after max_epochs, whichever comes first; for max_epochs the corpus is read once.

    RAISES (ValueError): If neither is above 0.
    """
    config = nlp.config.interpolate()
    training = config["training"]
    max_steps, max_epochs = training["max_steps"], training["max_epochs"]
    if max_steps <= 0 and max_epochs <= 0:
        raise ValueError(Errors.R018.format(max_steps=max_steps, max_epochs=max_epochs))
    lengths = [max_steps] if max_steps > 0 else []
    if max_epochs > 0:
        (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
        batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
        lengths.append(max_epochs * count_batches(nlp, corpus, batcher))
    return max(1, min(lengths))


def count_batches(nlp: Language, corpus: Reader, batcher: Batcher) -> int:
    """Count the batches of one epoch, without changing the state of the random number generator."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the training reads the corpus again, and warns then
            examples = list(corpus(nlp))
        random.Random(0).shuffle(examples)  # as the training does in each epoch
        return sum(1 for _ in batcher(examples))
    finally:
        random.setstate(state)
