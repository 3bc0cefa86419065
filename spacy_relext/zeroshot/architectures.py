"""The registered heads of `zeroshot_classifier`: one encoder reads pairs and descriptions, separately or jointly."""

from typing import Any, Dict, cast

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

    _check(encoder, relation_dropout)
    options: Dict[str, Any] = {"dropout": dropout, "relation_dropout": relation_dropout}
    return pair_model(DescriptionMatcher, encoder, name="relext_description_matcher", **options)


@registry.architectures("spacy_relext.DescriptionCrossEncoder.v1")
def build_description_cross_encoder(
    encoder: Encoder, dropout: float = 0.1, relation_dropout: float = 0.1, negatives: int = 7, candidates: int = 0
) -> Model:
    """Build the cross-encoder of `zeroshot_classifier`, a `Model[PairBatch, MatchOutput]`.

    encoder (Encoder): `spacy_relext.PieceEncoder.v1`; its layers from `marker_layer` on read a text and a description
        together, those below read each alone, once.
    dropout (float): Dropout above the encoder.
    relation_dropout (float): Probability with which a pair is not read with its own relation in a training step; it
        then has no relation.
    negatives (int): Number of other relations, drawn anew in each step, that a pair is read with.
    candidates (int): Number of relations that a pair is read with in prediction: those with the highest cosine when
        both are read separately; 0 for all.
    RAISES (ValueError): If the encoder reads no word pieces, or a setting is out of its range.
    """
    from .cross_encoder import DescriptionCrossEncoder

    _check(encoder, relation_dropout)
    check_range("negatives", negatives, 1, 10_000)
    check_range("candidates", candidates, 0, 10_000)
    options: Dict[str, Any] = {"dropout": dropout, "relation_dropout": relation_dropout, "negatives": negatives}
    options.update(candidates=candidates, max_pieces=cast(EncoderSpec, encoder).attrs["max_pieces"])
    return pair_model(DescriptionCrossEncoder, encoder, name="relext_description_cross_encoder", **options)


def _check(encoder: Encoder, relation_dropout: float) -> None:
    check_range("relation_dropout", relation_dropout, 0.0, 0.99)
    if not isinstance(encoder, EncoderSpec) or encoder.build_tokens is None:
        name = encoder.name if isinstance(encoder, Model) else "an encoder over token vectors"
        expected = "spacy_relext.PieceEncoder.v1, which also reads the descriptions of relations"
        raise ValueError(Errors.R007.format(key="encoder of zeroshot_classifier", found=name, expected=expected))
