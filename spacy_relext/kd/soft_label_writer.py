"""Write the soft labels of a trained teacher into a corpus."""

from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Sequence

import numpy
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..corpora.reader import TripleCorpus
from ..corpora.shards import ShardWriter
from ..errors import Errors
from ..pairs.diagnosis import EntityCounts, why_left_out
from ..pipeline.initialize import annotate
from ..scoring.probabilities import fit_temperature
from .teacher import KdTeacher

# Number of pairs, rounded up to whole batches, that a temperature is fitted on.
CALIBRATION_PAIRS = 5_000

_NEEDED = "the corpus needs entities, or marked pairs; `spacy relext convert` keeps them where it can"

_Examples = Iterable[Example]


class SoftLabelReport(NamedTuple):
    """Numbers of documents and of pairs with soft labels, and the teacher's temperature."""

    docs: int
    pairs: int
    temperature: float


def write_soft_labels(
    nlp: Language,
    corpus: Path,
    output: Path,
    *,
    batch_size: int,
    progress: Callable[[_Examples], _Examples],
    held_out: bool = False,
    limit: int = 0,
) -> SoftLabelReport:
    """Write a copy of a corpus with the soft labels of a teacher.

    The components before the teacher annotate the texts first. Entities, sentences, trees and marked pairs come from
    the corpus if it has them, as in training.

    nlp (Language): A trained pipeline with one `kd_teacher`.
    corpus (Path): The student's training corpus; all pairs of unannotated texts get soft labels.
    progress (Callable): Wraps the stream of examples, for example in a progress bar.
    held_out (bool): Whether the teacher was not trained on the corpus. Its logits are then calibrated by a temperature,
        which would be too low on training data, and the type prior does not leave out a pair's own label.
    limit (int): Number of documents to read; 0 for all.
    RAISES (ValueError): If the pipeline has no teacher, or two, or there is no pair; nothing is written then.
    """
    teacher = _Teacher(nlp)
    source = TripleCorpus(corpus, limit=limit, gold_ents=True, gold_sents=True, gold_parse=True)
    temperature = teacher.calibrate(source, batch_size=batch_size) if held_out else 1.0
    docs, pairs, read = 0, 0, EntityCounts()
    with ShardWriter(output) as writer:
        for examples in minibatch(progress(source(nlp)), size=batch_size):
            annotated = teacher.annotate(examples)
            pairs += teacher.pipe.teach(annotated, temperature=temperature, held_out=held_out)
            read.add([] if pairs else annotated)
            for example in examples:
                writer.add(example.reference)
                docs += 1
        if not pairs:
            why = why_left_out(read.sample, teacher.pipe.suggester) if read.with_entities else _NEEDED
            raise ValueError(Errors.R406.format(path=str(corpus), docs=read.docs, why=why))
    return SoftLabelReport(docs, pairs, temperature)


class _Teacher:
    """The teacher of a pipeline, and the components before it."""

    def __init__(self, nlp: Language) -> None:
        teachers = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, KdTeacher)]
        if len(teachers) != 1:
            raise ValueError(Errors.R405.format(count=len(teachers), found=", ".join(nlp.pipe_names) or "nothing"))
        self.nlp, self.pipe = nlp, teachers[0]
        self.before = [nlp.get_pipe(name) for name in nlp.pipe_names[: nlp.pipe_names.index(self.pipe.name)]]

    def annotate(self, examples: Sequence[Example]) -> List[Example]:
        """Annotate the predicted Docs as the teacher reads them in prediction."""
        predicted = annotate([example.predicted for example in examples], self.before)
        return [Example(doc, example.reference) for doc, example in zip(predicted, examples)]

    def calibrate(self, corpus: TripleCorpus, *, batch_size: int) -> float:
        """Fit the temperature on the first pairs of a held-out corpus; 1 if it has none. See `CALIBRATION_PAIRS`."""
        logits, classes, total = [], [], 0
        for batch in minibatch(corpus(self.nlp), batch_size):
            scores, gold = self.pipe.score_gold(self.annotate(list(batch)))
            logits.append(scores)
            classes.append(gold)
            total += len(gold)
            if total >= CALIBRATION_PAIRS:
                break
        if not total:
            return 1.0
        scores = numpy.concatenate(logits)
        return fit_temperature(scores, numpy.eye(scores.shape[1])[numpy.concatenate(classes)])
