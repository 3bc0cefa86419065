"""The registered head of `nero_grounder`: relation module and soft matcher over one encoder.

The soft matcher compares word vectors, so before training the similarity of two texts depends on the encoder. The
paper's form is static vectors below a `spacy_relext.RecurrentEncoder.v1`.
"""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.NeroGrounder.v1")
def build_grounder(encoder: Encoder, hidden: int = 384, dropout: float = 0.1, attention_hidden: int = 200) -> Model:
    """Build the model of a `nero_grounder`: relation module and soft matcher.

    encoder (Encoder): Any encoder of pairs, or any tok2vec, but no listener.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder, and on the vectors of a tok2vec.
    attention_hidden (int): Size of the layer of both attentions.
    """
    from .model import Grounder

    return pair_model(
        Grounder,
        encoder,
        name="relext_nero_grounder",
        hidden=hidden,
        dropout=dropout,
        attention_hidden=attention_hidden,
    )
