"""What teacher and student of KD4NRE share."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, Mapping, Optional, Sequence, Set, Type

import srsly
from spacy.training import Example

from ..bridge.modules import modules_of
from ..errors import Errors, Warnings
from ..pairs.component import FITTED as PAIR_FITTED
from ..pairs.component import Bools, PairPipe, to_json
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import CollectedPairs, GoldPairs
from ..pairs.pairs import Pairs
from ..pipeline.pipe import Instances, Targets
from ..pipeline.settings import Settings
from .adversary import MAX_CACHE_BYTES, AdversarialPerturber, PerturbationCache
from .type_patterns import TypePatterns, count_patterns

FITTED: Settings = {**PAIR_FITTED, "tags": []}

PATTERNS = "type_patterns.json"


@dataclass
class CollectedKd(CollectedPairs):
    """What training data of a teacher or a student contains.

    tags (Set[str]): Part-of-speech tags.
    """

    tags: Set[str] = field(default_factory=set)

    def add(self, batch: GoldPairs) -> None:
        """Add the pairs of a batch.

        batch (GoldPairs): Pairs with gold.
        """
        super().add(batch)
        self.tags.update(token.tag_ for example in batch.examples for token in example.predicted)


class KdPipe(PairPipe):
    """Base of both components."""

    fitted: ClassVar[Settings] = FITTED
    collected: ClassVar[Type[CollectedPairs]] = CollectedKd
    # Whether type patterns are counted even without `typed_decoding`.
    needs_patterns: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a component; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self.patterns = TypePatterns({}, n_classes=1)
        self.perturbations = PerturbationCache()

    def adopt(self, collected: CollectedKd) -> None:  # type: ignore[override]
        """Set labels, classes, types and tags, and count the type patterns."""
        super().adopt(collected)
        self.cfg["tags"] = sorted(collected.tags - {""})
        self.perturbations = PerturbationCache()
        self.patterns = TypePatterns({}, n_classes=1)
        if not (self.needs_patterns or self.cfg["typed_decoding"]):
            return
        number = {each: index + 1 for index, each in enumerate(self.classes)}
        # a pair whose gold classes are all unknown is no instance of "no relation"
        rows = [row for row in zip(collected.types, collected.gold) if not row[1] or row[1].intersection(number)]
        classes = [min((number[each] for each in pair if each in number), default=0) for _, pair in rows]
        self.patterns = count_patterns([types for types, _ in rows], classes, n_classes=len(number) + 1)

    def knowledge_files(self) -> Dict[str, bytes]:
        """RETURNS (Dict[str, bytes]): Lexicon and type patterns."""
        return {**super().knowledge_files(), PATTERNS: to_json(self.patterns.to_dict())}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read lexicon and type patterns."""
        super().load_knowledge(files)
        self.patterns = TypePatterns.from_dict(srsly.json_loads(files[PATTERNS]))

    def allowed(self, pairs: Pairs) -> Optional[Bools]:
        """Return which classes training has shown with a pair's types, if `typed_decoding` is on."""
        least = self.cfg["typed_decoding"]
        return self.patterns.allowed(pairs.types, at_least=least) if least else None

    def suggest_gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose the pairs of a batch, without those of unknown relations."""
        return self.drop_unknown(super().suggest_gold(examples))

    def learn(self, instances: Instances, *, share: float = 1.0) -> Dict[str, float]:
        """Learn from pairs, with adversarial perturbations if `adversarial_radius` is set."""
        radius = self.cfg.get("adversarial_radius", 0.0)
        if not radius:
            return super().learn(instances, share=share)
        # the encoder that reads the text itself stands innermost
        perturbers = [AdversarialPerturber(module) for layer in self.model.walk() for module in modules_of(layer)]
        perturber = next(filter(None, reversed(perturbers)), None)
        if self.is_listener or perturber is None:
            raise ValueError(Errors.R417.format(name=self.name, found=radius))
        if self.cfg["adversarial_reuse"] and perturber.can_reuse:
            with perturber.recording(self.perturbations):
                terms = super().learn(instances, share=share)
                perturber.cache_perturbations(radius)
            if self.perturbations.is_full:
                size = {"count": len(self.perturbations), "mebibytes": MAX_CACHE_BYTES >> 20}
                self.warn_once("shifts", Warnings.W407.format(name=self.name, **size))
            return terms
        with perturber.recording():
            clean = super().learn(instances, share=share / 2)
            perturber.perturb_next(radius)
            moved = super().learn(instances, share=share / 2)
        return {term: value + moved[term] for term, value in clean.items()}

    def features(self, instances: Instances) -> PairBatch:
        """Lay the pairs out for the encoder."""
        return PairBatch(instances.pairs, self.cfg["types"], self.cfg["tags"], self.arrays(instances))

    def arrays(self, instances: Instances) -> Targets:
        """Return what the module reads besides the encoder's input."""
        return {}


ENCODER = """
[model.encoder]
@architectures = "spacy_relext.GraphEncoder.v1"
input_dropout = 0.1
dropout = 0.1

[model.encoder.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 1
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""
