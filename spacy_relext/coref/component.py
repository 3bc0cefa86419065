"""The component behind `relext_coref`: which entity does a pronoun, or a phrase such as "the company", stand for?"""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.mentions import NAME, NOMINAL, list_chains
from ..annotations.store import COREF_KEY, get_coref, has_stored, is_incomplete, set_coref
from ..annotations.triple import CharSpan
from ..pipeline.pipe import Outputs, RelationPipe, Scorer, Targets, Tensors
from ..pipeline.settings import TOK2VEC, plain_settings
from ..scoring.coref import COREF_WEIGHTS, score_coref
from ..scoring.probabilities import softmax
from .losses import coref_loss
from .model import CorefOutput
from .slots import KINDS, CorefBatch, CorefGold, CorefInstances, Slot, slot_arrays, suggest_anaphors

# Thresholds that tuning tries.
THRESHOLDS = tuple(step / 20 for step in range(4, 19))

Clusters = List[List[CharSpan]]

# Cluster of a mention by its characters.
Members = Dict[CharSpan, int]


class Collected(NamedTuple):
    """Entity types of the training data."""

    labels: List[str]


class RelextCoref(RelationPipe):
    """Finds what pronouns and phrases stand for, and stores it beside the names: `doc._.entities` reads it.

    Names of one entity are found by rules (`annotations/grouping.py`). Each pronoun or phrase then joins the entity
    with the highest probability, the sum over the mentions that it has so far, if that reaches `threshold`.
    A Doc with chains of another component is left as it is.
    """

    architectures = ("relext_antecedent_scorer",)
    writes = "coref"
    needs_triples = False
    ranges = {"threshold": (0.0, 1.0)}
    fitted_first = ("threshold",)

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> Collected:
        """Collect the entity types of the training data."""
        docs = (doc for example in examples for doc in (example.reference, example.predicted))
        shown = {ent.label_ for doc in docs for ent in doc.ents}
        return Collected(sorted(shown.union(labels or ())))

    def model_sizes(self) -> Dict[str, Any]:
        """Return the size of the token vectors and the number of entity types."""
        return {"width": self.model.layers[0].get_dim("nO"), "n_labels": len(self.labels)}

    def suggest(self, docs: Sequence[Doc]) -> CorefInstances:
        """List names, pronouns, and where phrases begin."""
        return suggest_anaphors(docs)

    def suggest_gold(self, examples: Sequence[Example]) -> CorefInstances:
        """List them with the antecedents that are annotated."""
        instances = suggest_anaphors([example.predicted for example in examples])
        instances.gold = read_gold(instances, [example.reference for example in examples])
        return instances

    def features(self, instances: CorefInstances) -> CorefBatch:
        """Lay slots and pairs out as arrays."""
        arrays = slot_arrays(instances, self.labels)
        count = len(arrays["first"])
        ends = numpy.zeros(count, dtype="int64") if instances.gold is None else numpy.asarray(instances.gold.ends)
        return CorefBatch(instances.docs, {**arrays, "ends": ends.astype("int64")})

    def targets(self, instances: CorefInstances) -> Targets:
        """Return the right antecedents and the ends of phrases."""
        assert instances.gold is not None
        width = max((len(candidates) for _, _, candidates in instances.anaphors), default=0)
        allowed = numpy.zeros((len(instances.anaphors), width + 1), dtype=bool)
        for row, right in zip(allowed, instances.gold.allowed):
            if right is not None:
                row[: len(right) - 1], row[-1] = right[:-1], right[-1]
        return {"allowed": allowed, "ends": numpy.asarray(instances.gold.ends, dtype="int64")}

    def loss(self, outputs: CorefOutput, targets: Tensors) -> Tensors:
        """Compute the loss of antecedents and ends of phrases."""
        return coref_loss(outputs, targets)

    def decode(self, instances: CorefInstances, outputs: Optional[Outputs]) -> List[Clusters]:
        """Let each anaphor join the likeliest entity, in the order of the text."""
        entities = [Entities(doc, slots) for doc, slots in zip(instances.docs, instances.slots)]
        if outputs is not None:
            probs = softmax(outputs.antecedents)
            words = outputs.phrases.argmax(1)
            first = numpy.cumsum([0, *map(len, instances.slots)]).tolist()
            for (number, at, candidates), row in zip(instances.anaphors, probs):
                ends = [int(words[first[number] + i]) for i in (at, *candidates)]
                entities[number].add(at, candidates, row, ends=ends, threshold=self.cfg["threshold"])
        return [each.clusters() for each in entities]

    def fit_documents(self, examples: Sequence[Example], *, beta: float) -> Tuple[float, float]:
        """Choose the threshold with the highest mean of B³ F and the share of right pronouns."""
        annotated = [example for example in examples if has_stored(example.reference, COREF_KEY)]
        instances = self.suggest([example.predicted for example in annotated])
        outputs, before = self.run(instances), self.cfg["threshold"]
        scores = {}
        for threshold in sorted({*THRESHOLDS, before}):
            self.cfg["threshold"] = threshold
            self.set_annotations(instances.docs, self.decode(instances, outputs))
            found = score_coref(annotated)
            values = [found[key] for key in ("coref_pronouns", "coref_b3_f") if found[key] is not None]
            scores[threshold] = sum(values) / max(1, len(values))
        self.cfg["threshold"] = max(scores, key=lambda each: (scores[each], -abs(each - before)))
        return scores[before], scores[self.cfg["threshold"]]

    def store(self, doc: Doc, prediction: Clusters) -> None:
        """Store the clusters, unless another component has found chains."""
        if next(list_chains(doc), None) is None:
            set_coref(doc, prediction)


