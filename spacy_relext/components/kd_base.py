"""What teacher and student of KD4NRE share."""

from typing import Any, Dict, Iterable, List, Sequence

from spacy.training import Example

from ..errors import Warnings
from ..instances.pair_classes import GoldPairs
from ..instances.pair_features import PairBatch
from ..instances.pairs import Pairs
from ..pair_bridge import encoder_sizes
from .pair_base import FITTED as PAIR_FITTED
from .pair_base import PairPipe

FITTED: Dict[str, Any] = {**PAIR_FITTED, "tags": []}


class KDPipe(PairPipe):
    """Base of both components."""

    def suggest_gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose the pairs of a batch; those whose relation is not known are left out."""
        found = super().suggest_gold(examples)
        if not self.cfg["labels"]:  # while they are collected
            return found
        known, unknown = found.known(self.classes)
        for label in unknown:
            self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return known

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read relations, entity types and part-of-speech tags."""
        tags: set = set()

        def note(batch: Iterable[Example]) -> Iterable[Example]:
            for example in batch:
                tags.update(token.tag_ for token in example.predicted)
                yield example

        labels = super().collect(note(examples))
        self.cfg["tags"] = sorted(tags - {""})
        return labels

    def features(self, instances: Any) -> PairBatch:
        """Lay the pairs out for the encoder."""
        pairs = instances.pairs if isinstance(instances, GoldPairs) else instances
        return PairBatch(pairs, self.cfg["types"], self.cfg["tags"], self.arrays(instances, pairs))

    def arrays(self, instances: Any, pairs: Pairs) -> Dict[str, Any]:
        """Name what the module reads besides the encoder's input."""
        return {}

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): Numbers of classes, entity types and tags, no relation and none included."""
        n_types, n_tags = len(self.cfg["types"]) + 1, len(self.cfg["tags"]) + 1
        found: Dict[str, Any] = {"n_classes": len(self.cfg["classes"]) + 1, "n_types": n_types}
        return {**found, **encoder_sizes(self.model, n_types=n_types, n_tags=n_tags)}
