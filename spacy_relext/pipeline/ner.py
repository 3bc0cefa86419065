"""`relext_ner`: an entity recognizer that scores BILUO tags of tokens and decodes the best valid sequence."""

from itertools import islice
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, SequenceCategoricalCrossentropy
from thinc.types import Floats2d

from ..annotations.sentences import sentence_bounds
from ..annotations.words import IntArray, words_of
from ..errors import Errors, check_range
from .initialize import GetExamples, connect_listeners
from .labels import LabelledPipe
from .pipe import Scorer
from .requirements import check_upstream
from .settings import TOK2VEC

OUTSIDE = "O"

# A score that no sequence of tags outweighs.
NEVER = -1e9

# Sentences whose tags are decoded at a time.
BATCH = 128

CONFIG = f"""
[component]
loss_weight = 0.0

[component.model]
@architectures = "spacy.Tagger.v2"

[component.model.tok2vec]
{TOK2VEC}
[component.scorer]
@scorers = "spacy.ner_scorer.v1"
"""

Entity = Tuple[int, int, str]  # first token, token after the last, label


class RelextNer(LabelledPipe):
    """Finds entities: a linear layer scores the BILUO tags of each token, and Viterbi picks a valid sequence.

    No entity crosses a sentence boundary, or starts or ends with white space. Entities already on a Doc are kept, and
    predicted ones that overlap them are dropped. On top of a transformer it needs fewer updates than spaCy's `ner`,
    whose transitions read the token vectors through a narrower layer.
    """

    def __init__(
        self, vocab: Vocab, model: Model, name: str, *, loss_weight: float = 0.0, scorer: Optional[Scorer] = None
    ) -> None:
        check_range("loss_weight", loss_weight, 0.0, 1000.0)
        self.vocab, self.model, self.name, self.scorer = vocab, model, name, scorer
        self.loss_weight = loss_weight
        self.cfg: Dict[str, List[str]] = {"labels": []}

    def initialize(
        self, get_examples: GetExamples, *, nlp: Optional[Language] = None, labels: Optional[List[str]] = None
    ) -> None:
        """Collect the labels, and give the model its sizes and the weights of its encoder.

        labels (Optional[List[str]]): The labels, if the data does not show all of them.
        RAISES (ValueError): If there are no labels.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if nlp is not None:
            connect_listeners(nlp, self.name)
        shown = {ent.label_ for example in get_examples() for ent in example.reference.ents}
        self.cfg["labels"] = sorted(shown.union(labels or ()))
        self._require_labels()
        docs = [example.predicted for example in islice(get_examples(), 10)]
        width = len(biluo_tags(self.labels))
        self.model.initialize(X=docs, Y=[self.model.ops.alloc2f(len(doc), width) for doc in docs])

    def predict(self, docs: Iterable[Doc]) -> List[List[Entity]]:
        """Find the entities of a batch of Docs without changing them.

        RETURNS (List[List[Entity]]): Tokens and label of each, by position; one list per Doc.
        RAISES (ValueError): If it has no labels, or the component that it listens to has not run.
        """
        docs = list(docs)
        if not self.labels:
            raise ValueError(Errors.R004.format(name=self.name))
        entities: List[List[Entity]] = [[] for _ in docs]
        if not any(map(len, docs)):
            return entities
        check_upstream(self.model, docs, self.name)
        tags = biluo_tags(self.labels)
        scores = [self.model.ops.to_numpy(rows) for rows in self.model.predict(docs)]
        places = [(i, words) for i, doc in enumerate(docs) for words in _sentences(doc)]
        best = decode_tags([scores[i][words] for i, words in places], tags)
        for (i, words), sequence in zip(places, best):
            found = read_tags(sequence, tags)
            entities[i] += [(int(words[start]), int(words[end - 1]) + 1, label) for start, end, label in found]
        return entities

    def set_annotations(self, docs: Iterable[Doc], predictions: List[List[Entity]]) -> None:
        """Add entities to `doc.ents`."""
        for doc, entities in zip(docs, predictions):
            taken = {token.i for ent in doc.ents for token in ent}
            free = [each for each in entities if taken.isdisjoint(range(each[0], each[1]))]
            doc.set_ents([*doc.ents, *(Span(doc, start, end, label=label) for start, end, label in free)])

    def get_loss(self, examples: Iterable[Example], scores: List[Floats2d]) -> Tuple[float, List[Floats2d]]:
        """Compute the cross-entropy of the tags of annotated words, and its gradient."""
        loss = SequenceCategoricalCrossentropy(names=biluo_tags(self.labels), normalize=False)
        gold = [
            [None if token.is_space else tag for token, tag in zip(example.predicted, example.get_aligned_ner())]
            for example in examples
        ]
        gradient, value = loss(scores, gold)  # type: ignore[arg-type]  # thinc skips None
        if not self.loss_weight:
            return float(value), gradient
        scale = self.loss_weight / max(1, sum(tag is not None for tags in gold for tag in tags))
        return scale * float(value), [scale * rows for rows in gradient]


def biluo_tags(labels: Iterable[str]) -> List[str]:
    """List the tags: O first, then those of each label in the order B, I, L, U."""
    return [OUTSIDE, *(f"{part}-{label}" for label in labels for part in "BILU")]


def may_follow(tag: str, following: str) -> bool:
    """Return True if a tag may follow another one."""
    if tag[0] in "BI":
        return following[0] in "IL" and tag[1:] == following[1:]
    return following[0] in "OBU"


def decode_tags(scores: Sequence[numpy.ndarray], tags: Sequence[str]) -> List[numpy.ndarray]:
    """Find the valid tag sequence with the highest score for each sequence of tokens, by Viterbi.

    scores (Sequence[numpy.ndarray]): Logits of the tags, for each sequence. Shapes (T, K)
    RETURNS (List[numpy.ndarray]): Indices of tags. Shapes (T,)
    """
    barriers = numpy.asarray([[0.0 if may_follow(a, b) else NEVER for b in tags] for a in tags], dtype="f")
    order = sorted(range(len(scores)), key=lambda i: len(scores[i]))
    best = list(scores)
    for first in range(0, len(order), BATCH):
        part = order[first : first + BATCH]
        for i, sequence in zip(part, _decode_batch([scores[i] for i in part], barriers)):
            best[i] = sequence
    return best


def _decode_batch(scores: Sequence[numpy.ndarray], barriers: numpy.ndarray) -> Iterator[numpy.ndarray]:
    lengths = [len(rows) for rows in scores]
    # After its end each sequence is tagged O, so that no entity is left open.
    grid = numpy.full((len(scores), max(lengths) + 1, len(barriers)), NEVER, dtype="f")
    grid[:, :, 0] = 0.0
    for row, rows in zip(grid, scores):
        row[: len(rows)] = rows
    total = grid[:, 0] + barriers[0]
    back = numpy.zeros(grid.shape, dtype="int64")
    for t in range(1, grid.shape[1]):
        paths = total[:, :, None] + barriers  # (B, K, K)
        back[:, t] = paths.argmax(1)
        total = paths.max(1) + grid[:, t]
    path = numpy.zeros(grid.shape[:2], dtype="int64")
    rows = numpy.arange(len(scores))
    for t in range(grid.shape[1] - 1, 0, -1):
        path[:, t - 1] = back[rows, t, path[:, t]]
    yield from (path[i, :length] for i, length in enumerate(lengths))


def read_tags(sequence: Iterable[int], tags: Sequence[str]) -> Iterator[Entity]:
    """Yield the entities of a valid sequence of tags."""
    start = 0
    for i, number in enumerate(sequence):
        tag = tags[number]
        if tag[0] in "BU":
            start = i
        if tag[0] in "LU":
            yield start, i + 1, tag[2:]


def _sentences(doc: Doc) -> List[IntArray]:
    """List the words of each sentence, as tokens of the Doc; sentences of white space alone are left out."""
    words = words_of(doc)
    bounds = numpy.searchsorted(words, [start for start, _ in sentence_bounds(doc)])
    return [part for part in numpy.split(words, bounds[1:]) if len(part)]


@Language.factory(
    "relext_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_relext_ner(
    nlp: Language,
    name: str,
    model: Model[List[Doc], List[Floats2d]],
    loss_weight: float,
    scorer: Optional[Callable[..., Dict]],
) -> RelextNer:
    """Create an entity recognizer.

    loss_weight (float): Weight of the mean loss of the tokens, for an encoder that other components train too; 0: the
        sum of the tokens' losses, as spaCy's `ner` has it.
    model (Model[List[Doc], List[Floats2d]]): From Docs to logits of tags: `spacy.Tagger.v2` over any tok2vec.
    """
    return RelextNer(nlp.vocab, model, name, loss_weight=loss_weight, scorer=scorer)
