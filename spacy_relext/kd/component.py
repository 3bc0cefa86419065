"""What the teacher and the student of KD4NRE share."""

from dataclasses import dataclass, field
from typing import ClassVar, Dict, List, Mapping, Sequence, Set, Type

import srsly
from spacy.training import Example

from ..annotations.type_rules import LEARNED
from ..pairs.component import PairPipe, to_json
from ..pairs.gold import CollectedPairs, GoldPairs
from ..pipeline.assertions import KNOWN, head_size
from ..pipeline.pipe import Targets
from ..pipeline.settings import Settings
from ..scoring.triples import score_triples
from .settings import KdLearning
from .type_patterns import TypePatterns, count_patterns

PATTERNS = "type_patterns.json"


@dataclass
class CollectedKd(CollectedPairs):
    """What training data of a teacher or a student contains."""

    tags: Set[str] = field(default_factory=set)  # parts of speech

    def add(self, batch: GoldPairs) -> None:
        """Add pairs and tags of a batch."""
        super().add(batch)
        self.tags.update(token.tag_ for example in batch.examples for token in example.predicted)


class KdPipe(PairPipe):
    """Base of both components, with the settings that both have.

    types (Union[str, List[List[str]]]): Between which entity types a relation may hold, as rows of subject type,
        relation and object type, "*" for any type; relations without a row may hold between all. "learned": rows for
        the relations that hardly ever hold between other types in training; `tune` drops them if they do harm.
    threshold (float): Lowest score of a triple: p / (p + p₀), with p of the pair's best relation, p₀ of no relation.
    """

    fitted: ClassVar[Settings] = {**PairPipe.fitted, "tags": []}
    collected: ClassVar[Type[CollectedPairs]] = CollectedKd
    fitted_first = ("types",)
    needs_patterns: ClassVar[bool] = False  # whether type patterns are counted

    @property
    def learning(self) -> KdLearning:
        """RETURNS (KdLearning): How it learns."""
        learning: KdLearning = self.blocks["learning"].of(self.cfg["learning"])  # type: ignore[assignment]
        return learning

    @property
    def assertion_weight(self) -> float:  # type: ignore[override]
        """RETURNS (float): Weight of the loss of assertions; 0: they are not learned."""
        return self.learning.assertion_weight

    def reset(self) -> None:
        """Create an empty lexicon and empty type patterns."""
        super().reset()
        self.patterns = TypePatterns({}, n_classes=1)

    def adopt(self, collected: CollectedKd) -> None:  # type: ignore[override]
        """Set labels, classes, types and tags, and count the type patterns if they are needed."""
        super().adopt(collected)
        self.cfg["tags"] = sorted(collected.tags - {""})
        self.patterns = TypePatterns({}, n_classes=1)
        if not self.needs_patterns:
            return
        number = {each: index + 1 for index, each in enumerate(self.classes)}
        # a pair whose gold classes are all unknown must not count as "no relation"
        rows = [row for row in zip(collected.types, collected.gold) if not row[1] or row[1].intersection(number)]
        classes = [min((number[each] for each in pair if each in number), default=0) for _, pair in rows]
        self.patterns = count_patterns([types for types, _ in rows], classes, n_classes=len(number) + 1)

    def model_sizes(self) -> Settings:
        """Return the sizes of `PairPipe`, and the number of assertions if they are learned."""
        return {**super().model_sizes(), **head_size(self.cfg)}

    def assertion_targets(self, instances: GoldPairs) -> Targets:
        """Return the assertions of pairs, if they are learned."""
        known = self.cfg.get(KNOWN)
        return {"assertions": instances.assertions(self.classes, known)} if known else {}

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return lexicon and type patterns."""
        return {**super().knowledge_files(), PATTERNS: to_json(self.patterns.to_dict())}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read lexicon and type patterns."""
        super().load_knowledge(files)
        self.patterns = TypePatterns.from_dict(srsly.json_loads(files[PATTERNS]))

    def fit_settings(self, examples: Sequence[Example]) -> Settings:
        """Choose between learned types and none by `exact_ap`: predicted entity labels may be wrong."""
        if self.cfg["types"] != LEARNED:
            return {}
        batches = list(self.read([example.predicted for example in examples]))  # the model runs once for both choices
        precisions: List[float] = []
        choices: List[object] = [LEARNED, []]
        for types in choices:
            self.cfg["types"] = types
            candidates = [each for batch in batches for each in self.candidates(*batch)]
            precisions.append(score_triples(examples, candidates=candidates)["exact_ap"] or 0.0)
        return {"types": LEARNED if precisions[0] >= precisions[1] else []}


# Default config of both components: settings, and blocks.
SETTINGS = """
types = "learned"
threshold = 0.5
"""

BLOCKS = """
[component.model.encoder]
@architectures = "spacy_relext.GraphEncoder.v1"
input_dropout = 0.1
dropout = 0.1

[component.model.encoder.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 1
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true

[component.suggester]
@misc = "spacy_relext.EntityPairs.v1"

[component.scorer]
@scorers = "spacy_relext.triple_scorer.v1"
"""
