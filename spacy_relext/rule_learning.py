"""How `nero_grounder` learns from rules: one block of settings."""

from typing import Any, Dict

from spacy import registry

from .components.settings import plain_settings
from .errors import check_range

WEIGHTS = ("w_rules", "w_clus", "w_unmatched")


@registry.misc("spacy_relext.RuleLearning.v1")
def create_rule_learning(
    w_rules: float = 1.0,
    w_clus: float = 0.2,
    w_unmatched: float = 1.0,
    margin: float = 0.7,
    sharpness: float = 10.0,
    temperature: float = 0.05,
    own_share: float = 1.0,
    mean_decay: float = 0.97,
    unmatched_from: int = 100,
    matched_batch: int = 32,
    unmatched_batch: int = 32,
    rule_batch: int = 32,
    borrow: bool = True,
    both_orders: bool = False,
    pool_size: int = 5000,
    balance: float = 0.5,
    reliability: bool = False,
    quiet_share: float = 0.0,
    seed: int = 0,
) -> Dict[str, Any]:
    """Check how a `nero_grounder` shall learn.

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
    borrow (bool): Whether these bodies are read with arguments of matched pairs of the same relation; else with a
        word that stands for any.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from either side, by chance: what
        rules say of one order of a relation then teaches the other one too.
    pool_size (int): Most matched pairs that are kept.
    balance (float): 0: matched pairs are drawn as they come, 1: every relation as often as every other.
    reliability (bool): Whether rules are believed as far as the module's mean agrees with them, each on average over
        the pairs that it matches; its own word has the rest.
    quiet_share (float): Share of unmatched pairs that count as having no relation: those with the lowest probability.
    seed (int): Seed of what is drawn.
    RETURNS (Dict[str, Any]): The settings.
    RAISES (ValueError): Where one is out of its range.
    """
    settings = plain_settings(locals())
    for key in ("own_share", "balance", "quiet_share", "mean_decay"):
        check_range(f"learning.{key}", settings[key], 0.0, 1.0)
    for key in ("matched_batch", "pool_size"):
        check_range(f"learning.{key}", settings[key], 1, 1_000_000_000)
    check_range("learning.margin", margin, -1.0, 1.0)  # of cosines
    for key in ("unmatched_from", "unmatched_batch", "rule_batch", "temperature", "sharpness", *WEIGHTS):
        check_range(f"learning.{key}", settings[key], 0, 1_000_000_000)
    return settings
