"""Registered model builders of methods that classify pairs of entities, side by side."""

from typing import Any, List

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import check_choice
from ..pairs.architectures import contextual_graph, graph_pair_model, pair_transformer, piece_model


@registry.architectures("spacy_relext.PieceTeacher.v1")
def build_piece_teacher(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    typed_markers: bool = False,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    hidden: int = 384,
    dropout: float = 0.1,
    fusion: str = "vector",
    scale: float = 0.8,
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build a teacher whose encoder is a transformer that reads a text for a pair.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    marker_layer (int): The layer that sees the pair first, from 0; those below read a text once for all its pairs.
    typed_markers (bool): Whether a pair's marks also say which entity types it has.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder.
    fusion (str): γ: "scalar" (S, a constant), "vector" (V, one learned number per class) or "relation" (R, a learned
        row for each gold relation: it knows the answer, and can only teach).
    scale (float): γ at first, and for good with "scalar".
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[PairBatch, TeacherOutput]): For `kd_teacher`.
    """
    from .model import Teacher

    encoder = pair_transformer(
        max_pieces=max_pieces,
        marker_layer=marker_layer,
        typed_markers=typed_markers,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
    )
    module = _teacher(Teacher, encoder, hidden=hidden, dropout=dropout, fusion=fusion, scale=scale)
    return piece_model(module, name, max_pieces, lr_scale, "relext_kd_piece_teacher", fusion=fusion)


@registry.architectures("spacy_relext.PieceStudent.v1")
def build_piece_student(
    name: str,
    max_pieces: int = 128,
    marker_layer: int = 0,
    typed_markers: bool = False,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    hidden: int = 384,
    dropout: float = 0.1,
    attention: bool = True,
    attention_hidden: int = 200,
    position_width: int = 30,
    type_width: int = 30,
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build a student whose encoder is a transformer that reads a text for a pair.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    marker_layer (int): The layer that sees the pair first, from 0; those below read a text once for all its pairs.
    typed_markers (bool): Whether a pair's marks also say which entity types it has.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder.
    attention (bool): Whether there is an auxiliary branch, with its multi-aspect attention.
    attention_hidden (int): Size of the attention's layer.
    position_width (int): Size of the embedding of each of a token's two distances.
    type_width (int): Size of the embedding of a token's entity type.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[PairBatch, StudentOutput]): For `kd_classifier`.
    """
    from .model import Student

    encoder = pair_transformer(
        max_pieces=max_pieces,
        marker_layer=marker_layer,
        typed_markers=typed_markers,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
    )
    module = Student(
        encoder,
        hidden=hidden,
        dropout=dropout,
        attention=attention,
        attention_hidden=attention_hidden,
        position_width=position_width,
        type_width=type_width,
    )
    return piece_model(module, name, max_pieces, lr_scale, "relext_kd_piece_student")


@registry.architectures("spacy_relext.GraphTeacher.v1")
def build_graph_teacher(
    tok2vec: Model[List[Doc], List[Floats2d]],
    distance: int = 1,
    width: int = 200,
    layers: int = 2,
    input_dropout: float = 0.5,
    graph_dropout: float = 0.5,
    word_dropout: float = 0.04,
    mask_entities: bool = True,
    offset_width: int = 0,
    hidden: int = 200,
    dropout: float = 0.1,
    fusion: str = "vector",
    scale: float = 0.8,
) -> Model[Any, Any]:
    """Build a teacher whose encoder is a C-GCN: a BiLSTM and graph convolution over the pruned dependency tree.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word vectors: any encoder or listener.
    distance (int): How far from the path between both arguments a token may be; -1: any token.
    width (int): Size of an LSTM's direction and of the graph convolution.
    layers (int): Graph convolutions, one above the other.
    input_dropout (float): Dropout on the vectors of words.
    graph_dropout (float): Dropout after the LSTM and between graph convolutions.
    word_dropout (float): Share of words that are not read in training.
    mask_entities (bool): Whether an argument's words are replaced by its role and type.
    offset_width (int): Size of the embedding of each of a token's two distances to the arguments; 0: not read.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder.
    fusion (str): γ: "scalar", "vector" or "relation", as for `spacy_relext.PieceTeacher.v1`.
    scale (float): γ at first, and for good with "scalar".
    RETURNS (Model[PairBatch, TeacherOutput]): For `kd_teacher`.
    """
    from .model import Teacher

    encoder = contextual_graph(width, layers, input_dropout, graph_dropout, word_dropout, mask_entities, offset_width)
    module = _teacher(Teacher, encoder, hidden=hidden, dropout=dropout, fusion=fusion, scale=scale)
    return graph_pair_model(tok2vec, module, distance, "relext_kd_graph_teacher", fusion=fusion)


