"""Write the soft labels of trained teachers into a corpus."""

from math import inf
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..corpora.reader import TripleCorpus
from ..corpora.shards import ShardWriter
from ..errors import Errors
from ..pairs.diagnosis import EntityCounts, why_left_out
from ..pipeline.initialize import annotate
from ..scoring.probabilities import fit_temperature
from .soft_labels import average_soft_labels
from .teacher import KdTeacher

# Number of pairs, rounded up to whole batches, that a temperature is fitted on.
CALIBRATION_PAIRS = 5_000

_NEEDED = "the corpus needs entities, or marked pairs; `spacy relext convert` keeps them where it can"

# One Example per teacher.
_Rows = Iterable[Sequence[Example]]


class SoftLabelReport(NamedTuple):
    """Numbers of documents and of pairs with soft labels, and the temperature of each teacher."""

    docs: int
    pairs: int
    temperatures: List[float]


def write_soft_labels(
    pipelines: Sequence[Language],
    corpus: Path,
    output: Path,
    *,
    batch_size: int,
    progress: Callable[[_Rows], _Rows],
    held_out: bool = False,
    weights: Optional[Sequence[float]] = None,
    limit: int = 0,
) -> SoftLabelReport:
    """Write a copy of a corpus with the soft labels of a teacher, or the mean of several teachers' soft labels.

    The components before the teacher annotate the texts first. Entities, sentences, trees and marked pairs come from
    the corpus if it has them, as in training.

    pipelines (Sequence[Language]): Trained pipelines with one `kd_teacher` each.
    corpus (Path): The student's training corpus; all pairs of unannotated texts get soft labels.
    progress (Callable): Wraps the stream of examples, for example in a progress bar.
    held_out (bool): Whether the teachers were not trained on the corpus. Their logits are then calibrated by a
        temperature, which would be too low on training data, and the type prior does not leave out a pair's own label.
    weights (Optional[Sequence[float]]): Weight of each teacher in the mean, with any sum; None: equal weights.
    limit (int): Number of documents to read; 0 for all.
    RAISES (ValueError): If a pipeline has no teacher, or two, the teachers have different relations, the weights are
        not one positive number per teacher, or there is no pair; nothing is written then.
    """
    if weights is not None and (len(weights) != len(pipelines) or not all(0 < each < inf for each in weights)):
        expected = f"{len(pipelines)} positive numbers, one for each teacher"
        raise ValueError(Errors.R107.format(option="--weights", found=list(weights), expected=expected))
    teachers = [_Teacher(nlp) for nlp in pipelines]
    source = TripleCorpus(corpus, limit=limit, gold_ents=True, gold_sents=True, gold_parse=True)
    temperatures = [teacher.calibrate(source, batch_size=batch_size) if held_out else 1.0 for teacher in teachers]
    docs, pairs, read = 0, 0, EntityCounts()
    # each pipeline reads the corpus into a vocabulary of its own
    readers = [source(nlp) for nlp in pipelines]
    with ShardWriter(output) as writer:
        for batch in minibatch(progress(zip(*readers)), size=batch_size):
            references: List[List[Doc]] = []
            for teacher, temperature, examples in zip(teachers, temperatures, zip(*batch)):
                annotated = teacher.annotate(examples)
                labelled = teacher.pipe.teach(annotated, temperature=temperature, held_out=held_out)
                if not references:
                    pairs += labelled
                    read.add([] if pairs else annotated)
                references.append([example.reference for example in examples])
            if len(teachers) > 1:
                average_soft_labels(references, weights=weights)
            for reference in references[0]:
                writer.add(reference)
                docs += 1
        if not pairs:
            why = why_left_out(read.sample, teachers[0].pipe.suggester) if read.with_entities else _NEEDED
            raise ValueError(Errors.R406.format(path=str(corpus), docs=read.docs, why=why))
    return SoftLabelReport(docs, pairs, temperatures)


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
