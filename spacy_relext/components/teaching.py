"""A trained teacher writes soft labels into a corpus, once."""

from pathlib import Path
from typing import Any, Callable, Iterable, NamedTuple

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..corpora.reader import TripleCorpus
from ..corpora.shards import ShardWriter
from ..errors import Errors
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
    nlp: Language, corpus: Path, output: Path, *, batch_size: int, progress: Callable[..., Iterable[Any]]
) -> TeachReport:
    """Write a corpus with the soft labels of the pipeline's teacher.

    The pipeline's other components annotate the texts first, as they would a user's; entities, sentences,
    trees and marked pairs come from the corpus where it has them, as in training.

    nlp (Language): A trained pipeline with a `kd_teacher`.
    corpus (Path): The corpus the student will be trained on.
    output (Path): Where it goes.
    batch_size (int): Documents a batch.
    progress (Callable[..., Iterable[Any]]): Wraps the documents.
    RETURNS (TeachReport): How much was taught.
    RAISES (ValueError): Where the pipeline has no teacher, or two.
    """
    teachers = [name for name, pipe in nlp.pipeline if isinstance(pipe, KDTeacher)]
    if len(teachers) != 1:
        raise ValueError(Errors.R405.format(count=len(teachers), found=", ".join(nlp.pipe_names) or "nothing"))
    before = [nlp.get_pipe(name) for name in nlp.pipe_names[: nlp.pipe_names.index(teachers[0])]]
    teacher: Any = nlp.get_pipe(teachers[0])
    docs = pairs = 0
    examples = TripleCorpus(corpus, gold_ents=True, gold_sents=True, gold_parse=True)(nlp)
    with ShardWriter(output) as writer:
        for batch in minibatch(progress(examples), size=batch_size):
            batch = list(batch)
            predicted = annotate([example.predicted for example in batch], before)
            pairs += teacher.teach([Example(doc, example.reference) for doc, example in zip(predicted, batch)])
            for example in batch:
                writer.add(example.reference)
                docs += 1
    return TeachReport(docs, pairs)
