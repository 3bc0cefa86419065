"""The component behind `zeroshot_classifier`: relations have descriptions, and can be added after training."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model

from ..annotations.schema import read_schema, readable_label
from ..annotations.triple import Record
from ..annotations.type_rules import TypeSetting
from ..bridge.modules import module_of
from ..errors import Errors
from ..pairs.component import Floats, PairPipe
from ..pairs.gold import CollectedPairs, GoldPairs, PairClass
from ..pairs.pairs import IntArray, Pairs
from ..pairs.suggesters import Suggester
from ..pairs.type_lexicon import TypeLexicon
from ..pipeline.initialize import GetExamples
from ..pipeline.pipe import Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import Settings, plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .losses import matching_loss
from .model import WITHHELD

CONFIG = """
[component]
types = []
threshold = 0.5

[component.descriptions]

[component.model]
@architectures = "spacy_relext.DescriptionMatcher.v1"

[component.model.encoder]
@architectures = "spacy_relext.PieceEncoder.v1"
name = "assets/encoder/all-MiniLM-L6-v2"
mix_from = null
form = "punct"

[component.suggester]
@misc = "spacy_relext.EntityPairs.v1"

[component.scorer]
@scorers = "spacy_relext.triple_scorer.v1"
"""


class ZeroshotClassifier(PairPipe):
    """Predicts which described relation holds between two entities. Writes `doc._.triples`.

    Pairs are classified in both orders, so that each relation has one class and one description; the order whose best
    relation has the higher logit gives the triple.
    """

    architectures = ("relext_description_matcher",)
    fitted: ClassVar[Settings] = {**PairPipe.fitted, "added": {}, "schema_descriptions": {}}

    def reset(self) -> None:
        """Create an empty lexicon, and an empty cache of the descriptions' word pieces."""
        super().reset()
        self._pieces: Tuple[Sequence[str], Dict[str, numpy.ndarray]] = ((), {})

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        schema_path: Optional[Path] = None,
    ) -> None:
        """Collect relations and entity types, and load the encoder's weights.

        schema_path (Optional[Path]): YAML or JSON file of relations with their descriptions; the setting
            `descriptions` has precedence. Without a description, a relation is described by its label in words.
        labels, lexicon, start: As for `PairPipe.initialize`.
        RAISES (ValueError): If there are no relations or no pairs, or a description is too long.
        """
        schema = {} if schema_path is None else read_schema(schema_path).relations
        super().initialize(get_examples, nlp=nlp, labels=labels, lexicon=lexicon, start=start)
        self.cfg["schema_descriptions"] = {
            label: relation.description for label, relation in schema.items() if relation.description
        }
        self._describe()

    @property
    def descriptions(self) -> Dict[str, str]:
        """RETURNS (Dict[str, str]): The description of each relation, by label."""
        given = {**self.cfg["schema_descriptions"], **self.cfg["descriptions"], **self.cfg["added"]}
        return {label: given.get(label) or readable_label(label) for label in self.labels}

    def add_relation(self, label: str, description: str = "") -> None:
        """Add a relation to predict; the weights do not change.

        label (str): Its name, the value of `Triple.relation`.
        description (str): How a text expresses it, with subject and object: "a company buys another". Empty: the label
            in words.
        RAISES (ValueError): If the component is not initialized or has the relation already, or the description is too
            long.
        """
        self.require_initialized()
        if not label or label in self.labels:
            expected = "a name that none of its relations has"
            raise ValueError(Errors.R007.format(key=f"relation of {self.name}", found=label, expected=expected))
        self._cut({label: description or readable_label(label)})  # refuses a description that is too long
        labels = sorted([*self.labels, label])
        self.cfg.update(labels=labels, classes=_forwards(labels), added={**self.cfg["added"], label: description})

    def remove_relation(self, label: str) -> None:
        """Stop predicting a relation.

        label (str): Its name.
        RAISES (ValueError): If there is no such relation, or no other.
        """
        labels = [each for each in self.labels if each != label]
        if len(labels) == len(self.labels) or not labels:
            expected = "one of its relations, of which at least one stays: " + ", ".join(self.labels)
            raise ValueError(Errors.R007.format(key=f"relation of {self.name}", found=label, expected=expected))
        for key in ("added", "thresholds"):
            self.cfg[key] = {each: value for each, value in self.cfg[key].items() if each != label}
        learned = [row for row in self.cfg["learned_types"] if row[1] != label]
        self.cfg.update(labels=labels, classes=_forwards(labels), learned_types=learned)

    # What is classified

    def suggest_pairs(self, docs: Sequence[Doc]) -> Pairs:
        """Choose the pairs of a batch, in both orders."""
        return replace(super().suggest_pairs(docs).augment_with_reversed(), both_orders=True)

    def adopt(self, collected: CollectedPairs) -> None:
        """Set labels and entity types, and one class for each relation."""
        super().adopt(collected)
        self.cfg["classes"] = _forwards(self.labels)

    def model_sizes(self) -> Settings:
        """Return the sizes of `PairPipe`, but `n_classes` of 1: no weight is specific to a relation."""
        return {**super().model_sizes(), "n_classes": 1}

    def arrays(self, instances: Instances) -> Settings:
        """Return the word pieces of all descriptions."""
        if module_of(self.model).encoder.tokens.tokenizer is None:  # `initialize` lays pairs out before there is one
            return {}
        return self._describe()

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold classes, and the index of each pair's other order."""
        return {"classes": instances.classes(self.classes), "other_order": find_other_order(instances.pairs)}

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the cross-entropy over both orders of a pair."""
        return matching_loss(outputs, targets)

    def complete(self, pairs: Pairs, outputs: Outputs) -> Outputs:
        """Keep only the better order of each pair; see `keep_better_order`."""
        return outputs._replace(logits=keep_better_order(outputs.logits, find_other_order(pairs)))

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the relation's description, the cosine of pair and description, and the bias of no relation."""
        similarity = outputs.similarity[number]
        return {
            "description": self.descriptions[self.answers[answer - 1].relation],
            "similarity": round(float(similarity[answer]), 4),
            "no_relation": round(float(similarity[0]), 4),
        }

    def _describe(self) -> Dict[str, numpy.ndarray]:
        """Cut the descriptions into word pieces, cached until they change; see `_cut`."""
        texts = tuple(self.descriptions.values())
        if self._pieces[0] != texts:
            self._pieces = (texts, self._cut(self.descriptions))
        return self._pieces[1]

    def _cut(self, descriptions: Mapping[str, str]) -> Dict[str, numpy.ndarray]:
        """Cut texts into pieces: `description_ids`, `description_mask`, shapes (R, L). Refuse one that is too long."""
        tokenizer, limit = module_of(self.model).encoder.tokens.tokenizer, self.model.attrs["max_pieces"]
        encodings = tokenizer.encode_batch(list(descriptions.values()))
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = numpy.zeros((len(encodings), longest), dtype="int64")
        mask = numpy.zeros((len(encodings), longest), dtype=bool)
        for row, (label, encoding) in enumerate(zip(descriptions, encodings)):
            if len(encoding.ids) > limit:
                found, expected = f"{len(encoding.ids)} word pieces long", f"at most {limit} (max_pieces)"
                raise ValueError(Errors.R007.format(key=f"description of {label}", found=found, expected=expected))
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = True
        return {"description_ids": ids, "description_mask": mask}


