"""`kd_teacher` and `kd_classifier`: KD4NRE (Zhang et al., AAAI 2020) as two spaCy components, and their settings.

The networks are in `models/kd.py`, the losses in `models/kd_losses.py`; what they depart from the paper in is listed in
`docs/methods/kd.md`.
"""

from typing import Any, Callable, Dict, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import check_choice, check_range
from ..instances.pairs import Suggester
from . import kd_defaults as defaults
from .kd_base import FITTED
from .kd_classifier import KDClassifier
from .kd_teacher import PRIORS, KDTeacher
from .settings import plain_settings

_TEACHER = Config().from_str(defaults.TEACHER_CONFIG)
_STUDENT = Config().from_str(defaults.STUDENT_CONFIG)


@Language.factory(
    "kd_teacher",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _TEACHER["model"],
        "suggester": _TEACHER["suggester"],
        "prior": "log_odds",
        "smoothing": 10.0,
        "na_constant": 0.2,
        "tsd_weight": 1.0,
        "tsd_k": 3,
        "sentence_penalty": 0.0,
        "adversarial_radius": 0.0,
        "adversarial_reuse": False,
        "both_orders": False,
        "average_orders": False,
        "typed_decoding": 0,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=defaults.WEIGHTS,
)
def make_kd_teacher(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    prior: str,
    smoothing: float,
    na_constant: float,
    tsd_weight: float,
    tsd_k: int,
    sentence_penalty: float,
    adversarial_radius: float,
    adversarial_reuse: bool,
    both_orders: bool,
    average_orders: bool,
    typed_decoding: int,
    threshold: float,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> KDTeacher:
    """Create a classifier that knows which relations two entity types allow.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceTeacher.v1`, `GraphTeacher.v1` or `SharedTeacher.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    prior (str): G̃: "log_odds" of the smoothed shares of relations, these shares themselves ("smoothed"), or the
        "printed" form, without no relation and without smoothing.
    smoothing (float): Pairs that the back-off counts as much as, for pairs of types that are rare.
    na_constant (float): C, the entry of no relation in the printed form.
    tsd_weight (float): Weight of the difference of the top probabilities in the loss; 0 for none.
    tsd_k (int): How many probabilities it compares.
    sentence_penalty (float): Weight of the squared length of sentence vectors (the paper's C-GCN: 0.003).
    adversarial_radius (float): ε, how far an adversary moves what the encoder reads of a text. 0: there is none.
    adversarial_reuse (bool): Whether it moves a text to where the loss rose most when the last pass read it. Else, and
        where the encoder does not know a text again (C-GCN), it reads each text first as it is, and both readings are
        learned from: nearly twice the time.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from both sides.
    average_orders (bool): Whether such pairs are read from both sides at run time too, and the logits averaged: twice
        the time. Where candidates are there in both orders anyway, nothing changes.
    typed_decoding (int): How often training must have shown a relation with two types for it to be considered between
        them; types never seen together allow everything. 0: any relation between any types.
    threshold (float): What the best relation's probability beside no relation must reach.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (KDTeacher): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("prior", prior, PRIORS)
    check_range("smoothing", smoothing, 1e-6, 1_000_000.0)
    check_range("typed_decoding", typed_decoding, 0, 1_000_000)
    check_range("tsd_k", tsd_k, 2, 1_000)
    check_range("na_constant", na_constant, 0.0, 1_000.0)
    check_range("threshold", threshold, 0.0, 1.0)
    for key in ("tsd_weight", "sentence_penalty", "adversarial_radius"):
        check_range(key, settings[key], 0.0, 1_000.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return KDTeacher(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)


@Language.factory(
    "kd_classifier",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _STUDENT["model"],
        "suggester": _STUDENT["suggester"],
        "teacher_share": 0.5,
        "hint_weight": 1.8,
        "temperature": 1.0,
        "label_smoothing": 0.0,
        "sentence_penalty": 0.0,
        "adversarial_radius": 0.0,
        "adversarial_reuse": False,
        "both_orders": False,
        "average_orders": False,
        "typed_decoding": 0,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=defaults.WEIGHTS,
)
def make_kd_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    teacher_share: float,
    hint_weight: float,
    temperature: float,
    label_smoothing: float,
    sentence_penalty: float,
    adversarial_radius: float,
    adversarial_reuse: bool,
    both_orders: bool,
    average_orders: bool,
    typed_decoding: int,
    threshold: float,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> KDClassifier:
    """Create a classifier that reads the text alone; trained with a teacher's soft labels where the corpus has them.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceStudent.v1`, `GraphStudent.v1` or `SharedStudent.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    teacher_share (float): λ, how much the teacher counts against the labels, 0 to 1, as long as no callback
        (`spacy_relext.anneal_distillation.v1`) changes it.
    hint_weight (float): λ_ht, weight of the hints to both branches beside the distillation.
    temperature (float): τ of the distillation.
    label_smoothing (float): Share of each label that is spread over all classes.
    sentence_penalty (float): Weight of the squared length of sentence vectors (the paper's C-GCN: 0.003).
    adversarial_radius (float): ε, how far an adversary moves what the encoder reads of a text. 0: there is none.
    adversarial_reuse (bool): Whether it moves a text to where the loss rose most when the last pass read it. Else, and
        where the encoder does not know a text again (C-GCN), it reads each text first as it is, and both readings are
        learned from: nearly twice the time.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from both sides.
    average_orders (bool): Whether such pairs are read from both sides at run time too, and the logits averaged: twice
        the time. Where candidates are there in both orders anyway, nothing changes.
    typed_decoding (int): How often training must have shown a relation with two types for it to be considered between
        them; types never seen together allow everything. 0: any relation between any types.
    threshold (float): What the best relation's probability beside no relation must reach.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (KDClassifier): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_range("typed_decoding", typed_decoding, 0, 1_000_000)
    check_range("teacher_share", teacher_share, 0.0, 1.0)
    check_range("label_smoothing", label_smoothing, 0.0, 0.99)
    check_range("temperature", temperature, 0.01, 1_000.0)
    check_range("threshold", threshold, 0.0, 1.0)
    for key in ("hint_weight", "sentence_penalty", "adversarial_radius"):
        check_range(key, settings[key], 0.0, 1_000.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return KDClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
