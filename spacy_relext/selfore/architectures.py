"""The registered head of `selfore_clusterer`: a classifier of clusters over one encoder.

The first clusters are those of the untrained encoder, so it needs pretrained weights: a checkpoint, static vectors or a
pretrained tok2vec. Random vectors only tell which words are equal.
"""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder
from ..errors import check_choice, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.SelforeClusterer.v1")
def build_clusterer(
    encoder: Encoder, dropout: float = 0.1, type_weight: float = 0.3, projection: int = 0, context: str = "between"
) -> Model:
    """Build the classifier of `selfore_clusterer`, a `Model[PairBatch, ClusterOutput]`.

    encoder (Encoder): Any encoder of pairs, or any tok2vec, whose vectors are then used without a projection.
    dropout (float): Dropout on the vectors of pairs, and on those of a tok2vec.
    type_weight (float): Weight of the arguments' entity types, beside parts of length 1; 0: ignored.
    projection (int): Width of the space in which a loop with `loop = "neighbours"` compares pairs; 0: that of their
        vectors.
    context (str): What stands for the text in a vector of means: "between", the words between the arguments, or
        "sentence", all of its words. An encoder trained on labels (`start`) says most by the latter.
    """
    from .model import CONTEXTS, Clusterer

    check_range("type_weight", type_weight, 0.0, 100.0)
    check_range("projection", projection, 0, 100_000)
    check_choice("context", context, CONTEXTS)
    return pair_model(
        Clusterer,
        encoder,
        name="relext_selfore_clusterer",
        shared_width=0,
        dropout=dropout,
        type_weight=type_weight,
        projection=projection,
        context=context,
    )
