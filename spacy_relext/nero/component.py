"""The component behind `nero_grounder`: learns from rules and from texts that no rule matches."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Config, Model, Optimizer

from ..annotations.store import has_triples
from ..bridge.modules import module_of
from ..bridge.weights import MeanWeights
from ..errors import Errors, check_choice, check_range
from ..pairs.component import COLLECT_BATCH, certainty, most_attended
from ..pairs.diagnosis import Read, why_no_pairs
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import PairClass, gold_pairs, turned_answers
from ..pairs.pairs import Pairs, stack_pairs
from ..pairs.suggesters import Suggester
from ..pipeline.settings import TOK2VEC, plain_settings
from ..scoring.probabilities import calibrate, softmax
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .grounding import BARRED, NONE, Grounding, RuleVotes, relations_of, rule_pairs
from .learning import NO_RULE, MatchedPool
from .losses import nero_loss
from .rulebook import FITTED, STAND_IN, RulePipe, renamed
from .rules.check import nearest_misses
from .rules.index import FORMS
from .rules.rules import NO_RELATION, to_records

ENTROPY, LEARNED = "entropy", "learned"

EXACT, SOFT = "exact", "soft"

# Updates after which the vectors of rules that texts are compared with in training are made anew.
REFRESH = 50

# Unmatched pairs that one is compared with to see whether it is among the least sure.
LATELY = 2000

# How fast a rule is trusted less, a matched pair at a time.
TRUST_RATE = 0.1

NOTHING = {PairClass(NO_RELATION): 1.0}

GROUNDER_CONFIG = f"""
[model]
@architectures = "spacy_relext.SharedGrounder.v1"

[model.tok2vec]
{TOK2VEC}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"

