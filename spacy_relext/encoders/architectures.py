"""Registered encoders: a Hugging Face transformer, and a BiLSTM over any tok2vec."""

from typing import Any, Dict, List, Optional

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import check_choice, check_range


@registry.architectures("spacy_relext.Transformer.v1")
def build_transformer(
    name: str,
    max_pieces: int = 128,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    dropout: Optional[float] = None,
    lr_scale: float = 1.0,
    entity_marks: bool = False,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tok2vec from a Hugging Face encoder; its weights are saved with the pipeline.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces; longer sentences are read in overlapping windows.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether token vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers (and the embeddings below them) are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    dropout (Optional[float]): Replaces the encoder's own dropout.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    entity_marks (bool): Whether to add embeddings of the entities' types and first tokens to the input: for pair
        components whose entities are found before, by a component with another encoder. Frozen under frozen layers.
    RETURNS (Model[List[Doc], List[Floats2d]]): One vector per token.
    """
    from ..bridge.modules import set_lr_scales
    from .models import encoder_model

    module = token_encoder(
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
        dropout=dropout,
        entity_marks=entity_marks,
    )
    set_lr_scales(module, encoder_scales("", lr_scale))
    return encoder_model(module, path=name, max_pieces=max_pieces, entity_marks=entity_marks)


@registry.architectures("spacy_relext.BiLSTM.v1")
def build_bilstm(width: int = 256, depth: int = 1, dropout: float = 0.3) -> Model[List[Floats2d], List[Floats2d]]:
    """Build a bidirectional LSTM for the `encode` slot of `spacy.Tok2Vec.v2`; its weights are saved as safetensors.

    width (int): Size of the output vectors, both directions together; even.
    depth (int): Number of layers.
    dropout (float): Dropout on input, output and between layers.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): One vector per token.
    """
    from .models import sequence_model
    from .recurrent import BiLSTM

    return sequence_model(BiLSTM(width=width, depth=depth, dropout=dropout), width=width, name="relext_bilstm")


def encoder_scales(prefix: str, lr_scale: float) -> Dict[str, float]:
    """Let what is new in an encoder learn faster than what is pretrained."""
    tables = {f"{prefix}encoder.{name}": min(1.0, 5 * lr_scale) for name in ("shape_table", "mark_table")}
    return {f"{prefix}encoder.mix": 1.0, **tables, prefix: lr_scale}


def token_encoder(*, max_pieces: int, precision: str, **options: Any) -> Any:
    """Make an empty encoder of word pieces from checked settings."""
    from .precision import PRECISIONS
    from .tokens import TokenEncoder
    from .transformer import TransformerEncoder

    check_choice("precision", precision, PRECISIONS)
    check_range("max_pieces", max_pieces, 8, 1_000_000)
    return TokenEncoder(TransformerEncoder(precision=precision, **options))
