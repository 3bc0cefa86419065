"""The component behind `rere_extractor`: subject and object of each detected relation."""

from typing import Any, Dict, List, Sequence

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..instances.batch import TokenBatch
from ..instances.queries import readable_label
from ..instances.rows import QueryRows, all_rows, detected_rows, gold_rows
from ..models.rere_losses import extractor_loss
from ..triples.candidates import candidates_by_doc, ruled_candidates, scored_candidates
from ..triples.decode import calibrate, keep_best_candidates
from ..triples.store import has_relations, set_triples
from .rere_base import RerePipe


class RereExtractor(RerePipe):
    """Subject and object of each detected relation. Writes `doc._.triples`."""

    architectures = ("relext_shared_extractor", "relext_marked_extractor")

    def suggest(self, docs: Sequence[Doc]) -> QueryRows:
        """Ask the detected relations of each sentence, or all of them where no detector ran."""
        windows = self.windows(docs)
        if not any(has_relations(doc) for doc in docs):
            return all_rows(windows, n_labels=len(self.labels))
        return detected_rows(windows, labels=self.labels, threshold=self.cfg["ask_threshold"])

    def suggest_gold(self, examples: Sequence[Example]) -> QueryRows:
        """Ask the gold relations and some absent ones."""
        windows, gold = self.gold(examples)
        absent, weight = self.cfg["absent_rows"], self.cfg["absent_weight"]
        return gold_rows(windows, gold, self.labels, absent_rows=absent, absent_weight=weight)

    def features(self, instances: QueryRows) -> TokenBatch:
        """Lay out windows and rows as arrays."""
        return TokenBatch(instances.windows.docs, instances.arrays(), instances.windows, self._queries())

    def targets(self, instances: QueryRows) -> Dict[str, Any]:
        """Mark pointers and pairs."""
        return instances.targets()

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Loss of pointers, cross-entropy of pairs."""
        return extractor_loss(
            outputs,
            targets,
            pointer_loss=self.cfg["pointer_loss"],
            pointer_missing=self.cfg["pointer_missing_rate"],
            pointer_weight=self.cfg["pointer_weight"],
            pair_weight=self.cfg["pair_weight"],
        )

    def decode(self, instances: QueryRows, outputs: Any) -> List[Any]:
        """Score candidates and keep the best above their relation's threshold."""
        if outputs is None:
            return [[] for _ in instances.windows.docs]
        if self.cfg["pairing"] == "scored":
            table = scored_candidates(instances, outputs)
        else:
            table = ruled_candidates(
                instances,
                outputs,
                pairing=self.cfg["pairing"],
                threshold=self.cfg["pointer_threshold"],
                max_length=self.cfg["max_span_length"],
                span_rule=self.cfg["span_rule"],
            )
        scores = calibrate(table.scores(), scale=self.cfg["scale"], shift=self.cfg["shift"])
        thresholds = self.cfg["thresholds"]
        limits = numpy.asarray([thresholds.get(label, self.cfg["threshold"]) for label in self.labels])
        found = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=limits)
        return [keep_best_candidates(candidates) for candidates in found]

    def store(self, doc: Doc, prediction: List[Any]) -> None:
        """Write the triples of this component."""
        set_triples(doc, [vars(candidate) for candidate in prediction], source=self.name)

    def _queries(self) -> List[str]:
        """Readable text of each relation, for encoders that read it."""
        given = self.cfg["label_queries"]
        return [given.get(label) or readable_label(label) for label in self.labels]