[learning]
@misc = "spacy_relext.RuleLearning.v1"
"""

WEIGHTS = dict(TRIPLE_SCORE_WEIGHTS)

_GROUNDER = Config().from_str(GROUNDER_CONFIG)


class NeroGrounder(RulePipe):
    """Says which relation holds between two entities, and which rule says so. Writes `doc._.triples`."""

    architectures = ("relext_nero_piece_grounder", "relext_nero_recurrent_grounder", "relext_nero_shared_grounder")

    # Of training, and not saved: matched pairs, how sure it was of unmatched ones lately, the mean of its last weights,
    # updates so far, whether there was one since rules were read, and how far rules are trusted.
    _pool: MatchedPool
    _lately: List[float]
    _mean: Optional[MeanWeights]
    _steps: int
    _reliability: Dict[int, float]
    _changed: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a grounder; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self._start_anew()

    @property
    def learning(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): How it learns; see `spacy_relext.RuleLearning.v1`."""
        learning: Dict[str, Any] = self.cfg["learning"]
        return learning

    @property
    def needs_triples(self) -> bool:  # type: ignore[override]
        """RETURNS (bool): Whether it learns from gold triples: rules do without."""
        return bool(self.cfg["learn_gold"])

    # Initialization

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        rules: Optional[Path] = None,
        lexicon: Optional[Any] = None,
        start: Optional[List[Path]] = None,
        corpus: Optional[Callable[[Language], Iterable[Example]]] = None,
    ) -> None:
        """Read the rules, find the pairs at which they fire, and give the model its sizes.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data.
        nlp (Optional[Language]): The pipeline; what comes before the component annotates the data, as in training.
        labels (Optional[List[str]]): All relations there are, where some have no rule yet; a rule for another one is an
            error.
        rules (Optional[Path]): File of rules, beside those of the config.
        lexicon (Optional[TypeLexicon]): Types of nouns, for arguments that no entity types.
        start (Optional[List[Path]]): As for `PairPipe.initialize`.
        corpus (Optional[Callable[[Language], Iterable[Example]]]): Reader of a corpus all of which is searched for
            matched pairs, instead of the training data: of a stream (`max_epochs = -1`) that would be 100 texts.
        RAISES (ValueError): Where there are no rules or no pairs, or no rule fires or names a relation, or the encoder
            is a listener.
        """
        if self.listens:
            raise ValueError(Errors.R505.format(name=self.name))
        records = self.read_rules(self.cfg["rules"], nlp, relations=labels) if self.cfg["rules"] else []
        if rules is not None:
            records = [*records, *renamed(self.read_rules(rules, nlp, relations=labels, known=records), records)]
        if records and labels is None and not relations_of(records):
            where = str(rules) if rules is not None else f"[components.{self.name}] rules"
            raise ValueError(Errors.R518.format(name=self.name, where=where, rules=len(records)))
        self._fitted["grounds"] = to_records(records)
        self._start_anew()
        if corpus is not None and nlp is not None:
            get_examples = partial(corpus, nlp)
        super().initialize(get_examples, nlp=nlp, labels=labels, lexicon=lexicon, start=start)
        self.forget_vectors()

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Find the pairs at which rules fire, and read entity types; gold is not read.

        RAISES (ValueError): Where there are no rules, or no pairs, or none fires.
        """
        if not self.rules:
            raise ValueError(Errors.R503.format(name=self.name))
        types: Set[str] = set()
        directions: Set[bool] = set()
        read, pairs_seen = Read(), 0
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs, _ = self._take_in(batch)
            directions.add(pairs.both_orders)
            types.update(kind for kinds in pairs.types for kind in kinds if kind)
            pairs_seen += len(pairs)
            if not len(self._pool):
                read.add(batch)
        if not pairs_seen:
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=self._where))
        if not len(self._pool):
            options = {"form": self.cfg["form"], "max_gap": self.cfg["max_gap"]}
            near = nearest_misses(self.rules, read.looked, suggester=self.suggest, **options)
            counts = {"pairs": pairs_seen, "rules": len(self.rules)}
            raise ValueError(Errors.R504.format(name=self.name, where=self._where, near=near, **counts))
        self.cfg["types"] = sorted(types)
        self.warn_of_types(types, self._where)
        # where pairs stand in one order, relations are read backwards too: `settle` reads that off what was said
        self._collected = ([] if True in directions else [{PairClass("", True)}], [])
        return relations_of(self.rules)

    # Training

    def suggest_gold(self, examples: Sequence[Example]) -> Grounding:  # type: ignore[override]
        """Choose what is learned from: matched pairs, pairs of the batch that no rule matches, and rules."""
        pairs, silent = self._take_in(examples)
        unmatched, _ = self._turn_some(pairs.take(silent))
        grid = self.table.classes.grid(unmatched)
        grid = numpy.where(grid > len(self.classes), BARRED, grid)  # what came later is not learned
        useful = (grid != BARRED).any(axis=1) & (self.learning["w_unmatched"] > 0)
        unmatched, grid = unmatched.take(numpy.flatnonzero(useful)), grid[useful]
        most = self.learning["unmatched_batch"]
        if most and len(unmatched) > most:
            kept = numpy.sort(self._random.choice(len(unmatched), most, replace=False))
            unmatched, grid = unmatched.take(kept).with_own_docs(), grid[kept]
        parts: List[Pairs] = [unmatched]
        said: List[Any] = []
        behind: List[int] = []
        if len(self._pool):
            matched, said, behind = self._pool.draw(self.learning["matched_batch"])
            matched, which = self._turn_some(matched)
            said = [turned_answers(answers) if turn else answers for answers, turn in zip(said, which)]
            parts.insert(0, matched)
        chosen = self._choose_rules()
        if len(chosen):
            parts.append(self._texts_of(chosen))
        targets = self.table.classes.targets(said)
        counts = (len(said), len(unmatched))
        return Grounding(stack_pairs(parts), *counts, targets, grid, chosen, numpy.asarray(behind, dtype="int64"))

    def features(self, instances: Any) -> PairBatch:
        """Lay pairs out for the encoder."""
        pairs = instances.pairs if isinstance(instances, Grounding) else instances
        return PairBatch(pairs, self.cfg["types"])

    def targets(self, instances: Grounding) -> Dict[str, Any]:
        """What rules say of matched pairs and would say of others, and what the mean module says of these."""
        begun = self._steps >= self.learning["unmatched_from"] and instances.unmatched > 0
        matched, own = instances.targets, numpy.zeros((instances.unmatched, len(self.classes) + 1), dtype="float32")
        quiet = numpy.zeros(len(own), dtype=bool)
        if begun and self._listens:
            word = self._own_word(instances)
            own = word[-instances.unmatched :]
            quiet = self._is_quiet(own)
            if self.learning["reliability"]:
                matched = self._doubt(matched, word[: instances.matched], instances.behind)
        classes = self.table.rule_classes[instances.rules]
        return {
            "matched": matched,
            "grid": instances.grid,
            "own": own,
            "quiet": quiet,
            "rules": self.rule_vectors() if begun else numpy.zeros((0, 1), dtype="float32"),
            "relations": classes,
            "unmatched": numpy.asarray(begun),
        }

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """L_matched, L_rules, L_clus and L_unmatched."""
        names = ("w_rules", "w_clus", "w_unmatched", "margin", "sharpness", "temperature", "own_share")
        return nero_loss(outputs, targets, **{name: self.learning[name] for name in names})

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, and the mean of the last ones that the module learns from."""
        super().finish_update(sgd)
        self._steps += 1
        if self._listens:
            if self._mean is None:
                self._mean = MeanWeights(module_of(self.model), decay=self.learning["mean_decay"])
            self._mean.update()
        if self._steps % REFRESH == 0:
            self.forget_vectors()
        self._changed = True

    def _take_in(self, examples: Sequence[Example]) -> Tuple[Pairs, Any]:
        """Keep the pairs of a batch about which something is known; say which are the others."""
        pairs = self.suggest([example.predicted for example in examples])
        votes = self.votes(pairs)
        silent = votes.rule == NONE
        if self.cfg["learn_gold"]:
            labelled = numpy.asarray([has_triples(example.reference) for example in examples], dtype=bool)[pairs.doc]
            gold = gold_pairs(lambda _: pairs, examples)
            self._pool.add(gold.pairs, [dict.fromkeys(said, 1.0) or NOTHING for said in gold.found])
            silent &= ~labelled
            self._remember(pairs.take(numpy.flatnonzero(~labelled)))
        else:
            self._remember(pairs, votes)
        return pairs, numpy.flatnonzero(silent)

    def _remember(self, pairs: Pairs, votes: Optional[RuleVotes] = None) -> None:
        """Keep matched pairs, and those in the other order about which no rule says anything as having no relation."""
        votes = self.votes(pairs) if votes is None else votes
        matched = numpy.flatnonzero(votes.rule != NONE).tolist()
        self._pool.add(pairs.take(matched), [votes.said[n] for n in matched], votes.rule[matched].tolist())
        if pairs.both_orders and matched:
            stated = [n for n in matched if self.rules[int(votes.rule[n])].relation != NO_RELATION]
            turned = pairs.take(stated).turned()
            silent = numpy.flatnonzero(self.votes(turned).rule == NONE)
            self._pool.add(turned.take(silent), [NOTHING] * len(silent))

    def _turn_some(self, pairs: Pairs) -> Tuple[Pairs, List[bool]]:
        """Where that is asked for, read every other pair, by chance, from the other side; say which."""
        if pairs.both_orders or not self.learning["both_orders"]:
            return pairs, [False] * len(pairs)
        which = self._random.random(len(pairs)) < 0.5
        return pairs.turned(which), which.tolist()

    def _choose_rules(self) -> Any:
        """Draw the rules whose bodies are read in an update; all where there are no more, none that teach nothing."""
        n_rules, most = len(self.cfg["grounds"]), self.learning["rule_batch"]
        if not (self.learning["w_rules"] or self.learning["w_clus"]):
            return numpy.arange(0)
        if not 0 < most < n_rules:
            return numpy.arange(n_rules)
        return numpy.sort(self._random.choice(n_rules, most, replace=False))

    def _texts_of(self, chosen: Any) -> Pairs:
        """Read rules as texts, with arguments of matched pairs of their relation in the order that they ask for.

        A relation that texts mostly state one way round is so learned the other way round too.
        """
        if not self.learning["borrow"]:
            return self.bodies().take(chosen)
        rules = [self.rules[number] for number in chosen.tolist()]
        borrowed = [self._pool.borrow(rule.relation) for rule in rules]
        return rule_pairs(rules, self.vocab, stand_in=STAND_IN, arguments=borrowed)

    @property
    def _listens(self) -> bool:
        """Whether anything is learned from the module's own word."""
        return any(self.learning[key] for key in ("own_share", "quiet_share", "reliability"))

    def _own_word(self, instances: Grounding) -> Any:
        """What the module's mean over its last updates says of unmatched pairs; where rules are doubted, of matched
        ones before them. Shape (U, R) or (M + U, R)
        """
        first = 0 if self.learning["reliability"] else instances.matched
        pairs = instances.pairs.take(numpy.arange(first, len(instances))).with_own_docs()
        with self._mean.applied() if self._mean is not None else nullcontext():
            outputs = self.run(pairs)
        return self._probabilities(outputs.logits, pairs)

    def _doubt(self, targets: Any, own: Any, behind: Any) -> Any:
        """Let the module's own word stand in for rules as far as it disagrees with them, on average. Shape (M, R)"""
        agreement = (targets * own).sum(axis=1)
        trusted = numpy.ones(len(targets), dtype="float32")
        for number, rule in enumerate(behind.tolist()):
            if rule != NO_RULE:
                before = self._reliability.get(rule, 1.0)
                self._reliability[rule] = trusted[number] = before + TRUST_RATE * (agreement[number] - before)
        return trusted[:, None] * targets + (1.0 - trusted[:, None]) * own

    def _is_quiet(self, own: Any) -> Any:
        """Say which unmatched pairs count as having no relation: the least sure of those met lately. Shape (U,)"""
        sure = own[:, 1:].max(axis=1)
        self._lately = [*self._lately, *sure.tolist()][-LATELY:]
        share = self.learning["quiet_share"]
        return sure < numpy.quantile(self._lately, share) if share else numpy.zeros(len(sure), dtype=bool)

    # Prediction

    def complete(self, instances: Pairs, outputs: Any) -> "_Judged":
        """Compare pairs with rules, and let rules vote."""
        grid = self.table.classes.grid(instances)
        scores = numpy.where(grid == BARRED, -1.0, outputs.unit @ self.rule_vectors().T)
        return _Judged(outputs.logits, outputs.attention, grid, scores, self.votes(instances))

    @property
    def answers(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): The classes, then those of relations that rules brought later."""
        return self.table.answers

    def choose(self, instances: Pairs, outputs: "_Judged") -> Tuple[Any, Any]:
        """Find each pair's best relation and how sure it is; see `PairPipe.choose`."""
        probs = self._probabilities(outputs.logits, instances)
        best = probs[:, 1:].argmax(axis=1) + 1
        score = probs[numpy.arange(len(probs)), best]
        if self.cfg["no_relation"] == ENTROPY:
            score = numpy.where(probs[:, 0] < score, certainty(probs), 0.0)
        if self.cfg["late"]:
            best, score = self._by_likeness(outputs, best, score)
        score = calibrate(score, scale=self.cfg["scale"], shift=self.cfg["shift"])
        return self._by_rules(outputs.votes, best, score) if self.cfg["exact_wins"] else (best, score)

    def _probabilities(self, logits: Any, pairs: Pairs) -> Any:
        """Probabilities of classes, 0 for those that the types of a pair forbid. Shape (P, R)"""
        if self.cfg["typed"]:
            allowed = self.table.classes.allowed(pairs.types)[:, : logits.shape[1]]
            logits = numpy.where(allowed, logits, -numpy.inf)
        return softmax(logits)

    def _by_likeness(self, outputs: "_Judged", best: Any, score: Any) -> Tuple[Any, Any]:
        """Give pairs that are most like a later rule of a relation that was never learned to that relation."""
        rule = outputs.scores.argmax(axis=1)
        likeness = outputs.scores[numpy.arange(len(rule)), rule]
        late = outputs.grid[numpy.arange(len(rule)), rule]
        taken = (late > len(self.classes)) & (likeness >= self.cfg["match_threshold"])
        return numpy.where(taken, late, best), numpy.where(taken, likeness, score)

    def _by_rules(self, votes: RuleVotes, best: Any, score: Any) -> Tuple[Any, Any]:
        """Let rules that fire decide."""
        best, score = best.copy(), score.copy()
        for number in numpy.flatnonzero(votes.rule != NONE).tolist():
            column = self.table.classes.number(votes.answer(number, self.rules))
            best[number], score[number] = (column, 1.0) if column > 0 else (best[number], 0.0)
        return best, score

    def evidence(self, instances: Pairs, outputs: "_Judged", number: int, answer: int) -> Dict[str, Any]:
        """The rule behind a triple: one that fires, or the one that the text is most like among those that say so."""
        own = numpy.flatnonzero(outputs.grid[number] == answer)
        found: Dict[str, Any] = {"entity_types": list(instances.types[number])}
        fires = int(outputs.votes.rule[number])
        exact = fires != NONE and self.table.classes.number(outputs.votes.answer(number, self.rules)) == answer
        if exact or len(own):
            rule = fires if exact else int(own[outputs.scores[number, own].argmax()])
            found["rule"], found["pattern"] = self.rules[rule].id, str(self.rules[rule].pattern)
            found["match"] = 1.0 if exact else round(float(outputs.scores[number, rule]), 4)
        found["how"] = EXACT if exact else SOFT
        return {**found, "attention": most_attended(instances, outputs.attention[number], number)}

    def predict(self, docs: Iterable[Doc]) -> List[Any]:
        """Score a batch of Docs without changing them; see `PairPipe.predict`."""
        if self._changed:  # since the last update
            self.forget_vectors()
            self._changed = False
        return super().predict(docs)

    def _start_anew(self) -> None:
        """Forget what was learned from so far."""
        seed = self.learning["seed"]
        self._random = numpy.random.default_rng(seed)
        self._pool = MatchedPool(size=self.learning["pool_size"], balance=self.learning["balance"], seed=seed)
        self._lately, self._mean, self._steps, self._changed = [], None, 0, False
        self._reliability = {}


