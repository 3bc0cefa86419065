"""The component behind `hrere_classifier`: classifies all sentences of a pair together, with a knowledge base."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Type

import numpy
from numpy.typing import NDArray
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.near_miss import NearMiss
from ..annotations.triple import Record
from ..annotations.type_rules import TypeSetting
from ..bridge.modules import module_of
from ..errors import Errors, Warnings
from ..pairs.component import CELLS, DocTriples, PairPipe, add_triple, make_triple, relation_scores
from ..pairs.diagnosis import make_near_miss
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import CollectedPairs, GoldPairs, PairClass
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pairs.type_lexicon import TypeLexicon
from ..pipeline.initialize import GetExamples
from ..pipeline.pipe import LEAST_SCORE, Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import TOK2VEC, Block, Ranges, Settings, one_of, plain_settings, within
from ..scoring.probabilities import calibrate
from ..scoring.ranking import RANKING_SCORES, Ranking, rank_cells, score_ranking
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .bags import Bags, gather_bags, single_mentions, union_of
from .linked_kb import BagKnowledge, LinkedKb
from .losses import hrere_loss
from .mixture import MIXES, MixedProbs, Mixture, fit_mixture, mix
from .ranking import (
    BAG,
    MENTION,
    BagPrediction,
    cells_of,
    judged_pairs,
    list_mentions,
    list_predictions,
    single_outputs,
)

Floats = NDArray[numpy.float64]

# Maximum number of relations that a message lists.
MOST_NAMED = 5

SCORE_WEIGHTS = {**dict.fromkeys([*TRIPLE_SCORE_WEIGHTS, *RANKING_SCORES]), "bag_ap": 1.0, "mention_ap": 0.0}

CONFIG = f"""
[component]
text_share = 0.6
types = "learned"
threshold = 0.5

[component.loss]
@misc = "spacy_relext.HrereLoss.v1"

[component.decoding]
@misc = "spacy_relext.HrereDecoding.v1"

[component.model]
@architectures = "spacy_relext.HrereBagClassifier.v1"

[component.model.encoder]
{TOK2VEC}
[component.suggester]
@misc = "spacy_relext.AnnotatedOrAllPairs.v1"