@registry.architectures("spacy_relext.GraphStudent.v1")
def build_graph_student(
    tok2vec: Model[List[Doc], List[Floats2d]],
    distance: int = 1,
    width: int = 200,
    layers: int = 2,
    input_dropout: float = 0.5,
    graph_dropout: float = 0.5,
    word_dropout: float = 0.04,
    mask_entities: bool = True,
    offset_width: int = 0,
    hidden: int = 200,
    dropout: float = 0.1,
    attention: bool = True,
    attention_hidden: int = 200,
    position_width: int = 30,
    type_width: int = 30,
) -> Model[Any, Any]:
    """Build a student whose encoder is a C-GCN: a BiLSTM and graph convolution over the pruned dependency tree.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word vectors: any encoder or listener.
    distance (int): How far from the path between both arguments a token may be; -1: any token.
    width (int): Size of an LSTM's direction and of the graph convolution.
    layers (int): Graph convolutions, one above the other.
    input_dropout (float): Dropout on the vectors of words.
    graph_dropout (float): Dropout after the LSTM and between graph convolutions.
    word_dropout (float): Share of words that are not read in training.
    mask_entities (bool): Whether an argument's words are replaced by its role and type.
    offset_width (int): Size of the embedding of each of a token's two distances to the arguments; 0: not read.
    hidden (int): Size of the hidden layer above the encoder.
    dropout (float): Dropout above the encoder.
    attention (bool): Whether there is an auxiliary branch, with its multi-aspect attention.
    attention_hidden (int): Size of the attention's layer.
    position_width (int): Size of the embedding of each of a token's two distances.
    type_width (int): Size of the embedding of a token's entity type.
    RETURNS (Model[PairBatch, StudentOutput]): For `kd_classifier`.
    """
    from .model import Student

    encoder = contextual_graph(width, layers, input_dropout, graph_dropout, word_dropout, mask_entities, offset_width)
    module = Student(
        encoder,
        hidden=hidden,
        dropout=dropout,
        attention=attention,
        attention_hidden=attention_hidden,
        position_width=position_width,
        type_width=type_width,
    )
    return graph_pair_model(tok2vec, module, distance, "relext_kd_graph_student")


@registry.architectures("spacy_relext.SharedTeacher.v1")
def build_shared_teacher(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 256,
    hidden: int = 256,
    dropout: float = 0.1,
    fusion: str = "vector",
    scale: float = 0.8,
) -> Model[Any, Any]:
    """Build a teacher over token vectors that all pairs of a text share: the fastest where a text has many.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    width (int): Size of what is made of a token vector.
    hidden (int): Size of the hidden layer above.
    dropout (float): Dropout on token vectors and above.
    fusion (str): γ: "scalar", "vector" or "relation", as for `spacy_relext.PieceTeacher.v1`.
    scale (float): γ at first, and for good with "scalar".
    RETURNS (Model[PairBatch, TeacherOutput]): For `kd_teacher`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.shared import SharedPairs
    from .model import Teacher

    encoder = SharedPairs(hidden=width, dropout=dropout)
    module = _teacher(Teacher, encoder, hidden=hidden, dropout=dropout, fusion=fusion, scale=scale)
    model = token_pair_model(tok2vec, module, name="relext_kd_shared_teacher")
    model.attrs["fusion"] = fusion
    return model


@registry.architectures("spacy_relext.SharedStudent.v1")
def build_shared_student(
    tok2vec: Model[List[Doc], List[Floats2d]],
    width: int = 256,
    hidden: int = 256,
    dropout: float = 0.1,
    attention: bool = True,
    attention_hidden: int = 200,
    position_width: int = 30,
    type_width: int = 30,
) -> Model[Any, Any]:
    """Build a student over token vectors that all pairs of a text share: the fastest where a text has many.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    width (int): Size of what is made of a token vector.
    hidden (int): Size of the hidden layer above.
    dropout (float): Dropout on token vectors and above.
    attention (bool): Whether there is an auxiliary branch, with its multi-aspect attention.
    attention_hidden (int): Size of the attention's layer.
    position_width (int): Size of the embedding of each of a token's two distances.
    type_width (int): Size of the embedding of a token's entity type.
    RETURNS (Model[PairBatch, StudentOutput]): For `kd_classifier`.
    """
    from ..pairs.encoders.models import token_pair_model
    from ..pairs.encoders.shared import SharedPairs
    from .model import Student

    module = Student(
        SharedPairs(hidden=width, dropout=dropout),
        hidden=hidden,
        dropout=dropout,
        attention=attention,
        attention_hidden=attention_hidden,
        position_width=position_width,
        type_width=type_width,
    )
    return token_pair_model(tok2vec, module, name="relext_kd_shared_student")


def _teacher(kind: Any, encoder: Any, *, fusion: str, **settings: Any) -> Any:
    """Make a teacher of checked settings."""
    from .model import FUSIONS

    check_choice("fusion", fusion, FUSIONS)
    return kind(encoder, fusion=fusion, **settings)
