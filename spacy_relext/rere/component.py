"""What RERE's detector and extractor share: sentence windows, and labels from gold triples."""

from collections import Counter
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.sentences import sentence_bounds
from ..annotations.store import get_records, has_triples
from ..bridge.modules import width_of
from ..errors import Warnings
from ..pipeline.pipe import RelationPipe
from .windows import GoldWindows, SentenceWindows, gold_windows, make_windows

# What training and tuning fill in.
FITTED: Dict[str, Any] = {"scale": 1.0, "shift": 0.0, "thresholds": {}, "prior": 0.0, "label_prior": {}}


class RerePipe(RelationPipe):
    """Base of both components."""

    def windows(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Cut Docs into sentence windows.

        docs (Sequence[Doc]): The batch.
        RETURNS (SentenceWindows): The windows.
        """
        return make_windows(docs, max_length=self.cfg["max_length"], stride=self.cfg["stride"])

    def gold(self, examples: Sequence[Example]) -> Tuple[SentenceWindows, GoldWindows]:
        """Cut the predicted Docs of annotated examples into windows and align the gold with them.

        What cannot be learned from is left out and reported once.

        examples (Sequence[Example]): The batch.
        RETURNS (Tuple[SentenceWindows, GoldWindows]): The windows and their gold.
        """
        annotated = [has_triples(example.reference) for example in examples]
        self._warn_unannotated(annotated.count(False), len(annotated), "a batch")
        windows = self.windows([example.predicted for example in examples]).of_docs(annotated)
        gold = gold_windows(windows, examples)
        if gold.lost:
            self.warn_once("lost", Warnings.W002.format(name=self.name, count=gold.lost))
        for label in {t.relation for triples in gold.triples for t in triples}.difference(self.labels):
            if self.labels:
                self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return windows, gold

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read the relations of gold triples, and how often sentences state them.

        examples (Iterable[Example]): Training data.
        RETURNS (List[str]): The relations.
        """
        found = estimate_priors(examples)
        self._warn_unannotated(found.unannotated, found.documents, "the training data")
        self.cfg["prior"], self.cfg["label_prior"] = found.mean, found.rates
        return found.labels

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): Width of the token vectors and number of relations."""
        return {"width": width_of(self.model), "n_relations": len(self.labels)}

    def _warn_unannotated(self, count: int, total: int, where: str) -> None:
        """Say once that documents without annotation teach nothing."""
        if count:
            message = Warnings.W360.format(name=self.name, count=count, total=total, where=where)
            self.warn_once("not annotated", message)


class Priors(NamedTuple):
    """What training data states, counted.

    labels (List[str]): The relations, sorted.
    mean (float): π_o over all cells (sentence, relation).
    rates (Dict[str, float]): π_o of each relation.
    documents (int): How many documents there are.
    unannotated (int): How many of them are not annotated, and not counted.
    """

    labels: List[str]
    mean: float
    rates: Dict[str, float]
    documents: int
    unannotated: int


def estimate_priors(examples: Iterable[Example]) -> Priors:
    """Count sentences and the relations they state: the observed class prior π_o.

    examples (Iterable[Example]): Training data.
    RETURNS (Priors): Of the annotated documents.
    """
    counts: Counter = Counter()
    labels: Set[str] = set()
    documents, unannotated, sentences = 0, 0, 0
    for example in examples:
        documents += 1
        records = get_records(example.reference, source="")
        if records is None:
            unannotated += 1
            continue
        labels.update(record["relation"] for record in records)
        doc = example.reference
        for start, end in sentence_bounds(doc):
            first, last = doc[start].idx, doc[end - 1].idx + len(doc[end - 1])
            offsets = [(*record["subject"], *record["object"]) for record in records]
            held = [first <= min(ends) and max(ends) <= last for ends in offsets]
            counts.update({record["relation"] for record, whole in zip(records, held) if whole})
            sentences += 1
    rates = {label: counts[label] / max(1, sentences) for label in sorted(labels)}
    mean = sum(rates.values()) / max(1, len(rates))
    return Priors(list(rates), mean, rates, documents, unannotated)