def find_other_order(pairs: Pairs) -> IntArray:
    """Find the index of each pair's other order, -1 if it is not among the pairs. Shape (P,)"""
    keys = list(zip(pairs.doc.tolist(), map(tuple, pairs.subject.tolist()), map(tuple, pairs.object.tolist())))
    numbers = {key: number for number, key in enumerate(keys)}
    return numpy.asarray([numbers.get((doc, obj, subject), -1) for doc, subject, obj in keys], dtype="int64")


def keep_better_order(logits: Floats, other: IntArray) -> Floats:
    """Withhold all relations of a pair in the order whose highest logit is lower; in a tie, in the later order.

    logits (Floats): Shape (P, 1 + R)
    other (IntArray): See `find_other_order`. Shape (P,)
    RETURNS (Floats): Shape (P, 1 + R)
    """
    best = logits[:, 1:].max(1, initial=WITHHELD)
    other_best = numpy.where(other >= 0, best[other], -numpy.inf)
    is_later = (other >= 0) & (other < numpy.arange(len(other)))
    is_worse = (other_best > best) | ((other_best == best) & is_later)
    return numpy.concatenate([logits[:, :1], numpy.where(is_worse[:, None], WITHHELD, logits[:, 1:])], axis=1)


def _forwards(labels: Sequence[str]) -> List[List[object]]:
    """List the only class of each relation, in the form of the setting `classes`."""
    return [list(PairClass(label)) for label in labels]


@Language.factory(
    "zeroshot_classifier",
    requires=["doc.ents", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_zeroshot_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    descriptions: Dict[str, str],
    types: TypeSetting,
    threshold: float,
    scorer: Optional[Scorer],
) -> ZeroshotClassifier:
    """Create a classifier that represents relations by their descriptions only.

    descriptions (Dict[str, str]): How a text expresses each relation, by label; one that is missing here and in the
        schema is described by its label in words.
    types (Union[str, List[List[str]]]): See `KdPipe`.
    threshold (float): Lowest score of a triple: p / (p + p₀), with p of the pair's best relation, p₀ of no relation.
    """
    settings = plain_settings(locals())
    return ZeroshotClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
