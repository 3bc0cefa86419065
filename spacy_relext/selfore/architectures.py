"""The registered head of `selfore_clusterer`: a classifier of clusters over one encoder.

The first clusters are those of the untrained encoder, so it needs pretrained weights: a checkpoint, static vectors or a
pretrained tok2vec. Random vectors only show which words are equal.
"""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder
from ..errors import check_choice, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.SelforeClusterer.v1")
def build_clusterer(
    encoder: Encoder, dropout: float = 0.1, type_weight: float = 0.3, context: str = "between"
) -> Model:
    """Build the classifier of `selfore_clusterer`, a `Model[PairBatch, ClusterOutput]`.

    encoder (Encoder): Any encoder of pairs, or any tok2vec, whose vectors are then used without a projection.
    dropout (float): Dropout on the vectors of pairs, and on those of a tok2vec.
    type_weight (float): Weight of the arguments' entity types, relative to text parts of norm 1; 0: not used.
    context (str): Words of the text that a vector of means averages: "between", those between the arguments, or
        "sentence", all of them. The latter is best for an encoder trained on labels (`start`).
    """
    from .model import CONTEXTS, Clusterer

    check_range("type_weight", type_weight, 0.0, 100.0)
    check_choice("context", context, CONTEXTS)
    return pair_model(
        Clusterer,
        encoder,
        name="relext_selfore_clusterer",
        shared_width=0,
        dropout=dropout,
        type_weight=type_weight,
        context=context,
    )
