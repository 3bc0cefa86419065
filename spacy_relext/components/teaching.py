"""Trained teachers write soft labels into a corpus, once."""

from pathlib import Path
from typing import Any, Callable, Iterable, NamedTuple, Sequence

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..corpora.reader import TripleCorpus
from ..corpora.shards import ShardWriter
from ..errors import Errors
from ..instances.soft_labels import average_soft_labels
from .annotation import annotate
from .kd_teacher import KDTeacher


class TeachReport(NamedTuple):
    """What was taught.

    docs (int): Documents written.
    pairs (int): Pairs with soft labels.
    """

    docs: int
    pairs: int


def teach_corpus(
    pipelines: Sequence[Language],
    corpus: Path,
    output: Path,
    *,
    batch_size: int,
    progress: Callable[..., Iterable[Any]],
) -> TeachReport:
    """Write a corpus with the soft labels of a teacher, or the mean of those of several.

    A pipeline's other components annotate the texts first, as they would a user's; entities, sentences,
    trees and marked pairs come from the corpus where it has them, as in training.

    pipelines (Sequence[Language]): Trained pipelines with one `kd_teacher` each.
    corpus (Path): The corpus the student will be trained on.
    output (Path): Where it goes.
    batch_size (int): Documents a batch.
    progress (Callable[..., Iterable[Any]]): Wraps the documents.
    RETURNS (TeachReport): How much was taught.
    RAISES (ValueError): Where a pipeline has no teacher, or two, or the teachers know different relations.
    """
    teachers = [_find_teacher(nlp) for nlp in pipelines]
    before = [
        [nlp.get_pipe(name) for name in nlp.pipe_names[: nlp.pipe_names.index(pipe.name)]]
        for nlp, pipe in zip(pipelines, teachers)
    ]
    docs = pairs = 0
    # each pipeline reads the corpus into a vocabulary of its own
    readers = [TripleCorpus(corpus, gold_ents=True, gold_sents=True, gold_parse=True)(nlp) for nlp in pipelines]
    with ShardWriter(output) as writer:
        for batch in minibatch(progress(zip(*readers)), size=batch_size):
            references = []
            for teacher, pipes, examples in zip(teachers, before, zip(*batch)):
                predicted = annotate([example.predicted for example in examples], pipes)
                found = teacher.teach([Example(doc, each.reference) for doc, each in zip(predicted, examples)])
                references.append([example.reference for example in examples])
                if teacher is teachers[0]:
                    pairs += found
            if len(teachers) > 1:
                average_soft_labels(references)
            for reference in references[0]:
                writer.add(reference)
                docs += 1
    return TeachReport(docs, pairs)


def _find_teacher(nlp: Language) -> KDTeacher:
    """Find the one teacher of a pipeline."""
    found = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, KDTeacher)]
    if len(found) != 1:
        raise ValueError(Errors.R405.format(count=len(found), found=", ".join(nlp.pipe_names) or "nothing"))
    return found[0]
