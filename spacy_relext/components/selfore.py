"""`selfore_clusterer`: SelfORE (Hu et al., EMNLP 2020) as a spaCy component, and its settings.

The network is in `models/selfore.py`, the clustering in `clustering/`; what departs from the paper is listed in
`docs/methods/selfore.md`.
"""

from typing import Any, Callable, Dict, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import check_range
from ..instances.pairs import Suggester
from . import selfore_defaults as defaults
from .selfore_clusterer import FITTED, SelforeClusterer
from .settings import plain_settings

_CLUSTERER = Config().from_str(defaults.CLUSTERER_CONFIG)


@Language.factory(
    "selfore_clusterer",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _CLUSTERER["model"],
        "suggester": _CLUSTERER["suggester"],
        "clustering": _CLUSTERER["clustering"],
        "n_clusters": 0,
        "most_clusters": 120,
        "threshold": 0.0,
        "known": False,
        "scorer": {"@scorers": "spacy_relext.cluster_scorer.v1"},
    },
    default_score_weights=defaults.WEIGHTS,
)
def make_selfore_clusterer(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    clustering: Dict[str, Any],
    n_clusters: int,
    most_clusters: int,
    threshold: float,
    known: bool,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> SelforeClusterer:
    """Create a component that finds relations in raw text without labels.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceClusterer.v1` or `SharedClusterer.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1`, in the order of the text, or
        `spacy_relext.AnnotatedPairs.v1`, in the order in which they are marked.
    clustering (Dict[str, Any]): Made by `spacy_relext.Clustering.v1`.
    n_clusters (int): K; 0: the number whose clusters tell most of neighbours and come out most alike.
    most_clusters (int): The largest number that is tried then.
    threshold (float): Share of the training pairs, those that fit worst, whose like get no triple.
    known (bool): Whether relations that gold triples of the training data name are clusters that their pairs keep, and
        new ones are found beside them. Otherwise gold is not read.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (SelforeClusterer): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_range("n_clusters", n_clusters, 0, 100_000)
    check_range("most_clusters", most_clusters, 2, 100_000)
    check_range("threshold", threshold, 0.0, 1.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return SelforeClusterer(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
