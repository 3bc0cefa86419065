"""The component behind `hrere_classifier`: reads all sentences of a pair, and asks a knowledge base about it."""

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..bridge.modules import to_numpy
from ..errors import check_choice, check_range
from ..pairs.component import CELLS, join_outputs
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import GoldPairs, PairClass
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.settings import TOK2VEC, plain_settings
from ..scoring.probabilities import calibrate
from ..scoring.ranking import Ranking, rank_cells, score_ranking
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .bags import Bags, gather_bags, union_of
from .knowledge import FITTED, KbPipe
from .losses import AGREEMENTS, MIXES, hrere_loss
from .mixing import Judged, Mixture, fit_mixture, mix
from .ranking import BAG, MENTION, Truth, cells_of

BEST, ALL = "best", "all"

MENTIONS = (BEST, ALL)

CLASSIFIER_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedBagClassifier.v1"

[model.tok2vec]
{TOK2VEC}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)

_CLASSIFIER = Config().from_str(CLASSIFIER_CONFIG)


class BagPrediction(NamedTuple):
    """What is said of one ordered pair of entities.

    subject (str): Id, "" where the mention is not linked.
    object (str): Id.
    scores (Dict[str, float]): Probability of each relation, by which pairs are ranked.
    text (Dict[str, float]): What the text alone says.
    kb (Dict[str, float]): What the knowledge base alone says; empty where it has no say.
    mentions (List[Tuple[int, List[int], float]]): Number of the Doc, characters of subject and object, and weight.
    """

    subject: str
    object: str
    scores: Dict[str, float]
    text: Dict[str, float]
    kb: Dict[str, float]
    mentions: List[Tuple[int, List[int], float]]


