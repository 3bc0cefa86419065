"""Settings of RERE's detector and extractor, as blocks of their configs; the defaults are the published ones."""

from dataclasses import dataclass
from typing import Optional

from spacy import registry

from ..pipeline.settings import Block, one_of, within

DETECTOR_LOSSES, POINTER_LOSSES = ("bce", "collective", "ssr_pu"), ("bce", "collective")

MUS = ("hidden", "paper")

MAX_MISSING_RATE = 0.99

_NO_LIMIT = 1_000_000

_HEAVIEST = 1_000.0


@registry.misc("spacy_relext.RereDetectorLoss.v1")
@dataclass(frozen=True)
class RereDetectorLoss(Block):
    """Loss of the detector.

    kind (str): "bce", "collective" (Eq. 9), or "ssr_pu" (positive-unlabelled learning with the squared ranking loss).
    weight (float): Weight of the loss, for an encoder shared with other components.
    missing_rate (Optional[float]): τ, the share of true relations that the labels miss; null: the `missing_rates`
        given to `initialize`, and 0.05 for relations without one. Not for "bce".
    mu (str): Target of the collective loss for the mean of observed negatives: "hidden", the rate of positives among
        them, or "paper", π(1+τ).
    gamma (Optional[float]): γ, weight of the collective loss's positive term; null: π_o / (1-π_o) of the data.
    """

    kind: str = one_of("bce", DETECTOR_LOSSES)
    weight: float = within(5.0, 0.0, _HEAVIEST)
    missing_rate: Optional[float] = within(None, 0.0, MAX_MISSING_RATE)
    mu: str = one_of("hidden", MUS)
    gamma: Optional[float] = within(None, 0.0, _NO_LIMIT)


@registry.misc("spacy_relext.RereExtractorLoss.v1")
@dataclass(frozen=True)
class RereExtractorLoss(Block):
    """Loss of the extractor: its terms' weights, and the form of the pointers' term.

    pointers (str): "bce", or "collective" (Eq. 10), which is robust to arguments that the labels miss.
    missing_rate (float): τ of the collective form, the share of missing arguments.
    mu, gamma (str, Optional[float]): As for the detector, of the pointers of a batch.
    pointer_weight (float): Weight of the pointers.
    pair_weight (float): Weight of the candidate pairs.
    rank_weight (float): Weight of the listwise loss, which ranks a gold pair above the other objects of its subject
        and the other subjects of its object.
    type_weight (float): Weight of the arguments' entity types as an auxiliary target, if the data has entities; the
        pair scorer reads them. Not with a piece encoder.
    assertion_weight (float): Weight of assertions (the attribute `assertion` of triples), if the training data has two
        or more; 0: they are not learned. Only the pairing "scored" predicts them.
    """

    pointers: str = one_of("bce", POINTER_LOSSES)
    missing_rate: float = within(0.05, 0.0, MAX_MISSING_RATE)
    mu: str = one_of("hidden", MUS)
    gamma: Optional[float] = within(None, 0.0, _NO_LIMIT)
    pointer_weight: float = within(40.0, 0.0, _HEAVIEST)
    pair_weight: float = within(1.0, 0.0, _HEAVIEST)
    rank_weight: float = within(1.0, 0.0, _HEAVIEST)
    type_weight: float = within(1.0, 0.0, _HEAVIEST)
    assertion_weight: float = within(1.0, 0.0, _HEAVIEST)


@registry.misc("spacy_relext.RereSampling.v1")
@dataclass(frozen=True)
class RereSampling(Block):
    """What the extractor learns from besides gold triples.

    negatives (float): Number of absent relations sampled per relation of a sentence; 0: gold relations only, as in the
        paper.
    negative_weight (float): Their weight in the loss.
    hard_negatives (int): Most entities of a sentence that are sampled as candidates besides the arguments, if the data
        has entities: pairs across neighbouring clauses.
    """

    negatives: float = within(6.0, 0.0, _NO_LIMIT)
    negative_weight: float = within(0.5, 0.0, _HEAVIEST)
    hard_negatives: int = within(6, 0, _NO_LIMIT)


@registry.misc("spacy_relext.RereDecoding.v1")
@dataclass(frozen=True)
class RereDecoding(Block):
    """How the extractor makes candidate triples from pointers.

    pairing (str): "scored" (learned) or "nearest" (the paper's sweep).
    span_rule (str): How "nearest" finds spans: "mutual" (a start with its nearest end, unless another start lies
        between) or "nearest" (without that condition).
    query_threshold (float): Lowest probability of a detected relation that is queried. Without a detector in the
        pipeline every relation is queried.
    span_threshold (float): Lowest probability of both ends of a candidate span; "scored" compares the span's own
        probability with the square of it. "nearest" needs about 0.5.
    max_span_length (int): Longest candidate span, in tokens.
    top_k (int): Most candidate subjects, and most candidate objects, of a row; only for "scored".
    """

    pairing: str = one_of("scored", ("scored", "nearest"))
    span_rule: str = one_of("mutual", ("mutual", "nearest"))
    query_threshold: float = within(0.05, 0.0, 1.0)
    span_threshold: float = within(0.05, 0.0, 1.0)
    max_span_length: int = within(15, 1, _NO_LIMIT)
    top_k: int = within(6, 1, _NO_LIMIT)
