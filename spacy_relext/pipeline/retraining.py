"""Further training on corrections: they are mixed with old documents, and a low learning rate prevents forgetting."""

import math
import random
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import dot_to_object, fix_random_seed

from ..annotations.store import get_records, has_triples
from ..corpora.shards import Reservoir, ShardWriter, iter_docs
from ..errors import Errors
from .pipe import RelationPipe
from .schedules import count_batches

# How often each correction is seen, and the learning rate as a share of the original one, as measured with forty
# corrections ("Training on corrections" in docs/benchmarks); share of warm-up steps.
PASSES, RATE_SHARE, WARMUP = 6, 1 / 30, 0.03

Progress = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Mix:
    """Documents to train on.

    new, old (int): Number of distinct corrections, and of distinct documents from the original corpus.
    wanted (int): Number of original documents that the ratio asks for; if there are fewer, they are repeated.
    not_annotated (int): Corrections that are left out because they are not annotated with triples.
    replaced (int): Original documents that are left out because a correction has the same text.
    unknown (Dict[str, int]): Relations of the corrections that the pipeline does not know → number of their triples.
    """

    new: int
    old: int
    wanted: int
    not_annotated: int
    replaced: int
    unknown: Dict[str, int]


@dataclass(frozen=True)
class Retraining:
    """What was done: components that were trained, steps, and the highest learning rate."""

    components: List[str]
    steps: int
    rate: float


def retrained_components(nlp: Language) -> List[str]:
    """List the components that learn from gold triples, and those that they listen to.

    RAISES (ValueError): If there is none.
    """
    frozen = set(nlp.config["training"].get("frozen_components", ()))
    learners = {
        name
        for name, pipe in nlp.pipeline
        if isinstance(pipe, RelationPipe) and pipe.is_trainable and pipe.needs_triples and name not in frozen
    }
    if not learners:
        raise ValueError(Errors.R253.format(found=", ".join(nlp.pipe_names) or "empty"))
    upstream = {
        name for name, pipe in nlp.pipeline if learners.intersection(getattr(pipe, "listening_components", ()))
    } - frozen
    return [name for name in nlp.pipe_names if name in learners | upstream]


def mix_corpora(
    nlp: Language, new: Path, keep: Optional[Path], output: Path, *, ratio: float, seed: int, progress: Progress = iter
) -> Mix:
    """Write corrections, each PASSES times, and original documents drawn at random, as one corpus.

    Enough of the latter are drawn for each repetition to have its own, so that few of them are memorized.

    new, keep (Path): The corrections, and the original corpus; None: corrections alone.
    output (Path): The .spacy file to write.
    ratio (float): Original documents for each correction.
    RAISES (ValueError): If no correction is annotated.
    """
    docs = list(iter_docs(new, nlp.vocab))
    chosen = [doc for doc in docs if has_triples(doc)]
    if not chosen:
        raise ValueError(Errors.R208.format(count=len(docs), path=str(new)))
    texts = {doc.text for doc in chosen}
    wanted = 0 if keep is None else math.ceil(ratio * len(chosen)) * PASSES
    drawn, replaced = _draw(iter_docs(keep, nlp.vocab) if keep and wanted else (), wanted, texts, seed, progress)
    with ShardWriter(output) as writer:
        for doc in [*chosen * PASSES, *islice(cycle(drawn), wanted)]:
            writer.add(doc)
    known = {label for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe) for label in pipe.labels}
    unknown: Dict[str, int] = {}
    for record in (record for doc in chosen for record in get_records(doc, source="") or ()):
        if record["relation"] not in known:
            unknown[record["relation"]] = unknown.get(record["relation"], 0) + 1
    return Mix(len(chosen), len(drawn), wanted, len(docs) - len(chosen), replaced, unknown)


def _draw(docs: Iterable[Doc], wanted: int, texts: "set[str]", seed: int, progress: Progress) -> Tuple[List[Doc], int]:
    """Draw annotated documents at random in one pass, except those with certain texts, which are counted."""
    reservoir: Reservoir[Doc] = Reservoir(wanted, random.Random(seed).randrange)
    replaced = 0
    for doc in progress(docs):
        if doc.text in texts:
            replaced += 1
        elif has_triples(doc) and (place := reservoir.next_place()) is not None:
            reservoir.items[place : place + 1] = [doc]
    return reservoir.items, replaced


def retrain(
    nlp: Language,
    corpus: Path,
    *,
    steps: int = 0,
    rate: float = 0.0,
    seed: int = 0,
    progress: Progress = iter,
) -> Retraining:
    """Train the components of a trained pipeline further, with the reader, batcher and optimizer of its config.

    Other components, labels, settings and thresholds stay as they are.

    corpus (Path): The .spacy file to train on.
    steps (int): Updates; 0: one pass over the corpus, but no more than the training that the config describes.
    rate (float): Highest learning rate; 0: RATE_SHARE of that in the config.
    progress (Progress): Wraps the stream of steps.
    RAISES (ValueError): If no component can be trained, or the config has no learning rate to take a share of.
    """
    components = retrained_components(nlp)
    fix_random_seed(seed)
    config = nlp.config.copy().interpolate()
    training = config["training"]
    block = dot_to_object(config, training["train_corpus"])
    reader = registry.resolve({"corpus": {**block, "path": str(corpus)}})["corpus"]
    batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
    steps = steps or _default_steps(training, count_batches(nlp, reader, batcher))
    rate = rate or RATE_SHARE * _trained_rate(training["optimizer"])
    schedule = {"@schedules": "spacy_relext.warmup_linear.v1", "initial_rate": rate, "warmup": WARMUP}
    changed = {"learn_rate": {**schedule, "total_steps": steps + 1}, "use_averages": False}
    optimizer = registry.resolve({"optimizer": {**training["optimizer"], **changed}})["optimizer"]
    updates = train_while_improving(
        nlp,
        nlp.resume_training(sgd=optimizer),
        create_train_batches(nlp, reader, batcher, 0),
        evaluate=lambda: (0.0, {}),
        dropout=training["dropout"],
        eval_frequency=steps + 1,
        accumulate_gradient=training["accumulate_gradient"],
        patience=0,
        max_steps=0,
        exclude=[name for name in nlp.pipe_names if name not in components],
        annotating_components=training["annotating_components"],
        before_update=None,
    )
    for _ in progress(islice(updates, steps)):
        pass
    return Retraining(components, steps, rate)


def _default_steps(training: Dict[str, Any], batches: int) -> int:
    """Compute the number of updates for a corpus: never more than the pipeline was trained with."""
    rate = training["optimizer"].get("learn_rate")
    trained = rate.get("total_steps", 0) if isinstance(rate, dict) else 0
    return min(batches, trained or training["max_steps"] or batches)


def _trained_rate(optimizer: Dict[str, Any]) -> float:
    rate = optimizer.get("learn_rate")
    highest = rate.get("initial_rate") if isinstance(rate, dict) else rate
    if not isinstance(highest, (int, float)) or highest <= 0:
        raise ValueError(Errors.R254.format(found=rate))
    return float(highest)
