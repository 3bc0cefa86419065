"""Settings of a `nero_grounder`: how rules and model give a pair its relation, and how both are learned from."""

from dataclasses import dataclass

from spacy import registry

from ..pipeline.settings import MAX_SEED, Block, one_of, within
from .rules.index import FORMS, MAX_GAP

_UNLIMITED = 1_000_000_000


@registry.misc("spacy_relext.RuleGrounding.v1")
@dataclass(frozen=True)
class RuleGrounding(Block):
    """How rules match, and how their matches and the model together decide on the relation of a pair.

    form (str): Attribute of tokens that is compared with the words of a rule: "text", "lower" or "lemma".
    max_gap (int): Maximum number of tokens that `*` matches; 0: no gaps.
    no_relation (str): "entropy": a triple's score is 1 − H / ln R, as in the paper. "learned": it is the probability of
        its class; no relation is a class that is learned from rules for it, from matched pairs in reversed order, and
        from unmatched pairs with the lowest confidence.
    exact_wins (bool): Whether a rule that matches decides, whatever the model predicts.
    average_orders (bool): Whether to predict both orders of pairs that a data set marks in one order and average the
        logits, in twice the time. Pairs that are suggested in both orders anyway are not affected.
    match_floor (float): Where no rule matches, lowest soft match of a relation's most similar rule with which the
        relation can be predicted, a cosine; -1: any.
    match_threshold (float): Lowest soft match with which a relation added by `add_rules` can be predicted, a cosine.
    """

    form: str = one_of("text", tuple(FORMS))
    max_gap: int = within(0, 0, MAX_GAP)
    no_relation: str = one_of("learned", ("entropy", "learned"))
    exact_wins: bool = True
    average_orders: bool = True
    match_floor: float = within(-1.0, -1.0, 1.0)
    match_threshold: float = within(0.5, -1.0, 1.0)


@registry.misc("spacy_relext.RuleLearning.v1")
@dataclass(frozen=True)
class RuleLearning(Block):
    """How the model learns from rules, from the pairs that they match, and from pairs that none matches.

    w_rules, w_clus, w_unmatched (float): Weights of L_rules, L_clus and L_unmatched.
    margin (float): τ of L_clus, a cosine.
    sharpness (float): σ: how strongly the weights of unmatched pairs depend on their confidence.
    temperature (float): T of the softmax that weights rules in the pseudo-label of an unmatched pair; 0: the best rule
        alone, as in the paper.
    teacher_share (float): Weight of the EMA teacher in pseudo-labels; the soft matcher has the rest. 0: the paper's
        form.
    mean_decay (float): Decay of the EMA.
    unmatched_from (int): Number of updates before unmatched pairs are learned from.
    matched_batch (int): Number of matched pairs per update.
    unmatched_batch (int): Maximum number of unmatched pairs per update; 0: all of the batch.
    rule_batch (int): Number of rules whose bodies are read per update; 0: all.
    fill_arguments (bool): Whether these bodies have the arguments of matched pairs of the same relation instead of a
        placeholder.
    both_orders (bool): Whether pairs that a data set marks in one order are randomly reversed in training, so that
        rules for one order of a relation also teach the other one.
    pool_size (int): Maximum number of matched pairs in the pool.
    balance (float): 0: matched pairs are drawn as often as they occur; 1: all relations are drawn equally often.
    negative_share (float): Share of unmatched pairs that are negative samples: those with the lowest confidence.
    learn_gold (bool): Whether to learn from gold triples, too, where texts have them.
    adversarial_radius (float): ε, the L2 norm of the adversarial perturbation of a text's input vectors; 0: none. Each
        text is read without and with it, and both are learned from, in nearly twice the time. An encoder over a tok2vec
        has no input of its own to perturb.
    seed (int): Seed of the pool and of all draws.
    """

    w_rules: float = within(1.0, 0.0, _UNLIMITED)
    w_clus: float = within(0.2, 0.0, _UNLIMITED)
    w_unmatched: float = within(1.0, 0.0, _UNLIMITED)
    margin: float = within(0.7, -1.0, 1.0)
    sharpness: float = within(10.0, 0.0, _UNLIMITED)
    temperature: float = within(0.05, 0.0, _UNLIMITED)
    teacher_share: float = within(1.0, 0.0, 1.0)
    mean_decay: float = within(0.97, 0.0, 1.0)
    unmatched_from: int = within(90, 0, _UNLIMITED)
    matched_batch: int = within(32, 1, _UNLIMITED)
    unmatched_batch: int = within(32, 0, _UNLIMITED)
    rule_batch: int = within(32, 0, _UNLIMITED)
    fill_arguments: bool = True
    both_orders: bool = True
    pool_size: int = within(5000, 1, _UNLIMITED)
    balance: float = within(0.5, 0.0, 1.0)
    negative_share: float = within(0.0, 0.0, 1.0)
    learn_gold: bool = False
    adversarial_radius: float = within(0.0, 0.0, 1_000.0)
    seed: int = within(0, 0, MAX_SEED)
