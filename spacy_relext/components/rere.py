"""`rere_detector` and `rere_extractor`: RERE (Xie et al., ACL 2021) as two spaCy components, and their settings.

The networks are in `models/rere.py`; what they depart from the paper in is listed there.
"""

from typing import Any, Callable, Dict, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import check_choice, check_range
from ..models.losses import SCOPES
from ..models.rere_losses import DETECTOR_LOSSES, POINTER_LOSSES
from ..triples.candidates import PAIRINGS, SPAN_RULES
from . import rere_defaults as defaults
from .rere_base import FITTED
from .rere_detector import LARGEST_MISSING_RATE, RereDetector
from .rere_extractor import RereExtractor
from .settings import plain_settings


@Language.factory(
    "rere_detector",
    assigns=["span._.relations"],
    default_config={
        "model": Config().from_str(defaults.DETECTOR_CONFIG)["model"],
        "loss": "bce",
        "collective_scope": "batch",
        "smooth": False,
        "mean_window": 20,
        "missing_rate": None,
        "gamma": None,
        "loss_weight": 5.0,
        "threshold": 0.5,
        "min_probability": 0.01,
        "max_length": 256,
        "stride": 128,
        "scorer": {"@scorers": "spacy_relext.relation_scorer.v1"},
    },
    default_score_weights=defaults.DETECTOR_WEIGHTS,
)
def make_rere_detector(
    nlp: Language,
    name: str,
    model: Model,
    loss: str,
    collective_scope: str,
    smooth: bool,
    mean_window: int,
    missing_rate: Optional[float],
    gamma: Optional[float],
    loss_weight: float,
    threshold: float,
    min_probability: float,
    max_length: int,
    stride: int,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> RereDetector:
    """Create a relation detector.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.SharedDetector.v1` or `spacy_relext.MarkedDetector.v1`.
    loss (str): "bce", "collective", or "printed" (the released code's form of the collective loss).
    collective_scope (str): Over what the collective loss takes its means: "row", "batch" or "label".
    smooth (bool): Whether the collective loss compares by a divergence instead of -ln(1-|m-μ|).
    mean_window (int): About how many batches the means of scope "label" reach back; 1: each batch alone.
    missing_rate (Optional[float]): τ, the share of true relations that the labels miss; null: the estimates given to
        `initialize` as `missing_rates`, and 0.05 for relations without one.
    gamma (Optional[float]): Weight of the collective loss's positive term; null takes it from the data.
    loss_weight (float): Weight of the loss, for an encoder shared with other components.
    threshold (float): Probability from which the scorer counts a relation as detected; `spacy relext tune` fits one
        per relation. What the extractor asks for is its `ask_threshold`.
    min_probability (float): Relations less probable than this are not stored.
    max_length (int): Longest sentence that is read in one piece, in tokens.
    stride (int): Distance of the windows of longer ones, in tokens.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (RereDetector): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("loss", loss, DETECTOR_LOSSES)
    check_choice("collective_scope", collective_scope, SCOPES)
    check_range("mean_window", mean_window, 1, 1_000_000)
    check_range("missing_rate", missing_rate or 0.0, 0.0, LARGEST_MISSING_RATE)
    check_range("stride", stride, 1, max_length or stride)
    return RereDetector(nlp.vocab, model, name, scorer=scorer, settings=settings, fitted=FITTED)


@Language.factory(
    "rere_extractor",
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": Config().from_str(defaults.EXTRACTOR_CONFIG)["model"],
        "pairing": "scored",
        "span_rule": "mutual",
        "threshold": 0.5,
        "ask_threshold": 0.05,
        "pointer_threshold": 0.5,
        "max_span_length": 15,
        "absent_rows": 6.0,
        "absent_weight": 0.5,
        "pointer_loss": "bce",
        "pointer_missing_rate": 0.05,
        "pointer_weight": 40.0,
        "pair_weight": 1.0,
        "label_queries": {},
        "max_length": 256,
        "stride": 128,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=defaults.EXTRACTOR_WEIGHTS,
)
def make_rere_extractor(
    nlp: Language,
    name: str,
    model: Model,
    pairing: str,
    span_rule: str,
    threshold: float,
    ask_threshold: float,
    pointer_threshold: float,
    max_span_length: int,
    absent_rows: float,
    absent_weight: float,
    pointer_loss: str,
    pointer_missing_rate: float,
    pointer_weight: float,
    pair_weight: float,
    label_queries: Dict[str, str],
    max_length: int,
    stride: int,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> RereExtractor:
    """Create an extractor of subject and object spans.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.SharedExtractor.v1` or `spacy_relext.MarkedExtractor.v1`.
    pairing (str): "scored" (learned), "nearest" (the paper's sweep) or "product" (the released code).
    span_rule (str): How "nearest" and "product" find spans: "mutual" (a start with its nearest end, unless another
        start lies between), "nearest" (without that condition) or "code" (the released code's strings).
    threshold (float): Score that a triple needs; `spacy relext tune` fits one per relation.
    ask_threshold (float): Relations less probable than this are not asked for. With no detector in the pipeline every
        relation is asked.
    pointer_threshold (float): Probability of a span's ends, for "nearest" and "product".
    max_span_length (int): Longest argument, in tokens, for "nearest" and "product".
    absent_rows (float): Absent relations drawn in training per relation present.
    absent_weight (float): Their weight in the loss.
    pointer_loss (str): "bce", or "collective" against arguments that the labels miss.
    pointer_missing_rate (float): τ of the latter, the share of missing arguments.
    pointer_weight (float): Weight of the pointers' loss.
    pair_weight (float): Weight of the pairs' loss.
    label_queries (Dict[str, str]): Readable text of relations, where splitting the label does not give it.
    max_length (int): Longest sentence that is read in one piece, in tokens.
    stride (int): Distance of the windows of longer ones, in tokens.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (RereExtractor): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("pairing", pairing, PAIRINGS)
    check_choice("span_rule", span_rule, SPAN_RULES)
    check_choice("pointer_loss", pointer_loss, POINTER_LOSSES)
    check_range("pointer_missing_rate", pointer_missing_rate, 0.0, LARGEST_MISSING_RATE)
    check_range("stride", stride, 1, max_length or stride)
    return RereExtractor(nlp.vocab, model, name, scorer=scorer, settings=settings, fitted=FITTED)
