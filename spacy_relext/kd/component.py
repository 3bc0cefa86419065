"""What teacher and student of KD4NRE share."""

from dataclasses import dataclass, field
from typing import ClassVar, Dict, List, Mapping, Sequence, Set, Type

import srsly
from spacy.training import Example

from ..annotations.type_rules import LEARNED
from ..pairs.component import PairPipe, to_json
from ..pairs.gold import CollectedPairs, GoldPairs
from ..pipeline.assertions import KNOWN, head_size
from ..pipeline.pipe import Targets
from ..pipeline.settings import Ranges, Settings
from ..scoring.triples import score_triples
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

    sentence_penalty (float): Weight of the squared length of sentence vectors (the paper's C-GCN: 0.003).
    adversarial_radius (float): ε, how far an adversary moves what the encoder reads of a text. 0: no adversary.
    adversarial_reuse (bool): Whether it moves a text to where the loss rose most in the last pass over it. Otherwise,
        and for an encoder that does not recognize a text (C-GCN), each text is first read as it is, and both passes
        are learned from, in nearly twice the time.
    both_orders (bool): Whether pairs that a data set marks in one order are learned in both.
    average_orders (bool): Whether such pairs are also predicted in both, and the logits averaged, in twice the time.
        Candidates that are in both orders anyway do not change.
    types (Union[str, List[List[str]]]): Between which entity types a relation may hold, as rows of subject type,
        relation and object type, "*" for any type; relations without a row may hold between all. "learned": rows for
        the relations that training shows hardly any other types of, if `tune` does not find that they do harm.
    threshold (float): Least probability of the best relation beside no relation.
    assertion_weight (float): Weight of the loss of assertions (the attribute `assertion` of triples), if the training
        data has two or more; 0: they are not learned.
    """

    ranges: ClassVar[Ranges] = {
        **PairPipe.ranges,
        "sentence_penalty": (0.0, 1_000.0),
        "assertion_weight": (0.0, 1_000.0),
    }
    fitted: ClassVar[Settings] = {**PairPipe.fitted, "tags": []}
    collected: ClassVar[Type[CollectedPairs]] = CollectedKd
    fitted_first = ("types",)
    needs_patterns: ClassVar[bool] = False  # whether type patterns are counted

    def reset(self) -> None:
        """Create an empty lexicon and no type patterns."""
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
        # a pair whose gold classes are all unknown is no instance of "no relation"
        rows = [row for row in zip(collected.types, collected.gold) if not row[1] or row[1].intersection(number)]
        classes = [min((number[each] for each in pair if each in number), default=0) for _, pair in rows]
        self.patterns = count_patterns([types for types, _ in rows], classes, n_classes=len(number) + 1)

    def model_sizes(self) -> Settings:
        """Return the sizes of `PairPipe`, and the number of assertions if they are learned."""
        return {**super().model_sizes(), **head_size(self.cfg)}

    def assertion_targets(self, instances: GoldPairs) -> Targets:
        """Return the assertions of pairs; nothing if they are not learned."""
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
        """Choose between learned types and none by `exact_ap`: labels that a component gives entities may be wrong."""
        if self.cfg["types"] != LEARNED:
            return {}
        batches = list(self.read([example.predicted for example in examples]))  # the model reads once for both
        precisions: List[float] = []
        choices: List[object] = [LEARNED, []]
        for types in choices:
            self.cfg["types"] = types
            candidates = [each for batch in batches for each in self.candidates(*batch)]
            precisions.append(score_triples(examples, candidates=candidates)["exact_ap"] or 0.0)
        return {"types": LEARNED if precisions[0] >= precisions[1] else []}


# Default config of both components: settings, and blocks.
SETTINGS = """
sentence_penalty = 0.0
adversarial_radius = 0.0
adversarial_reuse = false
both_orders = false
average_orders = false
types = "learned"
threshold = 0.5
assertion_weight = 1.0
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
