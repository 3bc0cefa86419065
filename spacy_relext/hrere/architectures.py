"""The registered head of `hrere_classifier`: text and knowledge base over one encoder."""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder
from ..errors import check_choice, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.HrereBagClassifier.v1")
def build_bag_classifier(
    encoder: Encoder,
    hidden: int = 256,
    dropout: float = 0.1,
    kb_lr_scale: float = 20.0,
    entity_lr_scale: float = 0.0,
    no_relation: str = "bias",
) -> Model:
    """Build the classifier of bags of `hrere_classifier`, a `Model[PairBatch, HrereOutput]`.

    encoder (Encoder): Any encoder of pairs, or any tok2vec.
    hidden (int): Size of a mention's vector and of the layer above it.
    dropout (float): Dropout above the encoder, and on the vectors of a tok2vec.
    kb_lr_scale (float): Learning rate of the embeddings of relations, c and b, as a multiple of the optimizer's; 0:
        the embeddings are not trained.
    entity_lr_scale (float): That of the embeddings of entities; 0: they are not trained.
    no_relation (str): The knowledge base's score of no relation: "bias", a number, or "vector", an embedding like those
        of relations, as in the paper.
    RAISES (ValueError): If a rate is out of its range, or `no_relation` has another value.
    """
    from .model import NO_RELATION_FORMS, BagClassifier

    check_range("kb_lr_scale", kb_lr_scale, 0.0, 1_000.0)
    check_range("entity_lr_scale", entity_lr_scale, 0.0, 1_000.0)
    check_choice("no_relation", no_relation, NO_RELATION_FORMS)
    # c and b are trained even if the embeddings are not
    scales = {f"knowledge.{name}": kb_lr_scale or 1.0 for name in ("scale", "bias")}
    return pair_model(
        BagClassifier,
        encoder,
        name="relext_hrere_bags",
        lr_scales={**scales, "knowledge.changes": entity_lr_scale, "knowledge.": kb_lr_scale},
        hidden=hidden,
        dropout=dropout,
        no_relation=no_relation,
    )
