"""The registered head of `zeroshot_classifier`: pairs and descriptions over one encoder."""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder, EncoderSpec
from ..errors import Errors, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.DescriptionMatcher.v1")
def build_description_matcher(encoder: Encoder, dropout: float = 0.1, relation_dropout: float = 0.5) -> Model:
    """Build the matcher of `zeroshot_classifier`, a `Model[PairBatch, MatchOutput]`.

    encoder (Encoder): `spacy_relext.PieceEncoder.v1`, which reads texts and descriptions.
    dropout (float): Dropout above the encoder.
    relation_dropout (float): Share of the relations that are left out of a training step; their pairs then have no
        relation.
    RAISES (ValueError): If the encoder reads no word pieces, or a share is out of its range.
    """
    from .model import DescriptionMatcher

    check_range("relation_dropout", relation_dropout, 0.0, 0.99)
    if not isinstance(encoder, EncoderSpec) or encoder.build_tokens is None:
        name = encoder.name if isinstance(encoder, Model) else "an encoder over token vectors"
        expected = "spacy_relext.PieceEncoder.v1, which also reads the descriptions of relations"
        raise ValueError(Errors.R007.format(key="encoder of the description matcher", found=name, expected=expected))
    return pair_model(
        DescriptionMatcher,
        encoder,
        name="relext_description_matcher",
        dropout=dropout,
        relation_dropout=relation_dropout,
    )
