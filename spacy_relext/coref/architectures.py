"""The registered head of `relext_coref`."""

from spacy import registry
from thinc.api import Model

from ..bridge.modules import ModuleInput, module_model
from ..encoders.architectures import Tok2Vec
from ..errors import check_range, check_sizes
from .slots import CorefBatch


@registry.architectures("spacy_relext.AntecedentScorer.v1")
def build_antecedent_scorer(encoder: Tok2Vec, hidden: int = 128, dropout: float = 0.1) -> Model:
    """Build the model of `relext_coref`, a `Model[CorefBatch, CorefOutput]`.

    encoder (Tok2Vec): Any tok2vec, or a listener.
    hidden (int): Size of the projection of token vectors, and of the hidden layers.
    dropout (float): Dropout on token vectors and in hidden layers.
    """
    from .model import AntecedentScorer

    check_sizes(hidden=hidden)
    check_range("dropout", dropout, 0.0, 1.0)
    module = AntecedentScorer(hidden=hidden, dropout=dropout)
    return module_model(module, _prepare, name="relext_antecedent_scorer", tok2vec=encoder)


def _prepare(model: Model, batch: CorefBatch, is_train: bool) -> ModuleInput:
    """Pass a batch of slots and pairs to the scorer."""
    return ModuleInput(batch.arrays, docs=batch.docs)
