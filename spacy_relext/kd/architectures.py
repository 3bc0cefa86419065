"""Registered heads of `kd_teacher` and `kd_classifier`."""

from spacy import registry
from thinc.api import Model

from ..encoders.architectures import Encoder
from ..errors import check_choice, check_range
from ..pairs.architectures import pair_model


@registry.architectures("spacy_relext.KdTeacher.v1")
def build_teacher(
    encoder: Encoder, hidden: int = 256, dropout: float = 0.1, fusion: str = "vector", scale: float = 0.8
) -> Model:
    """Build the model of a `kd_teacher`, which combines the text with the type prior.

    encoder (Encoder): Any encoder of pairs, or any tok2vec.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder, and on the vectors of a tok2vec.
    fusion (str): Form of γ: "scalar" (S, a constant), "vector" (V, one learned number per class) or "relation" (R, a
        learned row per gold relation: such a teacher reads the gold label, so it can only teach).
    scale (float): Initial value of γ; its constant value with "scalar".
    """
    from .model import FUSIONS, Teacher

    check_choice("fusion", fusion, FUSIONS)
    check_range("scale", scale, 0.0, 1_000.0)
    return pair_model(
        Teacher,
        encoder,
        name="relext_kd_teacher",
        attrs={"fusion": fusion},
        hidden=hidden,
        dropout=dropout,
        fusion=fusion,
        scale=scale,
    )


@registry.architectures("spacy_relext.KdStudent.v1")
def build_student(
    encoder: Encoder,
    hidden: int = 256,
    dropout: float = 0.1,
    attention: bool = True,
    attention_hidden: int = 200,
    position_width: int = 30,
    type_width: int = 30,
) -> Model:
    """Build the model of a `kd_classifier`, a student that reads the text alone.

    encoder (Encoder): Any encoder of pairs, or any tok2vec.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder, and on the vectors of a tok2vec.
    attention (bool): Whether to build the auxiliary branch with multi-aspect attention.
    attention_hidden (int): Size of the attention's hidden layer.
    position_width (int): Size of the embedding of a token's distance to each argument.
    type_width (int): Size of the embedding of a token's entity type.
    """
    from .model import Student

    return pair_model(
        Student,
        encoder,
        name="relext_kd_student",
        hidden=hidden,
        dropout=dropout,
        attention=attention,
        attention_hidden=attention_hidden,
        position_width=position_width,
        type_width=type_width,
    )
