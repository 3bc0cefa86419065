"""The base of RERE's detector and extractor: sentence windows, and labels from gold triples."""

from collections import Counter
from typing import ClassVar, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.assertion import assertion_of
from ..annotations.judged import get_judged
from ..annotations.sentences import sentence_bounds
from ..annotations.store import get_records, get_rejected, has_triples, relations_by_sentence
from ..bridge.modules import width_of
from ..errors import Warnings
from ..pipeline.initialize import DATA
from ..pipeline.pipe import RelationPipe
from ..pipeline.settings import Ranges, Settings
from .windows import GoldWindows, SentenceWindows, gold_windows, make_windows


class RerePipe(RelationPipe):
    """Base of both components."""

    learns_rejected: ClassVar[bool] = False  # whether it learns from rejected triples of Docs that are not annotated
    ranges: ClassVar[Ranges] = {"threshold": (0.0, 1.0)}
    fitted: ClassVar[Settings] = {"scale": 1.0, "shift": 0.0, "thresholds": {}, "prior": 0.0, "label_prior": {}}

    def windows(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Cut Docs into sentence windows."""
        return make_windows(docs)

    def gold(self, examples: Sequence[Example]) -> Tuple[SentenceWindows, GoldWindows]:
        """Cut the predicted Docs of annotated examples into windows and align the gold with them.

        Examples with rejected triples also count if the component `learns_rejected`. What cannot be learned from is
        left out and reported once.
        """
        annotated = [has_triples(example.reference) for example in examples]
        refused = [not a and bool(get_rejected(example.reference)) for a, example in zip(annotated, examples)]
        if any(refused) and not self.learns_rejected:
            self.warn_once("rejected", Warnings.W361.format(name=self.name, count=sum(refused)))
        known = [a or (r and self.learns_rejected) for a, r in zip(annotated, refused)]
        self.warn_unannotated(known.count(False), len(known), "a batch")
        windows = self.windows([example.predicted for example in examples]).of_docs(known)
        gold = gold_windows(windows, examples)
        if gold.lost:
            self.warn_once("lost", Warnings.W002.format(name=self.name, count=gold.lost))
        for label in {t.relation for triples in gold.triples for t in triples}.difference(self.labels):
            if self.labels:
                self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return windows, gold

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> "Priors":
        """Collect the relations of gold triples, and how often sentences state them."""
        priors = estimate_priors(examples)
        self.warn_unannotated(priors.unannotated, priors.documents, DATA)
        return priors if labels is None else priors._replace(labels=labels)

    def adopt(self, collected: "Priors") -> None:
        """Set labels and class priors."""
        super().adopt(collected)
        self.cfg["prior"], self.cfg["label_prior"] = collected.mean, collected.rates

    def model_sizes(self) -> Settings:
        """Return the width of the token vectors and the number of relations."""
        return {"width": width_of(self.model), "n_relations": len(self.labels)}


def most_probable_relation(doc: Doc) -> Tuple[float, str]:
    """Find the most probable relation that a detector has stored on a Doc, and its probability; 0 and "" if none."""
    sentences = relations_by_sentence(doc, sentence_bounds(doc))
    rows = [(probability, label) for relations in sentences for label, probability in relations.items()]
    return max(rows, default=(0.0, ""))


class Priors(NamedTuple):
    """How often training data states relations."""

    labels: List[str]
    mean: float  # π_o over all cells (sentence, relation)
    rates: Dict[str, float]  # π_o of each relation
    documents: int
    unannotated: int  # among the documents; they do not count in the rates
    entity_labels: List[str]
    assertions: FrozenSet[str] = frozenset()  # of gold triples


def estimate_priors(examples: Iterable[Example]) -> Priors:
    """Compute the observed class prior π_o from the sentences of annotated documents and the relations they state."""
    counts, covered = Counter[str](), Counter[Optional[str]]()  # sentences; None: all relations are covered
    labels: Set[str] = set()
    entity_labels: Set[str] = set()
    assertions: Set[str] = set()
    documents, unannotated = 0, 0
    for example in examples:
        documents += 1
        entity_labels.update(entity.label_ for entity in example.reference.ents)
        records = get_records(example.reference, source="")
        if records is None or not has_triples(example.reference):
            unannotated += 1
            continue
        labels.update(record["relation"] for record in records)
        assertions.update(assertion_of(record.get("attributes", {})) for record in records)
        doc, judged = example.reference, get_judged(example.reference)
        for start, end in sentence_bounds(doc):
            first, last = doc[start].idx, doc[end - 1].idx + len(doc[end - 1])
            offsets = [(*record["subject"], *record["object"]) for record in records]
            held = [first <= min(ends) and max(ends) <= last for ends in offsets]
            counts.update({record["relation"] for record, whole in zip(records, held) if whole})
            covered.update([None] if judged is None else judged)
    rates = {label: counts[label] / max(1, covered[None] + covered[label], counts[label]) for label in sorted(labels)}
    mean = sum(rates.values()) / max(1, len(rates))
    return Priors(list(rates), mean, rates, documents, unannotated, sorted(entity_labels), frozenset(assertions))