class Entities:
    """The entities of a Doc while anaphors join them."""

    def __init__(self, doc: Doc, slots: Sequence[Slot]) -> None:
        self.doc, self.slots = doc, slots
        self.numbers: Dict[int, int] = {}  # of slots
        self.spans: Dict[int, List[Tuple[int, int]]] = {}
        self.anaphoric: set = set()
        for at, slot in enumerate(slots):
            if slot.group >= 0:
                self._put(at, slot.group, slot.end)

    def add(
        self, at: int, candidates: Sequence[int], probs: numpy.ndarray, *, ends: Sequence[int], threshold: float
    ) -> None:
        """Let an anaphor join an entity, or begin one.

        candidates (Sequence[int]): Slots that may be its antecedent.
        probs (numpy.ndarray): Their probabilities. Shape (≥ C,)
        ends (Sequence[int]): Words of the phrases among the anaphor and its candidates; 0: no mention.
        """
        slot = self.slots[at]
        is_phrase = KINDS[slot.kind] == NOMINAL
        if is_phrase and not ends[0]:
            return
        totals: Dict[int, float] = {}
        for i, probability in zip(candidates, probs):
            number = self.numbers.get(i)
            if number is not None:
                totals[number] = totals.get(number, 0.0) + float(probability)
        best = max(totals, key=lambda number: totals[number], default=-1)
        end = slot.end_after(ends[0])
        if best >= 0 and totals[best] >= threshold:
            self._put(at, best, end)
            self.anaphoric.add(best)
        elif not is_phrase:
            self._put(at, len(self.slots) + at, end)

    def clusters(self) -> Clusters:
        """List the entities that a pronoun or phrase stands for, as characters."""
        places = []
        for number in sorted(self.anaphoric, key=lambda number: min(self.spans[number])):
            spans = [self.doc[start:end] for start, end in sorted(self.spans[number])]
            places.append([(span.start_char, span.end_char) for span in spans])
        return places

    def _put(self, at: int, number: int, end: int) -> None:
        self.numbers[at] = number
        self.spans.setdefault(number, []).append((self.slots[at].start, end))


