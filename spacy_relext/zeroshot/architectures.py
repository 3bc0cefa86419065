"""The registered heads of `zeroshot_classifier`: one encoder reads pairs and descriptions."""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder, EncoderSpec
from ..errors import Errors, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.DescriptionMatcher.v1")
def build_description_matcher(encoder: Encoder, dropout: float = 0.1, relation_dropout: float = 0.1) -> Model:
    """Build the matcher of `zeroshot_classifier`, a `Model[PairBatch, MatchOutput]`.

    encoder (Encoder): `spacy_relext.PieceEncoder.v1`, which reads texts and descriptions.
    dropout (float): Dropout above the encoder.
    relation_dropout (float): Probability that a relation is left out of a training step; its pairs then have no
        relation.
    RAISES (ValueError): If the encoder reads no word pieces, or a share is out of its range.
    """
    from .model import DescriptionMatcher

    check_range("relation_dropout", relation_dropout, 0.0, 0.99)
    if not isinstance(encoder, EncoderSpec) or encoder.build_tokens is None:
        name = encoder.name if isinstance(encoder, Model) else "an encoder over token vectors"
        expected = "spacy_relext.PieceEncoder.v1, which also reads the descriptions of relations"
        raise ValueError(Errors.R007.format(key="encoder of zeroshot_classifier", found=name, expected=expected))
    return pair_model(
        DescriptionMatcher,
        encoder,
        name="relext_description_matcher",
        dropout=dropout,
        relation_dropout=relation_dropout,
    )