[component.scorer]
@scorers = "spacy_relext.triple_scorer.v1"
"""


@registry.misc("spacy_relext.HrereLoss.v1")
@dataclass(frozen=True)
class HrereLoss(Block):
    """Weights of the losses beside that of the text; both 0 and `text_share` 1: the paper's HRERE-base.

    kb_weight (float): λ₁, weight of the knowledge base's loss on the labels.
    agree_weight (float): λ₂, weight of the text's loss on the predictions of the knowledge base; 0: HRERE-naive.
    """

    kb_weight: float = within(1.0, 0.0, 1_000.0)
    agree_weight: float = within(0.0, 0.0, 1_000.0)


@registry.misc("spacy_relext.HrereDecoding.v1")
@dataclass(frozen=True)
class HrereDecoding(Block):
    """How text and knowledge base together decide.

    mix (str): Whether logits ("logit") or, as in the paper, probabilities ("prob") are mixed.
    """

    mix: str = one_of("logit", MIXES)


@dataclass
class CollectedBags(CollectedPairs):
    """What the training data of a classifier of bags contains."""

    entities: Set[str] = field(default_factory=set)  # ids that arguments are linked to

    def add(self, batch: GoldPairs) -> None:
        """Add pairs and linked entities of a batch."""
        super().add(batch)
        for ids in gather_bags(batch.pairs, across=True).ids:
            self.entities.update(each for each in ids if each)


class HrereClassifier(PairPipe):
    """Predicts which relations hold between two entities, from text and knowledge base. Writes `doc._.triples`."""

    architectures = ("relext_hrere_bags",)
    collected: ClassVar[Type[CollectedPairs]] = CollectedBags
    blocks: ClassVar[Mapping[str, Type[Block]]] = {"loss": HrereLoss, "decoding": HrereDecoding}
    fitted: ClassVar[Settings] = {**PairPipe.fitted, "text_temperature": 1.0, "kb_temperature": 1.0}
    fitted_first = ("text_share", "text_temperature", "kb_temperature")
    ranges: ClassVar[Ranges] = {**PairPipe.ranges, "text_share": (0.0, 1.0)}

    @property
    def decoding(self) -> HrereDecoding:
        """RETURNS (HrereDecoding): How text and knowledge base together decide."""
        return HrereDecoding.of(self.cfg["decoding"])

    def reset(self) -> None:
        """Create an empty lexicon and an empty knowledge base."""
        super().reset()
        self.knowledge = BagKnowledge()

    # Initialization

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        kb: Optional[Path] = None,
    ) -> None:
        """Read the knowledge base, collect relations and entities, and give the model its sizes.

        get_examples (GetExamples): Returns the training data, with linked entities.
        kb (Optional[Path]): Folder of embeddings, made by `spacy relext kb train`; they are saved with the component.
            None: text alone decides.
        labels, lexicon, start: As for `PairPipe.initialize`.
        RAISES (ValueError): If there are no relations or no pairs, or the knowledge base knows no entity of the data,
            or none of its relations.
        """
        from ..kb.model import KbModel

        self.knowledge = BagKnowledge(None if kb is None else LinkedKb.from_model(KbModel.from_disk(Path(kb))))
        super().initialize(get_examples, nlp=nlp, labels=labels, lexicon=lexicon, start=start)
        if len(self.knowledge):
            self._check_relations(str(kb))
            module_of(self.model).knowledge.load(*self.knowledge.kb.relation_vectors(self.classes))

    def adopt(self, collected: CollectedBags) -> None:  # type: ignore[override]
        """Set labels, classes and types, and the known entities; raise an error if the knowledge base knows none."""
        super().adopt(collected)
        self.knowledge = BagKnowledge(self.knowledge.kb, sorted(collected.entities))
        if len(self.knowledge) and not self.knowledge.seen:
            counts = {"linked": len(collected.entities), "kb": len(self.knowledge)}
            raise ValueError(Errors.R730.format(name=self.name, where=collected.where, **counts))

    def _check_relations(self, kb: str) -> None:
        """Warn about relations that the knowledge base does not know; raise an error if it knows none."""
        unknown = [label for label in self.labels if not self.knowledge.kb.knows(label)]
        listed = _shorten(unknown)
        if len(unknown) == len(self.labels):
            known = _shorten(self.knowledge.kb.relations)
            raise ValueError(Errors.R731.format(name=self.name, kb=kb, found=listed, expected=known))
        if unknown:
            counts = {"count": len(unknown), "total": len(self.labels)}
            self.warn_once("relations", Warnings.W700.format(name=self.name, found=listed, **counts))

    def model_sizes(self) -> Settings:
        """Add the sizes of the knowledge base."""
        return {**super().model_sizes(), **self.knowledge.sizes()}

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return lexicon and knowledge base."""
        return {**super().knowledge_files(), **self.knowledge.to_files()}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read lexicon and knowledge base."""
        super().load_knowledge(files)
        self.knowledge = BagKnowledge.from_files(files)

    # Training

    def split(self, instances: Instances) -> Iterator[Bags]:
        """Gather the mentions of each pair in a Doc into a bag, unless they are bags; yield batches of whole bags."""
        yield from _as_bags(instances).parts(CELLS)

    def features(self, instances: Instances) -> PairBatch:
        """Prepare the mentions of bags for the encoder, and their entities for the knowledge base."""
        bags = _as_bags(instances)
        return PairBatch(bags.pairs, self.cfg["entity_types"], arrays={"bag": bags.bag, **self.knowledge.arrays(bags)})

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold of the bags, and which bags and classes the knowledge base knows."""
        bags = gather_bags(instances.pairs)
        shared = self.knowledge.shared(self.classes)
        return {"gold": self.gold_shares(bags, instances.gold), "linked": self.knowledge.linked(bags), "shared": shared}

    def gold_shares(self, bags: Bags, gold: Sequence[Set[PairClass]]) -> NDArray[numpy.float32]:
        """Distribute the target of each bag equally over its gold classes; `gold` is by pair. Shape (G, R)"""
        number = {each: index + 1 for index, each in enumerate(self.classes)}
        shares = numpy.zeros((len(bags), len(number) + 1), dtype="float32")
        for row, classes in enumerate(union_of(gold, bags)):
            known = [number[each] for each in classes if each in number] or [0]
            shares[row, known] = 1.0 / len(known)
        return shares

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute J_L, J_G and J_D."""
        weights = HrereLoss.of(self.cfg["loss"])
        return hrere_loss(outputs, targets, kb_weight=weights.kb_weight, agree_weight=weights.agree_weight)

    # Prediction

    def mix(self, bags: Bags, outputs: Outputs) -> MixedProbs:
        """Mix the probabilities of text and knowledge base; 0 if no mention's types allow a class. Shapes (G, R)"""
        mixed = self._mix_all(bags, outputs)
        allowed = numpy.logical_or.reduceat(self.allowed(bags.pairs), bags.starts()[:-1])
        return mixed._replace(probs=numpy.where(allowed, mixed.probs, 0.0))

    def _mix_all(self, bags: Bags, outputs: Outputs) -> MixedProbs:
        """Mix the probabilities of text and knowledge base, whatever the types. Shapes (G, R)"""
        mixture = Mixture(
            self.cfg["text_share"], self.cfg["text_temperature"], self.cfg["kb_temperature"], self.decoding.mix
        )
        shared = self.knowledge.shared(self.classes)
        linked = self.knowledge.linked(bags)
        return mix(outputs.text, outputs.knowledge, linked=linked, shared=shared, mixture=mixture)

    def add_triples(self, triples: List[DocTriples], pairs: Pairs, outputs: Outputs) -> None:
        """Add to the triples of each Doc the relations of its bags with a sufficient score."""
        bags = gather_bags(pairs)
        mixed = self.mix(bags, outputs)
        scores = self.scores(mixed.probs)
        for number, column in numpy.argwhere(scores >= self.answer_thresholds()[None]).tolist():
            row = _first_mention(bags, outputs, number)
            triple = make_triple(bags.pairs, row, self.answers[column], float(scores[number, column]))
            triple["evidence"] = self._bag_evidence(bags, outputs, mixed, number, column + 1)
            add_triple(triples[int(bags.pairs.doc[row])], triple)

    def add_candidates(self, triples: List[DocTriples], pairs: Pairs, outputs: Outputs) -> None:
        """Add all relations of each bag with a score of at least `LEAST_SCORE` to the triples of its Doc."""
        bags, answers = gather_bags(pairs), self.answers
        scores = relation_scores(self.mix(bags, outputs).probs)
        for number, column in numpy.argwhere(scores >= LEAST_SCORE).tolist():
            row = _first_mention(bags, outputs, number)
            triple = make_triple(bags.pairs, row, answers[column], float(scores[number, column]))
            add_triple(triples[int(bags.pairs.doc[row])], triple)

    def scores(self, probs: Floats) -> Floats:
        """Compute the calibrated `relation_scores`. Shapes (G, R) → (G, R - 1)"""
        return calibrate(relation_scores(probs), scale=self.cfg["scale"], shift=self.cfg["shift"])

    def rejected_answers(self, pairs: Pairs, outputs: Outputs) -> List[NearMiss]:
        """List the relations of bags that are too unlikely, or ruled out by types."""
        bags, thresholds, misses = gather_bags(pairs), self.answer_thresholds(), []
        mixed, free = self.mix(bags, outputs), self._mix_all(bags, outputs)
        scores, free_scores = self.scores(mixed.probs), self.scores(free.probs)
        for number, column in numpy.argwhere(relation_scores(free.probs) >= LEAST_SCORE).tolist():
            value, limit = float(scores[number, column]), float(thresholds[column])
            row = _first_mention(bags, outputs, number)
            if not mixed.probs[number, column + 1]:
                value = float(free_scores[number, column])
                stage, text = self.explain_ruled_out(bags.pairs, outputs, row, column)
                if value < limit:
                    continue
            elif value < limit:
                kb = f", by the knowledge base {mixed.kb[number, column + 1]:.3f}" if mixed.kb[number].any() else ""
                stage = "threshold"
                text = f"its probability by the text is {mixed.text[number, column + 1]:.3f}{kb}"
            else:
                continue
            triple = make_triple(bags.pairs, row, self.answers[column], value)
            misses.append(make_near_miss(triple, limit, stage, text, name=self.name))
        return misses

    def _bag_evidence(self, bags: Bags, outputs: Outputs, mixed: MixedProbs, number: int, column: int) -> Record:
        """Return probabilities of text and knowledge base, and the mentions with their weights."""
        evidence: Record = {"text": round(float(mixed.text[number, column]), 4), "ids": list(bags.ids[number])}
        if mixed.kb[number].any():
            evidence["kb"] = round(float(mixed.kb[number, column]), 4)
        mentions = list_mentions(bags, outputs.weights, number)
        return {**evidence, "mentions": [[*place, weight] for _, place, weight in mentions]}

    def predict_bags(self, docs: Sequence[Doc]) -> List[BagPrediction]:
        """Score each ordered pair of linked entities once, from its mentions in all Docs together.

        A mention that is not linked is scored by itself.
        """
        self.require_initialized()
        bags = gather_bags(self.suggest_pairs(list(docs)), across=True)
        outputs = self.run(bags)
        if outputs is None:
            return []
        return list_predictions(bags, self.mix(bags, outputs), weights=outputs.weights, classes=self.classes)

    # Scores

    def fit_settings(self, examples: Sequence[Example]) -> Settings:
        """Find the mixture with the best average precision over the bags of held-out data; see `fit_mixture`."""
        gold = self.gold(examples)
        bags = gather_bags(gold.pairs, across=True)
        outputs = self.run(bags)
        if outputs is None:
            return {}
        options = {"linked": self.knowledge.linked(bags), "shared": self.knowledge.shared(self.classes)}
        is_true = self.gold_shares(bags, gold.gold) > 0
        fitted = fit_mixture(outputs.text, outputs.knowledge, is_true, form=self.decoding.mix, **options)
        return dict(zip(self.fitted_first, (fitted.share, fitted.text_temperature, fitted.kb_temperature)))

    def score(self, examples: Iterable[Example], **kwargs: object) -> Settings:
        """Evaluate predictions, and add `score_ranking` of all relations of all pairs."""
        examples = list(examples)
        scores = super().score(examples, **kwargs)
        for ranking in self.rankings(examples):
            scores.update(score_ranking(ranking))
        return scores

    def rankings(self, examples: Sequence[Example]) -> List[Ranking]:
        """Rank all relations of bags (linked pairs, all Docs together), then of mentions; see `judged_pairs`."""
        gold = judged_pairs(self.gold(examples))
        bags = gather_bags(gold.pairs, across=True)
        outputs = self.run(bags)
        rankings: List[Ranking] = []
        for unit in (BAG, MENTION):
            if unit == MENTION:
                outputs, bags = single_outputs(bags, outputs), single_mentions(bags)
            probs = numpy.zeros((0, len(self.classes) + 1)) if outputs is None else self.mix(bags, outputs).probs
            cells, facts = cells_of(bags, gold, probs, self.classes, unit=unit)
            rankings.append(rank_cells(cells, unit=unit, facts=facts))
        return rankings