def read_gold(instances: CorefInstances, references: Sequence[Doc]) -> CorefGold:
    """Read which candidates are right, and where phrases end, from the clusters of reference Docs."""
    gold = CorefGold()
    clusters: List[Optional[List[Optional[int]]]] = []  # of each slot of each Doc
    for doc, reference, slots in zip(instances.docs, references, instances.slots):
        stored = get_coref(reference) if has_stored(reference, COREF_KEY) else None
        known = None if stored is None else {span: n for n, cluster in enumerate(stored) for span in cluster}
        words = [_words_of(doc, slot, known, is_whole=not is_incomplete(reference)) for slot in slots]
        gold.ends += words
        of_slots = None if known is None else [_cluster_of(doc, *each, known) for each in zip(slots, words)]
        clusters.append(of_slots)
    for number, at, candidates in instances.anaphors:
        of_slots = clusters[number]
        if of_slots is None:
            gold.allowed.append(None)
            continue
        slot, is_whole = instances.slots[number][at], not is_incomplete(references[number])
        gold.allowed.append(_allowed(of_slots[at], [of_slots[i] for i in candidates], slot, is_whole=is_whole))
    return gold


def _allowed(
    own: Optional[int], others: Sequence[Optional[int]], slot: Slot, *, is_whole: bool
) -> Optional[List[bool]]:
    """List which candidates may be the antecedent, and whether none may.

    own, others (Optional[int]): Cluster of the anaphor and of each candidate; None: not annotated.
    is_whole (bool): Whether all that stands for an entity is annotated.
    """
    if own is None and (not is_whole or KINDS[slot.kind] == NOMINAL):
        return None
    right = [other is not None and other == own for other in others]
    if any(right):
        return [*right, False]
    # of a part of the annotation it is only known what is wrong
    return [*(not is_whole and other is None for other in others), True]


def _words_of(doc: Doc, slot: Slot, known: Optional[Members], *, is_whole: bool) -> int:
    """Return how many words of a phrase are annotated as a mention; 0: none, -1: unknown, or no phrase."""
    if KINDS[slot.kind] != NOMINAL or known is None:
        return -1
    for count, i in enumerate(slot.words, start=1):
        if (doc[slot.start].idx, doc[i].idx + len(doc[i])) in known:
            return count
    return 0 if is_whole else -1


def _cluster_of(doc: Doc, slot: Slot, words: int, known: Members) -> Optional[int]:
    """Return the cluster of a slot; names match those that they overlap by more than half."""
    end = slot.end_after(words)
    place = (doc[slot.start].idx, doc[end - 1].idx + len(doc[end - 1]))
    if place in known or KINDS[slot.kind] != NAME:
        return known.get(place)
    for other, number in known.items():
        shared = min(place[1], other[1]) - max(place[0], other[0])
        if 2 * shared > max(place[1] - place[0], other[1] - other[0]):
            return number
    return None


CONFIG = f"""
[component]
threshold = 0.5

[component.model]
@architectures = "spacy_relext.AntecedentScorer.v1"

[component.model.encoder]
{TOK2VEC}
[component.scorer]
@scorers = "spacy_relext.coref_scorer.v1"
"""


@Language.factory(
    "relext_coref",
    requires=["token.is_sent_start", "doc.ents"],
    assigns=["doc._.entities"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=COREF_WEIGHTS,
)
def make_relext_coref(
    nlp: Language, name: str, model: Model, threshold: float, scorer: Optional[Scorer]
) -> RelextCoref:
    """Create a component for coreference.

    model (Model[CorefBatch, CorefOutput]): `spacy_relext.AntecedentScorer.v1`.
    threshold (float): Lowest probability at which a pronoun or phrase joins an entity; `spacy relext tune` fits it.
    """
    return RelextCoref(nlp.vocab, model, name, scorer=scorer, settings=plain_settings(locals()))
