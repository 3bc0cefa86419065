"""Length of a training in steps, from its config, and a learning rate that follows it."""

import random
import warnings
from functools import partial
from typing import Callable, Iterable, Iterator, List, Optional

import spacy
from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy.util import resolve_dot_names

from ..errors import Errors, check_range

Reader = Callable[[Language], Iterable[Example]]
Batcher = Callable[[Iterable[Example]], Iterable[List[Example]]]


@registry.schedules("spacy_relext.warmup_linear.v1")
def warmup_linear(
    initial_rate: float,
    warmup: float = 0.06,
    total_steps: int = 0,
    max_steps: int = 0,
    max_epochs: int = 0,
    corpus: Optional[Reader] = None,
    batcher: Optional[Batcher] = None,
    lang: str = "en",
) -> Iterator[float]:
    """Let the rate rise in a line, then fall in a line to zero at the end of the training.

    All but the first two are references to what the config has elsewhere, such as `${training.max_epochs}`.

    initial_rate (float): Highest rate.
    warmup (float): Share of all steps in which the rate rises, 0 to 1.
    total_steps (int): Steps after which the rate is zero; 0: as many as the training has.
    max_steps, max_epochs (int): `${training.max_steps}` and `${training.max_epochs}`.
    corpus (Optional[Reader]): `${corpora.train}`; with max_epochs its batches are counted, once, after the first step.
    batcher (Optional[Batcher]): `${training.batcher}`.
    lang (str): `${nlp.lang}`, whose tokenizer reads the corpus.
    RETURNS (Iterator[float]): The rate of each step.
    RAISES (ValueError): If a number is out of range, or the config does not say when the training ends.
    """
    check_range("warmup", warmup, 0.0, 1.0)
    check_range("total_steps", total_steps, 0, 1_000_000_000)
    count = None if corpus is None or batcher is None else partial(count_batches, corpus, batcher, lang=lang)
    if not total_steps:
        check_length(max_steps=max_steps, max_epochs=max_epochs, is_countable=count is not None)

    def rates() -> Iterator[float]:
        # The first rate is the same for every total. Nothing is counted before it is used up, so that building an
        # optimizer, as `spacy debug config` does, reads no corpus.
        yield 0.0 if warmup else initial_rate
        total = total_steps or find_length(max_steps=max_steps, max_epochs=max_epochs, count=count)
        rise = max(1, round(warmup * total)) if warmup else 0
        step = 1
        while True:
            share = step / rise if step < rise else max(0.0, (total - step) / max(1, total - rise))
            yield initial_rate * share
            step += 1

    return rates()


def check_length(*, max_steps: int, max_epochs: int, is_countable: bool) -> None:
    """Check that a training has an end that can be computed; ValueError if not."""
    if max_steps <= 0 and max_epochs <= 0:
        raise ValueError(Errors.R014.format(max_steps=max_steps, max_epochs=max_epochs))
    if max_epochs > 0 and not is_countable:
        raise ValueError(Errors.R015.format(max_epochs=max_epochs))


def find_length(*, max_steps: int, max_epochs: int, count: Optional[Callable[[], int]]) -> int:
    """Compute the steps of a training that ends at max_steps or after max_epochs, whichever comes first.

    count (Optional[Callable[[], int]]): Counts the batches of an epoch.
    """
    lengths = [max_steps] if max_steps > 0 else []
    if max_epochs > 0 and count is not None:
        lengths.append(max_epochs * count())
    return max(1, min(lengths))


def count_batches(corpus: Reader, batcher: Batcher, *, lang: str = "en", nlp: Optional[Language] = None) -> int:
    """Count the batches of one epoch, without touching the state of the random numbers of the training.

    nlp (Optional[Language]): Pipeline whose tokenizer reads the corpus; None: the one of the language.
    """
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            examples = list(corpus(nlp or spacy.blank(lang)))
        random.Random(0).shuffle(examples)  # as the training does in each epoch
        return sum(1 for _ in batcher(examples))
    finally:
        random.setstate(state)


def training_length(nlp: Language) -> int:
    """Compute the steps of the training that the config of a pipeline describes.

    RAISES (ValueError): If neither max_steps nor max_epochs ends it.
    """
    config = nlp.config.interpolate()
    training = config["training"]
    limits = {"max_steps": training["max_steps"], "max_epochs": training["max_epochs"]}
    check_length(**limits, is_countable=True)

    def count() -> int:
        (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
        batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
        return count_batches(corpus, batcher, nlp=nlp)

    return find_length(**limits, count=count)
