"""Trained teachers write soft labels into a corpus, once."""

from math import inf
from pathlib import Path
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Sequence

import numpy
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..corpora.reader import TripleCorpus
from ..corpora.shards import ShardWriter
from ..errors import Errors
from ..pairs.diagnosis import Read, why_left_out
from ..pipeline.initialize import annotate
from .soft_labels import average_soft_labels, fit_temperature
from .teacher import KDTeacher

# Pairs that are enough to fit one number.
ENOUGH = 5_000

_NEEDED = "the corpus needs entities (or marked pairs) and triples; `spacy relext convert` keeps both where it can"


class TeachReport(NamedTuple):
    """What was taught.

    docs (int): Documents written.
    pairs (int): Pairs with soft labels.
    temperatures (List[float]): What each teacher's logits were divided by.
    """

    docs: int
    pairs: int
    temperatures: List[float]


def teach_corpus(
    pipelines: Sequence[Language],
    corpus: Path,
    output: Path,
    *,
    batch_size: int,
    progress: Callable[..., Iterable[Any]],
    held_out: bool = False,
    weights: Optional[Sequence[float]] = None,
    limit: int = 0,
) -> TeachReport:
    """Write a corpus with the soft labels of a teacher, or the mean of those of several.

    A pipeline's other components annotate the texts first, as they would a user's; entities, sentences,
    trees and marked pairs come from the corpus where it has them, as in training.

    pipelines (Sequence[Language]): Trained pipelines with one `kd_teacher` each.
    corpus (Path): The corpus the student will be trained on.
    output (Path): Where it goes.
    batch_size (int): Documents a batch.
    progress (Callable[..., Iterable[Any]]): Wraps the documents.
    held_out (bool): Whether the teachers have not been trained on the corpus: each is then made as sure as it may be,
        by a temperature under which its word fits the gold best (Guo et al., ICML 2017). On what it was trained on a
        teacher is right too often for that. There its type prior leaves out each pair's own label; here it need not.
    weights (Optional[Sequence[float]]): How much each teacher counts in the mean, in any unit; None: all the same.
    limit (int): Only the first documents are read and written; 0 for all.
    RETURNS (TeachReport): How much was taught.
    RAISES (ValueError): Where a pipeline has no teacher, or two, the teachers know different relations, the weights
        are not a positive number for each of them, or there is no pair; nothing is written then.
    """
    _check_weights(weights, len(pipelines))
    teachers = [_find_teacher(nlp) for nlp in pipelines]
    before = [_pipes_before(nlp, pipe) for nlp, pipe in zip(pipelines, teachers)]
    source = TripleCorpus(corpus, limit=limit, gold_ents=True, gold_sents=True, gold_parse=True)
    temperatures = [
        calibrate_teacher(nlp, pipe, pipes, source, batch_size=batch_size) if held_out else 1.0
        for nlp, pipe, pipes in zip(pipelines, teachers, before)
    ]
    docs, pairs, read = 0, 0, Read()
    # each pipeline reads the corpus into a vocabulary of its own
    readers = [source(nlp) for nlp in pipelines]
    with ShardWriter(output) as writer:
        for batch in minibatch(progress(zip(*readers)), size=batch_size):
            references = []
            for teacher, pipes, temperature, examples in zip(teachers, before, temperatures, zip(*batch)):
                seen = _seen(examples, pipes)
                found = teacher.teach(seen, temperature=temperature, held_out=held_out)
                references.append([example.reference for example in examples])
                if teacher is teachers[0]:
                    pairs += found
                    read.add([] if pairs else seen)
            if len(teachers) > 1:
                average_soft_labels(references, weights=weights)
            for reference in references[0]:
                writer.add(reference)
                docs += 1
        if not pairs:
            raise ValueError(_nothing_taught(read, teachers[0], corpus))
    return TeachReport(docs, pairs, temperatures)


def calibrate_teacher(
    nlp: Language, teacher: KDTeacher, before: Sequence[Any], corpus: TripleCorpus, *, batch_size: int
) -> float:
    """Find the temperature under which a teacher's probabilities fit the gold of a corpus best.

    nlp (Language): The teacher's pipeline.
    teacher (KDTeacher): The teacher.
    before (Sequence[Any]): What comes before it.
    corpus (TripleCorpus): Documents that it was not trained on; the first `ENOUGH` pairs are read.
    batch_size (int): Documents a batch.
    RETURNS (float): The temperature; 1 where there is no pair.
    """
    logits, classes, total = [], [], 0
    for batch in minibatch(corpus(nlp), batch_size):
        scores, gold = teacher.judge(_seen(list(batch), before))
        logits.append(scores)
        classes.append(gold)
        total += len(gold)
        if total >= ENOUGH:
            break
    return fit_temperature(numpy.concatenate(logits), numpy.concatenate(classes)) if total else 1.0


def _nothing_taught(read: Read, teacher: KDTeacher, corpus: Path) -> str:
    """Say why a corpus has no pair."""
    why = why_left_out(read.looked, teacher.suggester) if read.found else _NEEDED
    return Errors.R406.format(path=str(corpus), docs=read.docs, why=why)


def _check_weights(weights: Optional[Sequence[float]], teachers: int) -> None:
    """Refuse weights that are not one positive number for each teacher."""
    if weights is not None and (len(weights) != teachers or not all(0 < each < inf for each in weights)):
        expected = f"{teachers} positive numbers, one for each teacher"
        raise ValueError(Errors.R107.format(option="--weights", found=list(weights), expected=expected))


def _pipes_before(nlp: Language, teacher: KDTeacher) -> List[Any]:
    """List the components that annotate a text before a teacher sees it."""
    return [nlp.get_pipe(name) for name in nlp.pipe_names[: nlp.pipe_names.index(teacher.name)]]


def _seen(examples: Sequence[Example], pipes: Sequence[Any]) -> List[Example]:
    """Annotate texts by what comes before a teacher, as it will see them."""
    predicted = annotate([example.predicted for example in examples], pipes)
    return [Example(doc, example.reference) for doc, example in zip(predicted, examples)]


def _find_teacher(nlp: Language) -> KDTeacher:
    """Find the one teacher of a pipeline."""
    found = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, KDTeacher)]
    if len(found) != 1:
        raise ValueError(Errors.R405.format(count=len(found), found=", ".join(nlp.pipe_names) or "nothing"))
    return found[0]