class _Judged(NamedTuple):
    """What the model says of P pairs, and what rules do."""

    logits: Any
    attention: Any
    grid: Any
    scores: Any
    votes: RuleVotes


@Language.factory(
    "nero_grounder",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _GROUNDER["model"],
        "suggester": _GROUNDER["suggester"],
        "learning": _GROUNDER["learning"],
        "rules": [],
        "form": "text",
        "max_gap": 0,
        "any_type": False,
        "learn_gold": False,
        "no_relation": LEARNED,
        "typed": True,
        "exact_wins": True,
        "average_orders": False,
        "match_threshold": 0.5,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=WEIGHTS,
)
def make_nero_grounder(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    learning: Dict[str, Any],
    rules: List[Dict[str, Any]],
    form: str,
    max_gap: int,
    any_type: bool,
    learn_gold: bool,
    no_relation: str,
    typed: bool,
    exact_wins: bool,
    average_orders: bool,
    match_threshold: float,
    threshold: float,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> NeroGrounder:
    """Create a classifier that learns from rules and from texts that no rule matches.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceGrounder.v1`, `RecurrentGrounder.v1` or `SharedGrounder.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    learning (Dict[str, Any]): Made by `spacy_relext.RuleLearning.v1`.
    rules (List[Dict[str, Any]]): Rules, as the lines of a file of rules; more may come from a file at initialize.
    form (str): What of a token is compared with a word of a rule: "text", "lower" or "lemma".
    max_gap (int): Most tokens that `*` stands for; 0: there are no gaps.
    any_type (bool): Whether the types behind the masks of rules are left out.
    learn_gold (bool): Whether texts with gold triples are learned from as labelled ones, beside the rules.
    no_relation (str): "entropy": a triple's score is 1 − H / ln R, as in the paper; "learned": it is the probability of
        its class, no relation being a class that learns from rules for it, from pairs in the other order, and from
        pairs of which the module is least sure.
    typed (bool): Whether a relation is possible only between types between which a rule states it.
    exact_wins (bool): Whether a rule that fires decides.
    average_orders (bool): Whether pairs that a data set marks in one order are read from both sides, and the logits
        averaged: twice the time. Where candidates are there in both orders anyway, nothing changes.
    match_threshold (float): Score that the soft matcher must reach for a relation that came with `add_rules`.
    threshold (float): Score that a triple must reach.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (NeroGrounder): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("form", form, list(FORMS))
    check_choice("no_relation", no_relation, [ENTROPY, LEARNED])
    check_range("max_gap", max_gap, 0, 100)
    check_range("threshold", threshold, 0.0, 1.0)
    check_range("match_threshold", match_threshold, -1.0, 1.0)  # a cosine
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return NeroGrounder(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
