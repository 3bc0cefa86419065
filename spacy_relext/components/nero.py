"""`nero_grounder`: NERO (Zhou et al., WWW 2020) as a spaCy component, and its settings.

The network is in `models/nero.py`, the losses in `models/nero_losses.py`, rules in `knowledge/rules.py`; what departs
from the paper is listed in `docs/methods/nero.md`.
"""

from typing import Any, Callable, Dict, List, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import check_choice, check_range
from ..instances.pairs import Suggester
from ..knowledge.rule_index import FORMS
from . import nero_defaults as defaults
from .nero_grounder import ENTROPY, LEARNED, NeroGrounder
from .nero_rules import FITTED
from .settings import plain_settings

_GROUNDER = Config().from_str(defaults.GROUNDER_CONFIG)


@Language.factory(
    "nero_grounder",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _GROUNDER["model"],
        "suggester": _GROUNDER["suggester"],
        "rules": [],
        "form": "text",
        "max_gap": 0,
        "any_type": False,
        "learn_gold": False,
        "w_rules": 0.1,
        "w_clus": 0.2,
        "w_unmatched": 1.0,
        "margin": 0.7,
        "sharpness": 10.0,
        "temperature": 0.05,
        "own_share": 1.0,
        "mean_decay": 0.97,
        "unmatched_from": 100,
        "matched_batch": 32,
        "unmatched_batch": 32,
        "rule_batch": 16,
        "pool_size": 5000,
        "balance": 0.5,
        "no_relation": LEARNED,
        "quiet_share": 0.0,
        "typed": True,
        "exact_wins": True,
        "match_threshold": 0.5,
        "threshold": 0.5,
        "seed": 0,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=defaults.WEIGHTS,
)
def make_nero_grounder(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    rules: List[Dict[str, Any]],
    form: str,
    max_gap: int,
    any_type: bool,
    learn_gold: bool,
    w_rules: float,
    w_clus: float,
    w_unmatched: float,
    margin: float,
    sharpness: float,
    temperature: float,
    own_share: float,
    mean_decay: float,
    unmatched_from: int,
    matched_batch: int,
    unmatched_batch: int,
    rule_batch: int,
    pool_size: int,
    balance: float,
    no_relation: str,
    quiet_share: float,
    typed: bool,
    exact_wins: bool,
    match_threshold: float,
    threshold: float,
    seed: int,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> NeroGrounder:
    """Create a classifier that learns from rules and from texts that no rule matches.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceGrounder.v1`, `RecurrentGrounder.v1` or `SharedGrounder.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    rules (List[Dict[str, Any]]): Rules, as the lines of a file of rules; more may come from a file at initialize.
    form (str): What of a token is compared with a word of a rule: "text", "lower" or "lemma".
    max_gap (int): Most tokens that `*` stands for; 0: there are no gaps.
    any_type (bool): Whether the types behind the masks of rules are left out.
    learn_gold (bool): Whether texts with gold triples are learned from as labelled ones, beside the rules.
    w_rules (float): Weight of L_rules.
    w_clus (float): Weight of L_clus.
    w_unmatched (float): Weight of L_unmatched.
    margin (float): τ of L_clus.
    sharpness (float): σ: how much more a surer unmatched pair teaches than others of its batch.
    temperature (float): How softly rules share an unmatched pair; 0: the best rule has it, as in the paper.
    own_share (float): How much of an unmatched pair's target is the word of the module's mean over its last updates
        instead of the soft matcher's; 0: the paper's form.
    mean_decay (float): Decay of that mean.
    unmatched_from (int): Updates after which unmatched pairs are learned from.
    matched_batch (int): Matched pairs in an update.
    unmatched_batch (int): Most unmatched pairs in an update; 0: all of the batch.
    rule_batch (int): Rules whose bodies are read in an update; 0: all.
    pool_size (int): Most matched pairs that are kept.
    balance (float): 0: matched pairs are drawn as they come, 1: every relation as often as every other.
    no_relation (str): "entropy": a triple's score is 1 − H / ln R, as in the paper; "learned": it is the probability of
        its class, no relation being a class that learns from rules for it, from pairs in the other order, and from
        pairs of which the module is least sure.
    quiet_share (float): Share of unmatched pairs that count as having no relation: those with the lowest probability.
    typed (bool): Whether a relation is possible only between types between which a rule states it.
    exact_wins (bool): Whether a rule that fires decides.
    match_threshold (float): Score that the soft matcher must reach for a relation that came with `add_rules`.
    threshold (float): Score that a triple must reach.
    seed (int): Seed of what is drawn in training.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (NeroGrounder): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("form", form, list(FORMS))
    check_choice("no_relation", no_relation, [ENTROPY, LEARNED])
    for key in ("own_share", "balance", "quiet_share"):
        check_range(key, settings[key], 0.0, 1.0)
    check_range("max_gap", max_gap, 0, 100)
    check_range("matched_batch", matched_batch, 1, 1_000_000)
    check_range("pool_size", pool_size, 1, 1_000_000_000)
    check_range("mean_decay", mean_decay, 0.0, 1.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return NeroGrounder(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