class HrereClassifier(KbPipe):
    """Says which relations hold between two entities, by what a text says of them and by what a knowledge base makes
    likely. Writes `doc._.triples`."""

    architectures = ("relext_hrere_piece_bags", "relext_hrere_recurrent_bags", "relext_hrere_shared_bags")

    # Training

    def targets(self, instances: GoldPairs) -> Dict[str, Any]:
        """What gold says of each bag, and about what the knowledge base has a say."""
        bags = gather_bags(instances.pairs)
        linked = self.linked(bags)
        return {"gold": self.gold(bags, instances.found), "linked": linked, "shared": self.shared()}

    def gold(self, bags: Bags, said: Sequence[Set[PairClass]]) -> Any:
        """Lay gold out, each bag's relations with equal shares. Shape (G, R)"""
        number = {each: index + 1 for index, each in enumerate(self.classes)}
        found = numpy.zeros((len(bags), len(number) + 1), dtype="float32")
        for row, classes in enumerate(union_of(said, bags)):
            known = [number[each] for each in classes if each in number] or [0]
            found[row, known] = 1.0 / len(known)
        return found

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """J_L, J_G and J_D."""
        names = ("kb_weight", "agree_weight", "agree", "confidence")
        return hrere_loss(outputs, targets, **{name: self.cfg[name] for name in names})

    # Prediction

    def run(self, instances: Any) -> Any:
        """Score the bags of pairs.

        instances (Any): `Pairs` or `GoldPairs`; all mentions of a pair in a Doc are a bag.
        RETURNS (Any): What the model returns, in the order of the bags; None without pairs.
        """
        pairs = instances.pairs if isinstance(instances, GoldPairs) else instances
        return self.run_bags(gather_bags(pairs))

    def run_bags(self, bags: Bags) -> Any:
        """Score bags, in parts; see `run`."""
        parts = [to_numpy(self.model.predict(self.features(part))) for part in bags.parts(CELLS)]
        return join_outputs(parts) if parts else None

    def features(self, instances: Any) -> PairBatch:
        """Lay the mentions of bags out for the encoder, and their entities for the knowledge base."""
        if isinstance(instances, GoldPairs):
            instances = instances.pairs
        bags = instances if isinstance(instances, Bags) else gather_bags(instances)
        return PairBatch(bags.pairs, self.cfg["types"], arrays={"bag": bags.bag, **self.kb_arrays(bags)})

    def judge(self, bags: Bags, outputs: Any) -> Judged:
        """Mix what text and knowledge base say. Shapes (G, R)"""
        options: Dict[str, Any] = {"linked": self.linked(bags), "shared": self.shared(), "mixture": self.mixture}
        return mix(outputs.text, outputs.knowledge, **options)

    @property
    def mixture(self) -> Mixture:
        """RETURNS (Mixture): How both are mixed."""
        return Mixture(
            self.cfg["text_share"], self.cfg["text_temperature"], self.cfg["kb_temperature"], self.cfg["mix"]
        )

    def decode(self, instances: Pairs, outputs: Any) -> List[Any]:
        """Take the relations of each bag that are likely enough beside no relation."""
        found: List[Dict[Any, Dict[str, Any]]] = [{} for _ in instances.docs]
        if outputs is not None:
            bags = gather_bags(instances)
            judged = self.judge(bags, outputs)
            scores, stated = self.stated(judged)
            for number, column in zip(*(places.tolist() for places in numpy.nonzero(stated))):
                rows: Sequence[int] = bags.rows(number)
                if self.cfg["mentions"] == BEST:
                    rows = [max(rows, key=lambda row: outputs.weights[row, 0])]
                evidence = self._evidence(bags, outputs, judged, number, column + 1)
                for row in rows:
                    triple = self._triple(bags.pairs, row, self.answers[column], float(scores[number, column]))
                    self.add_triple(found[int(bags.pairs.doc[row])], {**triple, "evidence": evidence})
        return [list(each.values()) for each in found]

    def stated(self, judged: Judged) -> Tuple[Any, Any]:
        """Say which relations of bags are likely enough.

        judged (Judged): Probabilities.
        RETURNS (Tuple[NDArray, NDArray]): Score of each relation, and whether it is stated. Shapes (G, R - 1)
        """
        scores, asked = self.scores(judged.probs), self.cfg["require_text_evidence"]
        return scores, (scores >= self.limits()[None]) & ((asked <= 0) | (self.scores(judged.text) >= asked))

    def scores(self, probs: Any) -> Any:
        """p(r) / (p(r') + p(no relation)) with the likeliest relation r', calibrated.

        For r' it is its probability where only it and no relation are possible. Two relations of a pair with the same
        probability have the same score, as if each had it alone; one that is less likely than r' has less.

        probs (NDArray): Class 0 is no relation. Shape (G, R)
        RETURNS (NDArray): Shape (G, R - 1)
        """
        relations = probs[:, 1:]
        raw = relations / numpy.maximum(relations.max(1, keepdims=True, initial=0.0) + probs[:, :1], 1e-300)
        return calibrate(raw, scale=self.cfg["scale"], shift=self.cfg["shift"])

    def closest(self, instances: Pairs) -> Dict[str, Any]:
        """Find the bag whose relation comes nearest to its threshold; see `PairPipe.closest`."""
        bags, outputs = gather_bags(instances), self.run(instances)
        scores = self.scores(self.judge(bags, outputs).probs)
        limits = self.limits()
        number, column = numpy.unravel_index(int((scores - limits).argmax()), scores.shape)
        row = bags.rows(int(number))[0]
        triple = self._triple(bags.pairs, row, self.answers[column], float(scores[number, column]))
        return {**triple, "threshold": float(limits[column])}

    def _evidence(self, bags: Bags, outputs: Any, judged: Judged, number: int, column: int) -> Dict[str, Any]:
        """What text and knowledge base say, the mentions with their weights, and the nearest facts."""
        ids, answer = bags.ids[number], self.answers[column - 1]
        found: Dict[str, Any] = {"text": round(float(judged.text[number, column]), 4), "ids": list(ids)}
        if judged.kb[number].any():
            found["kb"] = round(float(judged.kb[number, column]), 4)
        found["mentions"] = [[*place, weight] for _, place, weight in self._mentions(bags, outputs, number)]
        ends = ids[::-1] if answer.backwards else ids
        found["facts"] = [list(fact) for fact in self.near_facts(ends, answer.relation)]
        return found

    def _mentions(self, bags: Bags, outputs: Any, number: int) -> List[Tuple[int, List[int], float]]:
        """Doc, characters and weight of each mention of a bag."""
        found = []
        for row in bags.rows(number):
            subject, obj = bags.pairs.spans(row)
            place = [subject.start_char, subject.end_char, obj.start_char, obj.end_char]
            found.append((int(bags.pairs.doc[row]), place, round(float(outputs.weights[row, 0]), 4)))
        return found

    def predict_bags(self, docs: Sequence[Doc]) -> List[BagPrediction]:
        """Say of each pair of entities what all its mentions in several Docs say together.

        docs (Sequence[Doc]): With linked entities.
        RETURNS (List[BagPrediction]): Each ordered pair once, and mentions that are not linked each by themselves.
        RAISES (ValueError): Where the component is not initialized.
        """
        self.require_initialized()
        bags = gather_bags(self.suggest(list(docs)), across=True)
        outputs = self.run_bags(bags)
        if outputs is None:
            return []
        judged, found = self.judge(bags, outputs), []
        # a relation that is read backwards has `~` before its name
        names = [f"~{each.relation}" if each.backwards else each.relation for each in self.classes]
        for number, (subject, obj) in enumerate(bags.ids):
            said, text, kb = (dict(zip(names, each[number, 1:].tolist())) for each in judged)
            mentions = self._mentions(bags, outputs, number)
            known = kb if judged.kb[number].any() else {}
            found.append(BagPrediction(subject, obj, scores=said, text=text, kb=known, mentions=mentions))
        return found

    # Scores

    fitted_first = ("text_share", "text_temperature", "kb_temperature")

    def fit_settings(self, examples: Sequence[Example]) -> Dict[str, Any]:
        """Find the mixture with the best average precision over the bags of held-out data; see `fit_mixture`."""
        gold = self._gold(examples)
        bags = gather_bags(gold.pairs, across=True)
        outputs = self.run_bags(bags)
        if outputs is None:
            return {}
        said = self.gold(bags, gold.found) > 0
        options: Dict[str, Any] = {"linked": self.linked(bags), "shared": self.shared(), "form": self.cfg["mix"]}
        found = fit_mixture(outputs.text, outputs.knowledge, said, **options)
        return dict(zip(self.fitted_first, (found.share, found.text_temperature, found.kb_temperature)))

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Evaluate predictions, and rank all relations of all pairs by their probabilities.

        examples (Iterable[Example]): Predicted and gold Docs.
        kwargs (Any): Passed on to the scorer.
        RETURNS (Dict[str, Any]): What the scorer gives, and with the setting `ranking` that of `score_ranking`, for
            bags (linked pairs, all Docs together) and for mentions.
        """
        examples = list(examples)
        found = super().score(examples, **kwargs)
        if self.cfg["ranking"]:
            for ranking in self.rankings(examples):
                found = {**found, **score_ranking(ranking)}
        return found

    def rankings(self, examples: Sequence[Example]) -> List[Ranking]:
        """Rank all relations of bags, and of mentions.

        examples (Sequence[Example]): Predicted Docs with entities and links, and gold.
        RETURNS (List[Ranking]): Of bags (linked pairs, all Docs together), then of mentions.
        """
        gold = self._gold(examples)
        bags = gather_bags(gold.pairs, across=True)
        outputs = self.run_bags(bags)
        found: List[Ranking] = []
        for unit in (BAG, MENTION):
            if unit == MENTION:
                outputs, bags = self.run_single(bags, outputs), self.single(bags)
            probs = numpy.zeros((0, len(self.classes) + 1)) if outputs is None else self.judge(bags, outputs).probs
            cells, facts = cells_of(Truth(bags, union_of(gold.found, bags), gold), probs, self.classes, unit=unit)
            found.append(rank_cells(cells, unit=unit, facts=facts))
        return found

    @staticmethod
    def single(bags: Bags) -> Bags:
        """RETURNS (Bags): Each mention of bags by itself, with the links that it has, in the order of `bags.pairs`."""
        ids = [bags.ids[number] for number in bags.bag.tolist()]
        return Bags(bags.pairs, bags.order, numpy.arange(len(ids)), ids)

    def run_single(self, bags: Bags, outputs: Any) -> Any:
        """Score each mention of bags by itself, without reading it again.

        bags (Bags): The bags.
        outputs (Any): What the model says of them.
        RETURNS (Any): What the model says of `single(bags)`.
        """
        if outputs is None:
            return None
        # what the knowledge base says depends on the links alone
        knowledge, weights = outputs.knowledge[bags.bag], numpy.ones_like(outputs.weights)
        return outputs._replace(text=outputs.alone, knowledge=knowledge, weights=weights)


@Language.factory(
    "hrere_classifier",
    requires=["doc.ents", "token.ent_kb_id"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _CLASSIFIER["model"],
        "suggester": _CLASSIFIER["suggester"],
        "kb_weight": 1.0,
        "agree_weight": 1.0,
        "agree": "ce",
        "confidence": 0.5,
        "mix": "logit",
        "text_share": 0.6,
        "require_text_evidence": 0.0,
        "mentions": "best",
        "evidence_facts": 3,
        "ranking": False,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=WEIGHTS,
)
def make_hrere_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    kb_weight: float,
    agree_weight: float,
    agree: str,
    confidence: float,
    mix: str,
    text_share: float,
    require_text_evidence: float,
    mentions: str,
    evidence_facts: int,
    ranking: bool,
    threshold: float,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> HrereClassifier:
    """Create a classifier that reads all sentences of a pair of linked entities, and asks a knowledge base about it.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceBagClassifier.v1`, `RecurrentBagClassifier.v1` or
        `SharedBagClassifier.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    kb_weight (float): λ₁, weight of what the knowledge base learns from the labels; with `agree_weight` 0 it is the
        paper's HRERE-naive, with both 0 its HRERE-base.
    agree_weight (float): λ₂, weight of what text learns from the knowledge base.
    agree (str): J_D: "ce" (the paper's), "linear" or "gated", see `hrere/losses.py`.
    confidence (float): What the best probability of the knowledge base must exceed with "gated".
    mix (str): Whether logits ("logit") or, as in the paper, probabilities ("prob") are mixed.
    text_share (float): α, share of the text where the knowledge base has a say; 1: text alone. `spacy relext tune`
        fits it.
    require_text_evidence (float): What a relation's score must reach in the text alone; 0: a knowledge base may assert
        a relation that the text does not state.
    mentions (str): At which mentions of a pair in a text a triple stands: the one with most weight ("best") or "all".
    evidence_facts (int): How many facts of the knowledge base that are like a triple's its evidence lists.
    ranking (bool): Whether scores also rank all relations of all pairs: `bag_ap`, `mention_ap` and more.
    threshold (float): What a relation's probability, divided by that of no relation and the likeliest, must reach.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (HrereClassifier): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("agree", agree, AGREEMENTS)
    check_choice("mix", mix, MIXES)
    check_choice("mentions", mentions, MENTIONS)
    check_range("evidence_facts", evidence_facts, 0, 1_000)
    for key, weight in (("kb_weight", kb_weight), ("agree_weight", agree_weight)):
        check_range(key, weight, 0.0, 1_000.0)
    shares = {"confidence": confidence, "text_share": text_share, "require_text_evidence": require_text_evidence}
    for key, share in {**shares, "threshold": threshold}.items():
        check_range(key, share, 0.0, 1.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return HrereClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
