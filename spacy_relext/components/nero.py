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
    default_score_weights=defaults.WEIGHTS,
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