def _as_bags(instances: Instances) -> Bags:
    """Return bags as they are; gather pairs into bags, one for all mentions of a pair in a Doc."""
    return instances if isinstance(instances, Bags) else gather_bags(instances.pairs)


def _first_mention(bags: Bags, outputs: Outputs, number: int) -> int:
    """Return the mention with the highest weight, at which the triples of a bag are stored."""
    return max(bags.rows(number), key=lambda row: float(outputs.weights[row, 0]))


def _shorten(relations: Sequence[str]) -> str:
    """List the first relations."""
    return ", ".join(relations[:MOST_NAMED]) + (", …" if len(relations) > MOST_NAMED else "")


@Language.factory(
    "hrere_classifier",
    requires=["doc.ents", "token.ent_kb_id", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=SCORE_WEIGHTS,
)
def make_hrere_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    loss: HrereLoss,
    decoding: HrereDecoding,
    text_share: float,
    types: TypeSetting,
    threshold: float,
    scorer: Optional[Scorer],
) -> HrereClassifier:
    """Create a classifier that reads all sentences of a pair of linked entities together, and uses a knowledge base.

    A triple is stored at the pair's mention with the highest weight. Scores also rank all relations of all pairs:
    `bag_ap`, `mention_ap` and more.

    loss (HrereLoss): Weights of the losses.
    decoding (HrereDecoding): How text and knowledge base together decide.
    text_share (float): α, weight of the text for pairs that the knowledge base covers, fitted by `tune`; 1: text alone.
    types (Union[str, List[List[str]]]): Between which entity types a relation may hold, as rows of subject type,
        relation and object type, "*" for any type; relations without a row may hold between all. "learned": rows for
        the relations that have hardly any other types in the training data.
    threshold (float): Minimum score of a relation: p(r) / (p(r') + p(no relation)) with the most probable relation r'.
    """
    settings = plain_settings(locals())
    return HrereClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
