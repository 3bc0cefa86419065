"""`hrere_classifier`: HRERE (Xu and Barbosa, NAACL 2019) as a spaCy component, and its settings.

The network is in `models/hrere.py`, the losses in `models/hrere_losses.py`, the knowledge base in
`knowledge/linked_kb.py`; what departs from the paper is listed in `docs/methods/hrere.md`.
"""

from typing import Any, Callable, Dict, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import check_choice, check_range
from ..instances.pairs import Suggester
from ..models.hrere_losses import AGREEMENTS, MIXES
from . import hrere_defaults as defaults
from .hrere_classifier import MENTIONS, HrereClassifier
from .hrere_kb import FITTED
from .settings import plain_settings

_CLASSIFIER = Config().from_str(defaults.CLASSIFIER_CONFIG)


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
    default_score_weights=defaults.WEIGHTS,
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
    agree (str): J_D: "ce" (the paper's), "linear" or "gated", see `models/hrere_losses.py`.
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
