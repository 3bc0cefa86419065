"""What teacher and student of KD4NRE share."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy.training import Example

from ..bridge.modules import modules_of
from ..errors import Errors, Warnings
from ..pairs.component import FITTED as PAIR_FITTED
from ..pairs.component import PairPipe
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import GoldPairs
from ..pairs.pairs import Pairs
from .adversary import MAX_CACHE_BYTES, AdversarialPerturber, PerturbationCache
from .type_patterns import TypePatterns, count_patterns

FITTED: Dict[str, Any] = {**PAIR_FITTED, "tags": [], "patterns": {}}


class KDPipe(PairPipe):
    """Base of both components."""

    # Whether it counts which relations types have; else it does so where `typed_decoding` asks for it.
    counts_types = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a component; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self._parsed: Optional[Tuple[Dict[str, Any], TypePatterns]] = None
        self.perturbations = PerturbationCache()

    @property
    def patterns(self) -> TypePatterns:
        """RETURNS (TypePatterns): Counts of relations for pairs of types, saved with the component."""
        stored = self.cfg["patterns"]
        if self._parsed is None or self._parsed[0] is not stored:
            self._parsed = (stored, TypePatterns.from_dict(stored))
        return self._parsed[1]

    def settle(self) -> None:
        """List the classes and count the type patterns."""
        said, types = self._collected
        super().settle()  # which forgets what was collected
        self.perturbations = PerturbationCache()
        if not (self.counts_types or self.cfg["typed_decoding"]):
            return
        number = {each: index + 1 for index, each in enumerate(self.classes)}
        # a pair of which gold says only what is not learned is no instance of "no relation"
        rows = [(kinds, pair) for kinds, pair in zip(types, said) if not pair or pair.intersection(number)]
        classes = [min((number[each] for each in pair if each in number), default=0) for _, pair in rows]
        patterns = count_patterns([kinds for kinds, _ in rows], classes, n_classes=len(number) + 1)
        self.cfg["patterns"] = patterns.to_dict()

    def allowed(self, pairs: Pairs) -> Any:
        """Say which classes training has shown with a pair's types, where decoding shall keep to them."""
        least = self.cfg["typed_decoding"]
        return self.patterns.allowed(pairs.types, at_least=least) if least else None

    def suggest_gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose the pairs of a batch; those whose relation is not known are left out."""
        return self.drop_unknown(super().suggest_gold(examples))

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

    def learn(self, instances: Any, *, share: float = 1.0) -> Dict[str, float]:
        """Learn from pairs, with adversarial perturbations if `adversarial_radius` is set."""
        radius = self.cfg.get("adversarial_radius", 0.0)
        if not radius:
            return super().learn(instances, share=share)
        # the encoder that reads the text itself stands innermost
        perturbers = [AdversarialPerturber(module) for layer in self.model.walk() for module in modules_of(layer)]
        perturber = next(filter(None, reversed(perturbers)), None)
        if self.listens or perturber is None:
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

    def features(self, instances: Any) -> PairBatch:
        """Lay the pairs out for the encoder."""
        pairs = instances.pairs if isinstance(instances, GoldPairs) else instances
        return PairBatch(pairs, self.cfg["types"], self.cfg["tags"], self.arrays(instances, pairs))

    def arrays(self, instances: Any, pairs: Pairs) -> Dict[str, Any]:
        """Name what the module reads besides the encoder's input."""
        return {}


TOK2VEC = """
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 1
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""
