"""The registered head of `relext_documents`."""

from spacy import registry
from thinc.api import Model

from ..bridge.modules import ModuleInput, module_model
from ..encoders.architectures import Tok2Vec
from ..errors import check_range, check_sizes
from .segments import DocumentBatch


@registry.architectures("spacy_relext.DocumentPairs.v1")
def build_document_pairs(encoder: Tok2Vec, hidden: int = 256, heads: int = 4, dropout: float = 0.1) -> Model:
    """Build the model of `relext_documents`, a `Model[DocumentBatch, DocumentOutput]`.

    encoder (Tok2Vec): Any tok2vec, or a listener; one that reads across sentences is best.
    hidden (int): Size of the vectors of entities and contexts, a multiple of 64 and of `heads`.
    heads (int): Attention heads.
    dropout (float): Dropout on token vectors and before the last layer.
    RAISES (ValueError): If a size is out of range.
    """
    from .model import GROUP, DocumentPairs

    check_sizes(hidden=hidden, heads=heads)
    check_range("dropout", dropout, 0.0, 1.0)
    check_range("hidden modulo 64 and heads", hidden % GROUP + hidden % heads, 0, 0)
    module = DocumentPairs(hidden=hidden, heads=heads, dropout=dropout)
    return module_model(module, _prepare, name="relext_document_pairs", tok2vec=encoder)


def _prepare(model: Model, batch: DocumentBatch, is_train: bool) -> ModuleInput:
    """Pass a batch of entities and pairs to the classifier."""
    return ModuleInput(batch.arrays, docs=batch.docs)
