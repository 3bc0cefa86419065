"""Settings of `relext_documents`, by section."""

from dataclasses import dataclass

from spacy import registry

from ..pipeline.settings import Block, one_of, within

LOSSES = ("bce", "adaptive", "ssr_pu")


@registry.misc("spacy_relext.DocumentsLoss.v1")
@dataclass(frozen=True)
class DocumentsLoss(Block):
    """Loss of `relext_documents`.

    kind (str): "adaptive", cross-entropy "bce", or "ssr_pu", which is robust to missing labels.
    missing_rate (float): Expected share of true facts without a label, for "ssr_pu".
    """

    kind: str = one_of("adaptive", LOSSES)
    missing_rate: float = within(0.2, 0.0, 0.95)
